import Checksums
import CommandSupport
import Corpora
import RowMaps
import Shards

/// Which file each row of the shards becomes; nothing is written yet.
struct ExportPlan: Sendable {
  /// In the order of the command line.
  let shards: [ExportedShard]
  /// Rows of all shards.
  let count: Int
  /// The recordings that the rows are of.
  let recordings: [Recording]
  /// What the numbers of label maps and objects mean, by number; the first shard tells.
  let categories: [ShardCategory]
  /// What a folder with earlier work must have been made from.
  let identity: String

  /// Opens every shard and reads all but its pixels.
  ///
  /// - Throws: `ShardError`, `CommandError` for two rows of one frame.
  init(_ paths: [String]) throws {
    var names = FileNames()
    var rows = RecordingRows()
    var hash = SHA256()
    var categories: [Int32: ShardCategory] = [:]
    shards = try paths.map { path in
      let reader = try ImageShardReader(path)
      let shard = try ExportedShard(
        reader, files: try rows.add(reader) ?? reader.names(in: &names))
      func add(_ line: String) { Array("\(line)\n".utf8).withUnsafeBytes { hash.update($0) } }
      add(try reader.contents.identity)
      try shard.forEachLine(of: reader, add)
      for category in try reader.contents.categories ?? [] {
        categories[category.id] = categories[category.id] ?? category
      }
      return shard
    }
    self.categories = categories.values.sorted { $0.id < $1.id }
    count = shards.reduce(0) { $0 + $1.files.count }
    guard count > 0 else { throw ShardError.noRows(paths: paths) }
    recordings = rows.recordings
    identity = "\(count) rows \(hexadecimal(hash.finalize()))"
  }

  /// The names in the output folder that an export makes itself, this one's record left out.
  static let names =
    ["images", "screens", "trajectories", Exporter.rowsName, Exporter.categoriesName]
    + RowMap.beside.map(\.exportFolder)

  /// The folders that images and maps go to, relative to the output folder.
  var folders: Set<String> {
    var folders: Set<String> = []
    for shard in shards {
      for row in shard.files.indices {
        for map in [.images] + shard.maps {
          let file = shard.file(of: row, map)
          if let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) {
            folders.insert(String(file[..<slash]))
          }
        }
      }
    }
    return folders.union(recordings.map { "trajectories/\($0.game)" })
  }
}

/// The rows of one recording.
struct Recording: Sendable {
  let game: String
  let id: Int
  /// Frames ascending.
  let rows: [AtariTransition]

  /// Its text in the layout of the Grand Challenge, relative to the output folder.
  var file: String { "trajectories/\(game)/\(id).txt" }
}

/// Collects the rows of recordings over shards.
private struct RecordingRows {
  private struct Key: Hashable {
    let game: String
    let id: Int
  }

  private static let prefix = "atari-grand-challenge/"
  /// Of every row that can stand in a trajectory.
  private static let columns = ["trajectory", "frame", "action", "reward", "score", "terminal"]

  private var rows: [Key: [Int: AtariTransition]] = [:]

  var recordings: [Recording] {
    rows.map { key, rows in
      Recording(game: key.game, id: key.id, rows: rows.values.sorted { $0.frame < $1.frame })
    }.sorted { ($0.game, $0.id) < ($1.game, $1.id) }
  }

  /// Adds the rows of a shard.
  ///
  /// - Returns: the files of the images, without their endings; nil for a shard of other images.
  /// - Throws: `ShardError`; `CommandError` for a frame that there is already.
  mutating func add(_ reader: ImageShardReader) throws -> [String]? {
    let contents = reader.contents
    let game = String(reader.header.source.dropFirst(Self.prefix.count))
    guard reader.header.source.hasPrefix(Self.prefix),
      FileNames.component(game, isFolder: true) == game,
      Set(Self.columns).isSubset(of: contents.labelNames)
    else { return nil }
    var columns: [[Int]] = []
    for name in Self.columns {
      guard let values = try contents.labels(name).integers else { return nil }
      columns.append(values)
    }
    return try (0..<reader.count).map { row in
      func value(_ column: Int, in range: ClosedRange<Int>) throws(ShardError) -> Int {
        let value = columns[column][row]
        guard range.contains(value) else {
          throw .malformed(
            path: reader.path, item: "/\(Self.columns[column])[\(row)]", found: "\(value)",
            expected: "\(range.lowerBound)…\(range.upperBound)")
        }
        return value
      }
      let id = try value(0, in: 0...Int(Int32.max))
      let frame = try value(1, in: 0...Int(Int32.max))
      let number = UInt8(try value(2, in: 0...AtariAction.allCases.count - 1))
      let transition = AtariTransition(
        frame: frame, action: AtariAction(rawValue: number) ?? .noop, reward: columns[3][row],
        score: columns[4][row], terminal: columns[5][row] != 0)
      let key = Key(game: game, id: id)
      guard rows[key, default: [:]].updateValue(transition, forKey: frame) == nil else {
        throw CommandError(
          .badData,
          "\(reader.path): row \(row) is frame \(frame) of recording \(id) of \(game), which there "
            + "is already; export shards of one preparation, each once")
      }
      return "screens/\(game)/\(id)/\(frame)"
    }
  }
}

extension ImageShardReader {
  /// The files of the rows by their names, without their endings.
  fileprivate func names(in files: inout FileNames) throws -> [String] {
    zip(try contents.ids, try contents.names).map { id, name in
      "images/" + files.file(for: name, id: id)
    }
  }
}
