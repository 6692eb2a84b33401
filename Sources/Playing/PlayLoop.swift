// The beat of a game that is played: commands of the player, a step, an image.
import Corpora
import Images

/// What a player asks for.
package enum PlayCommand: Equatable, Sendable {
  /// These are down now, and no others.
  case keys(PlayKeys)
  case reset, nextStart, pause, step, rewind, mode, record, quit

  /// The command of a name, as the page sends it; keys and `quit` are none.
  package init?(named name: some StringProtocol) {
    let commands: KeyValuePairs<String, PlayCommand> = [
      "reset": .reset, "next": .nextStart, "pause": .pause, "step": .step, "rewind": .rewind,
      "mode": .mode, "record": .record,
    ]
    guard let found = commands.first(where: { $0.key == name }) else { return nil }
    self = found.value
  }
}

/// What is said of an image.
package struct PlayStatus: Encodable, Equatable, Sendable {
  package var mode: PlaySession.Mode
  package var start: String  // the name of its recorded row
  package var step: Int
  package var keys: [String]  // that were taken for the step
  package var action: Int32?
  package var actionName: String?
  package var reward: Int  // -1, 0 or 1
  package var score: Int
  package var isEnd: Bool
  package var canStep: Bool
  package var bits: Double?  // of surprise
  package var fps: Double?  // steps per second of late
  package var isPaused: Bool
  package var rewindable: Int  // steps
  package var recorded: Int?  // steps; nil while nothing is recorded
  package var saved: [String]  // the files of the last recording
}

package struct PlayFrame: Sendable {
  package let status: PlayStatus
  package let image: RGBImage
}

/// Plays a session at so many images per second.
package struct PlayLoop {
  package private(set) var session: PlaySession
  private let fps: Int
  private let save: ((PlayTake) throws -> [String])?
  private var isPaused = false
  private var held: PlayKeys = []
  /// Went down since the last step: a tap that is shorter than a step counts.
  private var tapped: PlayKeys = []
  private var taken: PlayKeys = []
  private var saved: [String] = []
  private var times: [ContinuousClock.Instant] = []

  /// Steps of a recording at most: ten minutes at 15 images per second.
  package static let longestTake = 9000

  /// - Parameters:
  ///   - save: keeps a recording and returns its files; without it there are none.
  package init(
    _ session: PlaySession, fps: Int, save: ((PlayTake) throws -> [String])? = nil
  ) {
    (self.session, self.fps, self.save) = (session, fps, save)
  }

  package var canRecord: Bool { save != nil }

  /// Plays until `quit`; what is being recorded is saved, also when something is thrown.
  ///
  /// - Parameters:
  ///   - commands: waits for commands of the player, at most until the given time, where there is
  ///     one.
  ///   - show: takes every image as soon as it is made.
  /// - Throws: what the session, saving, `commands` and `show` throw.
  package mutating func run(
    commands: (_ until: ContinuousClock.Instant?) throws -> [PlayCommand],
    show: (PlayFrame) throws -> Void
  ) throws {
    do {
      try play(commands, show)
    } catch {
      try endTake()
      throw error
    }
    try endTake()
  }

  private mutating func play(
    _ commands: (_ until: ContinuousClock.Instant?) throws -> [PlayCommand],
    _ show: (PlayFrame) throws -> Void
  ) throws {
    let (clock, period) = (ContinuousClock(), Duration.seconds(1) / fps)
    try show(frame)
    var next = clock.now + period
    while true {
      let runs = !isPaused && session.canStep
      var hasChanged = false
      for command in try commands(runs ? next : nil) {
        if command == .quit { return }
        hasChanged = try obey(command) || hasChanged
      }
      let now = clock.now
      if !isPaused, session.canStep, now >= next {
        try step()
        // A step that came late moves those behind it: none is made up for.
        next = max(next + period, now)
        hasChanged = true
      }
      if hasChanged { try show(frame) }
    }
  }

  /// - Returns: whether there is something else to show.
  private mutating func obey(_ command: PlayCommand) throws -> Bool {
    switch command {
    case .keys(let keys):
      tapped.formUnion(keys)
      held = keys
      return false
    case .reset, .nextStart:
      tapped = []  // what was tapped belongs to the game before
      try session.reset(by: command == .reset ? 0 : 1)
    case .pause: isPaused.toggle()
    case .step:
      isPaused = true
      try step()
    case .rewind: session.rewind(isPaused ? 1 : fps)
    case .mode: try session.switchMode()
    case .record:
      guard save != nil else { return false }
      if session.take == nil { session.beginTake() } else { try endTake() }
    case .quit: return false
    }
    times = []  // what comes now is no steady play
    return true
  }

  private mutating func step() throws {
    taken = held.union(tapped)
    tapped = []
    try session.step(taken.action(of: session.actions))
    times = times.suffix(15) + [ContinuousClock.now]
    if session.take.map({ $0.steps.count >= Self.longestTake }) == true { try endTake() }
  }

  private mutating func endTake() throws {
    guard let take = session.endTake() else { return }
    saved = try save?(take) ?? []
  }

  private var frame: PlayFrame {
    let now = session.now
    let name = now.action.map { AtariAction(rawValue: UInt8(clamping: $0))?.description ?? "\($0)" }
    let status = PlayStatus(
      mode: now.mode, start: session.startName, step: now.step, keys: taken.names,
      action: now.action, actionName: name, reward: now.reward, score: now.score,
      isEnd: now.isEnd, canStep: session.canStep, bits: now.bits, fps: rate, isPaused: isPaused,
      rewindable: session.rewindable, recorded: session.take?.steps.count, saved: saved)
    return PlayFrame(status: status, image: now.image)
  }

  /// Steps per second over the last ones.
  private var rate: Double? {
    guard times.count > 1, let first = times.first, let last = times.last else { return nil }
    return Double(times.count - 1) / ((last - first) / .seconds(1))
  }
}
