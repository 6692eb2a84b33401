// The names that shards use in their files; `Docs/Formats.md` describes them.
import RowMaps

/// What a shard holds.
package enum ShardKind: String, Sendable {
  case images = "vqgan-images"
  case codes = "vqgan-codes"
}

enum ShardFormat {
  /// The version that is written, and the newest that is read.
  static let version = 2
  /// From this one on shards are sealed.
  static let sealedVersion = 2

  /// Datasets that are not labels.
  static let reserved = Set(
    [codes, id, name, crc32c, condition, conditionCRC32C, paletteColors]
      + RowMap.allCases.flatMap { [$0.dataset, $0.checksums] })
  /// What the attribute `split` may be.
  static let splits = ["train", "validation", "samples"]

  /// Datasets whose rows have a checksum each.
  static let rowDatasets = [codes, condition] + RowMap.allCases.map(\.dataset)
  static let codes = "codes"
  static let id = "id"
  static let name = "name"
  static let crc32c = "crc32c"
  static let condition = "condition"
  static let conditionCRC32C = "condition_crc32c"
  /// The colours that the numbers of palette maps stand for.
  static let paletteColors = "palette_colors"

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
    static let sourceShards = "source_shards"
    static let downsampling = "downsampling"
    static let conditionInput = "condition_input"
  }

  /// Attributes of the root that tell of a grid of codes.
  struct GridAttributes {
    let height, width, codebookSize, fingerprint, codesFingerprint, vqgan, depth: String
    let subVocabulary: String

    static let grid = GridAttributes(
      height: "grid_height", width: "grid_width", codebookSize: "n_embed",
      fingerprint: "vqgan_fingerprint", codesFingerprint: "codes_fingerprint", vqgan: "vqgan",
      depth: "depth",
      subVocabulary: "sub_vocabulary")
    static let condition = GridAttributes(
      height: "condition_height", width: "condition_width", codebookSize: "condition_n_embed",
      fingerprint: "condition_fingerprint", codesFingerprint: "condition_codes_fingerprint",
      vqgan: "condition_vqgan", depth: "condition_depth",
      subVocabulary: "condition_sub_vocabulary")
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
  /// The colours of palette maps; nil in shards without them.
  package var palette: Palette?

  package init(
    height: Int, width: Int, source: String, split: String, preprocessing: String,
    toolVersion: String, maps: [RowMap] = [], palette: Palette? = nil
  ) {
    self.palette = palette
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
  package var grid: CodeGrid
  package var sourceShards: [String]  // names of the image shards; none for samples of a GPT
  package var source: String
  package var split: String
  package var toolVersion: String
  /// Pixels per code along one side; 0 if unknown.
  package var downsampling: Int
  /// What the condition codes beside the codes are; nil for none.
  package var condition: ConditionCodes?

  package init(
    grid: CodeGrid, sourceShards: [String], source: String, split: String, toolVersion: String,
    downsampling: Int = 0, condition: ConditionCodes? = nil
  ) {
    self.grid = grid
    self.sourceShards = sourceShards
    self.source = source
    self.split = split
    self.toolVersion = toolVersion
    self.downsampling = downsampling
    self.condition = condition
  }
}
