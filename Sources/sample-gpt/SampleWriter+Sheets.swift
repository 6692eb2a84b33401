// Sheets and animations of samples.
import Images
import Models
import Training

extension SampleWriter {
  private static let frames = 48

  /// Images on a sheet about as high as wide.
  static func square(_ images: [RGBImage]) -> ContactSheet {
    ContactSheet(images, columns: Int(Double(images.count).squareRoot().rounded(.up)))
  }

  /// All images, or with several settings or given images a row for each, a column for each sample.
  ///
  /// - Parameters:
  ///   - rows: of each setting.
  ///   - given: the first samples' images or maps; none, or one for each of `numbers`.
  ///   - numbers: of the first samples.
  func sheet(_ rows: [[RGBImage]], given: [RGBImage], _ numbers: [Int]) -> ContactSheet {
    guard rows.count > 1 || !given.isEmpty else { return Self.square(rows[0]) }
    let drawn = rows.map { Array($0.prefix(numbers.count)) }
    let labels = options.settings.map(\.label)
    return ContactSheet(
      rows: given.isEmpty ? drawn : [given] + drawn, columnHeaders: numbers.map { "\($0)" },
      rowLabels: given.isEmpty ? labels : ["given"] + labels)
  }

  /// The first images filling up in the order in which they were sampled.
  func animate(_ codes: [[Int32]], to path: String) throws {
    let order = sampler.samplingOrder.filter { inputs.mask?[$0] != true }
    let steps = max(1, min(Self.frames, order.count))
    let (factor, depth) = (sampler.vqgan.config.downsampling, sampler.depth)
    let frames = try (0...steps).map { step -> RGBImage in
      let missing = order[(order.count * step / steps)...]
      let images = try codes.map { codes -> RGBImage in
        var shown = codes
        for cell in missing { shown[cell] = 0 }
        var image = try sampler.image(shown)
        for cell in missing {
          image.fill(
            PixelRect(
              x: cell % sampler.grid.width / depth * factor, y: cell / sampler.grid.width * factor,
              width: factor, height: factor), with: .grey(96))
        }
        return image
      }
      return ContactSheet(images, columns: Self.moving).rendered()
    }
    try AnimatedPNG.write(frames, milliseconds: 80, to: path)
  }
}
