import Images
import Playing
import Testing

@Suite("A game in a terminal")
struct TerminalTests {
  private let red = RGBColor(red: 255, green: 0, blue: 0)

  @Test func twoPixelsAreOneCharacter() {
    var image = RGBImage(width: 2, height: 3, filledWith: .black)
    image[0, 0] = red
    image[1, 0] = red
    image[1, 1] = .white
    let text = TerminalScreen.halfBlocks(image)
    let end = "\u{1B}[0m\u{1B}[K\r\n"
    let upper =
      "\u{1B}[38;2;255;0;0m\u{1B}[48;2;0;0;0m▀\u{1B}[48;2;255;255;255m▀" + end
    let lower = "\u{1B}[38;2;0;0;0m▀▀" + end
    #expect(text == upper + lower, "colours are told where they change, the last row has no lower")
  }

  @Test(arguments: [
    (80, 24, 48, 48), (64, 32, 64, 64), (200, 80, 128, 128), (32, 100, 32, 32), (0, 0, 1, 1),
  ])
  func imagesFit(columns: Int, rows: Int, width: Int, height: Int) {
    let image = TerminalScreen.fitted(
      RGBImage(width: 64, height: 64, filledWith: red), columns: columns, rows: rows)
    #expect((image.width, image.height) == (width, height))
    #expect(image[0, 0] == red)
  }

  // MARK: Keys

  private let start = ContinuousClock.now

  private func keys() -> TerminalKeys { TerminalKeys(hold: .milliseconds(200)) }

  @Test func aKeyIsHeldForAWhile() {
    var keys = keys()
    #expect(keys.commands("\u{1B}[C".utf8, at: start) == [.keys(.right)])
    #expect(keys.commands([], at: start + .milliseconds(150)) == [])
    #expect(keys.commands("\u{1B}[C".utf8, at: start + .milliseconds(160)) == [], "it repeats")
    #expect(keys.commands([], at: start + .milliseconds(300)) == [])
    #expect(keys.commands([], at: start + .milliseconds(400)) == [.keys([])])
  }

  @Test func oneWayExcludesTheOther() {
    var keys = keys()
    #expect(keys.commands("a ".utf8, at: start) == [.keys([.left, .fire])])
    #expect(keys.commands("d".utf8, at: start) == [.keys([.right, .fire])])
    #expect(keys.commands("\u{1B}OA".utf8, at: start) == [.keys([.right, .up, .fire])])
  }

  @Test func aSequenceMayComeInParts() {
    var keys = keys()
    #expect(keys.commands([0x1B], at: start) == [])
    #expect(keys.commands(Array("[".utf8), at: start) == [])
    #expect(keys.commands(Array("B".utf8), at: start) == [.keys(.down)])
  }

  @Test func lettersAreCommands() {
    var keys = keys()
    let commands = keys.commands("\rnp.\u{7F}mrq?".utf8, at: start)
    #expect(
      commands == [.reset, .nextStart, .pause, .step, .rewind, .mode, .record, .quit])
  }
}
