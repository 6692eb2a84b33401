// The sprites of recordings of a game, to which those of samples are compared.

/// Pixels that move together, in colours of a scene's palette.
///
/// They are connected over sides or corners.
struct SpritePart: Equatable, Sendable {
  /// Of the box around it, pixels.
  let width, height: Int
  /// Colours in that box, -1 for pixels of the background.
  let colours: [Int16]
  let count: Int

  /// The parts of at least four pixels that are not the background.
  static func all(_ colours: [UInt8], background: [UInt8], width: Int) -> [SpritePart] {
    let height = colours.count / width
    var isLeft = zip(colours, background).map { $0 != $1 }
    var parts: [SpritePart] = []
    for start in isLeft.indices where isLeft[start] {
      isLeft[start] = false
      var pixels = [start]
      var next = 0
      while next < pixels.count {
        let (y, x) = (pixels[next] / width, pixels[next] % width)
        next += 1
        for row in max(y - 1, 0)...min(y + 1, height - 1) {
          for column in max(x - 1, 0)...min(x + 1, width - 1) where isLeft[row * width + column] {
            isLeft[row * width + column] = false
            pixels.append(row * width + column)
          }
        }
      }
      if pixels.count >= 4 { parts.append(SpritePart(pixels, of: colours, width: width)) }
    }
    return parts
  }

  private init(_ pixels: [Int], of all: [UInt8], width: Int) {
    let (rows, columns) = (pixels.map { $0 / width }, pixels.map { $0 % width })
    let (top, left) = (rows.min() ?? 0, columns.min() ?? 0)
    self.width = (columns.max() ?? 0) - left + 1
    height = (rows.max() ?? 0) - top + 1
    var colours = [Int16](repeating: -1, count: self.width * height)
    for (pixel, (row, column)) in zip(pixels, zip(rows, columns)) {
      colours[(row - top) * self.width + column - left] = Int16(all[pixel])
    }
    self.colours = colours
    count = pixels.count
  }

  /// Whether more than half of the pixels of either are there in both in one colour, box on box.
  func isLike(_ other: SpritePart) -> Bool {
    guard 2 * min(count, other.count) > max(count, other.count) else { return false }
    var (shared, equal) = (0, 0)
    for y in 0..<min(height, other.height) {
      for x in 0..<min(width, other.width) {
        let (a, b) = (colours[y * width + x], other.colours[y * other.width + x])
        guard a >= 0, b >= 0 else { continue }
        shared += 1
        if a == b { equal += 1 }
      }
    }
    return 2 * equal > count + other.count - shared
  }
}

/// What a sample has of a game's sprites.
package struct SpriteCheck: Equatable, Sendable {
  /// Whether it differs from the background of some scene in a tenth of its pixels at most.
  package internal(set) var isOfScene = false
  /// Moving parts that have the player's colour.
  package internal(set) var players = 0
  /// Moving parts.
  package internal(set) var parts = 0
  /// Those that are like a moving part of the same scene in the recordings.
  package internal(set) var wholeParts = 0
}

/// The scenes of recordings with their palettes, backgrounds and moving parts.
package struct SpriteAtlas: Sendable {
  private struct Scene {
    let palette: FramePalette
    let background: [UInt8]  // colours
    var parts: [SpritePart] = []
  }

  private let scenes: [Scene]
  private let width: Int
  /// The colour that marks the player: the one that exactly one moving part has in the most frames,
  /// unless it was given.
  package let player: SIMD3<Int32>
  /// The fraction of the recordings' own frames with exactly one player.
  package let onePlayer: Double

  /// Pixels of the player's colour that a player has at least.
  private static let playerPixels = 2

  /// - Parameters:
  ///   - frames: of recordings, `[H, W, 3]` each.
  ///   - player: a colour that the player has and nothing else that moves.
  /// - Returns: nil where no scene has a palette, or nothing moves.
  package init?(_ frames: [[UInt8]], width: Int, player: SIMD3<Int32>? = nil) {
    let found = FrameScenes(frames)
    var scenes: [Scene] = []
    var partsOfFrames: [(scene: Int, parts: [SpritePart])] = []
    var tallies: [SIMD3<Int32>: (frames: Int, pixels: Int)] = [:]
    for (background, members) in zip(found.backgrounds, found.members) {
      guard let palette = FramePalette(members.flatMap { frames[$0] } + background) else {
        continue
      }
      var scene = Scene(palette: palette, background: palette.nearest(background))
      for member in members {
        let parts = SpritePart.all(
          palette.nearest(frames[member]), background: scene.background, width: width)
        for (index, colour) in palette.colours.enumerated() {
          let counts = parts.map { part in part.colours.count { $0 == index } }
          let isAlone = counts.count { $0 >= Self.playerPixels } == 1
          let tally = tallies[colour, default: (0, 0)]
          tallies[colour] = (
            tally.frames + (isAlone ? 1 : 0), tally.pixels + counts.reduce(0, +)
          )
        }
        for part in parts where !scene.parts.contains(part) { scene.parts.append(part) }
        partsOfFrames.append((scenes.count, parts))
      }
      scenes.append(scene)
    }
    // Of several the rarest, then the one with the least red, green and blue.
    let usual = tallies.filter { $0.value.frames > 0 }.min { a, b in
      (b.value.frames, a.value.pixels, a.key.x, a.key.y, a.key.z)
        < (a.value.frames, b.value.pixels, b.key.x, b.key.y, b.key.z)
    }
    guard let colour = player ?? usual?.key, !partsOfFrames.isEmpty else { return nil }
    self.player = colour
    self.scenes = scenes
    self.width = width
    let alone = partsOfFrames.count { entry in
      Self.players(in: entry.parts, colour, scenes[entry.scene].palette) == 1
    }
    onePlayer = Double(alone) / Double(partsOfFrames.count)
  }

  private static func players(
    in parts: [SpritePart], _ colour: SIMD3<Int32>, _ palette: FramePalette
  ) -> Int {
    guard let own = palette.colours.firstIndex(of: colour) else { return 0 }
    return parts.count { part in part.colours.count { $0 == own } >= playerPixels }
  }

  /// Looks for the nearest scene, and in it for sprites.
  ///
  /// - Parameter pixels: `[H, W, 3]`, of the frames' size.
  package func check(_ pixels: [UInt8]) -> SpriteCheck {
    var nearest: (scene: Scene, colours: [UInt8], differing: Int)?
    for scene in scenes {
      let colours = scene.palette.nearest(pixels)
      let differing = zip(colours, scene.background).count { $0 != $1 }
      if differing < nearest?.differing ?? .max { nearest = (scene, colours, differing) }
    }
    var result = SpriteCheck()
    guard let (scene, colours, differing) = nearest,
      differing <= Int(FrameScenes.nearness * Double(colours.count))
    else { return result }
    let parts = SpritePart.all(colours, background: scene.background, width: width)
    result.isOfScene = true
    result.players = Self.players(in: parts, player, scene.palette)
    result.parts = parts.count
    result.wholeParts = parts.count { part in scene.parts.contains { $0.isLike(part) } }
    return result
  }
}
