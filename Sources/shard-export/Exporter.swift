import CommandSupport
import Corpora
import DurableFiles
import Foundation
import Images
import RowMaps
import Shards

/// Writes the files of a plan that are missing; none is written over.
struct Exporter: Sendable {
  /// What rows hold beside their pixels, a line each.
  static let rowsName = "rows.jsonl"
  /// What the numbers of label maps and objects mean.
  static let categoriesName = "categories.jsonl"
  /// What a folder was made of.
  private static let recordName = "export.json"

  private let plan: ExportPlan
  private let folder: OutputFolder
  private let threads: Int

  /// Makes the folder and takes its lock.
  ///
  /// - Throws: `ShardError` for the folder of the shards and one with rows of others;
  ///   `CommandError` for files that no export has made; `DurableFileError`.
  init(_ plan: ExportPlan, in path: String, threads: Int) throws {
    if let real = DurableFile.realPath(path),
      plan.shards.contains(where: { DurableFile.realPath(DurableFile.folder(of: $0.path)) == real })
    {
      throw ShardError.holdsSources(path: path)
    }
    self.plan = plan
    self.threads = threads
    folder = try OutputFolder(path)
    try claim()
    for name in plan.folders { DurableFile.removeAbandoned(in: folder(name)) }
  }

  /// The path of a file of the plan.
  func path(of file: String) -> String { folder(file) }

  /// Makes the folder this plan's.
  private func claim() throws {
    let record = folder(Self.recordName)
    guard DurableFile.exists(record) else {
      if let name = ExportPlan.names.first(where: { DurableFile.exists(folder($0)) }) {
        throw CommandError(
          .cannotCreate,
          "\(folder(name)): exists, but no \(Self.recordName) says how it was made, and it is not "
            + "overwritten; use another folder")
      }
      let line = try ResultWriter.jsonLine(["rows": plan.identity])
      try DurableFile.write(Array((line + "\n").utf8), to: record)
      return
    }
    let bytes = try DurableFile.read(record, atMost: 1 << 20)
    guard let found = try? JSONDecoder().decode(Record.self, from: Data(bytes)) else {
      throw ShardError.malformed(
        path: record, item: "the record", found: "not one of this program",
        expected: "what shard-export has written")
    }
    guard found.rows == plan.identity else {
      throw ShardError.optionsDiffer(
        path: folder.path, option: "shards", found: found.rows, expected: plan.identity)
    }
  }

  private struct Record: Decodable { let rows: String }

  /// Writes what is missing: images and maps, then the texts.
  ///
  /// - Parameter progress: told every row that is done, in the calling thread; what it throws ends
  ///   the run, and finished files stay.
  /// - Returns: the rows of an earlier run.
  /// - Throws: `ShardError`, `DurableFileError`, and what `progress` throws.
  func write(progress: () throws -> Void) throws -> Int {
    var earlier = 0
    for shard in plan.shards {
      let reader = try ImageShardReader(shard.path)
      try inOrder(count: shard.files.count, threads: threads) { row in
        try write(row, of: shard, reader)
      } consume: { _, isNew in
        if !isNew { earlier += 1 }
        try progress()
      }
    }
    for recording in plan.recordings {
      try writeText(recording.file) {
        try $0(AtariTrajectory.text(ofRecording: recording.id, rows: recording.rows))
      }
    }
    if !plan.categories.isEmpty {
      try writeText(Self.categoriesName) { write in
        for category in plan.categories {
          try write(try ResultWriter.jsonLine(ExportedCategory(category)) + "\n")
        }
      }
    }
    try writeText(Self.rowsName) { write in
      for shard in plan.shards {
        try shard.forEachLine(of: try ImageShardReader(shard.path)) { try write($0 + "\n") }
      }
    }
    try FolderLock.check(folder(Self.rowsName))  // what is there may be another process's
    return earlier
  }

  /// Writes a text piece by piece, unless it is there.
  private func writeText(
    _ name: String, _ pieces: (_ write: (String) throws -> Void) throws -> Void
  ) throws {
    let path = folder(name)
    if DurableFile.exists(path) { return }
    try DurableFile.createFolder(DurableFile.folder(of: path))
    var file = try UnfinishedFile(for: path)
    try pieces { try file.write(Array($0.utf8)) }
    try file.publish()
  }

  /// Writes the image and the maps of a row that are missing.
  ///
  /// - Returns: whether one was.
  private func write(
    _ row: Int, of shard: ExportedShard, _ reader: ImageShardReader
  ) throws -> Bool {
    var isNew = false
    for map in [.images] + shard.maps {
      let path = folder(shard.file(of: row, map))
      if DurableFile.exists(path) { continue }
      let png = png(try reader.row(row, map), of: map, reader.header)
      try DurableFile.createFolder(DurableFile.folder(of: path))
      try DurableFile.write(png, to: path)
      isNew = true
    }
    return isNew
  }

  /// Images in RGB, labels in the numbers of COCO-Stuff's maps, one less than those of shards with
  /// 255 for none, and depths in 16 bits.
  private func png(
    _ values: RowValues, of map: RowMap, _ header: ImageShardHeader
  ) -> [UInt8] {
    let (width, height) = (header.width, header.height)
    switch values {
    case .words(let depths):
      return DepthMap(width: width, height: height, stored: depths).encodedPNG()
    case .bytes(let labels) where map.isLabels:
      return LabelMap(width: width, height: height, values: labels.map { $0 &- 1 }).encodedPNG()
    case .bytes(let pixels):
      return RGBImage(width: width, height: height, pixels: pixels).encodedPNG()
    }
  }
}

/// A category as JSON, by the names that it has in shards.
private struct ExportedCategory: Encodable {
  let id: Int32
  let name, supercategory: String

  init(_ category: ShardCategory) {
    (id, name, supercategory) = (category.id, category.name, category.supercategory)
  }
}
