// The networks of `evaluate`, from files, against their published implementations.
import Checkpoints
import Images
import Metrics
import Models
import NN
import TensorCore
import TestSupport
import Testing
import Training

@Suite("Features and LPIPS against PyTorch") struct FeatureFixtureTests {
  private static let fixture = "metrics/networks.safetensors"

  private static func image(_ name: String, _ width: Int, _ height: Int) -> RGBImage {
    RGBImage(
      width: width, height: height,
      pixels: CountedNumbers(name).pixels(width: width, height: height))
  }

  private static let images = [image("image 0", 64, 48), image("image 1", 320, 200)]

  /// Writes a model's weights, those whose names a part decides.
  private static func write(
    _ model: some Layer, to path: String, where isWritten: (String) -> Bool = { _ in true }
  ) throws {
    try SafetensorsWriter.write(
      ModelFiles.entries(model.withCountedWeights()).filter { isWritten($0.name) }, to: path)
  }

  @Test func inceptionInAllConventions() throws {
    let folder = try TemporaryFolder()
    try Self.write(InceptionV3(), to: folder("inception.safetensors"))
    let fixture = try Fixture.tensors(Self.fixture)
    for resize in FeatureResize.allCases {
      let extractor = try FeatureExtractor(
        .inception(folder("inception.safetensors")), stage: nil, resize: resize, on: .default)
      let found = try extractor.features(of: Self.images)
      let distance = Distance(found, try fixture.floats(of: "inception.\(resize.rawValue)"))
      #expect(distance.relative < 2e-5, "\(resize): \(distance)")
      guard resize == .tf else { continue }
      var table = FeatureTable(width: extractor.width)
      table.append(found)
      let logits = try #require(extractor.logits(of: table))
      let expected = try fixture.floats(of: "inception.logits")
      #expect(Distance(logits.values, expected).relative < 2e-5)
    }
  }

  @Test(arguments: FeatureResize.allCases)
  func lite0InAllConventions(resize: FeatureResize) throws {
    let folder = try TemporaryFolder()
    try Self.write(EfficientNetLite0(), to: folder("lite0.safetensors"))
    let extractor = try FeatureExtractor(
      .lite0(folder("lite0.safetensors")), stage: nil, resize: resize, on: .default)
    let expected = try Fixture.tensors(Self.fixture).floats(of: "lite0.\(resize.rawValue)")
    let distance = Distance(try extractor.features(of: Self.images), expected)
    #expect(distance.relative < 2e-5, "\(distance)")
  }

  @Test(arguments: ["alex", "squeeze", "vgg"])
  func distancesOfPairs(trunk: String) throws {
    let folder = try TemporaryFolder()
    let (base, heads) = (folder("base.safetensors"), folder("heads.safetensors"))
    if let kind = PerceptualTrunk.Kind(rawValue: trunk) {
      try Self.write(PerceptualTrunk(kind), to: base) { $0.hasPrefix("features.") }
      try Self.write(PerceptualTrunk(kind), to: heads) { $0.hasPrefix("lin") }
    } else {
      try Self.write(LPIPS(), to: base)
    }
    let measure = try PerceptualMeasure(trunk == "vgg" ? [base] : [base, heads], on: .default)
    #expect(measure.trunk == trunk)
    let found = [(64, 64), (65, 47), (96, 33)].map { width, height in
      let pair = ["reference", "candidate"].map { name in
        let image = Self.image("\(name) of \(width)", width, height)
        return Tensor(pixels: image.pixels, count: 1, height: height, width: width)
      }
      return Float(measure(pair[0], pair[1])[0])
    }
    let expected = try Fixture.tensors(Self.fixture).floats(of: "lpips.\(trunk)")
    #expect(Distance(found, expected).relative < 1e-5, "\(found) \(expected)")
    // The smallest images that are taken have a distance, smaller ones are refused.
    let side = measure.smallestSide
    let smallest = Self.image("small", side, side)
    let tensor = Tensor(pixels: smallest.pixels, count: 1, height: side, width: side)
    #expect(measure(tensor, tensor)[0] < 1e-12)
    try measure.requireSize(width: side, height: 99, of: "a", image: 0)
    #expect(throws: EvaluationError.self) {
      try measure.requireSize(width: 99, height: side - 1, of: "a", image: 0)
    }
  }

  @Test func measuresOfSets() throws {
    func table(_ name: String, _ rows: Int, times factor: Double) -> FeatureTable {
      let numbers = CountedNumbers("\(name) features")
      var table = FeatureTable(width: 32)
      table.append((0..<rows * 32).map { Float(numbers.unit($0) * factor) })
      return table
    }
    let (a, b) = (table("reference", 60, times: 1), table("candidate", 50, times: 1.25))
    let kid = try KernelDistance(a, b, subsets: 100, size: 40, seed: 2020)
    let prdc = try PrecisionRecall(reference: a, candidate: b)
    let found = [
      try FrechetDistance.between(a, b), kid.mean, kid.deviation, prdc.precision, prdc.recall,
      prdc.density, prdc.coverage,
    ]
    let expected = try Fixture.tensors(Self.fixture).floats(of: "measures")
    for (found, expected) in zip(found, expected) {
      #expect(abs(found - Double(expected)) < 1e-5 * Double(abs(expected)), "\(found) \(expected)")
    }
    #expect(expected.count == found.count)
  }
}
