// Labels of maps, which a model must have channels for.
import RowMaps
import Shards

extension RowValues {
  /// Refuses labels that a model has no channel for.
  ///
  /// - Parameters:
  ///   - labels: how many there may be.
  ///   - path: where the map comes from, for the message.
  /// - Throws: `EncodingError.label`.
  func requireLabels(below labels: Int, path: String) throws(EncodingError) {
    guard case .bytes(let values) = self, let wrong = values.first(where: { Int($0) >= labels })
    else { return }
    throw .label(path: path, found: Int(wrong), labels: labels)
  }
}

extension ImageShardReader {
  /// What a model reads of a row.
  ///
  /// - Parameter labels: how many labels it knows, where it reads maps of them.
  /// - Throws: `ShardError`, `EncodingError.label`.
  func row(_ row: Int, _ map: RowMap, labels: Int) throws -> RowValues {
    let values = try self.row(row, map)
    if map.isLabels { try values.requireLabels(below: labels, path: path) }
    return values
  }
}

extension ShardSet where Reader == ImageShardReader {
  /// What a model reads of a row, see `ImageShardReader`.
  func row(_ index: Int, _ map: RowMap, labels: Int) throws -> RowValues {
    let (reader, row) = try locate(index)
    return try reader.row(row, map, labels: labels)
  }
}
