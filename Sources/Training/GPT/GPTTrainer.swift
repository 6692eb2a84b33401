// The training of a GPT, and its loss on codes that it was not trained on.
import Models
import NN
import TensorCore

package typealias GPTTrainer = TransformerTrainer<GPT>

extension TransformerTrainer where Model == GPT {
  /// - Throws: `GPTConfigError.attentionDropout`.
  package init(_ model: GPT, weightDecay: Float) throws(GPTConfigError) {
    guard model.config.attentionDropout == 0 else {
      throw .attentionDropout(model.config.attentionDropout)
    }
    self.init(of: model, weightDecay: weightDecay)
  }

  /// The mean loss of a code over the given rows, in nats; nothing is dropped or replaced.
  ///
  /// With averaged weights it is theirs.
  ///
  /// - Parameter shouldStop: asked before each batch; `nil` is returned once it says yes.
  package func validate(
    _ data: GPTData, rows: [Int], batchSize: Int, unless shouldStop: () -> Bool = { false }
  ) -> Double? {
    let model = validated
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
