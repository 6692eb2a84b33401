// The conditions of the rows of code shards.
import Models
import Shards

/// The conditions of the rows of code shards, one at a time.
package struct ConditionReader {
  private let condition: GPTCondition
  private let shards: CodeShardSet
  private var labels: [Int] = []
  private var scenes: [Scene] = []
  private var frames: PictureFrames?

  /// - Throws: `ShardError`, `ConditionError`.
  package init(_ condition: GPTCondition, of shards: CodeShardSet) throws {
    self.condition = condition
    self.shards = shards
    let path = shards.paths.first ?? ""
    switch condition.kind {
    case .label:
      labels = try Self.labels(condition.column ?? "", of: shards)
      for (row, label) in labels.enumerated() where !(0..<condition.vocabulary).contains(label) {
        throw ConditionError.label(
          path: path, column: condition.column ?? "", row: row, found: label,
          classes: condition.vocabulary)
      }
    case .codes:
      guard let found = shards.header.condition else {
        throw ConditionError.noCodes(path: path)
      }
      guard found.fingerprint == condition.grid?.fingerprint else {
        throw ConditionError.otherVQGAN(
          path: path, found: found.fingerprint, expected: condition.grid?.fingerprint ?? "")
      }
    case .coordinates: frames = try PictureFrames(shards)
    case .boxes, .points:
      guard let categories = condition.categories else {
        throw ConditionError.noCategories(path: path)
      }
      scenes = try PictureFrames(shards).scenes(shards, categories: categories)
    }
  }

  /// The condition of a row.
  package func input(_ row: Int) throws -> ConditionInput {
    switch condition.kind {
    case .label: return .tokens([Int32(labels[row])])
    case .codes:
      let codes = try shards.conditionCodes(row) ?? []
      return .grid(
        codes,
        GridSize(height: condition.grid?.height ?? 1, width: condition.grid?.width ?? 1))
    case .coordinates:
      let grid = GridSize(height: condition.grid?.height ?? 1, width: condition.grid?.width ?? 1)
      return .grid(
        frames?.coordinates(row, grid, tokens: condition.vocabulary) ?? [], grid)
    case .boxes, .points: return .scene(scenes[row])
    }
  }

  /// A column of whole numbers.
  ///
  /// - Throws: `ConditionError.notWhole`.
  package static func labels(_ column: String, of shards: CodeShardSet) throws -> [Int] {
    guard shards.labelNames.contains(column) else {
      throw ConditionError.noColumn(
        path: shards.paths.first ?? "", column: column, known: shards.labelNames)
    }
    switch try shards.labels(column) {
    case .uint8(let values): return values.map { Int($0) }
    case .uint16(let values): return values.map { Int($0) }
    case .uint32(let values): return values.map { Int($0) }
    case .int32(let values): return values.map { Int($0) }
    case .int64(let values): return values.map { Int($0) }
    case .bool(let values): return values.map { $0 ? 1 : 0 }
    case .float32, .string:
      throw ConditionError.notWhole(path: shards.paths.first ?? "", column: column)
    }
  }
}
