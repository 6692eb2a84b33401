// Measures of sprites against what they are by hand.
import Metrics
import Testing

/// A frame of 40×20 pixels in one colour.
private struct Canvas {
  var pixels: [UInt8]
  static let width = 40

  init(_ colour: [UInt8] = [0, 0, 0]) { pixels = (0..<800).flatMap { _ in colour } }

  /// Paints some pixels of a row.
  func painted(_ colour: [UInt8], row: Int, _ columns: Range<Int>) -> Canvas {
    var result = self
    for x in columns {
      let start = 3 * (row * Self.width + x)
      result.pixels.replaceSubrange(start..<start + 3, with: colour)
    }
    return result
  }
}

private let red: [UInt8] = [200, 72, 72]
private let blue: [UInt8] = [24, 59, 157]

@Suite struct SpriteTests {
  @Test func aPaletteOfFewColoursIsComplete() throws {
    let frame = Canvas().painted([100, 36, 36], row: 1, 0..<2).painted(red, row: 2, 0..<9)
    let palette = try #require(FramePalette(frame.pixels))
    #expect(palette.colours == [[0, 0, 0], [200, 72, 72], [100, 36, 36]])
    #expect(palette.nearest([9, 9, 9, 190, 80, 60, 110, 30, 36]) == [0, 1, 2])
  }

  /// Twenty colours of which none lies between two more frequent ones, then one that does.
  @Test func mixturesOfManyColoursAreLeftOut() throws {
    var frame = Canvas()
    for index in 1..<20 {
      frame = frame.painted(
        [UInt8(index * 13), UInt8(index * index % 251), UInt8(index * index * index % 241)],
        row: index, 0..<(39 - index))
    }
    let plain = try #require(FramePalette(frame.pixels))
    #expect(plain.colours.count == 20)
    let mixed = frame.painted([7, 0, 1], row: 0, 4..<6)  // of (13, 1, 1) and black
    #expect(try #require(FramePalette(mixed.pixels)).colours == plain.colours)
  }

  @Test func aPhotoHasNoPalette() {
    let pixels: [UInt8] = (0..<800).flatMap { [UInt8($0 % 256), UInt8($0 / 256), 0] as [UInt8] }
    #expect(FramePalette(pixels) == nil)
    #expect(SpriteFrame(pixels, width: 40) == nil)
    let reds: [UInt8] = (0..<800).flatMap { [UInt8($0 % 256), 0, 0] as [UInt8] }
    #expect(FramePalette(reds) != nil)
  }

  /// Of 800 pixels, 7 are less than 1 %, 8 are not, and 3 are too few.
  @Test func theMeanIsOverRareColours() throws {
    let frame = Canvas().painted(red, row: 3, 0..<6).painted(blue, row: 9, 0..<5)
      .painted([236, 236, 236], row: 12, 0..<8).painted([210, 182, 86], row: 14, 0..<3)
    let judge = try #require(SpriteFrame(frame.pixels, width: 40))
    #expect(judge.scores(of: frame.pixels) == SpriteScores(rareIoU: 1, movingIoU: nil))
    // Three of six are black, one more is red; blue is another blue.
    let made = Canvas([9, 4, 0]).painted(red, row: 3, 3..<7).painted([30, 50, 150], row: 9, 0..<5)
    let scores = judge.scores(of: made.pixels)
    #expect(abs((scores.rareIoU ?? 0) - (3.0 / 7 + 1) / 2) < 1e-12)
    let none = try #require(SpriteFrame(Canvas().pixels, width: 40))
    #expect(none.scores(of: made.pixels) == SpriteScores(rareIoU: nil, movingIoU: nil))
  }

