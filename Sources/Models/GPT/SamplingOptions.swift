// How a token is sampled from logits.
import Foundation
import TensorCore

/// Logits of a transformer are not finite: its weights are too large to compute with.
package struct NotFiniteLogits: Error, CustomStringConvertible {
  package var description: String {
    "logits of the transformer are not finite (NaN or infinity); take a checkpoint from before "
      + "its training came to that"
  }
}

/// How a token is sampled from logits.
package struct SamplingOptions: Equatable, Sendable {
  /// Divides the logits; above 0, smaller is more certain.
  package var temperature: Double = 1
  /// Only the k most probable tokens, and those that tie with the last of them.
  package var topK: Int?
  /// Only the most probable tokens up to this fraction of the probability, the token that crosses
  /// it included.
  package var topP: Double?
  /// Always the most probable token, the lowest of equals.
  package var isGreedy = false
  /// How far logits move from those without a condition: 1 is the conditional model itself, 0 the
  /// one without condition.
  package var guidance: Double = 1

  package init(
    temperature: Double = 1, topK: Int? = nil, topP: Double? = nil, isGreedy: Bool = false,
    guidance: Double = 1
  ) {
    precondition(temperature > 0 && (topK ?? 1) > 0 && (topP ?? 1) > 0)
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.isGreedy = isGreedy
    self.guidance = guidance
  }

  /// The probability of every token: logits divided by the temperature, cut by top-k, softmax, cut
  /// by top-p.
  ///
  /// - Source: the reference's `top_k_logits` and the `top_k_top_p_filtering` that it takes from
  ///   transformers; there top-p acts only together with top-k, here also alone.
  package func probabilities(_ logits: some RandomAccessCollection<Float>) -> [Double] {
    guard let largest = logits.max() else { return [] }
    var weights = logits.map { exp(Double($0 - largest) / temperature) }
    if let topK, topK < weights.count {
      // Compared as logits: equal logits tie whatever the temperature does to their weights.
      let threshold = Self.value(ofRank: topK, in: Array(logits))
      for (index, logit) in logits.enumerated() where logit < threshold { weights[index] = 0 }
    }
    Self.normalize(&weights)
    if let topP, topP < 1 {
      let order = weights.indices.sorted { weights[$0] > weights[$1] }
      var sum = 0.0
      for token in order {
        // What stands before this token already has the fraction: it goes, and so does all behind
        // it.
        let isCut = sum > topP
        sum += weights[token]
        if isCut { weights[token] = 0 }
      }
      Self.normalize(&weights)
    }
    return weights
  }

  /// One token from `logits`; greedy sampling leaves `random` alone.
  package func draw(
    _ logits: some RandomAccessCollection<Float>, using random: inout RandomSource
  ) throws(NotFiniteLogits) -> Int32 {
    guard logits.allSatisfy(\.isFinite) else { throw NotFiniteLogits() }
    guard !isGreedy else {
      var best = (token: 0, logit: -Float.infinity)
      for (token, logit) in logits.enumerated() where logit > best.logit { best = (token, logit) }
      return Int32(best.token)
    }
    let probabilities = probabilities(logits)
    var left = Double(random.next() >> 11) * 0x1p-53  // uniform in 0..<1
    var last = 0
    for (token, probability) in probabilities.enumerated() where probability > 0 {
      last = token
      left -= probability
      if left < 0 { break }
    }
    return Int32(last)
  }

  private static func normalize(_ weights: inout [Double]) {
    let sum = weights.reduce(0, +)
    for index in weights.indices { weights[index] /= sum }
  }

  /// The `rank`-th largest value (1 is the largest), by quickselect: linear time.
  package static func value(ofRank rank: Int, in values: [Float]) -> Float {
    var values = values[...]
    var rank = rank
    while values.count > 1 {
      let pivot = values[values.startIndex + values.count / 2]
      let above = values.filter { $0 > pivot }
      if rank <= above.count {
        values = above[...]
        continue
      }
      let equal = values.count { $0 == pivot }
      if rank <= above.count + equal { return pivot }
      rank -= above.count + equal
      values = values.filter { $0 < pivot }[...]
    }
    return values.first ?? 0
  }
}
