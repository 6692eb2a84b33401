// Which part of an image is given.
import Images
import Models

extension SampleMask {
  /// The cells of a grid whose part of an image is given, `[H·W]`.
  ///
  /// A file is scaled and cut like the image.
  ///
  /// - Parameters:
  ///   - factor: pixels per code along one side.
  ///   - reading: how a file is read.
  /// - Throws: `ImageError`.
  package func cells(
    of grid: GridSize, factor: Int, reading: ImageReading = ImageReading()
  ) throws -> [Bool] {
    switch self {
    case .half(let part): return part.cells(of: grid)
    case .file(let path):
      let image = try reading.image(contentsOf: path)
        .fitted(
          width: grid.width * factor, height: grid.height * factor, mode: .crop, filter: .area
        )
        .resized(width: grid.width, height: grid.height, filter: .area)
      return (0..<grid.count).map { cell in
        // Red, green and blue together, half of white or more.
        image.pixels[cell * 3..<cell * 3 + 3].reduce(0) { $0 + Int($1) } >= 383
      }
    }
  }
}

/// A half, or the white part of an image.
package enum SampleMask: Equatable, Sendable {
  case half(ImageHalf)
  /// An image of any size: white is given, black is sampled.
  case file(String)
}
