// Images and keys of a terminal.
import Foundation
import Images

/// Draws images with half blocks: two pixels a character, one above the other, in 24-bit colour.
package enum TerminalScreen {
  /// The image as large as it fits by whole factors, or made smaller.
  ///
  /// - Parameters:
  ///   - columns, rows: of characters that are free.
  package static func fitted(_ image: RGBImage, columns: Int, rows: Int) -> RGBImage {
    let (columns, lines) = (max(columns, 1), max(rows, 1) * 2)
    let factor = min(columns / image.width, lines / image.height)
    if factor >= 1 {
      return image.resized(
        width: image.width * factor, height: image.height * factor, filter: .nearest)
    }
    let scale = min(
      Double(columns) / Double(image.width), Double(lines) / Double(image.height))
    return image.resized(
      width: max(Int(Double(image.width) * scale), 1),
      height: max(Int(Double(image.height) * scale), 1), filter: .area)
  }

  /// Lines of characters and escape sequences, each ended by a reset and a line break; below an odd
  /// last row the terminal's own background shows.
  package static func halfBlocks(_ image: RGBImage) -> String {
    var text = ""
    for y in stride(from: 0, to: image.height, by: 2) {
      var colors: (upper: RGBColor, lower: RGBColor?)?
      for x in 0..<image.width {
        let upper = image[x, y]
        let lower = y + 1 < image.height ? image[x, y + 1] : nil
        if colors?.upper != upper { text += "\u{1B}[38;2;\(upper.levels)m" }
        if let lower, colors?.lower != lower { text += "\u{1B}[48;2;\(lower.levels)m" }
        colors = (upper, lower)
        text += "▀"
      }
      text += "\u{1B}[0m\u{1B}[K\r\n"
    }
    return text
  }

  /// What is said of an image, in one line.
  package static func text(of status: PlayStatus) -> String {
    var words = ["\(status.mode) \(status.step)"]
    if let name = status.actionName { words.append(name) }
    words.append("reward \(status.reward)  score \(status.score)")
    if let bits = status.bits { words.append(String(format: "%.1f bits", bits)) }
    if let fps = status.fps { words.append(String(format: "%.1f/s", fps)) }
    if status.isPaused { words.append("paused") }
    if status.isEnd {
      words.append("END: Enter begins again")
    } else if !status.canStep {
      words.append("the recording ends here")
    }
    if let recorded = status.recorded { words.append("recording, \(recorded) steps") }
    return words.joined(separator: "  ")
  }

  package static let help =
    "arrows space | Enter reset  n other start  p pause  . step  Backspace back  m mode  r record  q"
}

extension RGBColor {
  fileprivate var levels: String { "\(red);\(green);\(blue)" }
}

/// Keys of a terminal, which tells when they go down and repeat, and not when they go up: each is
/// held for a while.
package struct TerminalKeys {
  /// How long a key is held behind its last byte.
  private let hold: Duration
  private var until: [PlayKeys: ContinuousClock.Instant] = [:]
  private var told: PlayKeys = []
  /// The beginning of an escape sequence whose rest has not come.
  private var rest: [UInt8] = []

  package init(hold: Duration) { self.hold = hold }

  private static let letters: [UInt8: PlayCommand] = [
    0x0d: .reset, 0x0a: .reset, UInt8(ascii: "n"): .nextStart, UInt8(ascii: "p"): .pause,
    UInt8(ascii: "."): .step, 0x7f: .rewind, 0x08: .rewind, UInt8(ascii: "m"): .mode,
    UInt8(ascii: "r"): .record, UInt8(ascii: "q"): .quit,
  ]

  private static let joystick: [UInt8: PlayKeys] = [
    UInt8(ascii: "w"): .up, UInt8(ascii: "s"): .down, UInt8(ascii: "a"): .left,
    UInt8(ascii: "d"): .right, UInt8(ascii: " "): .fire,
  ]

  private static let arrows: [UInt8: PlayKeys] = [
    UInt8(ascii: "A"): .up, UInt8(ascii: "B"): .down, UInt8(ascii: "C"): .right,
    UInt8(ascii: "D"): .left,
  ]

  /// What bytes of a terminal ask for.
  ///
  /// - Parameters:
  ///   - bytes: those that have come; none tells of keys that are held no longer.
  ///   - now: the present time.
  package mutating func commands(
    _ bytes: some Sequence<UInt8>, at now: ContinuousClock.Instant
  ) -> [PlayCommand] {
    var commands: [PlayCommand] = []
    for byte in bytes {
      if !rest.isEmpty || byte == 0x1b {
        rest.append(byte)
        guard rest.count == 3 else { continue }
        if let key = Self.arrows[byte] { press(key, now) }
        rest = []
      } else if let key = Self.joystick[byte] {
        press(key, now)
      } else if let command = Self.letters[byte] {
        commands.append(command)
      }
    }
    until = until.filter { $0.value > now }
    let held = until.keys.reduce(into: PlayKeys()) { $0.formUnion($1) }
    if held != told {
      told = held
      commands.insert(.keys(held), at: 0)
    }
    return commands
  }

  private mutating func press(_ key: PlayKeys, _ now: ContinuousClock.Instant) {
    // One way excludes the other; fire goes with both.
    for pair in [[.up, .down], [.left, .right]] as [PlayKeys] where pair.contains(key) {
      until = until.filter { pair.isDisjoint(with: $0.key) }
    }
    until[key] = now + hold
  }
}
