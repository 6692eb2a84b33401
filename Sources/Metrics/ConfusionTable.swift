// What things are, against what they are said to be.

/// How many things of each class were said to be of each class.
package struct ConfusionTable: Equatable, Sendable {
  /// `[true][said]`.
  package private(set) var counts: [[Int]]

  /// A table without counts.
  package init(classes: Int) {
    counts = Array(repeating: Array(repeating: 0, count: classes), count: classes)
  }

  /// - Parameter counts: `[true][said]`, square.
  package init(_ counts: [[Int]]) {
    precondition(counts.allSatisfy { $0.count == counts.count }, "a table that is not square")
    self.counts = counts
  }

  package mutating func add(true actual: Int, said: Int) { counts[actual][said] += 1 }

  package var total: Int { counts.joined().reduce(0, +) }

  /// The fraction that is right; 0 of nothing.
  package var accuracy: Double {
    Self.fraction(counts.indices.reduce(0) { $0 + counts[$1][$1] }, of: total) ?? 0
  }

  /// How many are of a class.
  package func occurrences(of index: Int) -> Int { counts[index].reduce(0, +) }

  private func said(_ index: Int) -> Int { counts.reduce(0) { $0 + $1[index] } }

  /// The fraction of what is said to be of a class that is; nil where nothing is said to be.
  package func precision(of index: Int) -> Double? {
    Self.fraction(counts[index][index], of: said(index))
  }

  /// The fraction of a class that is said to be of it; nil of a class that does not occur.
  package func recall(of index: Int) -> Double? {
    Self.fraction(counts[index][index], of: occurrences(of: index))
  }

  /// The harmonic mean of precision and recall, 2 right / (occurring + said); nil of a class that
  /// neither occurs nor is said.
  package func f1(of index: Int) -> Double? {
    Self.fraction(2 * counts[index][index], of: occurrences(of: index) + said(index))
  }

  /// The mean F1 of the classes that occur; 0 of nothing.
  package var macroF1: Double {
    let scores = counts.indices.filter { occurrences(of: $0) > 0 }.compactMap { f1(of: $0) }
    return scores.isEmpty ? 0 : scores.reduce(0, +) / Double(scores.count)
  }

  private static func fraction(_ part: Int, of whole: Int) -> Double? {
    whole > 0 ? Double(part) / Double(whole) : nil
  }
}
