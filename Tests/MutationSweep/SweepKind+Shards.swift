// Shards, sealed and of version 1, and their manifests.
import CHDF5
import DurableFiles
import Foundation
import RowMaps
import Shards
import TestSupport
import Training

extension SweepKind {
  static let imageShard = SweepKind(
    name: "image shard", files: ["photos.h5", "plain.h5", "palette.h5"], share: 1.5,
    isChecked: true,
    make: makeShards, read: { path, _ in try understood(shard: path) },
    commands: [
      "shard-info @ --verify --preview ../out.png", "codebook-report @ --out ../out --quiet",
      "train-vqgan @ --preset tiny --batch-size 1 --steps 1 --out ../out --quiet",
      "shard-export @ --out ../out --quiet", "evaluate @ @ --paired --quiet",
    ])

  static let codeShard = SweepKind(
    name: "code shard", files: ["codes.h5"], isChecked: true,
    make: makeShards, read: { path, _ in try understood(shard: path) },
    commands: [
      "shard-info @ --verify", "codebook-report @ --out ../out --quiet",
      "train-gpt @ --layers 1 --heads 1 --width 4 --steps 1 --out ../out --quiet",
      "decode-dataset @ --vqgan vqgan --out ../out --quiet",
      "evaluate @ @ --vqgan vqgan --copies @ --metrics codes --quiet",
    ])

  /// Of version 1: libhdf5 sees all that is wrong with it, in a process of its own first.
  static let unsealedShard = SweepKind(
    name: "shard of version 1", files: unsealed, share: 0.5,
    make: { folder in
      try makeShards(folder)
      for name in unsealed { try removeSeal("\(folder)/\(name)") }
    },
    read: { path, _ in try understood(shard: path) },
    commands: ["shard-info @ --verify --preview ../out.png", "codebook-report @ --out ../out"])

  private static let unsealed = ["photos.h5", "plain.h5", "palette.h5", "codes.h5"]

  static let manifest = SweepKind(
    name: "manifest", files: ["shards/manifest.json"],
    make: { folder in
      let names = ["a-00000.h5", "a-00001.h5"]
      try makeImages(folder)
      try DurableFile.createFolder("\(folder)/in")
      try FileManager.default.copyItem(
        atPath: "\(folder)/images.h5", toPath: "\(folder)/in/images.h5")
      let shards = try ShardFolder(
        "\(folder)/shards",
        plan: ShardPlan(
          shards: names.indices.map { PlannedShard(name: names[$0], samples: $0 * 2..<$0 * 2 + 2) },
          inputs: [], options: ["size": "16", "filter": "lanczos"]))
      for shard in shards.unfinished {
        try shards.begin(shard)
        let path = shards.path(of: shard)
        try shards.record(
          shard,
          try TestSupport.imageShard(path, rows: 2) { row in
            (0..<768).map { UInt8(($0 + row) % 256) }
          },
          skipped: [])
      }
      try shards.writeReport()
    },
    read: { _, folder in
      try ShardManifest.requireComplete("\(folder)/shards")
      if let finding = FolderVerification("\(folder)/shards", isPartial: false).findings.first {
        throw finding
      }
      return ""
    },
    commands: [
      "shard-info --verify shards", "prep-images in --size 16 --out shards --quiet",
      "train-vqgan shards --preset tiny --batch-size 1 --steps 1 --out ../out --quiet",
      "evaluate shards in --paired --quiet",
    ])

  /// What says what the PNGs of a folder were made of.
  static let decodingRecord = SweepKind(
    name: "decoding record", files: ["images/decoding.json"], share: 0.5, writes: true,
    make: { folder in
      try makeShards(folder)
      _ = try decode(in: folder)
    },
    read: { _, folder in "\(try decode(in: folder))" },
    commands: ["decode-dataset codes.h5 --vqgan vqgan --images --out images --quiet"])

