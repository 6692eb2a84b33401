// One training step of a transformer.
import Models
import NN
import TensorCore

/// A transformer that can be trained.
package protocol TransformerModel: Layer, Tried {
  associatedtype Batch

  /// The loss of a batch, and behind it parts of it for the metrics, which have no gradients.
  ///
  /// - Parameter random: where dropout takes numbers from; `nil` drops nothing.
  func losses(_ batch: Batch, droppingWith random: inout RandomSource?) -> [Tensor]
  /// Names of the parameters that weight decay acts on.
  var decayedNames: Set<String> { get }
}

extension GPT: TransformerModel {
  package func losses(
    _ batch: TokenSequences, droppingWith random: inout RandomSource?
  ) -> [Tensor] {
    [loss(batch.input, batch.targets, droppingWith: &random)]
  }
}

extension WorldModel: TransformerModel {}

/// A transformer and its optimizer.
///
/// - Source: Esser et al. 2021, §3.2, eq. 8–9; AdamW as in the published code.
package struct TransformerTrainer<Model: TransformerModel> {
  package var model: Model
  package var optimizer = Adam(beta1: 0.9, beta2: 0.95)
  package let weightDecay: Float
  /// The largest norm of a step's gradients; nil for no limit.
  package var clip: Float?
  /// The moving average of the weights, where one is kept.
  package var average: EMAWeights<Model>?
  private let decayedNames: Set<String>

  package init(of model: Model, weightDecay: Float) {
    self.model = model
    self.weightDecay = weightDecay
    decayedNames = model.decayedNames
  }

  /// The weights that validations look at: the averaged ones, where there are any.
  package var validated: Model { average?.model ?? model }

  /// One step; gradients are averaged over the batches.
  ///
  /// - Parameter random: of dropout.
  /// - Returns: the mean loss of the batches and its parts, in nats.
  /// - Throws: `NotFinite`, before anything but `random` has changed.
  @discardableResult
  package mutating func step(
    _ batches: [Model.Batch], learningRate: Float, using random: inout RandomSource
  ) throws(NotFinite) -> [Float] {
    var gradients = Gradients()
    var losses: [[Tensor]] = []
    for batch in batches {
      var dropping: RandomSource? = random
      let found = model.losses(batch, droppingWith: &dropping)
      if let dropping { random = dropping }
      losses.append(found.map { $0.detached() })
      gradients.add(backward(found[0]))
    }
    if batches.count > 1 { gradients.scale(by: 1 / Float(batches.count)) }
    let means = losses[0].indices.map { part in
      losses.reduce(0) { $0 + $1[part].item() } / Float(batches.count)
    }
    guard means[0].isFinite else { throw NotFinite(what: "the loss (\(model.largestWeight))") }
    if let problem = gradients.notFinite(in: model, clippedTo: clip) { throw problem }
    if let clip { gradients.clip(model, to: clip) }
    optimizer.update(&model, gradients, learningRate: learningRate) {
      [decayedNames, weightDecay] in decayedNames.contains($0) ? weightDecay : 0
    }
    average?.update(model, step: optimizer.step)
    return means
  }
}
