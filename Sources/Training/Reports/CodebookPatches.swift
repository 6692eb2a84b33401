// What every code looks like.
import Images
import TensorCore

/// Every code of a codebook decoded on its own.
package struct CodebookPatches {
  /// Pictures of one code's size, f×f pixels, by code.
  package let pictures: [RGBImage]

  /// Sides of the grid that is filled with one code; the patch is its centre, away from the borders.
  private static let gridSide = 5
  private static let batchSize = 32

  /// Decodes a grid filled with each code and keeps its centre.
  ///
  /// - Parameters:
  ///   - stage: a VQGAN on any device.
  ///   - progress: called with the codes decoded since the last call; what it throws ends the work.
  /// - Throws: `EncodingError.channels`, and what `progress` throws.
  package init(of stage: FirstStage, progress: (_ codes: Int) throws -> Void = { _ in }) throws {
    try stage.requireColourPictures()
    let factor = stage.config.downsampling
    let side = Self.gridSide
    var pictures: [RGBImage] = []
    for start in stride(from: 0, to: stage.config.nEmbed, by: Self.batchSize) {
      let codes = start..<min(start + Self.batchSize, stage.config.nEmbed)
      let indices = codes.flatMap { Array(repeating: Int32($0), count: side * side) }
      let decoded = stage.model.decode(
        indices: IndexTensor(indices, shape: [codes.count, side, side])
      ).rgbImages()
      pictures += decoded.map {
        $0.cropped(x: side / 2 * factor, y: side / 2 * factor, width: factor, height: factor)
      }
      try progress(codes.count)
    }
    self.pictures = pictures
  }

  /// The patches in a nearly square grid.
  ///
  /// - Parameter order: codes from the top left.
  package func sheet(in order: [Int], caption: String) -> RGBImage {
    let columns = Int(Double(order.count).squareRoot().rounded(.up))
    return ContactSheet(
      order.map { pictures[$0] }, columns: columns, caption: caption, smallestSide: 16
    ).rendered()
  }
}
