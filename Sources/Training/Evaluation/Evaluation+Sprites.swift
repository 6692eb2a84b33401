// Whether samples have the sprites of the recordings that they were learnt from.
import Metrics
import Shards

extension EvaluationSide {
  /// The sprites of recordings.
  ///
  /// - Throws: `EvaluationError.noSprites` where this side has none; errors of reading.
  func sprites(player: SIMD3<Int32>?) throws -> (atlas: SpriteAtlas, width: Int, height: Int) {
    guard case .shards(let set) = contents, set.hasRecordings else {
      throw EvaluationError.noSprites(path: path)
    }
    let frames = try set.sceneRows.map { try set.pixels($0) }
    guard let atlas = SpriteAtlas(frames, width: set.width, player: player) else {
      throw EvaluationError.noSprites(path: path)
    }
    return (atlas, set.width, set.height)
  }
}

extension Evaluation {
  /// Fractions of the candidate's images near a scene of the reference, and with exactly one player;
  /// of their moving parts, those that are whole.
  func measureSprites(
    _ report: inout EvaluationReport, _ progress: (_ images: Int) throws -> Void
  ) throws {
    let (atlas, width, height) = try reference.sprites(player: player)
    guard candidate.count > 0 else {
      throw EvaluationError.statisticsAlone(path: candidate.path, measures: "--sprites")
    }
    var (near, alone, parts, whole) = (0, 0, 0, 0)
    for index in 0..<candidate.count {
      let image = try candidate.images(index..<index + 1)[0]
      guard image.width == width, image.height == height else {
        throw EvaluationError.size(
          path: candidate.path, image: index, found: "\(image.width)×\(image.height)",
          expected: "\(width)×\(height), as the reference")
      }
      let found = atlas.check(image.pixels)
      if found.isOfScene { near += 1 }
      if found.players == 1 { alone += 1 }
      parts += found.parts
      whole += found.wholeParts
      try progress(1)
    }
    let count = Double(candidate.count)
    report.values += [
      MeasuredValue(name: "near_scene", value: Double(near) / count),
      MeasuredValue(name: "one_player", value: Double(alone) / count),
      MeasuredValue(name: "reference_one_player", value: atlas.onePlayer),
    ]
    if parts > 0 {
      report.values.append(
        MeasuredValue(name: "sprites_whole", value: Double(whole) / Double(parts)))
    }
    let colour = atlas.player
    report.player = [colour.x, colour.y, colour.z].reduce("") { text, value in
      text + (value < 16 ? "0" : "") + String(value, radix: 16)
    }
  }
}
