// Where image shards keep their maps.
import RowMaps

extension RowMap {
  /// The dataset of the values; `Docs/Formats.md` describes it.
  var dataset: String { rawValue }
  /// The dataset of the rows' checksums.
  var checksums: String { self == .images ? ShardFormat.crc32c : "\(rawValue)_crc32c" }
  /// Of one value.
  var type: ShardColumnType { isWide ? .uint16 : .uint8 }

  /// The shape of the values of one row.
  func rowShape(height: Int, width: Int) -> [Int] {
    channels == 1 ? [height, width] : [height, width, channels]
  }
}
