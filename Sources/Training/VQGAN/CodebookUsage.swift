// Which codes are in use, and for how long the others have not been.
import TensorCore

/// How often each code is used, and for how many steps it has not been.
package struct CodebookUsage: Equatable, Sendable {
  /// Moving average of each code's fraction of a step's codes; part of a checkpoint.
  package var fractions: [Float]
  /// Steps since the last use of each code, or since it was set; part of a checkpoint.
  package var idleSteps: [Int]

  /// Steps that count as recent.
  package static let window = 100

  package init(entries: Int) {
    fractions = Array(repeating: 0, count: entries)
    idleSteps = Array(repeating: 0, count: entries)
  }

  /// Takes in the codes of one step.
  package mutating func record(_ batches: [[Int32]]) {
    var counts = [Float](repeating: 0, count: fractions.count)
    for batch in batches {
      for k in batch { counts[Int(k)] += 1 }
    }
    let total = max(counts.reduce(0, +), 1)
    let decay: Float = fractions.allSatisfy { $0 == 0 } ? 0 : 0.98
    for k in fractions.indices {
      fractions[k] = decay * fractions[k] + (1 - decay) * counts[k] / total
      idleSteps[k] = counts[k] > 0 ? 0 : idleSteps[k] + 1
    }
  }

  /// The codes of a range that have not been used for so many steps.
  package func idle(in codes: Range<Int>, for steps: Int) -> [Int] {
    codes.filter { idleSteps[$0] >= steps }
  }

  /// Forgets what is known of codes that were set anew.
  package mutating func reset(_ codes: [Int]) {
    for k in codes { (fractions[k], idleSteps[k]) = (0, 0) }
  }

  /// Codes used at least once in the last 100 steps.
  package var used: Int {
    fractions.indices.count { fractions[$0] > 0 && idleSteps[$0] < Self.window }
  }

  /// exp of the entropy of the fractions: how many codes in even use would be as varied.
  package var perplexity: Double { fractions.map(Double.init).perplexity }
}
