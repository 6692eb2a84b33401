// The condition of a GPT as one types it.
import ArgumentParser
import Models
import Shards
import Training

/// `label:COLUMN`, `codes`, `coordinates`, `boxes`, `points` or `none`.
struct ConditionOption: ExpressibleByArgument {
  private let name: GPTCondition.Name?
  private let column: String

  init?(argument: String) {
    let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    name = GPTCondition.Name(rawValue: String(parts[0]))
    column = parts.count == 2 ? String(parts[1]) : ""
    guard name != nil || argument == "none",
      name == .label ? !column.isEmpty : parts.count == 1
    else { return nil }
  }

  var isNone: Bool { name == nil }
  /// Whether it is of objects, at most so many of an image.
  var hasObjects: Bool { name == .boxes || name == .points }

  /// The condition that shards hold.
  ///
  /// - Throws: `ConditionError`, `ShardError`.
  func condition(of shards: CodeShardSet, objects: Int) throws -> GPTCondition? {
    switch name {
    case nil: nil
    case .label: GPTCondition(.label(try LabelCondition(column, of: shards)))
    case .codes: GPTCondition(.codes(try ConditionCodes(of: shards)))
    case .coordinates: GPTCondition(.coordinates(CoordinatesCondition(of: shards)))
    case .boxes: GPTCondition(.objects(try ObjectsCondition(.boxes, objects: objects, of: shards)))
    case .points:
      GPTCondition(.objects(try ObjectsCondition(.points, objects: objects, of: shards)))
    }
  }
}

extension TokenOrder: ExpressibleByArgument {}
