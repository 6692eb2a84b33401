// How often each code of a codebook occurs.
import Foundation

/// How often each code of a codebook occurs.
package struct CodeHistogram: Equatable, Sendable {
  /// Occurrences of every code, `[K]`.
  package private(set) var counts: [Int]

  private let depth: Int

  /// Of no codes yet.
  ///
  /// - Parameter depth: codes of one position; each level has counts of its own, one level's behind
  ///   those of the level before.
  package init(codebookSize: Int, depth: Int = 1) {
    counts = Array(repeating: 0, count: codebookSize * depth)
    self.depth = depth
  }

  /// Counts codes in `0..<K` of whole positions.
  package mutating func add(_ codes: [Int32]) {
    let entries = counts.count / depth
    for (index, code) in codes.enumerated() { counts[index % depth * entries + Int(code)] += 1 }
  }

  /// Codes counted so far.
  package var total: Int { counts.reduce(0, +) }

  /// Codes that occur.
  package var used: Int { counts.count { $0 > 0 } }

  /// Entropy of the codes' fractions, bits; 0 for none.
  package var entropy: Double { counts.map(Double.init).entropy }

  /// How many codes in even use would be as varied; 0 for none.
  package var perplexity: Double { counts.map(Double.init).perplexity }

  /// The fewest codes that make up a fraction of all occurrences; 0 for none.
  package func codes(covering fraction: Double) -> Int {
    let needed = fraction * Double(total)
    var sum = 0
    for (index, code) in byFrequency.enumerated() where counts[code] > 0 {
      sum += counts[code]
      if Double(sum) >= needed { return index + 1 }
    }
    return 0
  }

  /// All codes, the most frequent first, equally frequent ones by index.
  package var byFrequency: [Int] {
    counts.indices.sorted { (counts[$0], $1) > (counts[$1], $0) }
  }
}

extension [Double] {
  /// The entropy of non-negative weights, bits; 0 for none.
  var entropy: Double {
    let total = reduce(0, +)
    return reduce(0) { sum, weight in
      weight > 0 ? sum - weight / total * log2(weight / total) : sum
    }
  }

  /// 2 to the entropy; 0 for no weights.
  var perplexity: Double { contains { $0 > 0 } ? exp2(entropy) : 0 }
}
