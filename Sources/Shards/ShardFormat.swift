// The names that shards use in their files; `Docs/Formats.md` describes them.

/// What a shard holds.
package enum ShardKind: String, Sendable {
  case images = "vqgan-images"
  case codes = "vqgan-codes"
}

enum ShardFormat {
  /// The version that is written, and the newest that is read.
  static let version = 1

  /// Datasets that are not labels.
  static let reserved: Set<String> = [
    images, codes, id, name, crc32c, segmentation, segmentationCRC32C,
  ]
  static let images = "images"
  static let codes = "codes"
  static let id = "id"
  static let name = "name"
  static let crc32c = "crc32c"
  static let segmentation = "segmentation"
  static let segmentationCRC32C = "segmentation_crc32c"

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
  /// Whether every image has a map of classes, one value a pixel.
  package var hasSegmentation: Bool

  package init(
    height: Int, width: Int, source: String, split: String, preprocessing: String,
    toolVersion: String, hasSegmentation: Bool = false
  ) {
    self.height = height
    self.width = width
    self.source = source
    self.split = split
    self.preprocessing = preprocessing
    self.toolVersion = toolVersion
    self.hasSegmentation = hasSegmentation
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

  package init(
    gridHeight: Int, gridWidth: Int, codebookSize: Int, fingerprint: String,
    vqganPath: String = "", sourceShards: [String], source: String, split: String,
    toolVersion: String
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
  }

  /// Codes of one row, h·w.
  package var rowLength: Int { gridHeight * gridWidth }
}
