import ArgumentParser
import Images
import RowMaps
import Shards

/// Whether rows have palette maps, the same for recordings and for images.
package struct PaletteOptions: ParsableArguments, Sendable {
  @Flag(
    name: .customLong("palette"),
    help: "Store the number of every pixel's colour too, for train-vqgan --input palette.")
  package var isWanted = false

  @Option(
    help: ArgumentHelp(
      "Colours that all images together may have with --palette.", valueName: "count"))
  package var maxColors = 32

  package init() {}

  package func validate() throws {
    guard (2...Palette.most).contains(maxColors) else {
      throw ValidationError(
        "--max-colors must be in 2...\(Palette.most), got \(maxColors).")
    }
  }

  /// The filter that images are resized with: averages would make colours that no image has.
  ///
  /// - Throws: `ValidationError` where another one than `nearest` is given with `--palette`.
  package func filter(_ given: ResizeFilter?) throws -> ResizeFilter? {
    guard isWanted else { return given }
    guard given == nil || given == .nearest else {
      throw ValidationError(
        "--filter \(given?.rawValue ?? "") makes new colours; --palette needs nearest.")
    }
    return .nearest
  }

  /// The palette of all rows that a plan will write; nil without `--palette`.
  ///
  /// Reads every image; one that cannot be read has no colours, and is skipped when it is written.
  ///
  /// - Throws: `IngestError.tooManyColors`, and what `progress` throws.
  func palette(
    of choice: ImageChoice, from source: any ImageSource, cut: ImageCut, threads: Int,
    progress: (IngestEvent) throws -> Void
  ) throws -> Palette? {
    guard isWanted else { return nil }
    let images = choice.training + choice.validation
    var all: Set<UInt32> = []
    try inOrder(count: images.count, threads: threads) { index -> Set<UInt32> in
      let image = images[index]
      guard image.fault == nil, let found = try? source.read(image, needs: cut.needs(of: image))
      else { return [] }
      return cut.rows(of: found, image).reduce(into: []) {
        $0.formUnion(Palette.colors(of: $1.image.pixels))
      }
    } consume: { index, colors in
      all.formUnion(colors)
      guard all.count <= maxColors else {
        throw IngestError.tooManyColors(
          name: images[index].name, own: colors.count, all: all.count, allowed: maxColors)
      }
      try progress(.compared(images: 1))
    }
    return Palette(all)
  }
}

extension Palette {
  /// The palette map of a row.
  ///
  /// - Throws: why there is none.
  func map(of image: RGBImage) throws(InvalidImage) -> RowValues {
    do throws(UnknownColor) {
      return .bytes(try numbers(of: image.pixels))
    } catch {
      throw InvalidImage("a pixel is \(error.text), which it was not when the colours were counted")
    }
  }
}
