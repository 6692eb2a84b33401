// Heat maps of the bits of images, beside the images.
import Images
import Shards

/// A sheet of heat maps: one for each image, a square for each position.
package struct ScoreSheet {
  private var cells: [RGBImage] = []
  private let grid: CodeGrid
  private let largest: Float

  /// - Parameter scores: of the images to come; they share one scale.
  package init(_ scores: some Collection<GridScore>, of grid: CodeGrid) {
    self.grid = grid
    largest = max(scores.map(\.maxBits).max() ?? 0, 1e-6)
  }

  /// Pixels of the longer side of a heat map without an image beside it, at least.
  private static let side = 96

  /// Adds an image's map.
  ///
  /// - Parameter image: that of the codes, where a VQGAN has decoded them; `f` pixels a position.
  package mutating func add(_ score: GridScore, image: RGBImage?) {
    let columns = grid.width / grid.depth
    let longer = max(grid.height, columns)
    let pixels = image.map { $0.height / grid.height } ?? 1
    let enlargement = (Self.side + longer * pixels - 1) / (longer * pixels)
    let map = HeatMap(score.positions, width: columns, largest: largest)
      .rendered(side: pixels * enlargement)
    var cell = RGBImage(
      width: map.width * (image == nil ? 1 : 2), height: map.height + BitmapFont.lineHeight,
      filledWith: .black)
    if let image {
      let enlarged = image.resized(width: map.width, height: map.height, filter: .nearest)
      cell.draw(enlarged, x: 0, y: 0)
    }
    cell.draw(map, x: cell.width - map.width, y: 0)
    let text = "\((score.bits * 10).rounded() / 10) \(score.name)"
    cell.drawText(
      BitmapFont.shortened(text, toFit: cell.width), x: 0, y: map.height + 1, color: .white)
    cells.append(cell)
  }

  /// The page; at least one image was added.
  package func rendered(caption: String) -> RGBImage {
    let columns = Int((Double(cells.count)).squareRoot().rounded(.up))
    return ContactSheet(
      cells, columns: columns,
      caption: "bits of every position, black 0, white \((largest * 100).rounded() / 100). "
        + caption
    ).rendered()
  }
}
