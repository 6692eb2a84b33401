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
  /// A small batch, and the model of these weights that reads it.
  var trial: (model: Self, batch: Batch) { get }
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
    var dropping: RandomSource? = random
    defer { random = dropping ?? random }
    var (gradients, means) = try self.gradients(of: model, batches, droppingWith: &dropping)
    if let clip { gradients.clip(model, to: clip) }
    optimizer.update(&model, gradients, learningRate: learningRate) {
      [decayedNames, weightDecay] in decayedNames.contains($0) ? weightDecay : 0
    }
    average?.update(model, step: optimizer.step)
    return means
  }

  /// What of a step on a small input is not finite, with the weights or their averages; nil if all
  /// is.
  var notFiniteOnTrial: NotFinite? {
    for model in [model] + (average.map { [$0.trainable(like: model)] } ?? []) {
      let (small, batch) = model.trial
      var none: RandomSource?
      do throws(NotFinite) {
        _ = try gradients(of: small, [batch], droppingWith: &none)
      } catch {
        return error
      }
      if let result = model.notFiniteResult { return NotFinite(what: result) }
    }
    return nil
  }

  /// The gradients of a model, averaged over the batches, with the mean loss and its parts.
  private func gradients(
    of model: Model, _ batches: [Model.Batch], droppingWith random: inout RandomSource?
  ) throws(NotFinite) -> (gradients: Gradients, losses: [Float]) {
    var gradients = Gradients()
    var losses: [[Tensor]] = []
    for batch in batches {
      let found = model.losses(batch, droppingWith: &random)
      losses.append(found.map { $0.detached() })
      gradients.add(backward(found[0]))
    }
    if batches.count > 1 { gradients.scale(by: 1 / Float(batches.count)) }
    let means = losses[0].indices.map { part in
      losses.reduce(0) { $0 + $1[part].item() } / Float(batches.count)
    }
    guard means[0].isFinite else { throw NotFinite(what: "the loss (\(model.largestWeight))") }
    if let problem = gradients.notFinite(in: model, clippedTo: clip) { throw problem }
    return (gradients, means)
  }
}
