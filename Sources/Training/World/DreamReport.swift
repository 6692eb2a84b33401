// The report card of a world model.
import Foundation
import Images
import Models
import TensorCore

/// How well a world model predicts one step, and how far its dreams stay with the recording.
package struct DreamReport: Encodable, Equatable {
  /// Means over all starts at one distance from them; PSNR is that of the mean squared error, dB.
  package struct Horizon: Encodable, Equatable {
    package let step: Int
    /// Fraction of the codes that are those of the recording.
    package fileprivate(set) var accuracy = 0.0
    /// That of the start's image, held.
    package fileprivate(set) var accuracyCopy = 0.0
    package fileprivate(set) var psnr = 0.0
    package fileprivate(set) var psnrCopy = 0.0
    /// Of dreams with random actions instead of the recorded ones.
    package fileprivate(set) var psnrRandomActions = 0.0
    /// Of what the VQGAN makes of the recorded codes; nil where it is what the others are compared
    /// with.
    package fileprivate(set) var psnrCeiling: Double?

    enum CodingKeys: String, CodingKey {
      case step, accuracy, psnr
      case accuracyCopy = "accuracy_copy"
      case psnrCopy = "psnr_copy"
      case psnrRandomActions = "psnr_random_actions"
      case psnrCeiling = "psnr_ceiling"
    }
  }

  package let scores: WorldScores
  /// Codes of an image.
  package let codes: Int
  package let starts: Int
  /// Whether dreams are compared with recorded images, or with reconstructions.
  package let hasImages: Bool
  package fileprivate(set) var horizons: [Horizon]

  /// By how much the recorded actions lead nearer to the recording than random ones, dB, four steps
  /// behind the start or the last that there is.
  package var obedience: Double {
    guard let horizon = horizons.last(where: { $0.step <= 4 }) else { return 0 }
    return horizon.psnr - horizon.psnrRandomActions
  }

  /// Steps at which dreams are looked at: 1, 2, 4 and so on, and the last.
  package static func horizons(upTo steps: Int) -> [Int] {
    var horizons: [Int] = []
    var step = 1
    while step < steps {
      horizons.append(step)
      step *= 2
    }
    return horizons + [steps]
  }

  enum CodingKeys: String, CodingKey {
    case starts, reference, horizons, obedience, rewards, ends
    case tokenAccuracy = "token_accuracy"
    case tokenAccuracyChanged = "token_accuracy_changed"
    case tokenAccuracyCopy = "token_accuracy_copy"
    case bitsPerToken = "bits_per_token"
    case bitsPerFrame = "bits_per_frame"
    case rewardLoss = "reward_loss"
    case endLoss = "end_loss"
  }

  package func encode(to encoder: any Swift.Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(starts, forKey: .starts)
    try values.encode(hasImages ? "images" : "reconstructions", forKey: .reference)
    try values.encode(scores.accuracy, forKey: .tokenAccuracy)
    try values.encode(scores.changedAccuracy, forKey: .tokenAccuracyChanged)
    try values.encode(scores.copyAccuracy, forKey: .tokenAccuracyCopy)
    try values.encode(scores.nats / log(2), forKey: .bitsPerToken)
    try values.encode(scores.bitsPerFrame(codes: codes), forKey: .bitsPerFrame)
    try values.encode(scores.rewardLoss, forKey: .rewardLoss)
    try values.encode(scores.endLoss, forKey: .endLoss)
    try values.encode(scores.rewards, forKey: .rewards)
    try values.encode(scores.ends, forKey: .ends)
    try values.encode(horizons, forKey: .horizons)
    try values.encode(obedience, forKey: .obedience)
  }

  /// The card for people.
  package var text: String {
    func percent(_ fraction: Double) -> String { String(format: "%.2f %%", 100 * fraction) }
    var lines = [
      "codes right, each behind recorded ones  \(percent(scores.accuracy))",
      "  those that change                     \(percent(scores.changedAccuracy))",
      "  if nothing ever changed               \(percent(scores.copyAccuracy))",
      String(
        format: "bits per frame  %.2f", scores.bitsPerFrame(codes: codes)),
      "",
      "dreams from \(starts) starts beside \(hasImages ? "the images" : "their reconstructions"), "
        + "PSNR in dB",
      row([
        "step", "codes", "copy", "PSNR", "copy", "random actions",
        hasImages ? "reconstruction" : "",
      ]),
    ]
    for horizon in horizons {
      lines.append(
        row(
          ["\(horizon.step)", percent(horizon.accuracy), percent(horizon.accuracyCopy)]
            + [horizon.psnr, horizon.psnrCopy, horizon.psnrRandomActions].map(decibels)
            + [horizon.psnrCeiling.map(decibels) ?? ""]))
    }
    lines += ["obedience  \(String(format: "%.2f", obedience)) dB", ""]
    lines += table("reward", ["below 0", "none", "above 0"], scores.rewards)
    lines += [""] + table("end", ["no", "yes"], scores.ends)
    return lines.joined(separator: "\n")
  }

  private func decibels(_ value: Double) -> String { String(format: "%.2f", value) }

  private func table(_ name: String, _ classes: [String], _ counts: [[Int]]) -> [String] {
    [row([name] + classes.map { "said \($0)" })]
      + zip(classes, counts).map { row(["is \($0)"] + $1.map { "\($0)" }) }
  }

  private func row(_ cells: [String]) -> String {
    let padded = cells.filter { !$0.isEmpty }.map { cell in
      String(repeating: " ", count: max(1, 16 - cell.count)) + cell
    }
    return padded.joined()
  }
}

