// The tiles of images that a codebook starts from.
import TensorCore

/// Counts the tiles of palette maps.
struct CommonTiles {
  /// Of a tile, pixels.
  private let side: Int
  private var counts: [[UInt8]: Int] = [:]

  init(side: Int) { self.side = side }

  /// Counts those of images whose sides are multiples of that of a tile.
  mutating func add(_ images: ImageBatch) {
    guard case .bytes(let labels) = images.values else { preconditionFailure("labels are bytes") }
    var tile = [UInt8](repeating: 0, count: side * side)
    // Images lie below each other.
    for top in stride(from: 0, to: images.count * images.height, by: side) {
      for left in stride(from: 0, to: images.width, by: side) {
        for row in 0..<side {
          let start = (top + row) * images.width + left
          for column in 0..<side { tile[row * side + column] = labels[start + column] }
        }
        counts[tile, default: 0] += 1
      }
    }
  }

  /// The `wanted` commonest, or all, `[count, side, side]`; equally common ones in the order of
  /// their bytes.
  func commonest(_ wanted: Int) -> IndexTensor {
    let tiles = counts.sorted {
      $0.value != $1.value ? $0.value > $1.value : $0.key.lexicographicallyPrecedes($1.key)
    }.prefix(wanted)
    return IndexTensor(
      tiles.flatMap { $0.key.map { Int32($0) } }, shape: [tiles.count, side, side])
  }
}
