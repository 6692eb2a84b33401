// Which part of a picture is given.
import Images
import Models

extension SampleMask {
  /// The cells of a grid whose part of a picture is given, `[H·W]`.
  ///
  /// A file is scaled and cut like the picture.
  ///
  /// - Parameter factor: pixels per code along one side.
  /// - Throws: `ImageError`.
  package func cells(of grid: GridSize, factor: Int) throws -> [Bool] {
    switch self {
    case .half(let part): return part.cells(of: grid)
    case .file(let path):
      let picture = try ImageDecoder.decode(contentsOf: path)
        .fitted(
          width: grid.width * factor, height: grid.height * factor, mode: .crop, filter: .area
        )
        .resized(width: grid.width, height: grid.height, filter: .area)
      return (0..<grid.count).map { cell in
        // Red, green and blue together, half of white or more.
        picture.pixels[cell * 3..<cell * 3 + 3].reduce(0) { $0 + Int($1) } >= 383
      }
    }
  }
}

/// A half, or the white part of a picture.
package enum SampleMask: Equatable, Sendable {
  case half(GridPart)
  /// A picture of any size: white is given, black is drawn.
  case file(String)
}
