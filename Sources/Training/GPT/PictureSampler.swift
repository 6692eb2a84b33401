// Codes from the GPT, pictures from the VQGAN.
import Images
import Models
import Shards
import TensorCore

/// Draws code grids and decodes them.
package struct PictureSampler: Sendable {
  package let vqgan: FirstStage
  package let codes: CodeGrid
  private let sampler: Sampler
  private let seed: UInt64

  /// - Throws: `FingerprintMismatch` when the GPT speaks another VQGAN's codes.
  package init(
    _ gpt: SecondStage, _ vqgan: FirstStage, options: SamplingOptions, seed: UInt64
  ) throws(FingerprintMismatch) {
    try gpt.requireCodes(of: vqgan)
    self.vqgan = vqgan
    self.seed = seed
    codes = gpt.codes
    sampler = Sampler(gpt.model, codebookSize: gpt.codes.codebookSize, options: options)
  }

  /// Checks that the keys and values of a batch can be held.
  ///
  /// - Throws: `RunError.tooLarge`.
  package func requireMemory(forBatch count: Int) throws(RunError) {
    let model = sampler.model.config
    try Training.requireMemory(
      forFloats: 2 * Double(count) * Double(codes.count) * Double(model.layers * model.width),
      of: "a batch of \(count) samples")
  }

  /// Samples of the given numbers.
  ///
  /// - Parameter progress: called after every token of the batch with the tokens drawn in that step.
  /// - Returns: codes `[h·w]` in raster order and a picture of each.
  package func samples(
    _ numbers: Range<Int>, progress: (_ tokens: Int) throws -> Void
  ) rethrows -> [(codes: [Int32], picture: RGBImage)] {
    let drawn = try sampler.samples(
      continuing: TokenSequences.unconditional(numbers.count), length: codes.count,
      first: numbers.lowerBound, seed: seed, progress: progress)
    // One at a time: decoding needs far more memory than drawing.
    return (0..<numbers.count).map { item in
      let row = Array(drawn.elements[item * codes.count..<(item + 1) * codes.count])
      return (row, picture(IndexTensor(row, shape: [1, codes.height, codes.width])))
    }
  }

  /// The name of a sample, for example `sample-00042`.
  package func name(of number: Int) -> String {
    let digits = String(number)
    return "sample-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }

  /// The header of a code shard with samples.
  package func header(toolVersion: String) -> CodeShardHeader {
    CodeShardHeader(
      gridHeight: codes.height, gridWidth: codes.width, codebookSize: codes.codebookSize,
      fingerprint: codes.fingerprint, vqganPath: codes.vqgan, sourceShards: [],
      source: "sample-gpt", split: "samples", toolVersion: toolVersion)
  }

  private func picture(_ indices: IndexTensor) -> RGBImage {
    let decoded = withoutGradients { vqgan.model.decode(indices: indices) }
    return RGBImage(width: decoded.shape[3], height: decoded.shape[2], pixels: decoded.pixels())
  }
}
