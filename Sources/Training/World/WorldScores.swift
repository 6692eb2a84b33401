// How well a world model predicts recorded steps.
import Foundation
import Models
import TensorCore

/// What a world model says of recorded steps, each predicted from what was recorded before it.
package struct WorldScores: Equatable, Sendable {
  /// Codes that were predicted, and those that differ from the same place of the image before.
  package private(set) var codes = 0, changed = 0
  /// Those whose most probable code is right.
  package private(set) var right = 0, rightChanged = 0
  /// Sums of -log p, nats.
  package private(set) var codeNats = 0.0, rewardNats = 0.0, endNats = 0.0
  /// Steps of each class, `[true][predicted]`: rewards below 0, none, above 0; ends no, yes.
  package private(set) var rewards = Array(
    repeating: Array(repeating: 0, count: WorldConfig.rewards), count: WorldConfig.rewards)
  package private(set) var ends = Array(
    repeating: Array(repeating: 0, count: WorldConfig.ends), count: WorldConfig.ends)

  package init() {}

  /// Counts a batch of sequences, without dropout.
  package mutating func add(_ steps: WorldSteps, under model: WorldModel) {
    let logits = withoutGradients { model(steps) }
    let codebook = model.config.codebookSize
    let rows = withoutGradients { logits.codes.reshaped([steps.codeTargets.count, codebook]) }
    let (targets, before) = (steps.codeTargets.elements, steps.previous.elements)
    for (index, code) in rows.largestColumns().elements.enumerated() where targets[index] >= 0 {
      let isRight = code == targets[index]
      codes += 1
      right += isRight ? 1 : 0
      if before[index] != targets[index] {
        changed += 1
        rightChanged += isRight ? 1 : 0
      }
    }
    codeNats += Self.sum(rows.crossEntropies(steps.codeTargets))
    rewardNats += Self.sum(logits.rewards.crossEntropies(steps.rewardTargets))
    endNats += Self.sum(logits.ends.crossEntropies(steps.endTargets))
    Self.count(logits.rewards, steps.rewardTargets, in: &rewards)
    Self.count(logits.ends, steps.endTargets, in: &ends)
  }

  private static func sum(_ losses: Tensor) -> Double {
    losses.elements().reduce(0) { $0 + Double($1) }
  }

  private static func count(_ logits: Tensor, _ targets: IndexTensor, in table: inout [[Int]]) {
    for (found, target) in zip(logits.largestColumns().elements, targets.elements)
    where target >= 0 {
      table[Int(target)][Int(found)] += 1
    }
  }

  /// Steps whose rewards and ends were predicted.
  package var steps: Int { ends.joined().reduce(0, +) }
  package var accuracy: Double { Self.fraction(right, of: codes) }
  package var changedAccuracy: Double { Self.fraction(rightChanged, of: changed) }
  /// The accuracy of saying that nothing changes.
  package var copyAccuracy: Double { Self.fraction(codes - changed, of: codes) }
  package var nats: Double { codeNats / Double(max(codes, 1)) }
  package var rewardLoss: Double { rewardNats / Double(max(steps, 1)) }
  package var endLoss: Double { endNats / Double(max(steps, 1)) }

  /// Of images of so many codes.
  package func bitsPerFrame(codes: Int) -> Double { nats / log(2) * Double(codes) }

  private static func fraction(_ part: Int, of whole: Int) -> Double {
    whole > 0 ? Double(part) / Double(whole) : 0
  }
}
