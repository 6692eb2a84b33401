// A small world model and recordings, for tests that play.
import Foundation
import Images
import Models
import Playing
import Shards
import TensorCore
import Training

enum TestGame {
  static let grid = CodeGrid(height: 2, width: 2, codebookSize: 8, fingerprint: "f00d", vqgan: "")
  static let config = WorldConfig(
    gridHeight: 2, gridWidth: 2, codebookSize: 8, actions: 18, context: 2, layers: 2, heads: 2,
    width: 24)

  /// - Parameter ends: whether every action ends the game; otherwise none does.
  static func model(ends: Bool = false) -> WorldModel {
    var random = RandomSource(seed: 3)
    var model = WorldModel(config, using: &random)
    model.visitParameters { name, tensor in
      let noise = random.normal(tensor.shape, deviation: 0.3)
      tensor = (tensor.detached() + noise).trainable()
      if name == "end_head.bias" { tensor = Tensor(ends ? [-99, 99] : [99, -99], shape: [2]) }
    }
    return model.frozen()
  }

  /// Two recordings of ten steps; the first ends the game, the second just stops.
  static let data: WorldData = {
    let rows: [Int32] = Array(0..<20)
    let codes: [[Int32]] = rows.map { [$0 % 7, $0 % 5, $0 % 8, 3] }
    return WorldData(
      codes: CodeTable(codes.flatMap { $0 }, rowLength: 4, codebookSize: 8),
      actions: rows.map { $0 % 18 }, rewards: rows.map { $0 % 4 == 3 ? 2 : 1 },
      ends: rows.map { $0 == 9 ? 1 : 0 },
      frames: (0..<20).map { (trajectory: $0 / 10, frame: $0 % 10) }, segment: 4)
  }()

  static func dreamer(ends: Bool = false) -> Dreamer {
    Dreamer(of: model(ends: ends), from: data, seed: 5, batchSize: 1)
  }

  /// Starts at the rows 1 and 11.
  static func session(
    ends: Bool = false, mode: PlaySession.Mode = .dream, greedy: Bool = false
  ) throws -> PlaySession {
    try PlaySession(
      dreamer(ends: ends), images: Pixels(), starts: [1, 11],
      options: SamplingOptions(isGreedy: greedy), mode: mode)
  }

  /// Codes as grey pixels; what was recorded is a little brighter.
  struct Pixels: GameImages {
    func decoded(_ codes: [Int32]) -> RGBImage {
      let pixels = codes.flatMap { [UInt8](repeating: UInt8($0), count: 3) }
      return RGBImage(width: 2, height: 2, pixels: pixels)
    }

    func image(_ row: Int) -> RGBImage {
      decoded(data.image(row).map { $0 + 100 })
    }

    func name(_ row: Int) -> String { "row \(row)" }
  }
}
