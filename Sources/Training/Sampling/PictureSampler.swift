// Codes from the GPT, pictures from the VQGAN.
import Foundation
import Images
import Models
import Shards
import TensorCore

/// One picture to draw.
package struct SampleRequest: Sendable {
  /// The number that names it.
  package var number: Int
  package var random: RandomSource
  /// What it is to show; nil for a GPT without condition.
  package var condition: ConditionInput?
  /// Codes of the picture that is completed, `[H·W]`.
  package var codes: [Int32]?

  package init(
    number: Int, random: RandomSource, condition: ConditionInput? = nil, codes: [Int32]? = nil
  ) {
    self.number = number
    self.random = random
    self.condition = condition
    self.codes = codes
  }

  /// Its name, for example `sample-00042`.
  package var name: String {
    let digits = String(number)
    return "sample-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }
}

/// Draws code grids of one size and decodes them.
package struct PictureSampler: Sendable {
  package let gpt: SecondStage
  package let vqgan: FirstStage
  package let grid: GridSize
  /// Whether keys and values are kept from one code to the next.
  package var caches = true
  /// Cells by which the window moves at once.
  package var windowStep = 1

  /// - Parameter grid: of the pictures; the trained one if left out.
  /// - Throws: `FingerprintMismatch` when the GPT speaks another VQGAN's codes, `ConditionError.size` for a grid that its
  ///   order of codes or its condition does not allow.
  package init(_ gpt: SecondStage, _ vqgan: FirstStage, grid: GridSize? = nil) throws {
    try gpt.requireCodes(of: vqgan)
    self.gpt = gpt
    self.vqgan = vqgan
    self.grid = grid ?? gpt.trainedGrid
    guard sampler(SamplingOptions()).canDraw(self.grid) else {
      throw ConditionError.size(
        path: gpt.path,
        problem:
          "a grid of \(self.grid) codes in the order \(gpt.order.rawValue); only raster order has "
          + "windows, others stop at \(gpt.trainedGrid)")
    }
    if let condition = gpt.condition,
      condition.conditionGrid(of: self.grid, trained: gpt.trainedGrid) == nil
    {
      throw ConditionError.size(
        path: gpt.path,
        problem: "a grid of \(self.grid) codes leaves a rest of the condition's codes")
    }
  }

  private func sampler(_ options: SamplingOptions) -> Sampler {
    var sampler = Sampler(
      gpt.model, codebookSize: gpt.codes.codebookSize, trained: gpt.trainedGrid, order: gpt.order,
      conditionLength: gpt.condition?.length ?? 1, options: options)
    sampler.caches = caches
    sampler.cacheBytes = min(sampler.cacheBytes, Int(ProcessInfo.processInfo.physicalMemory / 4))
    sampler.windowStep = windowStep
    return sampler
  }

  /// The cells of the grid in the order in which they are drawn.
  package var drawingOrder: [Int] { sampler(SamplingOptions()).drawingOrder(grid) }

  /// Checks that the keys and values of a batch can be held.
  ///
  /// - Throws: `RunError.tooLarge`.
  package func requireMemory(forBatch count: Int) throws(RunError) {
    let model = gpt.model.config
    try Training.requireMemory(
      forFloats: 2 * Double(count) * Double(model.blockSize) * Double(model.layers * model.width),
      of: "a batch of \(count) samples")
  }

  /// Codes of the given samples, `[N][H·W]` in raster order.
  ///
  /// - Parameters:
  ///   - isGiven: the cells that keep the codes of the request, `[H·W]`; none if left out.
  ///   - progress: called after every code of the batch with the codes drawn in that step.
  package func codes(
    _ requests: [SampleRequest], isGiven: [Bool]? = nil, options: SamplingOptions,
    progress: (_ codes: Int) throws -> Void
  ) rethrows -> [[Int32]] {
    var task = SamplingTask(grid: grid, streams: requests.map(\.random))
    task.codes = requests.map { $0.codes ?? Array(repeating: 0, count: grid.count) }
    if let isGiven { task.isGiven = isGiven }
    if let condition = gpt.condition {
      let inputs = requests.map { $0.condition ?? .dropped }
      let (grid, trained) = (grid, gpt.trainedGrid)
      task.condition = { condition.placed(inputs, before: $0, of: grid, trained: trained) }
      if options.guidance != 1 {
        let none = Array(repeating: ConditionInput.dropped, count: inputs.count)
        task.noCondition = { condition.placed(none, before: $0, of: grid, trained: trained) }
      }
    }
    return try sampler(options).samples(task, progress: progress)
  }

  /// The picture of one grid of codes.
  package func picture(_ codes: [Int32]) -> RGBImage {
    let indices = IndexTensor(codes, shape: [1, grid.height, grid.width])
    let decoded = withoutGradients { vqgan.model.decode(indices: indices) }
    return RGBImage(width: decoded.shape[3], height: decoded.shape[2], pixels: decoded.pixels())
  }

  /// The header of a code shard with samples.
  package func header(toolVersion: String) -> CodeShardHeader {
    CodeShardHeader(
      gridHeight: grid.height, gridWidth: grid.width, codebookSize: gpt.codes.codebookSize,
      fingerprint: gpt.codes.fingerprint, vqganPath: gpt.codes.vqgan, sourceShards: [],
      source: "sample-gpt", split: "samples", toolVersion: toolVersion,
      downsampling: vqgan.config.downsampling)
  }
}

extension SecondStage {
  /// The grid that the model was trained on.
  package var trainedGrid: GridSize { GridSize(height: codes.height, width: codes.width) }
}