/// What a report card is made from.
package struct DreamExam {
  package let dreamer: Dreamer
  package let recorded: RecordedImages
  package let steps: Int
  package let options: SamplingOptions
  package let batchSize: Int

  package init(
    _ dreamer: Dreamer, recorded: RecordedImages, steps: Int, options: SamplingOptions,
    batchSize: Int
  ) {
    (self.dreamer, self.recorded, self.steps) = (dreamer, recorded, steps)
    (self.options, self.batchSize) = (options, batchSize)
  }

  /// Images that are imagined for so many starts.
  package func work(starts: Int) -> Int { 2 * starts * steps }

  /// Fills the card.
  ///
  /// - Parameters:
  ///   - starts: rows with as many rows before and behind them as dreams need.
  ///   - sequences: at most so many for what is said of one step.
  ///   - progress: called with the images that were imagined; what it throws ends the work.
  /// - Throws: `ShardError`, and what `progress` throws.
  package func report(
    starts: [Int], sequences: Int, progress: (_ images: Int) throws -> Void
  ) throws -> DreamReport {
    let (model, data) = (dreamer.model, dreamer.data)
    var stop: (any Error)?
    let scores = data.scores(of: model, sequences: sequences, batchSize: batchSize) {
      do { try progress(0) } catch { stop = error }
      return stop != nil
    }
    if let stop { throw stop }
    let obeying = try dreamer.dreams(
      from: starts, steps: steps, .recorded, options, progress: progress)
    let random = try dreamer.dreams(
      from: starts, steps: steps, .random, options, progress: progress)
    var report = DreamReport(
      scores: scores ?? WorldScores(), codes: model.config.codes, starts: starts.count,
      hasImages: recorded.areGiven, horizons: [])
    for step in DreamReport.horizons(upTo: steps) {
      report.horizons.append(try horizon(step, obeying, random))
      try progress(0)
    }
    return report
  }

  /// The ends that a model imagines are left aside: the recording goes on.
  private func horizon(
    _ step: Int, _ obeying: [Dream], _ random: [Dream]
  ) throws -> DreamReport.Horizon {
    var horizon = DreamReport.Horizon(step: step)
    var errors = [0.0, 0.0, 0.0, 0.0]
    for (dream, other) in zip(obeying, random) {
      let (codes, wanted) = (dream.images[step - 1], dreamer.data.image(dream.start + step))
      horizon.accuracy += Self.equal(codes, wanted)
      horizon.accuracyCopy += Self.equal(dreamer.data.image(dream.start), wanted)
      let image = try recorded.image(dream.start + step)
      let compared = [
        try recorded.decoded(codes), try recorded.image(dream.start),
        try recorded.decoded(other.images[step - 1]),
        recorded.areGiven ? try recorded.decoded(wanted) : image,
      ]
      for (index, found) in compared.enumerated() {
        errors[index] += pow(10, -ImageQuality.psnr(found, image) / 10)
      }
    }
    let count = Double(obeying.count)
    horizon.accuracy /= count
    horizon.accuracyCopy /= count
    let decibels = errors.map { min(-10 * log10($0 / count), ReconstructionMetrics.exact) }
    (horizon.psnr, horizon.psnrCopy, horizon.psnrRandomActions) =
      (decibels[0], decibels[1], decibels[2])
    horizon.psnrCeiling = recorded.areGiven ? decibels[3] : nil
    return horizon
  }

  private static func equal(_ codes: [Int32], _ others: [Int32]) -> Double {
    Double(zip(codes, others).count { $0 == $1 }) / Double(codes.count)
  }
}
