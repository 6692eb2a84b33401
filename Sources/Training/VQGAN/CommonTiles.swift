// The tiles of images that a codebook starts from.
import TensorCore

/// Counts the tiles of palette maps.
///
/// Where there are more than `limit` different ones, the rarest so far are forgotten: what is left
/// are those that many images share.
package struct CommonTiles {
  /// Of a tile, pixels.
  private let side: Int
  private let limit: Int
  private var counts: [[UInt8]: Int] = [:]

  /// A million tiles take some 200 MB.
  package init(side: Int, limit: Int = 1 << 20) { (self.side, self.limit) = (side, limit) }

  /// Counts those of an image, whose sides are multiples of that of a tile.
  package mutating func add(_ labels: [UInt8], width: Int) {
    var tile = [UInt8](repeating: 0, count: side * side)
    for top in stride(from: 0, to: labels.count / width, by: side) {
      for left in stride(from: 0, to: width, by: side) {
        for row in 0..<side {
          let start = (top + row) * width + left
          for column in 0..<side { tile[row * side + column] = labels[start + column] }
        }
        counts[tile, default: 0] += 1
      }
    }
    while counts.count > limit, let rarest = counts.values.min() {
      counts = counts.filter { $0.value > rarest }
    }
  }

  /// The `wanted` commonest, or all, `[count, side, side]`; equally common ones in the order of
  /// their bytes.
  package func commonest(_ wanted: Int) -> IndexTensor {
    let tiles = counts.sorted {
      $0.value != $1.value ? $0.value > $1.value : $0.key.lexicographicallyPrecedes($1.key)
    }.prefix(wanted)
    return IndexTensor(
      tiles.flatMap { $0.key.map { Int32($0) } }, shape: [tiles.count, side, side])
  }
}
