// What the report card of a world model is made from.
import Foundation
import Images
import Models
import TensorCore

/// Dreams from many starts, compared with what was recorded.
package struct DreamExam {
  package let dreamer: Dreamer
  package let recorded: RecordedImages
  package let steps: Int
  package let options: SamplingOptions
  package let batchSize: Int
  /// The real images, first those of the recordings, row by row.
  package let legal: LegalFrames
  package let perceptual: PerceptualMeasure?

  package init(
    _ dreamer: Dreamer, recorded: RecordedImages, steps: Int, options: SamplingOptions,
    batchSize: Int, legal: LegalFrames, perceptual: PerceptualMeasure? = nil
  ) {
    (self.dreamer, self.recorded, self.steps) = (dreamer, recorded, steps)
    (self.options, self.batchSize) = (options, batchSize)
    (self.legal, self.perceptual) = (legal, perceptual)
  }

  /// Images by which the speed of a single dream is measured.
  private static let timed = 16

  /// Images that are imagined for so many starts.
  package func work(starts: Int) -> Int { 2 * starts * steps + Self.timed + 1 }

  /// Fills the card.
  ///
  /// - Parameters:
  ///   - starts: rows with as many rows before and behind them as dreams need.
  ///   - sequences: at most so many for what is said of one step.
  ///   - progress: called with the images that were imagined; what it throws ends the work.
  /// - Throws: `ShardError`, `NotFiniteError`, `EvaluationError.notFinite`, and what `progress`
  ///   throws.
  package func report(
    starts: [Int], sequences: Int, progress: (_ images: Int) throws -> Void
  ) throws -> DreamReport {
    let (model, data) = (dreamer.model, dreamer.data)
    var stop: (any Error)?
    let scores = data.scores(of: model, sequences: sequences, batchSize: batchSize) {
      do { try progress(0) } catch { stop = error }
      return stop != nil
    }
    if let stop { throw stop }
    let obeying = try dreamer.dreams(
      from: starts, steps: steps, .recorded, options, progress: progress)
    let random = try dreamer.dreams(
      from: starts, steps: steps, .random, options, progress: progress)
    var report = DreamReport(
      scores: scores ?? WorldScores(), codes: model.config.codes, starts: starts.count,
      hasImages: recorded.areGiven, horizons: [])
    report.legalDistance = legal.distance
    report.framesPerSecond = try dreamer.framesPerSecond(
      from: starts[0], images: Self.timed, options, progress: progress)
    for step in DreamReport.horizons(upTo: steps) {
      report.horizons.append(try horizon(step, obeying, random) { try progress(0) })
    }
    let readers = try ActionReaders(
      of: data, height: model.config.gridHeight, width: model.config.gridWidth, seed: dreamer.seed
    ) { try progress(0) }
    report.readBack = readers.map {
      ActionReadBack(obeying.flatMap { $0.pairs(behind: data.image($0.start)) }, of: data, by: $0)
    }
    return report
  }

  /// The ends that a model imagines are left aside: the recording goes on.
  private func horizon(
    _ step: Int, _ obeying: [Dream], _ random: [Dream], _ progress: () throws -> Void
  ) throws -> DreamHorizon {
    var sums = Array(
      repeating: NearnessSum(perceptual), count: recorded.areGiven ? 4 : 3)
    var (accuracy, accuracyCopy, isLegal, apart) = (0.0, 0.0, 0, 0)
    var (rooms, roomsCopy): (Int?, Int?) = (0, 0)
    for (dream, other) in zip(obeying, random) {
      let row = dream.start + step
      let (codes, wanted) = (dream.images[step - 1], dreamer.data.image(row))
      accuracy += Self.equal(codes, wanted)
      accuracyCopy += Self.equal(dreamer.data.image(dream.start), wanted)
      let nearest = legal.nearest(to: codes)
      isLegal += nearest.distance <= legal.distance ? 1 : 0
      apart += nearest.distance
      if let room = legal.room(row) {
        rooms? += legal.room(nearest.number) == room ? 1 : 0
        roomsCopy? += legal.room(dream.start) == room ? 1 : 0
      } else {
        (rooms, roomsCopy) = (nil, nil)
      }
      let image = try recorded.image(row)
      let compared = [
        try recorded.decoded(codes), try recorded.image(dream.start),
        try recorded.decoded(other.images[step - 1]),
      ]
      for (index, found) in compared.enumerated() { try sums[index].add(found, beside: image) }
      if recorded.areGiven { try sums[3].add(try recorded.decoded(wanted), beside: image) }
      try progress()
    }
    let count = Double(obeying.count)
    let nearness = sums.map(\.mean)
    var horizon = DreamHorizon(
      step: step, dream: nearness[0], copy: nearness[1], randomActions: nearness[2],
      ceiling: recorded.areGiven ? nearness[3] : nil, trunk: perceptual?.trunk)
    (horizon.accuracy, horizon.accuracyCopy) = (accuracy / count, accuracyCopy / count)
    (horizon.legal, horizon.legalDistance) = (Double(isLegal) / count, Double(apart) / count)
    horizon.room = rooms.map { Double($0) / count }
    horizon.roomCopy = roomsCopy.map { Double($0) / count }
    return horizon
  }

  private static func equal(_ codes: [Int32], _ others: [Int32]) -> Double {
    Double(zip(codes, others).count { $0 == $1 }) / Double(codes.count)
  }
}

/// What images have in common with those that were recorded, one after the other.
private struct NearnessSum {
  private var psnrs: [Double] = []
  private var ssims: [Double] = []
  private var distances: [Double] = []
  private let perceptual: PerceptualMeasure?

  init(_ perceptual: PerceptualMeasure?) { self.perceptual = perceptual }

  /// - Throws: `EvaluationError.notFinite`.
  mutating func add(_ image: RGBImage, beside recorded: RGBImage) throws(EvaluationError) {
    psnrs.append(ImageQuality.psnr(image, recorded))
    if let ssim = ImageQuality.ssim(image, recorded) { ssims.append(ssim) }
    guard let perceptual else { return }
    let tensors = [recorded, image].map {
      Tensor(pixels: $0.pixels, count: 1, height: $0.height, width: $0.width)
    }
    let found = perceptual(tensors[0], tensors[1])
    guard found.allSatisfy(\.isFinite) else {
      throw .notFinite(what: "lpips_\(perceptual.trunk) of a dream", weights: perceptual.paths)
    }
    distances += found
  }

  var mean: Nearness { Nearness(psnrs: psnrs, ssims: ssims, lpips: distances) }
}

extension Dream {
  /// The pairs of successive images, of which the first is the start's, with the actions between.
  fileprivate func pairs(behind first: [Int32]) -> [ActionPair] {
    images.indices.map { index in
      ActionPair(
        row: start + index, before: index == 0 ? first : images[index - 1], after: images[index],
        action: actions[index])
    }
  }
}
