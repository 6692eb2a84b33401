// Images to what a VQGAN reads, and what it writes to images: pixels as they are, or by its palette.
import Checkpoints
import Images
import Models
import RowMaps
import TensorCore

extension VQGANConfig {
  /// Images as rows of `input`: their pixels, or the numbers of their colours.
  ///
  /// - Parameters:
  ///   - pixels: `[…, 3]`.
  ///   - name: of the images, for the message.
  /// - Throws: `EncodingError.color` for a colour that the palette lacks.
  package func rows(
    of pixels: [UInt8], named name: @autoclosure () -> String
  ) throws(EncodingError) -> RowValues {
    guard let palette else { return .bytes(pixels) }
    do throws(UnknownColor) {
      return .bytes(try palette.numbers(of: pixels))
    } catch {
      throw .color(path: name(), found: error.text, colors: palette.count)
    }
  }

  /// The filter that images are resized with: averages make colours that no palette has.
  package var resizing: ResizeFilter { palette == nil ? .bicubic : .nearest }

  /// The images of what the model writes, `[N, C, H, W]`: clamped to [-1, 1], or the most likely
  /// colour of every pixel.
  package func images(of output: Tensor) -> [RGBImage] {
    let (count, height, width) = (output.shape[0], output.shape[2], output.shape[3])
    let pixels = palette?.pixels(of: output.largestLabels()) ?? output.pixels()
    let size = height * width * 3
    return (0..<count).map { item in
      RGBImage(
        width: width, height: height, pixels: Array(pixels[item * size..<(item + 1) * size]))
    }
  }
}

extension Tensor {
  /// The most likely label of every position of logits `[N, C, H, W]`, as rows of shards.
  package func largestLabels() -> [UInt8] { largestChannels().elements.map { UInt8(clamping: $0) } }
}

extension FirstStage {
  /// A batch of images of one size, whose sides the VQGAN's factor divides; at least one.
  ///
  /// - Parameter name: of an image, for the message.
  /// - Throws: `EncodingError.color` for a colour that the VQGAN's palette lacks.
  package func input(
    _ images: [RGBImage], named name: (Int) -> String, on device: Device
  ) throws(EncodingError) -> VQGANInput {
    var values: [UInt8] = []
    for (index, image) in images.enumerated() {
      guard case .bytes(let row) = try config.rows(of: image.pixels, named: name(index)) else {
        preconditionFailure("images of 16 bits")
      }
      values += row
    }
    return VQGANInput(
      .bytes(values), of: config.input, count: images.count, height: images[0].height,
      width: images[0].width, on: device)
  }

  /// The images of several grids of codes.
  ///
  /// - Parameter codes: `[N, h, w]`.
  /// - Throws: `NotFiniteError`.
  package func images(of codes: IndexTensor) throws(NotFiniteError) -> [RGBImage] {
    config.images(of: try finite(model.decode(indices: codes), "an image of codes"))
  }

  /// Codes `[N, h, w]`.
  ///
  /// - Throws: `NotFiniteError`.
  package func encode(_ input: VQGANInput) throws(NotFiniteError) -> IndexTensor {
    model.codes(of: try entries(of: input))
  }

  /// The images after encoding and decoding, `[N, C, H, W]`, and their codes `[N, h, w]`.
  ///
  /// - Throws: `NotFiniteError`.
  package func reconstruct(
    _ input: VQGANInput
  ) throws(NotFiniteError) -> (images: Tensor, codes: IndexTensor) {
    let entries = try entries(of: input)
    let images = withoutGradients {
      model.decode(model.quantizer.vectors(of: entries)).plain()
    }
    return (try finite(images, "a reconstruction"), model.codes(of: entries))
  }

  private func entries(of input: VQGANInput) throws(NotFiniteError) -> IndexTensor {
    let latents = try finite(withoutGradients { model.latents(of: input) }, "the latents")
    return withoutGradients { model.quantize(latents).indices }
  }

  /// A result that the weights are to blame for where it is not finite.
  private func finite(_ result: Tensor, _ name: String) throws(NotFiniteError) -> Tensor {
    guard result.isFinite else { throw NotFiniteError(path: path, result: name) }
    return result
  }
}
