import Images
import Shards

/// What `prep-coco` and `prep-images` were asked to make of pictures; everything that changes a byte of the shards.
package struct PictureIngestOptions: Equatable, Sendable {
  /// First part of the shards' file names.
  package var name: String
  /// Side of the square that a model sees, pixels.
  package var size: Int
  /// Pixels more on each side, for random crops in training or for `crops`.
  package var margin: Int
  /// Random squares of every picture, instead of its middle; 0 for the middle.
  package var crops: Int
  package var filter: ResizeFilter
  package var seed: UInt64
  /// Share of the pictures that are used, 0…100, chosen at random.
  package var percent: Double
  /// Share of the training pictures that become the validation split, 0…100, chosen at random.
  package var holdout: Double
  /// Most pictures of each split; `nil` for all.
  package var limit: Int?
  /// Rows of a shard; the last of a split may have fewer.
  package var shardSize: Int
  package var compression: ShardCompression

  package init(
    name: String, size: Int = 256, margin: Int = 0, crops: Int = 0, filter: ResizeFilter = .bicubic,
    seed: UInt64 = 0, percent: Double = 100, holdout: Double = 0, limit: Int? = nil,
    shardSize: Int = 2048, compression: ShardCompression = .auto
  ) {
    self.name = name
    self.size = size
    self.margin = margin
    self.crops = crops
    self.filter = filter
    self.seed = seed
    self.percent = percent
    self.holdout = holdout
    self.limit = limit
    self.shardSize = shardSize
    self.compression = compression
  }

  /// The shorter side of the scaled picture, pixels.
  package var scaledSide: Int { size + 2 * margin }
  /// Side of a stored picture, pixels.
  package var storedSide: Int { crops > 0 ? size : scaledSide }
  /// Rows of one picture.
  package var rowsPerPicture: Int { max(1, crops) }
  /// Whole pictures of a shard.
  var picturesPerShard: Int { max(1, shardSize / rowsPerPicture) }

  /// The options as one types them, with their values.
  package var described: [String: String] {
    let isRandom = crops > 0 || percent < 100 || holdout > 0
    return [
      "--name": name, "--size": "\(size)", "--margin": "\(margin)", "--crops": "\(crops)",
      "--filter": filter.rawValue, "--seed": isRandom ? "\(seed)" : "any",
      "--percent": "\(percent)",
      "--holdout": "\(holdout)", "--limit": limit.map(String.init) ?? "none",
      "--shard-size": "\(shardSize)", "--compression": "\(compression)",
    ]
  }
}
