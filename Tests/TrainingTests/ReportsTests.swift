// Reconstructions and codebook reports.
import Foundation
import Images
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite("Reports") struct ReportsTests {
  @Test func entropyAndPerplexity() {
    var histogram = CodeHistogram(codebookSize: 8)
    #expect((histogram.entropy, histogram.perplexity) == (0, 0))
    histogram.add([0, 0, 3, 7])
    #expect(abs(histogram.entropy - 1.5) < 1e-12)
    #expect(abs(histogram.perplexity - 2 * 2.0.squareRoot()) < 1e-12)
    #expect((histogram.used, histogram.total) == (3, 4))
    #expect(histogram.byFrequency == [0, 3, 7, 1, 2, 4, 5, 6])
    var even = CodeHistogram(codebookSize: 8)
    even.add(Array(0..<8))
    #expect(abs(even.perplexity - 8) < 1e-12)
  }

  @Test func codebookReportCountsEveryShard() throws {
    let sample = try EncodingSample()
    let outcome = try sample.encode()
    let shards = try CodeShardSet(outcome.shards.map(\.path))
    let report = try CodebookReport(shards)
    #expect(report.histogram == outcome.histogram)
    #expect(report.dead.count == 48 - outcome.histogram.used)
    #expect(report.grids == 8)
    let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(report))
    let object = try #require(json as? [String: Any])
    #expect(object["n_embed"] as? Int == 48)
    #expect(object["codes"] as? Int == 8 * 24)
    #expect((object["counts"] as? [Int])?.reduce(0, +) == 8 * 24)
    #expect(report.chart.height > 200)

    try sample.stage.requireCodes(shards.grid, of: shards.paths[0])
    let other = try EncodingSample.writeVQGAN(in: sample.folder("other"), seed: 2)
    #expect(throws: CodesMismatch.self) {
      try other.requireCodes(shards.grid, of: shards.paths[0])
    }
  }

  @Test func aPatchIsCutOutOfTheFirstGridThatHasTheCode() throws {
    let sample = try EncodingSample()
    let shards = try CodeShardSet(try sample.encode().shards.map(\.path))
    let patches = try CodebookPatches(of: sample.stage, in: shards)
    #expect(patches.images.count == 48)
    /// The patch at a position of a grid that is decoded alone.
    func patch(_ codes: [Int32], height: Int, width: Int, at index: Int) -> RGBImage {
      let grid = IndexTensor(codes, shape: [1, height, width])
      return RGBImage(
        width: 2 * width, height: 2 * height,
        pixels: sample.stage.model.decode(indices: grid).pixels()
      ).cropped(x: index % width * 2, y: index / width * 2, width: 2, height: 2)
    }
    var used = 0
    for code in 0..<48 {
      let expected: RGBImage
      if let row = try (0..<shards.count).first(where: {
        try shards.codes($0).contains(Int32(code))
      }),
        let position = try shards.codes(row).firstIndex(of: Int32(code))
      {
        expected = patch(try shards.codes(row), height: 4, width: 6, at: position)
        used += 1
      } else {
        expected = patch(
          [Int32](repeating: Int32(code), count: 25), height: 5, width: 5, at: 12)
      }
      // The batch may change the last bit of a sum.
      for (a, b) in zip(patches.images[code].pixels, expected.pixels) {
        #expect(abs(Int(a) - Int(b)) <= 1, "code \(code)")
      }
    }
    #expect(used > 24 && used < 48, "both kinds of patches are wanted")
    #expect(Set(patches.images.map(\.pixels)).count > 40)
    #expect(patches.sheet(in: Array(0..<48), caption: "all").width == 7 * 18 + 2)
  }

  @Test func reconstructionsAreThoseOfTheModel() throws {
    let sample = try EncodingSample()
    let inputs = try ImageInputs(sample.paths, count: 4)
    #expect(inputs.count == 4)
    let images = try (0..<4).map { try inputs.image($0) }
    #expect(images.map(\.name) == ["row ü 0", "row ü 2", "row ü 4", "row ü 1"])
    let made = try Reconstructor(sample.stage, on: .default).reconstruct([images[2]])
    let image = Tensor(pixels: images[2].image.pixels, count: 1, height: 8, width: 12)
    #expect(made.codes == sample.stage.model.encode(.values(image)).elements)
    #expect(made.images[0].pixels == sample.stage.model.reconstruct(image).pixels())
  }

  @Test func imagesAreFittedToTheFactor() throws {
    let input = NamedImage(
      name: "x", image: RGBImage(width: 21, height: 16, filledWith: .white))
    let cut = try ImageFitting(factor: 8).fit(input)
    #expect((cut.image.image.width, cut.image.image.height) == (16, 16))
    #expect(cut.change == "21×16 cut to its middle 16×16")
    let scaled = try ImageFitting(factor: 8, size: (32, 24)).fit(input)
    #expect((scaled.image.image.width, scaled.image.image.height) == (32, 24))
    let untouched = try ImageFitting(factor: 1).fit(input)
    #expect(untouched.change == nil)
    #expect(throws: ReconstructionError.size(width: 20, height: 16, factor: 8)) {
      try ImageFitting(factor: 8, size: (20, 16))
    }
    #expect(
      throws: ReconstructionError.tooSmall(name: "x", width: 21, height: 16, factor: 32)
    ) { try ImageFitting(factor: 32).fit(input) }
  }

  @Test func metricsOfKnownImages() {
    let black = RGBImage(width: 16, height: 16, filledWith: .black)
    let grey = RGBImage(width: 16, height: 16, filledWith: .grey(51))
    let exact = ReconstructionMetrics(of: black, against: black)
    #expect(exact.psnr == 99)
    #expect(exact.meanAbsoluteError == 0)
    let off = ReconstructionMetrics(of: grey, against: black)
    #expect(abs(off.psnr - 20 * log10(5)) < 1e-9)
    #expect(off.meanAbsoluteError == 51)
    let mean = ReconstructionMetrics(meanOf: [exact, off])
    #expect(abs(mean.psnr - (99 + 20 * log10(5)) / 2) < 1e-9)
    #expect(mean.meanAbsoluteError == 25.5)
  }

  @Test func whatIsNoImageAndNoShardIsNamed() throws {
    let folder = try TemporaryFolder()
    let text = folder("notes.txt")
    try Data("some notes".utf8).write(to: URL(fileURLWithPath: text))
    #expect(throws: ShardError.self) { try ImageInputs([text], count: 1) }
    let broken = folder("broken.png")
    let image = RGBImage(width: 30, height: 30, filledWith: .white).encodedPNG()
    try Data(image.prefix(20)).write(to: URL(fileURLWithPath: broken))
    #expect(throws: ImageError.self) { try ImageInputs([broken], count: 1) }
    #expect(throws: ReconstructionError.noImages) { try ImageInputs([], count: 1) }
  }
}
