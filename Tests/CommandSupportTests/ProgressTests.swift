import CommandSupport
import Synchronization
import TestSupport
import Testing

struct ProgressTests {
  /// A screen that keeps what is written and a clock that the test sets.
  private final class Stage: Sendable {
    let text = Mutex("")
    let time = Mutex(100.0)

    func console(terminal: Bool, quiet: Bool = false) -> Console {
      let screen = Screen(hasStatusLine: terminal, hasColor: false, columns: { 60 }) { [self] new in
        text.withLock { $0 += new }
      }
      return Console(screen: screen, quiet: quiet)
    }

    func progress(_ console: Console, total: Int? = 1000, from start: Int = 0) -> Progress {
      Progress("reading", total: total, from: start, unit: "frames", console: console) { [self] in
        time.withLock { $0 }
      }
    }

    func pass(seconds: Double) { time.withLock { $0 += seconds } }
    var written: String { text.withLock { $0 } }
  }

  @Test func linesComeAfterTwoSecondsThenEveryTen() {
    let stage = Stage()
    let progress = stage.progress(stage.console(terminal: false))
    for _ in 0..<120 {  // 15 s at 8 frames/s
      stage.pass(seconds: 0.125)
      progress.advance(note: "loss 0.5")
    }
    progress.finish()
    #expect(
      stage.written == """
        reading: 16/1000 frames, 8.00 frames/s, 2 min left, loss 0.5
        reading: 96/1000 frames, 8.00 frames/s, 113 s left, loss 0.5
        reading: 120 frames in 15 s, 8.00 frames/s

        """)
  }

  @Test func shortWorkIsSilent() {
    let stage = Stage()
    let progress = stage.progress(stage.console(terminal: false))
    stage.pass(seconds: 1.9)
    progress.advance(by: 1000)
    progress.finish()
    #expect(stage.written == "")
  }

  @Test func quietIsSilentButWarns() {
    let stage = Stage()
    let console = stage.console(terminal: false, quiet: true)
    let progress = stage.progress(console)
    stage.pass(seconds: 30)
    progress.advance()
    progress.finish()
    console.note("note")
    console.warn("it is dark")
    #expect(stage.written == "warning: it is dark\n")
  }

  @Test func aResumedLoopCountsOnlyItsOwnWork() {
    let stage = Stage()
    let progress = stage.progress(stage.console(terminal: false), total: nil, from: 500)
    stage.pass(seconds: 4)
    progress.advance(by: 8)
    progress.finish()
    #expect(
      stage.written == """
        reading: 508 frames, 2.00 frames/s
        reading: 8 frames in 4.0 s, 2.00 frames/s

        """)
  }

  @Test func aTerminalGetsABarBelowItsLines() {
    let stage = Stage()
    let console = stage.console(terminal: true)
    let progress = stage.progress(console)
    #expect(stage.written == "\rreading [....................] 0/1000\u{1B}[K")
    stage.pass(seconds: 1)
    progress.advance(by: 500, note: "a note that is far too long for the line")
    let bar = "reading [##########..........] 500/1000, 500 frames/s, 1.0 s"
    #expect(stage.written.hasSuffix("\r\(bar.prefix(59))\u{1B}[K"))
    console.line("hello")
    #expect(stage.written.hasSuffix("\r\u{1B}[Khello\n\(bar.prefix(59))"))
    progress.finish()
    #expect(
      stage.written.hasSuffix("\r\u{1B}[Kreading: 500 frames in 1.0 s, 500 frames/s\n"))
  }

  @Test(arguments: [
    (0.04, "0.0 s"), (9.94, "9.9 s"), (59, "59 s"), (600, "10 min"), (7200, "2.0 h"),
    (.infinity, "very long"), (-1, "0.0 s"),
  ])
  func durations(seconds: Double, text: String) {
    #expect(Progress.duration(seconds) == text)
  }

  @Test func aRealLoopTellsItsProgress() throws {
    let plain = try shell("command-probe --work progress")
    #expect(plain.output == "")
    #expect(plain.errors.hasPrefix("probing: "))
    #expect(plain.errors.contains("/30 probes, "))
    #expect(!plain.errors.contains("\u{1B}"))
    #expect(plain.errors.contains("probing: 30 probes in 3"))
    #expect(try shell("command-probe --work progress --quiet").errors == "")
    let terminal = "script -qec 'command-probe --work progress' /dev/null < /dev/null"
    let bar = try shell(terminal, environment: ["TERM": "xterm"])
    #expect(bar.output.contains("\rprobing [##########..........] 15/30"))
    let dumb = try shell(terminal, environment: ["TERM": "dumb"])
    #expect(!dumb.output.contains("\u{1B}"))
    #expect(dumb.output.contains("/30 probes, "))
  }
}
