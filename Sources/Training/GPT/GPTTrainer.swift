// One training step of the GPT, and its loss on codes that it was not trained on.
import Models
import NN
import TensorCore

/// A GPT and its optimizer.
///
/// - Source: Esser et al. 2021, §3.2, eq. 8–9; AdamW as in the published code.
package struct GPTTrainer {
  package var model: GPT
  package var optimizer = Adam(beta1: 0.9, beta2: 0.95)
  package let weightDecay: Float
  /// The longest gradient of a step; nil for no limit.
  package var clip: Float?
  /// The moving average of the weights, where one is kept.
  package var average: EMAWeights<GPT>?
  private let decayedNames: Set<String>

  /// - Throws: `GPTConfigError.attentionDropout`.
  package init(_ model: GPT, weightDecay: Float) throws(GPTConfigError) {
    guard model.config.attentionDropout == 0 else {
      throw .attentionDropout(model.config.attentionDropout)
    }
    self.model = model
    self.weightDecay = weightDecay
    decayedNames = model.decayedNames
  }

  /// One step; gradients are averaged over the batches.
  ///
  /// - Parameter random: of dropout.
  /// - Returns: the mean loss of a code, in nats.
  /// - Throws: `NotFinite`, before anything but `random` has changed.
  package mutating func step(
    _ batches: [TokenSequences], learningRate: Float, using random: inout RandomSource
  ) throws(NotFinite) -> Float {
    var gradients = Gradients()
    var losses: [Tensor] = []
    for batch in batches {
      var dropping: RandomSource? = random
      let loss = model.loss(batch.input, batch.targets, droppingWith: &dropping)
      if let dropping { random = dropping }
      losses.append(loss.detached())
      gradients.add(backward(loss))
    }
    if batches.count > 1 { gradients.scale(by: 1 / Float(batches.count)) }
    let loss = losses.reduce(0) { $0 + $1.item() } / Float(batches.count)
    guard loss.isFinite else { throw NotFinite(what: "the loss (\(model.largestWeight))") }
    if let problem = gradients.notFinite(in: model, clippedTo: clip) { throw problem }
    if let clip { gradients.clip(model, to: clip) }
    optimizer.update(&model, gradients, learningRate: learningRate) {
      decayedNames.contains($0) ? weightDecay : 0
    }
    average?.update(model, step: optimizer.step)
    return loss
  }

  /// The mean loss of a code over the given rows, in nats; nothing is dropped or replaced.
  ///
  /// With averaged weights it is theirs.
  ///
  /// - Parameter shouldStop: asked before each batch; `nil` is returned once it says yes.
  package func validate(
    _ data: GPTData, rows: [Int], batchSize: Int, unless shouldStop: () -> Bool = { false }
  ) -> Double? {
    let model = average?.model ?? model
    var total = 0.0
    for start in stride(from: 0, to: rows.count, by: batchSize) {
      if shouldStop() { return nil }
      let batch = Array(rows[start..<min(start + batchSize, rows.count)])
      let sequences = TokenSequences(
        codes: data.codes.codes(batch), conditions: data.conditionTokens(batch))
      var none: RandomSource?
      let loss = withoutGradients {
        model.loss(sequences.input, sequences.targets, droppingWith: &none).item()
      }
      total += Double(loss) * Double(batch.count)
    }
    return total / Double(rows.count)
  }
}
