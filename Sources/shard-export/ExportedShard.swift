import CommandSupport
import RowMaps
import Shards

/// A shard with the files that its rows become.
struct ExportedShard: Sendable {
  let path: String
  /// Of every row, relative to the output folder and without ending: `images/a/b`.
  let files: [String]
  /// Beside the images; a palette's map says nothing that they do not.
  let maps: [RowMap]
  private let ids: [Int64]
  private let names: [String]

  init(_ reader: ImageShardReader, files: [String]) throws(ShardError) {
    path = reader.path
    self.files = files
    maps = reader.header.maps.filter { $0 != .palette }
    (ids, names) = (try reader.contents.ids, try reader.contents.names)
  }

  /// The file of a row's image or map, relative to the output folder.
  func file(of row: Int, _ map: RowMap) -> String {
    let file = files[row]
    guard map != .images, let slash = file.utf8.firstIndex(of: UInt8(ascii: "/")) else {
      return "\(file).png"
    }
    return "\(map.exportFolder)\(file[slash...]).png"
  }

  /// The number and the name of every row.
  func forEachRow(_ use: (_ row: Int, _ id: Int64, _ name: String) throws -> Void) rethrows {
    for row in files.indices { try use(row, ids[row], names[row]) }
  }

  /// The lines of `rows.jsonl`.
  ///
  /// - Parameter reader: this shard, opened.
  /// - Throws: `ShardError`, and what `use` throws.
  func forEachLine(of reader: ImageShardReader, _ use: (String) throws -> Void) throws {
    let contents = reader.contents
    var columns: [(name: String, values: ShardColumn)] = []
    for name in contents.labelNames { columns.append((name, try contents.labels(name))) }
    let (captions, objects) = (try contents.captions, try contents.objects)
    let shard = path.utf8.split(separator: UInt8(ascii: "/")).last.map {
      String(decoding: $0, as: UTF8.self)
    }
    try forEachRow { row, id, name in
      let maps = maps.map { ($0.rawValue, file(of: row, $0)) }
      try use(
        try ResultWriter.jsonLine(
          ExportedRow(
            path: file(of: row, .images), maps: Dictionary(uniqueKeysWithValues: maps),
            shard: shard ?? path, row: row, id: id, name: name, split: contents.split,
            labels: Dictionary(
              uniqueKeysWithValues: columns.map { ($0.name, LabelValue($0.values, row: row)) }),
            captions: captions?[row], objects: objects?[row].map(ExportedObject.init))))
    }
  }
}

extension RowMap {
  /// Where the PNGs of a map go, beside `images`.
  var exportFolder: String {
    switch self {
    case .images: "images"
    case .segmentation: "stuffthingmaps"
    case .depth: "depth"
    case .palette: "palette"
    }
  }
}

/// A line of `rows.jsonl`: what a shard holds of a row beside its pixels.
private struct ExportedRow: Encodable {
  let path: String
  let maps: [String: String]
  let shard: String
  let row: Int
  let id: Int64
  let name, split: String
  let labels: [String: LabelValue]
  let captions: [String]?
  let objects: [ExportedObject]?
}

/// A value of a label, in JSON's type for it.
private enum LabelValue: Encodable {
  case integer(Int)
  case number(Float)
  case truth(Bool)
  case text(String)

  init(_ column: ShardColumn, row: Int) {
    switch column {
    case .bool(let values): self = .truth(values[row])
    case .float32(let values): self = .number(values[row])
    case .string(let values): self = .text(values[row])
    case .uint8(let values): self = .integer(Int(values[row]))
    case .uint16(let values): self = .integer(Int(values[row]))
    case .uint32(let values): self = .integer(Int(values[row]))
    case .int32(let values): self = .integer(Int(values[row]))
    case .int64(let values): self = .integer(Int(values[row]))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .truth(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    }
  }
}

/// An object as JSON, by the names that it has in shards.
private struct ExportedObject: Encodable {
  let id: Int64
  let category: Int32
  let box: [Float]  // left, top, width, height
  let visible: Float
  let isCrowd: Bool

  enum CodingKeys: String, CodingKey {
    case id, category, box, visible
    case isCrowd = "is_crowd"
  }

  init(_ object: ShardObject) {
    id = object.id
    category = object.category
    box = [object.x, object.y, object.width, object.height]
    visible = object.visible
    isCrowd = object.isCrowd
  }
}
