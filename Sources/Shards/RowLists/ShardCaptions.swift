// Captions of images: any number of texts a row.

/// The group `/captions`: all texts as one run of UTF-8 bytes, and where texts and rows begin.
enum ShardCaptions {
  private static let text = "\(ShardFormat.Group.captions)/text"
  private static let textOffsets = "\(ShardFormat.Group.captions)/text_offsets"
  private static let rowOffsets = "\(ShardFormat.Group.captions)/row_offsets"

  /// - Parameter rows: the captions of every row.
  static func write(_ rows: [[String]], to file: HDF5OutputFile) throws(ShardError) {
    let texts = rows.joined()
    try file.createGroup(ShardFormat.Group.captions)
    try file.write(.uint8(texts.flatMap { Array($0.utf8) }), named: text)
    try file.write(RowStarts(lengths: texts.map(\.utf8.count)).column, named: textOffsets)
    try file.write(RowStarts(lengths: rows.map(\.count)).column, named: rowOffsets)
  }

  /// The captions of every row.
  ///
  /// - Throws: `missingItem`, `malformed` (also for text that is not UTF-8), `unreadable`.
  static func read(of file: HDF5InputFile, rows: Int) throws(ShardError) -> [[String]] {
    guard case .uint8(let bytes) = try file.dataset(text).values(of: .uint8) else {
      preconditionFailure("values of uint8 are uint8")
    }
    let positions = try RowStarts(reading: textOffsets, of: file, parts: nil, total: bytes.count)
    let captions = try RowStarts(
      reading: rowOffsets, of: file, parts: rows, total: positions.count)
    var all: [[String]] = []
    all.reserveCapacity(rows)
    for row in 0..<rows {
      var texts: [String] = []
      for caption in captions[row] {
        guard let decoded = String(validating: bytes[positions[caption]], as: UTF8.self) else {
          throw .malformed(
            path: file.path, item: "/\(text), caption \(caption)", found: "not UTF-8",
            expected: "text")
        }
        texts.append(decoded)
      }
      all.append(texts)
    }
    return all
  }
}
