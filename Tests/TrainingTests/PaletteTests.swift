// VQGANs of palettes: what they read and write, what they are trained for, and that they are
// resumed exactly.
import Checkpoints
import DurableFiles
import Foundation
import Images
import Models
import RowMaps
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct PaletteTests {
  private static let bytes: [UInt8] = [0, 0, 0, 66, 158, 130, 200, 72, 72, 252, 252, 84]

  private static func palette(_ bytes: [UInt8] = bytes) throws -> Palette {
    try #require(Palette(bytes: bytes))
  }

  /// A floor, a sprite that moves, and one pixel of the last colour.
  private static func numbers(_ row: Int) -> [UInt8] {
    (0..<16 * 16).map { position in
      let (x, y) = (position % 16, position / 16)
      if position == row { return 3 }
      if (4..<8).contains(y), (row..<row + 3).contains(x) { return 2 }
      return y >= 12 ? 1 : 0
    }
  }

  private static func config(_ shards: [String], steps: Int = 20) throws -> VQGANRunConfig {
    var model = VQGANConfig.tiny
    model.read(try palette())
    var objective = VQGANObjective(
      discFactor: 0, discriminator: DiscriminatorConfig(ndf: 8, nLayers: 1))
    objective.labelWeights = try ImageShardSet(shards).labelWeights(
      of: .palette, labels: 4, balance: 0.5)
    var config = VQGANRunConfig(
      VQGANSettings(model: model, objective: objective),
      loop: LoopSettings(steps: steps, batchSize: 2, learningRate: LearningRate(peak: 2e-3)),
      in: Environment(toolVersion: "test", threads: 1))
    (config.shards, config.validation) = (shards, shards)
    (config.logEvery, config.checkpointEvery, config.imageEvery) = (1, 10, 100)
    config.evaluation = EvaluationSettings(every: 10)
    return config
  }

  @Test func rareColoursWeighMore() throws {
    let folder = try TemporaryFolder()
    // 192 pixels of colour 0, 64 of 1, none of 2, a quarter each way round.
    try paletteShard(folder("a.h5"), Self.palette(), rows: 2) { _ in
      (0..<256).map { $0 < 192 ? 0 : 1 }
    }
    let set = try ImageShardSet([folder("a.h5")])
    let even = try set.labelWeights(of: .palette, labels: 4, balance: 0)
    #expect(even == [1, 1, 1, 1])
    let weights = try set.labelWeights(of: .palette, labels: 4, balance: 0.5)
    // The mean over the pixels is 1, and a colour that is never there counts as 1e-4.
    #expect(abs(0.75 * weights[0] + 0.25 * weights[1] - 1) < 1e-6)
    #expect(abs(weights[1] / weights[0] - Float(3).squareRoot()) < 1e-5)
    #expect(weights[2] == weights[3])
    #expect(abs(weights[2] / weights[1] - Float(2500).squareRoot()) < 1e-3)
  }

  /// The weighted cross-entropy of the softmax of what is likely times its weight, by its formula.
  @Test func theLossIsTheWeightedCrossEntropy() throws {
    var random = RandomSource(seed: 3)
    let logits = random.normal([2, 4, 3, 5])
    let labels = IndexTensor((0..<30).map { $0 * 7 % 4 }, shape: [2, 3, 5])
    var objective = VQGANObjective()
    objective.labelWeights = [0.5, 1, 4, 0]
    let found = objective.reconstructionLoss(logits, of: .labels(labels)).item()
    let values = logits.elements()
    var expected = 0.0
    for position in 0..<30 {
      let (image, place) = (position / 15, position % 15)
      let row = (0..<4).map {
        Double(values[(image * 4 + $0) * 15 + place])
          + log(max(Double(objective.labelWeights[$0]), 1e-6))
      }
      let label = Int(labels.elements[position])
      let logSum = log(row.reduce(0) { $0 + exp($1) })
      expected += Double(objective.labelWeights[label]) * (logSum - row[label]) / 30
    }
    #expect(abs(Double(found) - expected) < 1e-5 * expected, "\(found), \(expected)")
  }

  @Test func rareColoursAndWholeImagesAreCounted() {
    var agreement = ColorAgreement(colors: 4)
    #expect(agreement.exact == nil && agreement.rareIoU == nil)
    var (map, other) = ([UInt8](repeating: 0, count: 400), [UInt8](repeating: 0, count: 400))
    for position in 0..<40 { map[position] = 1 }
    for position in 100..<103 { map[position] = 2 }
    other = map
    agreement.add(map, of: map, images: 1)
    #expect(agreement.exact == 1 && agreement.rareIoU == 1)
    // One pixel of the sprite is lost, one appears beside it; the colour 3 is in no map.
    (other[100], other[103], other[399]) = (0, 2, 3)
    agreement.add(other, of: map, images: 1)
    #expect(agreement.exact == 0.5)
    #expect(abs((agreement.rareIoU ?? 0) - 5.0 / 7) < 1e-12)
  }

  /// 20 steps are 7 and 13 more, with all measures; what a run learns shows in them.
  @Test func aRunIsResumedExactly() throws {
    let folder = try TemporaryFolder()
    try paletteShard(folder("a.h5"), Self.palette(), rows: 11, numbers: Self.numbers)
    let config = try Self.config([folder("a.h5")])
    #expect(config.problem == nil)
    try config.check(try ImageShardSet(config.shards))
    try RunFolder(folder("whole")).train(config)
    try RunFolder(folder("parts")).train(config, .stopping(after: 7))
    let stored = try RunFolder(folder("parts")).config(VQGANRunConfig.self)
    #expect(stored == config)
    try RunFolder(folder("parts")).train(stored, resumed: true)
    let last = try ["whole", "parts"].map { try RunFolder(folder($0)).lastCheckpoint() }
    for name in ["model.json", "model.safetensors", "optimizer.safetensors", "state.json"] {
      #expect(
        try DurableFile.read("\(last[0])/\(name)") == DurableFile.read("\(last[1])/\(name)"),
        "\(name)")
    }
    let rows = try RunFolder(folder("whole")).metricsByColumn()
    let validated = rows.filter { $0["val/rec_loss"] != "" }
    #expect(validated.map { $0["step"] } == ["10", "20"])
    for row in validated {
      for name in ["val/exact", "val/rare_iou", "val/pixel_agreement", "val/psnr"] {
        #expect(row[name].flatMap { Double($0) } != nil, "\(name): \(row[name] ?? "none")")
      }
    }
    let evaluated = rows.filter { $0["val/fd_latents"] != "" }
    #expect(evaluated.map { $0["step"] } == ["10", "20"])
    let losses = rows.compactMap { $0["train/rec_loss"].flatMap { Double($0) } }
    #expect(losses.count == 20 && losses[15...].reduce(0, +) < losses[..<5].reduce(0, +))
  }

  // MARK: Images of a palette

  /// A model of f = 2 with random weights.
  private func stage(
    _ path: String, _ palette: Palette, seed: UInt64 = 1
  ) throws -> FirstStage {
    var config = VQGANConfig(
      resolution: 16, ch: 32, chMult: [1, 1], numResBlocks: 1, attnResolutions: [],
      zChannels: 32, embedDim: 8, nEmbed: 16)
    config.read(palette)
    var random = RandomSource(seed: seed)
    let model = VQGAN(config, using: &random)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try RunFolder.write(config, to: "\(path)/model.json")
    try SafetensorsWriter.write(ModelFiles.entries(model), to: "\(path)/model.safetensors")
    return try FirstStage.load(path)
  }

  @Test func imagesAreReadAndWrittenInTheColoursOfThePalette() throws {
    let folder = try TemporaryFolder()
    let palette = try Self.palette()
    let stage = try stage(folder("V"), palette)
    #expect(stage.config.palette == palette && stage.config.input == .palette)
    // With palette maps, and without, in shards of the same images.
    try paletteShard(folder("a.h5"), palette, rows: 3, numbers: Self.numbers)
    try imageShard(folder("b.h5"), rows: 3) { palette.pixels(of: Self.numbers($0)) ?? [] }
    var codes: [[Int32]] = []
    for name in ["a.h5", "b.h5"] {
      let plan = try EncodingPlan([folder(name)], for: stage)
      let outcome = try DatasetEncoder(
        plan, stage: stage, on: .default, batchSize: 2, toolVersion: "1"
      ).run(in: folder("codes-\(name)")) { _ in }
      let reader = try CodeShardReader(outcome.shards[0].path)
      codes.append(try (0..<3).flatMap { try reader.codes($0) })
    }
    let maps = (0..<3).flatMap(Self.numbers)
    let input = VQGANInput(.bytes(maps), of: .palette, count: 3, height: 16, width: 16)
    #expect(codes[0] == stage.model.encode(input).elements)
    #expect(codes[1] == codes[0])

    // Every way back gives the most likely colour of each pixel.
    let logits = stage.model.decode(indices: IndexTensor(codes[0], shape: [3, 8, 8]))
    let expected = try #require(
      palette.pixels(of: logits.largestChannels().elements.map { UInt8($0) }))
    let images = try (0..<3).map {
      NamedImage(
        name: "\($0)",
        image: RGBImage(
          width: 16, height: 16, pixels: try #require(palette.pixels(of: Self.numbers($0)))))
    }
    let made = try Reconstructor(stage, on: .default).reconstruct(images)
    #expect(made.codes == codes[0])
    #expect(made.images.flatMap(\.pixels) == expected)
    let decoding = try DecodingPlan([folder("codes-a.h5/a.h5")], for: stage, as: .shards)
    let decoded = try DatasetDecoder(
      decoding, stage: stage, batchSize: 2, toolVersion: "1"
    ).writeShards(in: folder("S")) { _ in }
    let reader = try ImageShardReader(decoded.shards[0].path)
    #expect(try (0..<3).flatMap { try reader.pixels($0) } == expected)
  }

  @Test func otherColoursAreNamed() throws {
    let folder = try TemporaryFolder()
    let palette = try Self.palette()
    let stage = try stage(folder("V"), palette)
    var image = RGBImage(width: 16, height: 16, filledWith: .black)
    image[3, 2] = RGBColor(red: 1, green: 2, blue: 255)
    #expect(throws: EncodingError.color(path: "b.png", found: "#0102ff", colors: 4)) {
      try Reconstructor(stage, on: .default).reconstruct([
        NamedImage(name: "a.png", image: RGBImage(width: 16, height: 16, filledWith: .black)),
        NamedImage(name: "b.png", image: image),
      ])
    }
    try imageShard(folder("a.h5"), rows: 2) { row in
      row == 0 ? [UInt8](repeating: 0, count: 768) : image.pixels
    }
    let plan = try EncodingPlan([folder("a.h5")], for: stage)
    #expect(
      throws: EncodingError.color(
        path: "\(folder("a.h5")), row 1", found: "#0102ff", colors: 4)
    ) {
      try DatasetEncoder(plan, stage: stage, on: .default, batchSize: 2, toolVersion: "1")
        .run(in: folder("C")) { _ in }
    }
  }

  /// Codes of one set of weights mean other images in other colours.
  @Test func thePaletteIsInTheFingerprints() throws {
    let folder = try TemporaryFolder()
    let one = try stage(folder("V"), Self.palette())
    let other = try stage(folder("W"), Self.palette(Self.bytes.dropLast() + [85]))
    #expect(one.fingerprints.vqgan == other.fingerprints.vqgan)
    #expect(one.fingerprints.codes != other.fingerprints.codes)
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let folder = try TemporaryFolder()
    let palette = try Self.palette()
    try paletteShard(folder("a.h5"), palette, rows: 2, numbers: Self.numbers)
    let other = try Self.palette(Self.bytes.dropLast() + [85])
    try paletteShard(folder("b.h5"), other, rows: 2, numbers: Self.numbers)
    let config = try Self.config([folder("a.h5")])
    let error = try #require(throws: RunError.self) {
      try config.check(try ImageShardSet([folder("b.h5")]))
    }
    #expect("\(error)".contains("fcfc55") && "\(error)".contains("fcfc54"), "\(error)")

    for (change, words) in [
      ({ $0.objective.labelWeights = [1, 1, 1] }, "label_weights holds 3 numbers"),
      ({ $0.objective.labelWeights = [] }, "label_weights holds 0 numbers"),
      ({ $0.objective.labelWeights = [1, 1, 1, -1] }, "they must not be negative"),
      ({ ($0.model.inChannels, $0.model.outChannels) = (5, 5) }, "palette holds 4 colours"),
      ({ $0.objective.discFactor = 1 }, "maps of labels have no discriminator"),
    ] as [((inout VQGANRunConfig) -> Void, String)] {
      var changed = config
      change(&changed)
      let problem = try #require(changed.problem, "\(words)")
      #expect(problem.contains(words), "\(problem)")
    }
    // Reading something else forgets the colours.
    var model = config.model
    model.input = .segmentation
    #expect(model.palette == nil && model.problem == nil)
    var missing = VQGANConfig.tiny
    missing.input = .palette
    #expect(missing.problem == "input is palette; it needs the colours, under the key palette")
  }
}
