// The colours of a shard's palette maps.
import RowMaps

extension Palette {
  /// Writes the dataset `palette_colors`, `[P, 3]`.
  func write(to file: HDF5OutputFile) throws(ShardError) {
    try file.write(
      .uint8(bytes), named: ShardFormat.paletteColors, shape: [count, 3], hasChecksum: true)
  }

  /// - Throws: `missingItem`, `malformed`, `unreadable`.
  init(of file: HDF5InputFile) throws(ShardError) {
    let dataset = try file.dataset(ShardFormat.paletteColors)
    let most = Palette.most
    guard dataset.shape.count == 2, (1...most).contains(dataset.shape[0]), dataset.shape[1] == 3,
      case .uint8(let bytes) = try dataset.values(of: .uint8), let palette = Palette(bytes: bytes)
    else {
      throw .malformed(
        path: file.path, item: "/\(ShardFormat.paletteColors)",
        found: "\(dataset.type) \(dataset.shape)",
        expected: "uint8 [P, 3], 1 to \(most) different colours")
    }
    self = palette
  }
}
