// Codes from the GPT, images from the VQGAN.
import Checkpoints
import DurableFiles
import Foundation
import Images
import Models
import Shards
import TensorCore

/// One image to sample.
package struct Sample: Sendable {
  /// The number that names it.
  package let number: Int
  package let random: RandomSource
  /// What it is to show; nil for a GPT without condition.
  package let condition: ConditionInput?
  /// Codes of the image that it completes, `[H·W]`; nil is to be sampled.
  package let known: [Int32?]

  /// Its name, for example `sample-00042`.
  package var name: String { "sample-" + number.padded(5) }
}

/// Samples code grids of one size and decodes them.
package struct ImageSampler: Sendable {
  package let gpt: SecondStage
  package let vqgan: FirstStage
  package let grid: GridSize
  /// Of the condition tokens over a whole image; nil for none that lie in a grid.
  let conditionGrid: GridSize?
  private let sampler: Sampler

  /// - Parameters:
  ///   - grid: of the images; the trained one if left out.
  ///   - caches: whether a KV cache is used.
  ///   - windowStep: cells by which the window moves at once.
  /// - Throws: `CodesMismatch` when the GPT speaks another VQGAN's codes, `ConditionError.size` for
  ///   a grid that its order of codes or its condition does not allow.
  package init(
    _ gpt: SecondStage, _ vqgan: FirstStage, grid: GridSize? = nil, caches: Bool = true,
    windowStep: Int = 1
  ) throws {
    try vqgan.requireCodes(gpt.codes, of: gpt.path)
    let grid = grid ?? gpt.trainedGrid
    var sampler = Sampler(
      gpt.model, codebookSize: gpt.codes.codebookSize, trained: gpt.trainedGrid, order: gpt.order,
      conditionLength: gpt.condition?.length ?? 1)
    sampler.caches = caches
    sampler.cacheBytes = min(sampler.cacheBytes, Int(ProcessInfo.processInfo.physicalMemory / 4))
    sampler.windowStep = windowStep
    sampler.depth = gpt.codes.depth
    guard sampler.canSample(grid) else {
      throw ConditionError.size(
        path: gpt.path,
        problem:
          "a grid of \(grid) codes in the order \(gpt.order.rawValue); only raster order has "
          + "windows, others stop at \(gpt.trainedGrid)")
    }
    conditionGrid = gpt.condition?.grid(over: grid, trained: gpt.trainedGrid)
    guard (conditionGrid == nil) == (gpt.condition?.grid == nil) else {
      throw ConditionError.size(
        path: gpt.path,
        problem: "a grid of \(grid) codes leaves a rest of the condition's codes")
    }
    (self.gpt, self.vqgan, self.grid, self.sampler) = (gpt, vqgan, grid, sampler)
  }

  /// Of the images that are sampled.
  package var pixelSize: (width: Int, height: Int) {
    let factor = vqgan.config.downsampling
    return (positions.width * factor, positions.height * factor)
  }

  /// Codes of one position.
  package var depth: Int { gpt.codes.depth }

  /// The grid in positions.
  package var positions: GridSize { GridSize(height: grid.height, width: grid.width / depth) }

  /// The cells of the grid in the order in which they are sampled.
  package var samplingOrder: [Int] { sampler.samplingOrder(grid) }

  /// Checks that the keys and values of a batch can be held.
  ///
  /// - Throws: `RunError.tooLarge`.
  package func requireMemory(forBatch count: Int) throws(RunError) {
    let model = gpt.model.config
    try Training.requireMemory(
      forFloats: 2 * Double(count) * Double(model.blockSize) * Double(model.layers * model.width),
      of: "a batch of \(count) samples")
  }

  /// Samples samples, batch by batch.
  ///
  /// - Parameters:
  ///   - positions: of the samples in the run; `sample` makes that of a position when its batch
  ///     begins.
  ///   - batchSize: samples sampled at once.
  ///   - progress: called after every step with the codes sampled in it.
  ///   - use: takes each sample with its codes `[H·W]` in raster order.
  package func draw(
    _ positions: Range<Int>, _ sample: (_ position: Int) throws -> Sample,
    _ options: SamplingOptions,
    batchSize: Int, progress: (_ codes: Int) throws -> Void,
    use: (Sample, _ codes: [Int32]) throws -> Void
  ) throws {
    for start in stride(from: positions.lowerBound, to: positions.upperBound, by: batchSize) {
      let samples = try (start..<min(start + batchSize, positions.upperBound)).map(sample)
      let drawn: [[Int32]]
      do {
        drawn = try sampler.samples(task(samples, options), options, progress: progress)
      } catch is NotFiniteLogits {
        throw NotFiniteError(path: gpt.path, result: "the logits")
      }
      for (sample, codes) in zip(samples, drawn) { try use(sample, codes) }
    }
  }

  private func task(_ samples: [Sample], _ options: SamplingOptions) -> SamplingTask {
    var task = SamplingTask(grid: grid, streams: samples.map(\.random))
    task.known = samples.map(\.known)
    guard let condition = gpt.condition else { return task }
    let inputs = samples.compactMap(\.condition)
    precondition(inputs.count == samples.count, "samples without \(condition.title)")
    let (grid, trained) = (grid, gpt.trainedGrid)
    task.condition = { condition.placed(inputs, before: $0, of: grid, trained: trained) }
    if options.guidance != 1 {
      let none = Array(repeating: ConditionInput.dropped, count: inputs.count)
      task.noCondition = { condition.placed(none, before: $0, of: grid, trained: trained) }
    }
    return task
  }

  /// The image of one grid of codes.
  ///
  /// - Throws: `NotFiniteError`.
  package func image(_ codes: [Int32]) throws(NotFiniteError) -> RGBImage {
    let indices = IndexTensor(codes, shape: [1, grid.height, grid.width])
    return try vqgan.images(of: indices)[0]
  }
}
