// Labels as conditions.
import Shards

/// One token: an integer of the shards.
package struct LabelCondition: ConditionPayload {
  package let vocabulary: Int
  /// The column of the shards.
  package let column: String

  package init(vocabulary: Int, column: String) {
    (self.vocabulary, self.column) = (vocabulary, column)
  }

  /// The classes that a column of shards has.
  ///
  /// - Throws: `ConditionError`, `ShardError`.
  package init(_ column: String, of shards: CodeShardSet) throws {
    // Every class is a row of the embedding table.
    let labels = try shards.integers(column, below: 1 << 20)
    self.init(vocabulary: (labels.max() ?? 0) + 1, column: column)
  }

  /// Refuses shards of `prep-coco` whose `category` of an image without objects differs.
  ///
  /// - Throws: `ConditionError.categoryZero`, `ShardError`.
  package func requireOneNone(in shards: [String]) throws {
    guard column == "category" else { return }
    var found: [Bool: String] = [:]  // a shard with category 0, and one without
    for path in shards {
      guard let categories = try CodeShardReader(path).contents.categories else { continue }
      found[categories.contains { $0.id == 0 }] = path
      guard let path = found[true], let other = found[false] else { continue }
      throw ConditionError.categoryZero(path: path, other: other)
    }
  }

  var name: GPTCondition.Name { .label }
  var title: String { "the label \(column)" }

  func reader(of shards: CodeShardSet) throws -> (_ row: Int) throws -> ConditionInput {
    let labels = try shards.integers(column, below: vocabulary)
    return { .tokens([Int32(labels[$0])]) }
  }
}

extension CodeShardSet {
  /// A column of integers.
  ///
  /// - Throws: `ConditionError.noColumn`, `notWhole`; `label` for a number outside `0..<limit`;
  ///   `ShardError`.
  func integers(_ column: String, below limit: Int? = nil) throws -> [Int] {
    guard labelNames.contains(column) else {
      throw ConditionError.noColumn(path: paths[0], column: column, known: labelNames)
    }
    guard let integers = try labels(column).integers else {
      throw ConditionError.notWhole(path: paths[0], column: column)
    }
    if let limit, let row = integers.firstIndex(where: { !(0..<limit).contains($0) }) {
      throw ConditionError.label(
        path: paths[0], column: column, row: row, found: integers[row], classes: limit)
    }
    return integers
  }
}
