import Foundation
import Playing
import TestSupport
import Testing

@Suite("The beat of a game")
struct PlayLoopTests {
  /// Never returns early, as a thread's sleep may.
  private static func wait(_ until: ContinuousClock.Instant?) {
    while let until, until > .now {
      Thread.sleep(forTimeInterval: max((until - .now) / .seconds(1), 0))
    }
  }

  /// Plays what a script says: each entry is what one waiting returns, once its time has come.
  ///
  /// - Returns: what was shown.
  private func play(
    _ script: [[PlayCommand]], _ session: PlaySession? = nil, fps: Int = 1000,
    save: ((PlayTake) throws -> [String])? = nil
  ) throws -> [PlayStatus] {
    var (loop, rest) = (
      PlayLoop(try session ?? TestGame.session(), fps: fps, save: save), script[...]
    )
    var shown: [PlayStatus] = []
    try loop.run(
      commands: { until in
        Self.wait(until)
        return rest.popFirst() ?? [.quit]
      }, show: { shown.append($0.status) })
    return shown
  }

  @Test func aStepIsShownPerBeat() throws {
    let shown = try play([[], [], []])
    #expect(shown.map(\.step) == [0, 1, 2, 3])
    #expect(shown.allSatisfy { !$0.isPaused && $0.canStep })
    #expect(shown[0].fps == nil && shown[0].actionName == nil)
    #expect(try #require(shown[3].fps) > 0)
  }

  @Test func keysAreTakenWithTheStepBehindThem() throws {
    let shown = try play([[.keys([.right])], [], [.keys([.right, .fire])], [.keys([])]])
    #expect(shown.map(\.actionName) == [nil, "RIGHT", "RIGHT", "RIGHTFIRE", "NOOP"])
    #expect(shown[3].keys == ["right", "fire"])
  }

  @Test func aTapBetweenTwoStepsCounts() throws {
    let shown = try play([[.keys([.up]), .keys([])], []])
    #expect(shown.map(\.actionName) == [nil, "UP", "NOOP"])
  }

  @Test func aTapBeforeAResetDoesNotCountBehindIt() throws {
    let shown = try play([[.pause], [.keys(.up), .keys([])], [.reset, .step], []])
    #expect(shown.last?.actionName == "NOOP")
  }

  @Test func aPausedGameStepsWhenItIsTold() throws {
    let shown = try play([[.pause], [], [.step], [.keys(.left)], [.step], [.pause], []])
    #expect(shown.map(\.step) == [0, 0, 1, 2, 3, 4])
    #expect(shown.map(\.isPaused) == [false, true, true, true, false, false])
    #expect(shown[3].actionName == "LEFT")
  }

  @Test func aSecondIsRewound() throws {
    let beats = [[PlayCommand]](repeating: [], count: 30)
    let shown = try play(beats + [[.pause, .rewind], [.rewind]], fps: 200)
    #expect(shown.suffix(2).map(\.step) == [29, 28], "a paused game goes back step by step")
    let played = try play(beats + [[.rewind]], fps: 20)
    #expect(played.map(\.step).suffix(2) == [30, 11], "20 steps back, one on")
  }

  @Test func resetAndModeAreShown() throws {
    let shown = try play([[], [.pause, .mode], [.reset], [.nextStart]])
    #expect(shown.suffix(3).map(\.step) == [1, 0, 0])
    #expect(shown.last?.mode == .recording)
    #expect(shown.last?.start == "row 11")
  }

  @Test func anEndIsWaitedBehind() throws {
    let shown = try play([[], [], [.reset], [], [], []], TestGame.session(ends: true))
    #expect(shown.prefix(2).map(\.isEnd) == [false, true])
    #expect(shown.count > 2 && shown.last?.isEnd == true, "a step behind the reset ends it again")
  }

  @Test func takesAreSaved() throws {
    var takes: [[Int32]] = []
    let save: (PlayTake) -> [String] = { take in
      takes.append(take.steps.map(\.action))
      return ["take-\(takes.count)"]
    }
    let shown = try play(
      [[.record], [.keys(.up)], [.pause, .record], [.record], [.step], []], save: save)
    #expect(takes == [[0, 2], [2]], "the second when the game was quit")
    #expect(shown[1].recorded == 1)
    let saved = try #require(shown.first { !$0.saved.isEmpty })
    #expect(saved.saved == ["take-1"] && saved.recorded == nil)
  }

  @Test func aTakeIsSavedWhenTheGameIsStopped() throws {
    struct Stopped: Error {}
    var steps: Int?
    var loop = PlayLoop(try TestGame.session(), fps: 1000) { take in
      steps = take.steps.count
      return []
    }
    var calls = 0
    #expect(throws: Stopped.self) {
      try loop.run(
        commands: { until in
          calls += 1
          if calls == 4 { throw Stopped() }
          Self.wait(until)
          return calls == 1 ? [.record] : []
        }, show: { _ in })
    }
    #expect(steps == 3)
  }

  @Test func withoutAFolderNothingIsRecorded() throws {
    let shown = try play([[.record], []])
    #expect(shown.allSatisfy { $0.recorded == nil && $0.saved.isEmpty })
  }
}
