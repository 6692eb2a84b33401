// How fast the steps are, saving and validating left out.

/// Counts units over the last half minute or so of running time.
struct Stopwatch {
  private var started: ContinuousClock.Instant? = .now
  private var seconds = 0.0
  private var units = 0.0

  init() {}

  mutating func count(_ count: Int) {
    collect()
    units += Double(count)
    // Old time fades, so that the metric follows changes.
    if seconds > 30 { (seconds, units) = (seconds / 2, units / 2) }
  }

  mutating func pause() {
    collect()
    started = nil
  }

  mutating func resume() { started = .now }

  /// Units a second.
  var rate: Double { units / max(seconds, 1e-9) }

  private mutating func collect() {
    guard let started else { return }
    let now = ContinuousClock.now
    seconds += (now - started).seconds
    self.started = now
  }
}

extension Duration {
  /// Seconds as a floating-point number.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
