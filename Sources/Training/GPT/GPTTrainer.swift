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
  /// - Parameter random: draws dropout.
  /// - Returns: the mean loss of a code, in nats.
  package mutating func step(
    _ batches: [TokenSequences], learningRate: Float, using random: inout RandomSource
  ) -> Float {
    var gradients = Gradients()
    var total: Float = 0
    for batch in batches {
      var dropping: RandomSource? = random
      let loss = model(batch.input, droppingWith: &dropping).crossEntropy(batch.targets)
      if let dropping { random = dropping }
      total += loss.item()
      gradients.add(backward(loss))
    }
    if batches.count > 1 { gradients.scale(by: 1 / Float(batches.count)) }
    optimizer.update(&model, gradients, learningRate: learningRate) {
      decayedNames.contains($0) ? weightDecay : 0
    }
    return total / Float(batches.count)
  }

  /// The mean loss of a code over the given rows, in nats; nothing is dropped or replaced.
  package func validate(_ codes: CodeTable, rows: [Int], batchSize: Int) -> Double {
    let total = stride(from: 0, to: rows.count, by: batchSize).reduce(0.0) { sum, start in
      let batch = Array(rows[start..<min(start + batchSize, rows.count)])
      let sequences = TokenSequences(
        codes: codes.codes(batch), conditions: TokenSequences.unconditional(batch.count))
      let loss = withoutGradients { model(sequences.input).crossEntropy(sequences.targets).item() }
      return sum + Double(loss) * Double(batch.count)
    }
    return total / Double(rows.count)
  }
}
