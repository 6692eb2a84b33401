// Drawing whole code sequences from a GPT.
import TensorCore

/// Draws code sequences, one random stream per sample.
///
/// Sample `i` of a seed is drawn from its own stream, so it does not depend on how many samples are drawn at once, up to
/// the rounding of matrix products: batches of different size may add in another order.
package struct Sampler: Sendable {
  package let model: GPT
  package let options: SamplingOptions
  /// Tokens from this number on are never drawn: an embedding table may hold more than the image codes.
  package let codebookSize: Int

  package init(_ model: GPT, codebookSize: Int, options: SamplingOptions) {
    precondition(codebookSize <= model.config.vocabSize, "more codes than tokens")
    self.model = model
    self.codebookSize = codebookSize
    self.options = options
  }

  /// Continues each prefix to `length` tokens more.
  ///
  /// - Parameters:
  ///   - prefixes: condition tokens and given codes `[N, P]`, at least one each.
  ///   - length: tokens to draw; `P + length - 1` is at most `block_size`.
  ///   - first: the number of the first sample, which picks its stream.
  ///   - seed: of the streams.
  ///   - progress: called after every token of the batch with the tokens drawn in that step.
  /// - Returns: the drawn tokens `[N, length]`.
  package func samples(
    continuing prefixes: IndexTensor, length: Int, first: Int = 0, seed: UInt64,
    progress: (_ tokens: Int) throws -> Void
  ) rethrows -> IndexTensor {
    let (n, given) = (prefixes.shape[0], prefixes.shape[1])
    precondition(given > 0, "a prefix needs a token")
    precondition(
      given + length - 1 <= model.config.blockSize,
      "\(given + length - 1) tokens for a model of \(model.config.blockSize) positions")
    let root = RandomSource(seed: seed).stream("sample")
    var streams = (0..<n).map { root.stream(first + $0) }
    var sequences = (0..<n).map { item in
      Array(prefixes.elements[item * given..<(item + 1) * given])
    }
    var cache = GPTCache(for: model, items: n, capacity: given + length - 1)
    for _ in 0..<length {
      let logits = self.logits(after: sequences, &cache)
      logits.withElements { values in
        let vocabulary = model.config.vocabSize
        for item in 0..<n {
          let row = values[item * vocabulary..<item * vocabulary + codebookSize]
          sequences[item].append(options.draw(row, using: &streams[item]))
        }
      }
      try progress(n)
    }
    return IndexTensor(sequences.flatMap { $0.dropFirst(given) }, shape: [n, length])
  }

  /// Logits `[N, V]` after sequences of equal length, of which the cache holds all but the last token, or nothing yet.
  private func logits(after sequences: [[Int32]], _ cache: inout GPTCache) -> Tensor {
    let (n, length) = (sequences.count, sequences.first?.count ?? 0)
    // Among the first `n_unmasked` positions a new token changes the old ones: all are computed anew.
    guard cache.length > 0, cache.length >= model.config.unmasked else {
      return model.logits(
        after: IndexTensor(sequences.flatMap { $0 }, shape: [n, length]), filling: &cache)
    }
    let newest = sequences.compactMap(\.last)
    return model.logits(appending: IndexTensor(newest, shape: [n, 1]), to: &cache)
  }
}
