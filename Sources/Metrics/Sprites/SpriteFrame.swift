// Whether the small and the moving parts of a game's frame survive a reconstruction.

/// How much of a frame's sprites a reconstruction has.
package struct SpriteScores: Equatable, Sendable {
  /// Intersection over union of the pixels of a colour, the mean over the rare colours; nil for a
  /// frame without any.
  package let rareIoU: Double?
  /// Intersection over union of the moving pixels; nil where nothing moves, or nobody knows.
  package let movingIoU: Double?

  package init(rareIoU: Double?, movingIoU: Double?) {
    (self.rareIoU, self.movingIoU) = (rareIoU, movingIoU)
  }

  /// Whether the moving parts are recovered.
  package var isRecovered: Bool? { movingIoU.map { $0 > 0.5 } }
}

/// A frame in the colours of its own palette, against which reconstructions of it are held.
///
/// - A colour is rare when it covers less than 1 % of the frame's pixels, and at least four of them:
///   the IoU of fewer is a matter of chance.
/// - A pixel moves when its colour is not that of the background. One of the frame that the
///   reconstruction has in the same colour is in the intersection; the union holds the moving pixels
///   of either, of the reconstruction only those within four pixels of one of the frame, so that
///   mistakes far from any sprite do not count.
package struct SpriteFrame: Sendable {
  private let palette: FramePalette
  private let colours: [UInt8]  // of every pixel, positions in the palette
  private let rare: [Int]
  private let background: [UInt8]?
  private let surroundings: [Bool]  // of the moving pixels, with themselves

  /// Pixels that a rare colour, or what moves, has at least.
  private static let fewestPixels = 4
  /// How far a reconstruction's moving pixel may be from the frame's.
  private static let reach = 4

  /// - Parameters:
  ///   - pixels: `[H, W, 3]`.
  ///   - background: what stands still, of the same shape; nil where it is not known.
  /// - Returns: nil for a frame that has no palette.
  package init?(_ pixels: [UInt8], width: Int, background: [UInt8]? = nil) {
    guard let palette = FramePalette(pixels) else { return nil }
    self.palette = palette
    let colours = palette.nearest(pixels)
    self.colours = colours
    var counts = [Int](repeating: 0, count: palette.colours.count)
    for colour in colours { counts[Int(colour)] += 1 }
    rare = counts.indices.filter {
      counts[$0] >= Self.fewestPixels && 100 * counts[$0] < colours.count
    }
    guard let still = background.map(palette.nearest) else {
      (self.background, surroundings) = (nil, [])
      return
    }
    let moving = zip(colours, still).map { $0 != $1 }
    let isEnough = moving.count { $0 } >= Self.fewestPixels
    self.background = isEnough ? still : nil
    surroundings = isEnough ? Self.widened(moving, width: width) : []
  }

  /// The pixels within reach of some, in both directions.
  private static func widened(_ some: [Bool], width: Int) -> [Bool] {
    let height = some.count / width
    var (rows, all) = (some, some)
    for index in some.indices where some[index] {
      let (row, x) = (index / width * width, index % width)
      for near in max(x - reach, 0)...min(x + reach, width - 1) { rows[row + near] = true }
    }
    for index in rows.indices where rows[index] {
      let (y, x) = (index / width, index % width)
      for near in max(y - reach, 0)...min(y + reach, height - 1) { all[near * width + x] = true }
    }
    return all
  }

  /// How much of the sprites a reconstruction has.
  ///
  /// - Parameter reconstruction: `[H, W, 3]`, of the frame's size.
  package func scores(of reconstruction: [UInt8]) -> SpriteScores {
    precondition(reconstruction.count == 3 * colours.count, "a reconstruction of the frame's size")
    let found = palette.nearest(reconstruction)
    return SpriteScores(rareIoU: rareIoU(found), movingIoU: movingIoU(found))
  }

  private func rareIoU(_ found: [UInt8]) -> Double? {
    guard !rare.isEmpty else { return nil }
    var both = [Int](repeating: 0, count: palette.colours.count)
    var either = both
    for (own, other) in zip(colours, found) {
      either[Int(own)] += 1
      if own == other { both[Int(own)] += 1 } else { either[Int(other)] += 1 }
    }
    return rare.reduce(0.0) { $0 + Double(both[$1]) / Double(either[$1]) } / Double(rare.count)
  }

  private func movingIoU(_ found: [UInt8]) -> Double? {
    guard let background else { return nil }
    var (both, either) = (0, 0)
    for index in colours.indices where surroundings[index] {
      let (own, other, still) = (colours[index], found[index], background[index])
      guard own != still || other != still else { continue }
      either += 1
      if own != still, other == own { both += 1 }
    }
    return Double(both) / Double(either)
  }
}

/// The sprites of many frames.
package struct SpriteSummary: Equatable, Sendable {
  private var rare: [Double] = []
  private var moving: [Bool] = []

  package init() {}

  /// Takes in a frame's scores.
  package mutating func add(_ scores: SpriteScores) {
    if let value = scores.rareIoU { rare.append(value) }
    if let value = scores.isRecovered { moving.append(value) }
  }

  /// Frames that have rare colours.
  package var rareFrames: Int { rare.count }
  /// Frames in which something moves.
  package var movingFrames: Int { moving.count }

  /// The mean IoU of rare colours over the frames that have any.
  package var rareIoU: Double? {
    rare.isEmpty ? nil : rare.reduce(0, +) / Double(rare.count)
  }

  /// The fraction of the frames in which something moves whose moving parts have an IoU above 0.5.
  package var movingRecovered: Double? {
    moving.isEmpty ? nil : Double(moving.count { $0 }) / Double(moving.count)
  }
}
