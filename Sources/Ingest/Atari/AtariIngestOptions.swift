import Shards

/// What `prep-atari` was asked to make; everything that changes a byte of the shards, and nothing else.
package struct AtariIngestOptions: Equatable, Sendable {
  package var game: String
  /// First part of the shards' file names.
  package var name: String
  package var recipe: PictureRecipe
  /// Only frames whose number is a multiple of this.
  package var every: Int
  /// Whether a frame that looks exactly like the one before it is left out.
  package var dropsDuplicates: Bool
  /// The recordings to read; `nil` for all.
  package var trajectories: [Int]?
  /// Recordings that go into the validation split, whole.
  package var holdout: [Int]
  /// Recordings of either list that came from a range: the corpus need not have them.
  package var mayBeMissing: Set<Int>
  /// Whether links in the folder of the corpus may point out of it.
  package var followsLinks: Bool
  /// Most rows of each split; `nil` for all.
  package var limit: Int?
  /// Pictures by which rooms are told apart; nil for no column `room`.
  package var places: PlaceTemplates?
  /// Rows of a shard; the last of a split may have fewer.
  package var shardSize: Int
  package var compression: ShardCompression

  package init(
    game: String, name: String, recipe: PictureRecipe, every: Int = 1,
    dropsDuplicates: Bool = false,
    trajectories: [Int]? = nil, holdout: [Int] = [], mayBeMissing: Set<Int> = [],
    followsLinks: Bool = false, limit: Int? = nil, places: PlaceTemplates? = nil,
    shardSize: Int = 2048, compression: ShardCompression = .auto
  ) {
    self.game = game
    self.name = name
    self.recipe = recipe
    self.every = every
    self.dropsDuplicates = dropsDuplicates
    self.trajectories = trajectories
    self.holdout = holdout
    self.mayBeMissing = mayBeMissing
    self.followsLinks = followsLinks
    self.limit = limit
    self.places = places
    self.shardSize = shardSize
    self.compression = compression
  }

  /// The options as one types them, with their values.
  package var described: [String: String] {
    [
      "--game": game, "--name": name, "--size": "\(recipe.width)x\(recipe.height)",
      "--fit": recipe.fit.rawValue, "--filter": recipe.filter.rawValue,
      "--stack": "\(recipe.stack)", "--stack-layout": recipe.layout.rawValue,
      "--every": "\(every)", "--drop-duplicates": "\(dropsDuplicates)",
      "--trajectories": trajectories.map(Self.list) ?? "all", "--holdout": Self.list(holdout),
      "--limit": limit.map(String.init) ?? "none", "--shard-size": "\(shardSize)",
      "--compression": "\(compression)",
    ].merging(places.map { ["--rooms": $0.digest] } ?? [:]) { $1 }
  }

  private static func list(_ ids: [Int]) -> String {
    ids.isEmpty ? "none" : ids.sorted().map(String.init).joined(separator: ",")
  }
}
