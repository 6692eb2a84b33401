// The condition tokens of a whole data set in memory.
import Models
import Shards
import TensorCore

/// Rows of condition tokens, beside a `CodeTable`.
package struct ConditionTable: Sendable {
  private let rows: CodeTable?

  /// The start token before every row.
  package static let unconditional = ConditionTable(rows: nil)

  private init(rows: CodeTable?) { self.rows = rows }

  /// - Parameter tokens: `[count · length]`, below `vocabulary`.
  package init(_ tokens: [Int32], length: Int, vocabulary: Int) {
    rows = CodeTable(tokens, rowLength: length, codebookSize: vocabulary)
  }

  /// Reads the condition of every row of the shards.
  ///
  /// - Throws: `ShardError`, `ConditionError` where a row has no such condition.
  package init(_ condition: GPTCondition?, of shards: CodeShardSet) throws {
    guard let condition else {
      self = .unconditional
      return
    }
    let input = try condition.reader(of: shards)
    let trained = shards.grid.size
    let whole = GridWindow(row: 0, column: 0, size: trained)
    var tokens: [Int32] = []
    tokens.reserveCapacity(shards.count * condition.length)
    for row in 0..<shards.count {
      tokens +=
        condition.placed([try input(row)], before: whole, of: trained, trained: trained)
        .tokens[0]
    }
    self.init(tokens, length: condition.length, vocabulary: condition.tokens)
  }

  /// The tokens of the given rows, `[rows.count, length]`.
  package func tokens(_ rows: [Int]) -> IndexTensor {
    self.rows?.codes(rows) ?? TokenSequences.unconditional(rows.count)
  }
}
