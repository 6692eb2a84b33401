// Which rows of many are looked at.

/// Rows at even distances, the same whenever they are asked for.
///
/// - Returns: `wanted` of `count` rows, or all where there are fewer, rising.
package func evenRows(_ wanted: Int, of count: Int) -> [Int] {
  let taken = min(wanted, count)
  return (0..<taken).map { $0 * count / taken }
}

/// An order of rows that visits all, any few neighbours of which lie far apart.
///
/// The row of a sample does not depend on how many are sampled, so that sample 7 of a seed is
/// always the same.
package struct SpreadRows: Sendable {
  private let count: Int
  private let step: Int

  package init(_ count: Int) {
    self.count = count
    // Near the golden section and without a common divisor, so that the steps come by every row
    // once.
    var step = max(1, Int(0.618_034 * Double(count)))
    func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
    while count > 1, divisor(count, step) > 1 { step += 1 }
    self.step = step
  }

  /// The row that the sample with a number starts from.
  package subscript(number: Int) -> Int { number % count * step % count }
}
