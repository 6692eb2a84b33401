// The report card of a world model.
import Foundation
import Metrics

/// How well a world model predicts one step, and how far its dreams stay with the recording.
package struct DreamReport: Encodable, Equatable, Sendable {
  package let scores: WorldScores
  /// Codes of an image.
  package let codes: Int
  package let starts: Int
  /// Whether dreams are compared with recorded images, or with reconstructions.
  package let hasImages: Bool
  package var horizons: [DreamHorizon]
  /// Nil where the recordings are too short to learn from.
  package var readBack: ActionReadBack?
  /// Places at which a legal image may differ from a real one.
  package var legalDistance = 0
  /// Images a second of a single dream, without decoding.
  package var framesPerSecond = 0.0

  package init(
    scores: WorldScores, codes: Int, starts: Int, hasImages: Bool, horizons: [DreamHorizon]
  ) {
    (self.scores, self.codes, self.starts) = (scores, codes, starts)
    (self.hasImages, self.horizons) = (hasImages, horizons)
  }

  /// By how much the recorded actions lead nearer to the recording than random ones, dB, four steps
  /// behind the start or the last that there is.
  package var obedience: Double {
    guard let horizon = horizons.last(where: { $0.step <= 4 }) else { return 0 }
    return horizon.dream.psnr - horizon.randomActions.psnr
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

  /// What is said of a reward or an end, which are rare: accuracy would say nothing.
  package struct RareClass: Encodable, Equatable {
    /// `reward below 0`, `reward above 0` or `end`.
    package let name: String
    /// Recorded steps that have it.
    package let steps: Int
    /// Nil without anything to divide by.
    package let precision, recall, f1: Double?

    fileprivate init(_ name: String, _ index: Int, of table: ConfusionTable) {
      (self.name, steps) = (name, table.occurrences(of: index))
      (precision, recall) = (table.precision(of: index), table.recall(of: index))
      f1 = table.f1(of: index)
    }

    enum CodingKeys: String, CodingKey {
      case steps, precision, recall, f1
      case name = "class"
    }
  }

  package var rareClasses: [RareClass] {
    let (rewards, ends) = (ConfusionTable(scores.rewards), ConfusionTable(scores.ends))
    return [
      RareClass("reward below 0", 0, of: rewards), RareClass("reward above 0", 2, of: rewards),
      RareClass("end", 1, of: ends),
    ]
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
    case rareClasses = "rare_classes"
    case readBack = "read_back"
    case legalDistance = "legal_distance"
    case framesPerSecond = "frames_per_second"
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
    try values.encode(rareClasses, forKey: .rareClasses)
    try values.encode(horizons, forKey: .horizons)
    try values.encode(obedience, forKey: .obedience)
    try values.encodeIfPresent(readBack, forKey: .readBack)
    try values.encode(legalDistance, forKey: .legalDistance)
    try values.encode(framesPerSecond, forKey: .framesPerSecond)
  }
}
