// The report card of a model of which everything is known.
import Checkpoints
import DurableFiles
import Foundation
import Images
import Models
import NN
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct DreamExamTests {
  /// A recording in which one code wanders over sixteen places of 7×7 and the rest stays.
  ///
  /// Images are alike every sixteen steps. Rooms alternate.
  private struct Place {
    let folder: TemporaryFolder
    let shards: CodeShardSet
    let data: WorldData
    let stage: FirstStage

    static let rows = 40

    static func image(_ row: Int) -> [Int32] {
      (0..<49).map { $0 == row % 16 ? 63 : Int32($0) }
    }

    init(rooms: Bool = true) throws {
      folder = try TemporaryFolder()
      let rows = (0..<Self.rows).map { Int64($0) }
      let labels: [(String, ShardColumn)] = [
        ("action", .uint8(rows.map { UInt8($0 % 3) })), ("reward", .int64(rows.map { _ in 0 })),
        ("terminal", .bool(rows.map { _ in false })), ("trajectory", .int64(rows.map { _ in 1 })),
        ("frame", .int64(rows)), ("room", .int32(rows.map { Int32($0 % 2) })),
      ]
      try codeShard(
        folder("codes.h5"), rows: Self.rows, grid: (7, 7), fingerprint: "f00d",
        labels: rooms ? labels : labels.dropLast()
      ) { (Self.image($0), nil) }
      shards = try CodeShardSet([folder("codes.h5")])
      data = try WorldData(shards, segment: 4) {}
      var random = RandomSource(seed: 1)
      stage = FirstStage(VQGAN(.tiny, using: &random).frozen(), path: "test")
    }

    /// Copies each code of the image before, whatever the action.
    static let copying: WorldModel = {
      var random = RandomSource(seed: 2)
      var model = WorldModel(
        WorldConfig(
          gridHeight: 7, gridWidth: 7, codebookSize: 64, actions: 3, context: 2, layers: 1,
          heads: 2, width: 64), using: &random)
      let codes = random.normal([65, 64])
      model.visitParameters { name, tensor in
        switch name {
        case "previous_emb.weight": tensor = codes.trainable()
        case "head.weight": tensor = codes.items(0..<64).trainable()
        case _ where name.hasPrefix("ln_f"): break
        default: tensor = Tensor(zerosLike: tensor).trainable()
        }
      }
      return model.frozen()
    }()

    func report(
      images: ImageShardSet? = nil, perceptual: PerceptualMeasure? = nil
    ) throws -> DreamReport {
      var legal = LegalFrames(height: 7, width: 7)
      try legal.add(shards) {}
      let exam = DreamExam(
        Dreamer(of: Self.copying, from: data, seed: 3, batchSize: 2),
        recorded: try RecordedImages(of: data, codes: shards, images: images, decodedBy: stage),
        steps: 16, options: SamplingOptions(isGreedy: true), batchSize: 4, legal: legal,
        perceptual: perceptual)
      var done = 0
      let report = try exam.report(starts: [1, 7, 20], sequences: 8) { done += $0 }
      #expect(done == exam.work(starts: 3))
      return report
    }
  }

  private static let card = Result { try Place().report() }

  /// A dream of a model that copies is the start's image, held.
  @Test func aModelThatCopiesIsAsGoodAsACopy() throws {
    let report = try Self.card.get()
    #expect(report.scores.accuracy == report.scores.copyAccuracy)
    #expect(abs(report.scores.accuracy - 47.0 / 49) < 1e-9)
    #expect(report.scores.changedAccuracy == 0)
    #expect(report.obedience == 0)
    #expect(report.framesPerSecond > 0)
    #expect(report.horizons.map(\.step) == [1, 2, 4, 8, 16])
    for horizon in report.horizons {
      #expect(horizon.dream == horizon.copy && horizon.dream == horizon.randomActions)
      #expect(horizon.ceiling == nil && horizon.dream.lpips == nil)
      #expect(horizon.dream.ssim != nil)
      #expect(horizon.legal == 1 && horizon.legalDistance == 0)
      #expect(abs(horizon.accuracy - (horizon.step == 16 ? 1 : 47.0 / 49)) < 1e-9)
      #expect(horizon.accuracy == horizon.accuracyCopy)
      #expect(horizon.room == (horizon.step == 1 ? 0 : 1) && horizon.room == horizon.roomCopy)
    }
    let (first, last) = (report.horizons[0].dream, report.horizons[4].dream)
    #expect(last.psnr == ReconstructionMetrics.exact && last.psnrLow == last.psnrHigh)
    #expect((last.ssim ?? 0) > 0.9999)
    #expect(first.psnr < 99 && first.psnrLow <= first.psnrMedian)
    #expect(first.psnrMedian <= first.psnrHigh)
  }

  /// Beside recorded images the ceiling is what the VQGAN makes of their codes.
  @Test func withImagesThereIsACeiling() throws {
    let place = try Place(rooms: false)
    try imageShard(place.folder("images.h5"), rows: Place.rows, height: 28, width: 28) { row in
      CountedNumbers("\(row)").pixels(width: 28, height: 28)
    }
    let trunk = PerceptualTrunk(.squeeze).withCountedWeights()
    let files = try [("base", "features."), ("heads", "lin")].map { name, prefix in
      let path = place.folder("\(name).safetensors")
      try SafetensorsWriter.write(
        ModelFiles.entries(trunk).filter { $0.name.hasPrefix(prefix) }, to: path)
      return path
    }
    let report = try place.report(
      images: try ImageShardSet([place.folder("images.h5")]),
      perceptual: try PerceptualMeasure(files, on: .default))
    #expect(report.hasImages)
    // Sixteen steps on the codes are those of the start: the dream is the reconstruction.
    let last = report.horizons[4]
    let ceiling = try #require(last.ceiling)
    #expect(last.dream == ceiling)
    #expect(last.copy != ceiling, "the image of the start is not that sixteen steps behind it")
    #expect((ceiling.lpips ?? 0) > 0)
    #expect(report.horizons.allSatisfy { $0.room == nil && $0.roomCopy == nil })
    let names = last.metrics.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.contains("lpips_squeeze_ceiling") && !names.contains("room"))
    #expect(report.text.contains("LPIPS squeeze") && !report.text.contains("room"))
  }

  @Test func theCardIsText() throws {
    let text = try Self.card.get().text
    for words in [
      "from 3 starts beside their reconstructions", "obedience  0.00 dB", "10, 50 and 90 %",
      "legal: 3 of 49 codes apart", "room", "recordings", "images/s",
    ] { #expect(text.contains(words), "\(words): \(text)") }
    #expect(!text.contains("nan") && !text.contains("LPIPS"))
  }

  @Test func theCardIsAnObject() throws {
    let report = try Self.card.get()
    let card = try jsonObject(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    let rare = try #require(card["rare_classes"] as? [[String: Any]])
    #expect(rare.map { $0["class"] as? String } == ["reward below 0", "reward above 0", "end"])
    // Nothing of the kind is in the recording; zeros everywhere choose the first class.
    #expect(rare[0]["precision"] as? Double == 0 && rare[0]["recall"] == nil)
    #expect(rare[2]["steps"] as? Int == 0 && rare[2]["f1"] == nil)
    #expect(card["legal_distance"] as? Int == 3)
    #expect((card["read_back"] as? [String: Any])?["pairs"] as? Int == 3 * 16)
    let horizons = try #require(card["horizons"] as? [[String: Any]])
    #expect(horizons[4]["psnr_p10_copy"] as? Double == 99)
    #expect(horizons.map { $0["step"] as? Int } == [1, 2, 4, 8, 16])
  }

  // MARK: Measures

  @Test func bandsAreOfTheStarts() {
    let two = Nearness(psnrs: [10, 20], ssims: [], lpips: [0.25, 0.75])
    #expect(abs(two.psnr + 10 * log10((0.1 + 0.01) / 2)) < 1e-9)
    #expect(abs(two.psnrLow - 11) < 1e-9 && abs(two.psnrHigh - 19) < 1e-9)
    #expect(two.psnrMedian == 15 && two.lpips == 0.5 && two.ssim == nil)
    let exact = Nearness(psnrs: [.infinity, .infinity], ssims: [1, 1], lpips: [])
    #expect(exact.psnr == 99 && exact.psnrLow == 99 && exact.psnrHigh == 99)
  }

  @Test func horizonsAreATableAndAPlot() throws {
    func horizon(_ step: Int) -> DreamHorizon {
      let nearness = Nearness(psnrs: [10, 20], ssims: [0.5], lpips: [])
      var horizon = DreamHorizon(
        step: step, dream: nearness, copy: nearness, randomActions: nearness, ceiling: nil)
      horizon.accuracy = 0.125
      return horizon
    }
    let horizons = [horizon(1), horizon(2)]
    let lines = horizons.csv.split(separator: "\n")
    try #require(lines.count == 3)
    let start = "step,accuracy,accuracy_copy,legal,legal_distance,psnr,psnr_p10,psnr_p50,psnr_p90,"
    #expect(lines[0].hasPrefix(start))
    #expect(lines[2].hasPrefix("2,0.125,0,0,0,12.59637,11,15,19,0.5,12.59637,"))
    #expect(Set(lines.map { $0.split(separator: ",").count }).count == 1)
    let plot = horizons.plot(title: "dreams")
    #expect(plot.width > 400 && plot.pixels.contains(0xFF))
  }

  @Test func legalImagesDifferFromARealOneAtFewPlaces() {
    var legal = LegalFrames(height: 8, width: 8)
    #expect(legal.distance == 4)
    let grid = (0..<64).map { Int32($0) }
    legal.add(Array(repeating: 9, count: 64), room: 1)
    legal.add(grid, room: 2)
    var dreamt = grid
    for place in 10..<15 { dreamt[place] = 0 }
    #expect(legal.nearest(to: dreamt) == (1, 5))
    #expect(legal.room(1) == 2)
    legal.add(dreamt, room: nil)
    #expect(legal.nearest(to: dreamt) == (2, 0))
    #expect(legal.room(1) == nil, "where one image has no room, none has")
  }
}
