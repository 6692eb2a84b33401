import Checkpoints
import DurableFiles
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

  /// Writes counted weights, some of them changed.
  private func write(
    _ model: some Layer, to path: String, _ change: (String, inout [Float]) -> Void = { _, _ in }
  ) throws {
    try SafetensorsWriter.write(
      model.withCountedWeights().namedTensors.map { name, tensor in
        var floats = tensor.elements()
        change(name, &floats)
        return SafetensorsEntry(name, shape: tensor.shape.extents, floats: floats)
      }, to: path)
  }

  private func side(_ path: String, count: Int? = nil) throws -> EvaluationSide {
    try EvaluationSide(path, count: count, stage: nil, reading: ImageReading())
  }

  private func writeImages(_ count: Int, of name: (Int) -> String, to folder: String) throws {
    try DurableFile.createFolder(folder)
    for index in 0..<count {
      let pixels = CountedNumbers(name(index)).pixels(width: 40, height: 40)
      try RGBImage(width: 40, height: 40, pixels: pixels).writePNG(to: "\(folder)/\(index).png")
    }
  }

  /// Statistics that tell how they were made go with nothing else; others are taken as they are.
  @Test func statisticsTellTheirOrigin() throws {
    let folder = try TemporaryFolder()
    try write(EfficientNetLite0(), to: folder("lite0.safetensors"))
    try writeImages(3, of: { "image \($0)" }, to: folder("images"))
    let images = try side(folder("images"))
    func evaluation(_ resize: FeatureResize, _ candidate: EvaluationSide) throws -> Evaluation {
      var evaluation = Evaluation(reference: images, candidate: candidate, on: .default)
      evaluation.extractor = try FeatureExtractor(
        .lite0(folder("lite0.safetensors")), stage: nil, resize: resize, on: .default)
      evaluation.wanted = [.fid]
      evaluation.tool = "ours"
      return evaluation
    }
    let made = try evaluation(.torch, images)
      .saveReferenceStatistics(to: folder("s.npz")) { _ in }
    #expect(made.statistics == folder("s.npz") && made.counts == (3, 0) && made.values.isEmpty)
    let file = try StatisticsFile(folder("s.npz"))
    #expect(file.origin?.resize == "torch" && file.origin?.count == 3)
    #expect(file.origin?.tool == "ours")
    let statistics = try side(folder("s.npz"))
    let report = try evaluation(.torch, statistics).run { _ in }
    #expect(abs(report.values[0].value) < 1e-3 && report.counts == (3, 3))
    #expect(report.warnings.contains { $0.hasPrefix("3 images") })
    let error = #expect(throws: EvaluationError.self) {
      try evaluation(.tf, statistics).run { _ in }
    }
    let words = "\(error?.description ?? "")"
    #expect(words.contains("resize torch, here it is tf; give --resize torch"), "\(words)")
    // The count of the statistics is one of those that FID is warned of; unknown, it is not.
    for (count, resize, weights) in [(5, "tf", "other"), (nil, "", "")] {
      let origin = count.map {
        StatisticsOrigin(resize: resize, weights: weights, count: $0, tool: "ours")
      }
      try StatisticsFile(mean: file.mean, covariance: file.covariance, origin: origin)
        .write(to: folder("other\(count ?? 0).npz"))
    }
    #expect(throws: EvaluationError.self) {
      try evaluation(.tf, try side(folder("other5.npz"))).run { _ in }
    }
    let foreign = try evaluation(.tf, try side(folder("other0.npz"))).run { _ in }
    #expect(foreign.values[0].name == "fd_lite0" && foreign.counts == (3, 0))
  }

  /// A network takes eight images at once and rounds those of a smaller rest otherwise.
  @Test(arguments: [9, 11, 12]) func equalImagesAreSeenInAnyNumber(count: Int) throws {
    let folder = try TemporaryFolder()
    try write(EfficientNetLite0(), to: folder("lite0.safetensors"))
    try writeImages(12, of: { _ in "image" }, to: folder("equal"))
    try writeImages(2, of: { "image \($0)" }, to: folder("others"))
    var evaluation = Evaluation(
      reference: try side(folder("equal"), count: count), candidate: try side(folder("others")),
      on: .default)
    evaluation.extractor = try FeatureExtractor(
      .lite0(folder("lite0.safetensors")), stage: nil, resize: .tf, on: .default)
    evaluation.wanted = [.mind]
    let warnings = try evaluation.run { _ in }.warnings
    #expect(warnings == ["\(folder("equal")): all images have the same features"])
  }

  /// Weights that give no numbers, or numbers only because ReLU hides that they are none.
  @Test func weightsWithoutFeatures() throws {
    let folder = try TemporaryFolder()
    let path = folder("weights.safetensors")
    for (name, value, words) in [
      ("Mixed_6b.branch1x1.conv.weight", 1e38, "the sums of Mixed_6b.branch1x1 are not finite"),
      ("Mixed_5b.branch_pool.bn.running_var", -1, "running_var holds variances below 0"),
    ] as [(String, Float, String)] {
      try write(InceptionV3(), to: path) { entry, floats in
        if entry == name { floats = floats.map { _ in value } }
      }
      let error = #expect(throws: (any Error).self) {
        try FeatureExtractor(.inception(path), stage: nil, resize: .tf, on: .default)
      }
      #expect("\(error.map { "\($0)" } ?? "")".contains(words), "\(name)")
    }
    for (name, value, words) in [
      ("_blocks.1._expand_conv.weight", 3e38, "the sums of _blocks.1._expand_conv"),
      ("_blocks.2._bn1.running_var", -0.5, "_blocks.2._bn1.running_var holds variances below 0"),
    ] as [(String, Float, String)] {
      try write(EfficientNetLite0(), to: path) { entry, floats in
        if entry == name { floats = floats.map { $0 * 0 + value } }
      }
      let error = #expect(throws: (any Error).self) {
        try FeatureExtractor(.lite0(path), stage: nil, resize: .tf, on: .default)
      }
      #expect("\(error.map { "\($0)" } ?? "")".contains(words), "\(name)")
    }
  }

  /// LPIPS that is no number is an error that names the weights.
  @Test func distancesThatAreNoNumbers() throws {
    let folder = try TemporaryFolder()
    let path = folder("alex.safetensors")
    try DurableFile.createFolder(folder("white"))
    try RGBImage(width: 40, height: 40, filledWith: .white).writePNG(to: folder("white/0.png"))
    func split(_ value: Float) throws -> [String] {
      try write(PerceptualTrunk(.alex), to: path) { name, floats in
        if name == "features.0.weight" { floats = floats.map { _ in value } }
      }
      let file = try SafetensorsFile(path)
      for (part, prefix) in [("base", "features."), ("heads", "lin")] {
        try SafetensorsWriter.write(
          try file.names.filter { $0.hasPrefix(prefix) }.map { name in
            SafetensorsEntry(
              name, shape: try file.shape(of: name), floats: try file.floats(of: name))
          }, to: folder("\(part).safetensors"))
      }
      return [folder("base.safetensors"), folder("heads.safetensors")]
    }
    let white = try side(folder("white"))
    var evaluation = Evaluation(reference: white, candidate: white, on: .default)
    evaluation.isPaired = true
    evaluation.perceptual = try PerceptualMeasure(try split(1e-3), on: .default)
    let found = try #require(try evaluation.run { _ in }.values.last)
    #expect(abs(found.value) < 1e-12)
    let huge = try split(3e38)
    evaluation.perceptual = try PerceptualMeasure(huge, on: .default)
    #expect(
      throws: EvaluationError.notFinite(
        what: "\(white.path): lpips_alex of image 0", weights: huge)
    ) { try evaluation.run { _ in } }
    let nan = try split(.nan)
    #expect(throws: (any Error).self) { try PerceptualMeasure(nan, on: .default) }
  }
}
