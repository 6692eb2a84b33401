// The names that shards use in their files; `Docs/Formats.md` describes them.
import RowMaps

/// What a shard holds.
package enum ShardKind: String, Sendable {
  case images = "vqgan-images"
  case codes = "vqgan-codes"
}

enum ShardFormat {
  /// The version that is written, and the newest that is read.
  static let version = 1

  /// Datasets that are not labels.
  static let reserved = Set(
    [codes, id, name, crc32c, condition, conditionCRC32C]
      + RowMap.allCases.flatMap { [$0.dataset, $0.checksums] })
  static let codes = "codes"
  static let id = "id"
  static let name = "name"
  static let crc32c = "crc32c"
  static let condition = "condition"
  static let conditionCRC32C = "condition_crc32c"

  /// Groups of the root: what a row has any number of.
  enum Group {
    static let captions = "captions"
    static let objects = "objects"
    static let categories = "categories"
  }

  /// Attributes of the root.
  enum Attribute {
    static let format = "format"
    static let formatVersion = "format_version"
    static let toolVersion = "tool_version"
    static let source = "source"
    static let split = "split"
    static let preprocessing = "preprocessing"
    static let complete = "complete"
    static let gridHeight = "grid_height"
    static let gridWidth = "grid_width"
    static let codebookSize = "n_embed"
    static let fingerprint = "vqgan_fingerprint"
    static let vqganPath = "vqgan"
    static let sourceShards = "source_shards"
    static let downsampling = "downsampling"
    static let conditionInput = "condition_input"
    static let conditionHeight = "condition_height"
    static let conditionWidth = "condition_width"
    static let conditionCodebookSize = "condition_n_embed"
    static let conditionFingerprint = "condition_fingerprint"
    static let conditionPath = "condition_vqgan"
  }
}

/// What an image shard says about itself.
package struct ImageShardHeader: Equatable, Sendable {
  package var height: Int  // of every image, pixels
  package var width: Int
  package var source: String  // the corpus, for example "atari-grand-challenge/revenge"
  package var split: String  // "train", "validation", ...
  package var preprocessing: String  // JSON: how the images were made
  package var toolVersion: String
  /// The maps that every image has beside it, in the order of `RowMap`.
  package var maps: [RowMap]

  package init(
    height: Int, width: Int, source: String, split: String, preprocessing: String,
    toolVersion: String, maps: [RowMap] = []
  ) {
    self.height = height
    self.width = width
    self.source = source
    self.split = split
    self.preprocessing = preprocessing
    self.toolVersion = toolVersion
    self.maps = RowMap.beside.filter(maps.contains)
  }
}

/// What a code shard says about itself.
package struct CodeShardHeader: Equatable, Sendable {
  package var gridHeight: Int  // h, codes
  package var gridWidth: Int  // w, codes
  package var codebookSize: Int  // K; every code is in 0..<K
  package var fingerprint: String  // SHA-256 of the weights of the VQGAN
  package var vqganPath: String  // where the VQGAN was found; empty if unknown
  package var sourceShards: [String]  // names of the image shards; none for samples of a GPT
  package var source: String
  package var split: String
  package var toolVersion: String
  /// Pixels per code along one side; 0 if unknown.
  package var downsampling: Int
  /// What the condition codes beside the codes are; nil for none.
  package var condition: ConditionCodesHeader?

  package init(
    gridHeight: Int, gridWidth: Int, codebookSize: Int, fingerprint: String,
    vqganPath: String = "", sourceShards: [String], source: String, split: String,
    toolVersion: String, downsampling: Int = 0, condition: ConditionCodesHeader? = nil
  ) {
    self.gridHeight = gridHeight
    self.gridWidth = gridWidth
    self.codebookSize = codebookSize
    self.fingerprint = fingerprint
    self.vqganPath = vqganPath
    self.sourceShards = sourceShards
    self.source = source
    self.split = split
    self.toolVersion = toolVersion
    self.downsampling = downsampling
    self.condition = condition
  }

  /// Codes of one row, h·w.
  package var rowLength: Int { gridHeight * gridWidth }
}

/// What a shard says about the codes of its conditions, made by a second VQGAN.
package struct ConditionCodesHeader: Equatable, Sendable {
  package var input: String  // what that VQGAN reads: images, segmentation, depth
  package var height: Int  // of a grid of condition codes
  package var width: Int
  package var codebookSize: Int  // every code is in 0..<codebookSize
  package var fingerprint: String  // SHA-256 of that VQGAN's weights
  package var vqganPath: String  // where it was found

  package init(
    input: String, height: Int, width: Int, codebookSize: Int, fingerprint: String,
    vqganPath: String
  ) {
    self.input = input
    self.height = height
    self.width = width
    self.codebookSize = codebookSize
    self.fingerprint = fingerprint
    self.vqganPath = vqganPath
  }

  /// Codes of one row.
  package var count: Int { height * width }
}
