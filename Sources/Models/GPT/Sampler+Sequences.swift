// Continuing sequences that are no grids.
import TensorCore

extension Sampler {
  /// A sampler of plain sequences.
  package init(_ model: GPT, codebookSize: Int) {
    self.init(
      model, codebookSize: codebookSize,
      trained: GridSize(height: 1, width: model.config.blockSize))
  }

  /// Continues each prefix to `length` tokens more.
  ///
  /// - Parameters:
  ///   - prefixes: condition tokens and given codes `[N, P]`, at least one each.
  ///   - length: tokens to sample; `P + length - 1` is at most `block_size`.
  ///   - first: the number of the first sample, which picks its stream.
  ///   - seed: of the streams.
  ///   - progress: called after every token of the batch with the tokens sampled in that step.
  /// - Returns: the sampled tokens `[N, length]`.
  /// - Throws: `NotFiniteLogits`, and what `progress` throws.
  package func samples(
    continuing prefixes: IndexTensor, length: Int, _ options: SamplingOptions, first: Int = 0,
    seed: UInt64, progress: (_ tokens: Int) throws -> Void
  ) throws -> IndexTensor {
    let (n, given) = (prefixes.shape[0], prefixes.shape[1])
    precondition(given > 0, "a prefix needs a token")
    let sampler = Sampler(
      model, codebookSize: codebookSize, trained: GridSize(height: 1, width: length),
      conditionLength: given)
    let prefix = PositionedTokens(
      tokens: (0..<n).map { Array(prefixes.elements[$0 * given..<($0 + 1) * given]) },
      positions: (0..<Int32(given)).map { $0 })
    let task = SamplingTask(
      grid: sampler.trained, streams: SamplingTask.streams(seed: seed, first..<first + n),
      condition: { _ in prefix })
    let drawn = try sampler.samples(task, options, progress: progress)
    return IndexTensor(drawn.flatMap { $0 }, shape: [n, length])
  }
}