  @Test func whatMovesIsComparedWithTheBackground() throws {
    let still = Canvas().painted(blue, row: 18, 0..<40)
    let frame = still.painted(red, row: 5, 10..<16)
    let judge = try #require(
      SpriteFrame(frame.pixels, width: 40, background: still.pixels))
    func iou(_ made: Canvas) -> Double? { judge.scores(of: made.pixels).movingIoU }
    #expect(iou(frame) == 1)
    #expect(iou(still) == 0)
    #expect(iou(frame.painted(red, row: 9, 18..<20)) == 6.0 / 8, "ghosts near by count")
    #expect(iou(frame.painted(red, row: 10, 10..<16)) == 1, "five rows away is far")
    #expect(iou(frame.painted(red, row: 18, 0..<9)) == 1, "mistakes in the background")
    #expect(iou(still.painted(blue, row: 5, 10..<16)) == 0, "in another colour")
    #expect(iou(still.painted(red, row: 5, 10..<13)) == 0.5)
    #expect(judge.scores(of: still.painted(red, row: 5, 10..<13).pixels).isRecovered == false)
    let unmoved = try #require(SpriteFrame(still.pixels, width: 40, background: still.pixels))
    #expect(unmoved.scores(of: frame.pixels).movingIoU == nil)
  }

  @Test func summariesLeaveOutWhatHasNoScore() {
    var summary = SpriteSummary()
    #expect(summary.rareIoU == nil && summary.movingRecovered == nil)
    for (rare, moving) in [(0.5, 0.9), (nil, 0.5), (1, nil)] as [(Double?, Double?)] {
      summary.add(SpriteScores(rareIoU: rare, movingIoU: moving))
    }
    #expect(summary.rareIoU == 0.75 && summary.movingRecovered == 0.5)
    #expect((summary.rareFrames, summary.movingFrames) == (2, 2))
  }

  /// Two rooms with a dot that walks, and a frame of a third one.
  @Test func scenesHaveTheirOwnBackgrounds() {
    let rooms = [Canvas(), Canvas(blue)]
    var frames: [[UInt8]] = []
    for step in 0..<12 {
      let room = rooms[step % 3 == 0 ? 1 : 0]
      frames.append(room.painted(red, row: step, step..<step + 3).pixels)
    }
    frames.append(Canvas(red).pixels)
    let scenes = FrameScenes(frames)
    #expect(scenes.backgrounds == [rooms[1].pixels, rooms[0].pixels])
    #expect(scenes.background(of: frames[4]) == rooms[0].pixels)
    #expect(scenes.background(of: frames[12]) == nil)
    #expect(scenes.background(of: rooms[1].painted(red, row: 0, 0..<40).pixels) != nil)
    var half = rooms[1]
    for row in 0..<3 { half = half.painted(red, row: row, 0..<27) }
    #expect(scenes.background(of: half.pixels) == nil, "81 of 800 pixels are more than a tenth")
  }
}

@Suite struct SpriteAtlasTests {
  /// A room with a floor, a player of two colours, a red head on a yellow body, and a skull of four
  /// white pixels that are not always there.
  private func frame(_ step: Int, players: Int = 1, head: Int = 2, skull: Bool? = nil) -> Canvas {
    var canvas = Canvas().painted(blue, row: 18, 0..<40)
    for player in 0..<players {
      let left = 2 * step + 20 * player
      canvas = canvas.painted(red, row: 5, left..<left + head)
        .painted([210, 182, 86], row: 6, left..<left + 3)
        .painted([210, 182, 86], row: 7, left..<left + 3)
    }
    guard skull ?? (step % 2 == 1) else { return canvas }
    return canvas.painted([236, 236, 236], row: 12, step..<step + 4)
  }

  @Test func thePlayerIsWhatMovesInEveryFrame() throws {
    let frames = (0..<9).map { frame($0).pixels }
    let atlas = try #require(SpriteAtlas(frames, width: 40))
    #expect(atlas.player == [200, 72, 72], "red moves as often as yellow, and is rarer")
    #expect(atlas.onePlayer == 1)
    func check(_ canvas: Canvas) -> [Int] {
      let found = atlas.check(canvas.pixels)
      return [found.isOfScene ? 1 : 0, found.players, found.parts, found.wholeParts]
    }
    #expect(check(frame(3)) == [1, 1, 2, 2])
    #expect(check(frame(7, skull: false)) == [1, 1, 1, 1])
    #expect(check(frame(3, players: 2)) == [1, 2, 3, 3])
    #expect(check(frame(3, head: 0)) == [1, 0, 2, 1], "a body alone is not whole")
    #expect(check(frame(3, players: 0)) == [1, 0, 1, 1])
    // A white block is no sprite of this game.
    let wrong = frame(4, players: 0, skull: false).painted([236, 236, 236], row: 5, 8..<11)
      .painted([236, 236, 236], row: 6, 8..<11).painted([236, 236, 236], row: 7, 8..<11)
    #expect(check(wrong) == [1, 0, 1, 0])
    #expect(check(Canvas(blue)) == [0, 0, 0, 0], "another room")
    let given = try #require(SpriteAtlas(frames, width: 40, player: [236, 236, 236]))
    #expect(given.onePlayer == 4.0 / 9)
    #expect(SpriteAtlas((0..<5).map { _ in Canvas().pixels }, width: 40) == nil, "nothing moves")
  }
}