  private static func decode(in folder: String) throws -> Int {
    let stage = try FirstStage.load("\(folder)/vqgan")
    return try DatasetDecoder(
      try DecodingPlan(["\(folder)/codes.h5"], for: stage, as: .png), stage: stage, batchSize: 2,
      toolVersion: "test"
    ).writeImages(in: "\(folder)/images", progress: { _ in }, use: { _ in })
  }

  // MARK: Helpers

  /// Images with all that shards of COCO have, images alone, and codes with conditions, of a VQGAN.
  private static let makeShards: @Sendable (String) throws -> Void = { folder in
    let fingerprint = try makeVQGAN(folder)
    let object = ShardObject(
      id: 7, category: 1, x: 1, y: 2, width: 3, height: 4, visible: 1, isCrowd: false)
    try TestSupport.imageShard(
      "\(folder)/photos.h5", rows: 3, height: 6, width: 7, compression: .level(4),
      name: { "\($0).jpg" },
      labels: [("room", .string(["a", "b", ""])), ("action", .int32([4, 5, 6]))],
      objects: [[object], [object, object], []],
      categories: [ShardCategory(id: 1, name: "cat", supercategory: "animal")],
      maps: { row in [.segmentation: .bytes((0..<42).map { UInt8(($0 + row) % 183) })] }
    ) { row in (0..<126).map { UInt8(($0 * 5 + row) % 256) } }
    try TestSupport.imageShard("\(folder)/plain.h5", rows: 2, height: 8, width: 8) { row in
      (0..<192).map { UInt8(($0 + row * 9) % 256) }
    }
    if let palette = Palette(bytes: [0, 0, 0, 200, 30, 30, 255, 255, 255]) {
      try TestSupport.paletteShard(
        "\(folder)/palette.h5", palette, rows: 2, height: 8, width: 8
      ) { row in (0..<64).map { UInt8(($0 + row) % 3) } }
    }
    try TestSupport.codeShard(
      "\(folder)/codes.h5", rows: 4, grid: (2, 3), fingerprint: fingerprint, downsampling: 4,
      condition: ConditionCodes(
        input: "segmentation",
        grid: CodeGrid(height: 1, width: 2, codebookSize: 16, fingerprint: "beef")),
      labels: [("room", .string(["a", "b", "c", "d"]))]
    ) { row in ((0..<6).map { Int32(($0 + row) % 64) }, [1, 2]) }
  }

  /// All that the readers make of a shard.
  private static func understood(shard path: String) throws -> String {
    if let finding = ShardVerification(path).findings.first { throw finding }
    let contents = try ShardContents(path)
    var text = "\(contents.kind) \(contents.split) \(try contents.ids) \(try contents.names)"
    for name in contents.labelNames { text += " \(name) \(try contents.labels(name))" }
    text += "\(try contents.objects ?? []) \(try contents.captions ?? [])"
    switch contents.kind {
    case .images:
      let reader = try ImageShardReader(path)
      for row in 0..<reader.count {
        text += "\(try reader.pixels(row).withUnsafeBytes(digest))"
        for map in reader.header.maps { text += "\(try reader.row(row, map))" }
      }
      if let palette = reader.header.palette { text += "\(palette)" }
    case .codes:
      let reader = try CodeShardReader(path)
      text += "\(reader.header)"
      for row in 0..<reader.count { text += "\(try reader.codes(row))" }
    }
    return text
  }

  /// Makes a shard one of version 1: libhdf5 cuts the seal off when it opens a file for writing.
  private static func removeSeal(_ path: String) throws {
    let file = H5Fopen(path, 1, 0)  // to read and write
    guard file >= 0 else { throw ShardError.notAShard(path: path, reason: "cannot be opened") }
    H5Adelete(file, "format_version")
    let space = H5Screate(H5S_SCALAR)
    let attribute = H5Acreate2(file, "format_version", chdf5_file_int64(), space, 0, 0)
    var version: Int64 = 1
    H5Awrite(attribute, chdf5_native_int64(), &version)
    H5Aclose(attribute)
    H5Sclose(space)
    H5Fclose(file)
  }
}
