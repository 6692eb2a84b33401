// The condition of a GPT as one types it.
import ArgumentParser
import Models
import Shards
import Training

/// `label:COLUMN`, `codes`, `coordinates`, `boxes`, `points` or `none`.
struct ConditionOption: ExpressibleByArgument {
  private let kind: GPTCondition.Kind?
  private let column: String?

  init?(argument: String) {
    if argument == "none" {
      (kind, column) = (nil, nil)
    } else if argument.hasPrefix("label:"), argument.count > 6 {
      (kind, column) = (.label, String(argument.dropFirst(6)))
    } else if let kind = GPTCondition.Kind(rawValue: argument), kind != .label {
      (self.kind, column) = (kind, nil)
    } else {
      return nil
    }
  }

  var isNone: Bool { kind == nil }
  /// Whether it is of objects, at most so many of a picture.
  var hasObjects: Bool { kind == .boxes || kind == .points }

  /// The condition that shards hold.
  ///
  /// - Throws: `ConditionError`, `ShardError`.
  func condition(of shards: CodeShardSet, objects: Int) throws -> GPTCondition? {
    let path = shards.paths.first ?? ""
    switch kind {
    case nil: return nil
    case .label:
      let labels = try ConditionReader.labels(column ?? "", of: shards)
      // Every class is a row of the embedding table.
      let most = 1 << 20
      if let row = labels.firstIndex(where: { !(0..<most).contains($0) }) {
        throw ConditionError.label(
          path: path, column: column ?? "", row: row, found: labels[row], classes: most)
      }
      return GPTCondition(kind: .label, vocabulary: (labels.max() ?? 0) + 1, column: column)
    case .codes:
      guard let found = shards.header.condition else { throw ConditionError.noCodes(path: path) }
      return GPTCondition(
        kind: .codes, vocabulary: found.codebookSize,
        grid: CodeGrid(
          height: found.height, width: found.width, codebookSize: found.codebookSize,
          fingerprint: found.fingerprint, vqgan: found.vqganPath), input: found.input)
    case .coordinates:
      return GPTCondition(
        kind: .coordinates, vocabulary: 1024,
        grid: CodeGrid(
          height: shards.gridHeight, width: shards.gridWidth, codebookSize: 1024,
          fingerprint: "", vqgan: ""))
    case .boxes, .points:
      let categories = try shards.categories.map { Int($0.id) }
      guard !categories.isEmpty else { throw ConditionError.noObjects(path: path) }
      return GPTCondition(
        kind: kind ?? .boxes, vocabulary: 8192, objects: objects, categories: categories)
    }
  }
}

extension TokenOrder: ExpressibleByArgument {}
