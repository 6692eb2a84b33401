// Which codes are in use, and for how long the others have not been.
import Foundation
import TensorCore

/// How often each code was used since the last report, and for how many steps it has not been.
package struct CodebookUsage: Sendable {
  package private(set) var counts: [Int]
  /// Steps since the last use of each code.
  package var idleSteps: [Int]

  package init(entries: Int) {
    counts = Array(repeating: 0, count: entries)
    idleSteps = Array(repeating: 0, count: entries)
  }

  /// Counts one step's codes.
  package mutating func record(_ indices: IndexTensor) {
    for k in indices.elements { counts[Int(k)] += 1 }
  }

  /// Ends a step: codes that it used are not idle. Call once a step, after `record`.
  package mutating func endStep(used indices: [IndexTensor]) {
    for k in idleSteps.indices { idleSteps[k] += 1 }
    for tensor in indices {
      for k in tensor.elements { idleSteps[Int(k)] = 0 }
    }
  }

  /// Codes used at least once since the last report.
  package var used: Int { counts.count { $0 > 0 } }

  /// exp of the entropy of the codes since the last report: the number of codes in even use that would be as varied.
  package var perplexity: Double {
    let total = Double(counts.reduce(0, +))
    guard total > 0 else { return 0 }
    let entropy = counts.reduce(0.0) { sum, count in
      guard count > 0 else { return sum }
      let p = Double(count) / total
      return sum - p * log(p)
    }
    return exp(entropy)
  }

  /// Starts the next report.
  package mutating func reset() { counts = Array(repeating: 0, count: counts.count) }
}
