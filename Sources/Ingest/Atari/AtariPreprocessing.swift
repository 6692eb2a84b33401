import Foundation

/// The attribute `preprocessing` of a shard: how its pictures came from the recorded ones.
struct AtariPreprocessing: Encodable {
  let game: String
  /// Size of one game state, pixels.
  let stateWidth: Int
  let stateHeight: Int
  let fit: String
  let filter: String
  let every: Int
  let dropDuplicates: Bool
  let stack: Int
  let stackLayout: String

  enum CodingKeys: String, CodingKey {
    case game, fit, filter, every, stack
    case stateWidth = "state_width"
    case stateHeight = "state_height"
    case dropDuplicates = "drop_duplicates"
    case stackLayout = "stack_layout"
  }

  init(_ options: AtariIngestOptions) {
    game = options.game
    stateWidth = options.recipe.width
    stateHeight = options.recipe.height
    fit = options.recipe.fit.rawValue
    filter = options.recipe.filter.rawValue
    every = options.every
    dropDuplicates = options.dropsDuplicates
    stack = options.recipe.stack
    stackLayout = options.recipe.layout.rawValue
  }

  /// The attribute's text; keys sorted, so that equal options give equal bytes.
  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let json = try? encoder.encode(self) else {
      preconditionFailure("texts and whole numbers always encode")
    }
    return String(decoding: json, as: UTF8.self)
  }
}
