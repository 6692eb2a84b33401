// The terminal as screen and joystick.
import CommandSupport
import Platform
import Playing

/// The terminal of stdin and stdout, which gives every key at once while a game is played.
struct RawTerminal {
  private let before: termios

  /// - Throws: `CommandError` (64) where there is none.
  init() throws {
    var settings = termios()
    guard isatty(1) == 1, tcgetattr(0, &settings) == 0 else {
      throw CommandError(.usage, "--terminal needs a terminal as stdin and stdout")
    }
    before = settings
  }

  /// Plays until `q` or a signal, and leaves the terminal as it was.
  ///
  /// - Parameter fps: a key is held for four images, or a tenth of a second.
  func play(_ loop: inout PlayLoop, fps: Int) throws {
    var raw = before
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
    raw.c_iflag &= ~tcflag_t(ICRNL)
    tcsetattr(0, TCSAFLUSH, &raw)
    defer {
      var before = before
      tcsetattr(0, TCSAFLUSH, &before)
      try? StandardOutput.writeBytes(Array("\u{1B}[0m\u{1B}[?25h\u{1B}[?1049l".utf8))
    }
    // Another screen, without a cursor: the one before comes back with what stood there.
    try StandardOutput.writeBytes(Array("\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J".utf8))
    var keys = TerminalKeys(hold: max(.seconds(4) / fps, .milliseconds(100)))
    try loop.run(
      commands: { until in
        while true {
          try Interruption.throwIfRequested()
          let now = ContinuousClock.now
          let commands = keys.commands(try Self.bytes(until: until, now), at: .now)
          if !commands.isEmpty || until.map({ $0 <= .now }) == true { return commands }
        }
      }, show: Self.draw)
  }

  /// What was typed, as soon as something is, or none in time or within a twentieth of a second.
  ///
  /// - Throws: `CommandError` (66) when the terminal has gone.
  private static func bytes(
    until: ContinuousClock.Instant?, _ now: ContinuousClock.Instant
  ) throws -> ArraySlice<UInt8> {
    let left = until.map { ($0 - now) / .milliseconds(1) } ?? 50
    var waiting = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, Int32(min(max(left, 0), 50).rounded(.up))) > 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = read(0, &bytes, bytes.count)
    if count < 0, errno == EINTR || errno == EAGAIN { return [] }
    guard count > 0 else { throw CommandError(.noInput, "the terminal has gone") }
    return bytes[..<count]
  }

  private static func draw(_ frame: PlayFrame) throws {
    var size = winsize()
    let isKnown = ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    let (columns, rows) = isKnown ? (Int(size.ws_col), Int(size.ws_row)) : (80, 24)
    let image = TerminalScreen.fitted(frame.image, columns: columns, rows: rows - 2)
    func line(_ text: String) -> String { "\(text.prefix(columns))\u{1B}[K" }
    let text =
      "\u{1B}[H" + TerminalScreen.halfBlocks(image) + line(TerminalScreen.text(of: frame.status))
      + "\r\n" + line(TerminalScreen.help) + "\u{1B}[J"
    try StandardOutput.writeBytes(Array(text.utf8))
  }
}
