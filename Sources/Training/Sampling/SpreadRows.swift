// Which rows of shards samples start from.

/// An order of rows that visits all, any few neighbours of which lie far apart.
///
/// The row of a sample does not depend on how many are drawn, so that sample 7 of a seed is always the same.
struct SpreadRows {
  private let count: Int
  private let step: Int

  init(_ count: Int) {
    self.count = count
    // Near the golden section and without a common divisor, so that the steps come by every row once.
    var step = max(1, Int(0.618_034 * Double(count)))
    func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
    while count > 1, divisor(count, step) > 1 { step += 1 }
    self.step = step
  }

  /// The row that the sample with a number starts from.
  subscript(number: Int) -> Int { number % count * step % count }

  /// Those of the samples below `end`, each row once.
  func first(_ end: Int) -> [Int] { (0..<min(end, count)).map { self[$0] } }
}

/// The starts of which the page of a run shows pictures.
package struct ShownStarts: Sendable {
  private let numbers: Range<Int>

  /// - Parameter numbers: of the samples on the page.
  package init(_ numbers: Range<Int>) { self.numbers = numbers }

  /// Whether a start, one of `total` that samples take in turns, is on the page.
  func contains(_ start: Int, of total: Int) -> Bool {
    let behind = (start - numbers.lowerBound) % total
    return (behind + total) % total < numbers.count
  }
}
