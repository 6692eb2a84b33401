// Code shards to image shards or PNGs.
import DurableFiles
import Foundation
import Images
import Shards
import TensorCore

/// Writes the images of a plan, continuing at the first that is missing.
///
/// The bytes are a function of the code shards, the VQGAN, the batch size and the kind of
/// processor.
package struct DatasetDecoder {
  private let plan: DecodingPlan
  private let stage: FirstStage
  private let batchSize: Int
  private let toolVersion: String

  /// A run that has not begun.
  ///
  /// - Parameters:
  ///   - stage: the VQGAN that the plan was made for.
  ///   - batchSize: rows decoded at once.
  package init(
    _ plan: DecodingPlan, stage: FirstStage, batchSize: Int, toolVersion: String
  ) {
    precondition(batchSize > 0, "batches of \(batchSize)")
    self.plan = plan
    self.stage = stage
    self.batchSize = batchSize
    self.toolVersion = toolVersion
  }

  /// Writes the image shards that are missing.
  ///
  /// - Parameters:
  ///   - path: the folder; is made when it is missing, and locked while the run lasts.
  ///   - checking: told of the shards of an earlier run, as `progress` is.
  ///   - progress: told the rows that are done, in the calling thread; what it throws ends the run,
  ///     and finished shards stay.
  /// - Returns: every image shard with its rows, and the rows of an earlier run.
  /// - Throws: `ShardError`, and what `progress` throws.
  package func writeShards(
    in path: String, checking: (ShardCheck) throws -> Void = { _ in },
    progress: (_ rows: Int) throws -> Void
  ) throws -> (shards: [(path: String, rows: Int)], earlier: Int) {
    if DurableFile.exists("\(path)/\(Self.recordName)") {
      throw ShardError.optionsDiffer(
        path: path, option: "format", found: DecodingFormat.png.rawValue,
        expected: DecodingFormat.shards.rawValue)
    }
    let folder = try ShardFolder(
      path, plan: plan.shards, sources: plan.sources.values.map(\.path), checking: checking)
    var earlier = plan.count
    for shard in folder.unfinished { earlier -= shard.samples.count }
    try progress(earlier)
    for shard in folder.unfinished {
      try folder.begin(shard)
      let finished = try decode(shard, in: folder, progress)
      try folder.record(shard, finished, skipped: [])
    }
    return (folder.plan.shards.map { (folder.path(of: $0), $0.samples.count) }, earlier)
  }

  private func decode(
    _ shard: PlannedShard, in folder: ShardFolder, _ progress: (Int) throws -> Void
  ) throws -> FinishedShard {
    let (reader, stamp) = try source(of: shard)
    let (ids, names) = (try reader.contents.ids, try reader.contents.names)
    let (codes, decoder) = (stage.fingerprints.codes, stage.fingerprints.decoder)
    let made = #"{"codes_fingerprint":"\#(codes)","decoded_by":"\#(decoder)"}"#
    let writer = try ImageShardWriter(
      folder.path(of: shard),
      header: ImageShardHeader(
        height: plan.height, width: plan.width, source: reader.header.source,
        split: reader.header.split, preprocessing: made, toolVersion: toolVersion),
      compression: .auto, compressesImages: folder.manifest.compressesImages)
    for rows in batches(of: reader.count) {
      for (row, image) in zip(rows, try images(of: rows, in: reader)) {
        try writer.append(image.pixels, id: ids[row], name: names[row])
      }
      try progress(rows.count)
    }
    try writer.settleCompression()
    if let isCompressed = writer.compressesImages { folder.note(compressesImages: isCompressed) }
    for label in reader.contents.labelNames {
      writer.setLabels(label, try reader.contents.labels(label))
    }
    if let captions = try reader.contents.captions { writer.setCaptions(captions) }
    if let objects = try reader.contents.objects { writer.setObjects(objects) }
    if let categories = try reader.contents.categories { writer.setCategories(categories) }
    try reader.contents.requireUnchanged(since: stamp)
    return try writer.finish()
  }

  /// The file that says what the PNGs of a folder were made of.
  package static let recordName = "decoding.json"

  /// Writes the PNGs that are missing, `SHARD-00000.png` for the first row of `SHARD.h5`.
  ///
  /// - Parameters: as `writeShards`.
  ///   - use: told every PNG in order, also those of an earlier run.
  /// - Returns: the rows of an earlier run.
  /// - Throws: `ShardError`, `DurableFileError`, `ImageError`, and what the closures throw.
  package func writeImages(
    in path: String, checking: (ShardCheck) throws -> Void = { _ in },
    progress: (_ rows: Int) throws -> Void, use: (DecodedRow) throws -> Void
  ) throws -> Int {
    let lock = try FolderLock(folder: path)
    defer { withExtendedLifetime(lock) {} }
    DurableFile.removeAbandoned(in: path)
    try claim(path)
    var earlier = 0
    for shard in plan.shards.shards {
      let (reader, stamp) = try source(of: shard)
      let (ids, names) = (try reader.contents.ids, try reader.contents.names)
      try reader.contents.requireUnchanged(since: stamp)
      for rows in batches(of: reader.count) {
        let paths = rows.map { "\(path)/\(Self.imageName(of: $0, in: shard))" }
        let missing = try paths.indices.filter { try !isWhole(paths[$0], checking) }
        earlier += rows.count - missing.count
        if !missing.isEmpty {
          // The whole batch, so that the bytes are those of an uninterrupted run.
          let images = try images(of: rows, in: reader)
          for index in missing { try images[index].writePNG(to: paths[index]) }
        }
        for (row, path) in zip(rows, paths) {
          try use(
            DecodedRow(path: path, shard: shard.name, row: row, id: ids[row], name: names[row]))
        }
        try progress(rows.count)
      }
    }
    return earlier
  }

  /// Whether the image of an earlier run is there, complete to its last chunk, and can be read.
  ///
  /// - Throws: `DurableFileError` where the disk fails, and what `checking` throws.
  private func isWhole(_ path: String, _ checking: (ShardCheck) throws -> Void) throws -> Bool {
    let bytes: [UInt8]
    do throws(DurableFileError) {
      bytes = try DurableFile.read(path)
    } catch {
      switch error {
      case .failed("open", _, ENOENT), .notAFile: return false
      default: throw error
      }
    }
    let end: [UInt8] = [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]  // IEND
    if bytes.suffix(end.count).elementsEqual(end), let image = try? ImageDecoder.decode(bytes),
      (image.width, image.height) == (plan.width, plan.height)
    {
      return true
    }
    try checking(.changed(path: path))
    return false
  }

  /// Makes the folder this plan's; refuses one of another plan, and PNGs that nothing tells of.
  private func claim(_ path: String) throws {
    let record = "\(path)/\(Self.recordName)"
    guard DurableFile.exists(record) else {
      if let manifest = try ShardManifest.read(in: path) {
        throw ShardError.optionsDiffer(
          path: path, option: "format", found: manifest.options["format"] ?? "shards",
          expected: DecodingFormat.png.rawValue)
      }
      for shard in plan.shards.shards {
        for row in 0..<shard.samples.count {
          let image = "\(path)/\(Self.imageName(of: row, in: shard))"
          if DurableFile.exists(image) { throw ShardError.externalShard(path: image) }
        }
      }
      try RunFolder.write(
        plan.shards.options.merging(["plan": plan.shards.hash]) { $1 }, to: record)
      return
    }
    let found = try RunFolder.decode([String: String].self, from: record)
    let begun = plan.shards.begun(with: found.filter { $0.key != "plan" })
    let expected = begun.options.merging(["plan": begun.hash]) { $1 }
    for (name, value) in expected.sorted(by: { $0.key < $1.key }) where found[name] != value {
      throw ShardError.optionsDiffer(
        path: path, option: name, found: found[name] ?? "(not set)", expected: value)
    }
  }

  private static func imageName(of row: Int, in shard: PlannedShard) -> String {
    let stem = shard.name.hasSuffix(".h5") ? String(shard.name.dropLast(3)) : shard.name
    return "\(stem)-\(row.padded(5)).png"
  }

  private func source(
    of shard: PlannedShard
  ) throws -> (reader: CodeShardReader, stamp: FileStamp) {
    guard let source = plan.sources[shard.name] else {
      preconditionFailure("\(shard.name) has no code shard")
    }
    let reader = try CodeShardReader(source.path)
    try reader.contents.requireUnchanged(since: source.stamp)
    return (reader, source.stamp)
  }

  private func batches(of count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: batchSize).map { $0..<min($0 + batchSize, count) }
  }

  private func images(of rows: Range<Int>, in reader: CodeShardReader) throws -> [RGBImage] {
    var codes: [Int32] = []
    for row in rows { codes += try reader.codes(row) }
    let grid = reader.header.grid
    let indices = IndexTensor(codes, shape: [rows.count, grid.height, grid.width])
    return try stage.images(of: indices)
  }
}

/// A row that was written as a PNG; encodes as the JSON of `decode-dataset --images`.
package struct DecodedRow: Encodable, Sendable {
  package let path: String
  package let shard: String  // the code shard
  package let row: Int
  package let id: Int64
  package let name: String
}
