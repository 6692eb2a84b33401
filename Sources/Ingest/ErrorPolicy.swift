/// How much bad input is too much.
package struct ErrorPolicy: Equatable, Sendable {
  /// Skipped samples that are still accepted.
  package enum Limit: Equatable, Sendable {
    case count(Int)
    /// A fraction of the samples read, 0…1.
    case fraction(Double)
    /// One in a hundred, but ten in any case: a small set is not given up for a few images.
    case automatic

    /// Reads a count such as `25` or a fraction such as `2%`.
    package init?(_ text: String) {
      if let count = Int(text), count >= 0 {
        self = .count(count)
      } else if text.hasSuffix("%"), let percent = Double(text.dropLast()),
        (0...100).contains(percent)
      {
        self = .fraction(percent / 100)
      } else {
        return nil
      }
    }

    /// The most samples that may be skipped of `samples`.
    package func count(of samples: Int) -> Int {
      switch self {
      case .count(let count): count
      case .fraction(let fraction): Int(Double(samples) * fraction)
      case .automatic: max(10, samples / 100)
      }
    }
  }

  /// Whether the first bad sample ends the run.
  package var isStrict: Bool
  package var limit: Limit

  package init(isStrict: Bool = false, limit: Limit = .automatic) {
    self.isStrict = isStrict
    self.limit = limit
  }

  /// Whether somebody asked for a limit.
  ///
  /// What whole data sets have by their nature, such as rows behind the last image of a recording,
  /// counts only then.
  var isChosen: Bool { isStrict || limit != .automatic }

  /// Decides whether the run goes on after `skipped` bad samples, the latest for `reason`.
  ///
  /// - Throws: `.badSample` for any when strict, `.tooManyErrors` above the limit.
  func check(skipped: Int, of samples: Int, reason: String) throws(IngestError) {
    if isStrict { throw .badSample(reason: reason) }
    let allowed = limit.count(of: samples)
    guard skipped <= allowed else {
      throw .tooManyErrors(count: skipped, samples: samples, allowed: allowed, last: reason)
    }
  }

  /// Decides likewise after `leftOut` parts that samples lack.
  func check(leftOut: Int, of samples: Int, reason: String) throws(IngestError) {
    if isStrict { throw .badSample(reason: reason) }
    let allowed = limit.count(of: samples)
    guard leftOut <= allowed else {
      throw .tooManyLeftOut(count: leftOut, samples: samples, allowed: allowed, last: reason)
    }
  }
}
