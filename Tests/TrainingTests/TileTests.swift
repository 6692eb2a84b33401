// Codebooks of tiles: what is in them, and that images of these tiles come back exactly.
import Checkpoints
import Foundation
import Models
import RowMaps
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct TileTests {
  private static let bytes: [UInt8] = [0, 0, 0, 66, 158, 130, 200, 72, 72, 252, 252, 84]

  private static func config(codes: Int) throws -> VQGANConfig {
    var config = VQGANConfig.tiles
    (config.patch, config.chMult) = (2, [1, 1])  // f = 4
    (config.resolution, config.nEmbed) = (16, codes)
    (config.zChannels, config.embedDim) = (48, 48)
    config.read(try #require(Palette(bytes: bytes)))
    return config
  }

  /// Tiles of 4×4 pixels: nine black ones, four of a floor, and in rows 0 to 5 three with a sprite
  /// that has moved on, at row 4 to where it was at first.
  private static func numbers(_ row: Int) -> [UInt8] {
    (0..<256).map { position in
      let (x, y) = (position % 16, position / 16)
      if y == 5, x == row || x == row + 4 || x == row + 8 { return UInt8(2 + row % 2) }
      return y >= 12 ? 1 : 0
    }
  }

  private static func run(
    _ config: VQGANConfig, _ shard: String, steps: Int
  ) throws -> VQGANRunConfig {
    var objective = VQGANObjective(discFactor: 0)
    objective.freeze = [.encoder, .codebook]
    objective.labelWeights = [1, 1, 1, 1]
    var run = VQGANRunConfig(
      VQGANSettings(model: config, objective: objective),
      loop: LoopSettings(steps: steps, batchSize: 2, learningRate: LearningRate(peak: 1e-3)),
      in: Environment(toolVersion: "test", threads: 1))
    (run.shards, run.validation) = ([shard], [shard])
    return run
  }

  private static func labels(_ rows: Range<Int>) -> VQGANInput {
    VQGANInput(
      .bytes(rows.flatMap(numbers)), of: .palette, count: rows.count, height: 16, width: 16)
  }

  @Test func whatDoesNotGoIsNamed() throws {
    let config = try Self.config(codes: 8)
    #expect(config.problem == nil && config.downsampling == 4)
    let data = try JSONEncoder().encode(config)
    #expect(String(decoding: data, as: UTF8.self).contains("\"tiles\":true"))
    #expect(try JSONDecoder().decode(VQGANConfig.self, from: data) == config)
    for (change, words) in [
      ({ $0.zChannels = 32 }, "tiles of 4×4 pixels have 48 channels"),
      ({ $0.quantizer.kind = .fsq }, "entries are latents"),
      ({ $0.quantizer.depth = 2 }, "entries are latents"),
      ({ $0.quantizer.cosine = true }, "entries are latents"),
      (
        {
          $0.input = .images
          ($0.inChannels, $0.outChannels) = (3, 3)
        }, "tiles are of palettes; input is images"
      ),
    ] as [((inout VQGANConfig) -> Void, String)] {
      var wrong = config
      change(&wrong)
      #expect(wrong.problem?.contains(words) == true, "\(wrong.problem ?? "none"), \(words)")
    }
    let folder = try TemporaryFolder()
    let palette = try #require(config.palette)
    try paletteShard(folder("a.h5"), palette, rows: 1, numbers: Self.numbers)
    var run = try Self.run(config, folder("a.h5"), steps: 1)
    try run.check(ImageShardSet(run.shards))
    run.augmentation.flips = true
    #expect(throws: RunError.self) { try run.check(ImageShardSet(run.shards)) }
  }

  /// The codebook is all tiles, the commonest first; the first image out is the image that came in,
  /// in training, too, and from a file.
  @Test func imagesOfKnownTilesComeBackExactly() throws {
    let folder = try TemporaryFolder()
    let config = try Self.config(codes: 12)
    try paletteShard(
      folder("a.h5"), try #require(config.palette), rows: 6, numbers: Self.numbers)
    try RunFolder(folder("V")).train(try Self.run(config, folder("a.h5"), steps: 3))
    let stage = try FirstStage.load(folder("V"))
    let input = Self.labels(0..<6)
    let codes = stage.model.encode(input)
    // 6 · 9 black tiles, 6 · 4 of the floor, then the sprite at four places.
    #expect(codes.elements[0..<4] == [0, 0, 0, 0] && codes.elements[12..<16] == [1, 1, 1, 1])
    #expect(Set(codes.elements) == Set(0..<6))
    let made = stage.model.decode(indices: codes).largestChannels().elements
    #expect(made == (0..<6).flatMap(Self.numbers).map { Int32($0) })
    let rows = try RunFolder(folder("V")).metricsByColumn()
    #expect(rows.last?["val/pixel_agreement"] == "1" && rows.last?["val/exact"] == "1")
  }

  /// With fewer codes than tiles the rarest have that of the tile that is nearest in colour; what
  /// is trained is the decoder alone.
  @Test func theCommonestTilesAreTheCodebook() throws {
    let folder = try TemporaryFolder()
    let config = try Self.config(codes: 2)
    try paletteShard(
      folder("a.h5"), try #require(config.palette), rows: 6, numbers: Self.numbers)
    try RunFolder(folder("V")).train(try Self.run(config, folder("a.h5"), steps: 2))
    try RunFolder(folder("W")).train(try Self.run(config, folder("a.h5"), steps: 6))
    let tensors = try [folder("V"), folder("W")].map {
      Dictionary(uniqueKeysWithValues: try FirstStage.load($0).model.namedTensors.map { ($0, $1) })
    }
    let codebook = try #require(tensors[0]["quantize.embedding.weight"]).elements()
    #expect(codebook[..<48].allSatisfy { $0 == -1 })
    #expect(
      codebook[48...].elementsEqual((0..<48).map { Float(Self.bytes[3 + $0 % 3]) / 127.5 - 1 }))
    #expect(try #require(tensors[1]["quantize.embedding.weight"]).elements() == codebook)
    let last = try tensors.map { try #require($0["decoder.conv_out.weight"]).elements() }
    #expect(last[0] != last[1])
    let codes = try FirstStage.load(folder("W")).model.encode(Self.labels(0..<1))
    #expect(codes.elements == Array(repeating: 0, count: 12) + [1, 1, 1, 1])
  }
  /// Of too many different tiles the rarest are forgotten.
  @Test func countsStayFew() {
    var tiles = CommonTiles(side: 1, limit: 2)
    for pixels in [[7, 7, 7, 3], [5, 7, 5, 5], [9, 9, 9, 9]] as [[UInt8]] {
      tiles.add(pixels, width: 2)
    }
    #expect(tiles.commonest(8).elements == [7, 9])
  }
}
