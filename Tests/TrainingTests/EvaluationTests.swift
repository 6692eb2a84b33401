import Checkpoints
import Images
import Metrics
import Models
import NN
import TestSupport
import Testing
import Training

@Suite("Comparison of two sets of images") struct EvaluationTests {
  /// The Inception Score is of the candidate alone: a reference of statistics has no images.
  @Test func inceptionScoreNeedsTheCandidateAlone() throws {
    let folder = try TemporaryFolder()
    let weights = folder("inception.safetensors")
    try SafetensorsWriter.write(
      ModelFiles.entries(InceptionV3().withCountedWeights()), to: weights)
    let width = InceptionV3.width
    try StatisticsFile(
      mean: Array(repeating: 0, count: width),
      covariance: Array(repeating: 0, count: width * width)
    ).write(to: folder("reference.npz"))
    for index in 0..<11 {
      let pixels = CountedNumbers("image \(index)").pixels(width: 20, height: 20)
      try RGBImage(width: 20, height: 20, pixels: pixels).writePNG(to: folder("\(index).png"))
    }
    let sides = try [folder("reference.npz"), folder.path].map {
      try EvaluationSide($0, count: nil, stage: nil, reading: ImageReading())
    }
    let extractor = try FeatureExtractor(
      .inception(weights), stage: nil, resize: .tf, on: .default)
    func evaluation(_ reference: EvaluationSide, _ candidate: EvaluationSide) -> Evaluation {
      var evaluation = Evaluation(reference: reference, candidate: candidate, on: .default)
      evaluation.extractor = extractor
      evaluation.wanted = [.is]
      evaluation.resamples = 4
      return evaluation
    }
    let value = try #require(try evaluation(sides[0], sides[1]).run { _ in }.values.first)
    #expect(value.name == "is" && value.value.isFinite)
    #expect(value.interval?.isFinite == true)
    // A candidate of statistics has none.
    #expect(throws: EvaluationError.statisticsAlone(path: sides[0].path, measures: "is")) {
      try evaluation(sides[1], sides[0]).run { _ in }
    }
  }
}
