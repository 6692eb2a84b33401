// A world model that is played: one step at a time, back and forth.
import Foundation
import Images
import Models
import TensorCore
import Training

/// Shows what codes and recorded rows look like.
package protocol GameImages {
  /// The image of some codes, `[h·w]`.
  func decoded(_ codes: [Int32]) throws -> RGBImage
  /// The image of a recorded row.
  func image(_ row: Int) throws -> RGBImage
  func name(_ row: Int) -> String
}

extension RecordedImages: GameImages {}

/// A game that a player steps through: the dream of a world model, or the recording that it starts
/// from.
package struct PlaySession {
  package enum Mode: String, Encodable, Sendable {
    /// The model imagines images; the player acts.
    case dream
    /// Recorded images and actions, and what the model thinks of them.
    case recording
  }

  /// A moment of the game, to which a rewind returns.
  package struct Moment {
    package fileprivate(set) var mode: Mode
    /// The number of the start.
    package fileprivate(set) var start: Int
    /// Steps since the start.
    package fileprivate(set) var step = 0
    package fileprivate(set) var image: RGBImage
    /// What led here; nil at the start.
    package fileprivate(set) var action: Int32?
    /// The sign of what the action brought.
    package fileprivate(set) var reward = 0
    /// The sum of these signs since the start.
    package fileprivate(set) var score = 0
    /// The action has ended the game; the image is the last one.
    package fileprivate(set) var isEnd = false
    /// `-log₂ p` of the image's codes behind the action; nil at the start and behind a switch.
    package fileprivate(set) var bits: Double?
    fileprivate var rollout: WorldRollout
    fileprivate var random: RandomSource
    /// Steps of the take when this was shown, and whether the last of them led here.
    fileprivate var taken = 0
    fileprivate var follows = false

    package var codes: [Int32] { rollout.codes[0] }
  }

  package private(set) var now: Moment
  /// What is being recorded.
  package private(set) var take: PlayTake?
  private var past: [Moment] = []
  private let dreamer: Dreamer
  private let images: any GameImages
  private let options: SamplingOptions
  private let starts: [Int]

  /// Begins at the first start.
  ///
  /// - Parameter starts: rows with `dreamer.given` rows of their piece before them, at least one.
  /// - Throws: what `images` throws.
  package init(
    _ dreamer: Dreamer, images: any GameImages, starts: [Int], options: SamplingOptions,
    mode: Mode = .dream
  ) throws {
    (self.dreamer, self.images, self.starts, self.options) = (dreamer, images, starts, options)
    now = try Self.beginning(0, mode, dreamer, images, starts)
  }

  package var actions: Int { dreamer.model.config.actions }
  /// The name of the recorded row that the game started from.
  package var startName: String { images.name(starts[now.start]) }

  private static func beginning(
    _ number: Int, _ mode: Mode, _ dreamer: Dreamer, _ images: any GameImages, _ starts: [Int]
  ) throws -> Moment {
    let rollout = dreamer.rollout(at: [starts[number]])
    let image =
      mode == .dream ? try images.decoded(rollout.codes[0]) : try images.image(starts[number])
    return Moment(
      mode: mode, start: number, image: image, rollout: rollout, random: dreamer.random(number))
  }

  // MARK: Forth

  /// The recorded row of this moment, where its recording goes on so far.
  private var row: Int? {
    let start = starts[now.start]
    return dreamer.data.hasRow(now.step, behind: start) ? start + now.step : nil
  }

  /// Whether the game goes on: it does not behind an end, and a recording not behind its last row.
  package var canStep: Bool {
    guard !now.isEnd else { return false }
    guard now.mode == .recording else { return true }
    return row.map { dreamer.data.ends[$0] != 0 || dreamer.data.hasRow(1, behind: $0) } ?? false
  }

  /// Goes on by one image; nothing happens where the game does not.
  ///
  /// - Parameter held: the action of the player; a recording takes its own.
  /// - Throws: `NotFiniteLogits`, and what the images throw; the game is as before then.
  package mutating func step(_ held: Int32) throws {
    guard canStep else { return }
    let row = row ?? 0
    var next = now
    let (action, reward, isEnd): (Int32, Int32, Bool)
    switch now.mode {
    case .dream:
      action = held
      let outcome = next.rollout.act([action])
      // Rewards and ends are as certain as the model is, whatever is done about images.
      let outcomes = SamplingOptions(isGreedy: options.isGreedy)
      reward = try outcomes.draw(outcome.rewards[0], using: &next.random)
      isEnd = try outcomes.draw(outcome.ends[0], using: &next.random) != 0
    case .recording:
      (action, reward, isEnd) = (
        dreamer.data.actions[row], dreamer.data.rewards[row], dreamer.data.ends[row] != 0
      )
      _ = next.rollout.act([action])
    }
    if !isEnd {
      switch now.mode {
      case .dream:
        var streams = [next.random]
        try next.rollout.imagine(options, using: &streams)
        next.random = streams[0]
        next.image = try images.decoded(next.codes)
      case .recording:
        next.rollout.show([dreamer.data.image(row + 1)], scoring: true)
        next.image = try images.image(row + 1)
      }
      next.step += 1
    }
    next.bits = isEnd ? nil : next.rollout.nats[0] / log(2)
    (next.action, next.reward, next.isEnd) = (action, Int(reward) - 1, isEnd)
    next.score += next.reward
    if take != nil {
      take?.steps.append(
        PlayTake.Step(
          image: now.image, codes: now.codes, action: action, reward: reward, isEnd: isEnd,
          follows: now.follows))
      (next.taken, next.follows) = (now.taken + 1, true)
    }
    remember()
    now = next
  }

  // MARK: Back and elsewhere

  /// Moments that a rewind can return to.
  package var rewindable: Int { past.count }

  /// Returns by so many steps, or as many as are kept; what a take has of them goes.
  package mutating func rewind(_ steps: Int) {
    let steps = min(steps, past.count)
    guard steps > 0 else { return }
    now = past[past.count - steps]
    past.removeLast(steps)
    if let take { self.take?.steps.removeLast(take.steps.count - now.taken) }
  }

  /// Begins again at the same start, or at another one.
  ///
  /// - Parameter offset: starts to go on by; 0 for the same.
  /// - Throws: what the images throw.
  package mutating func reset(by offset: Int = 0) throws {
    let number = (now.start + offset) % starts.count
    jump(to: try Self.beginning(number, now.mode, dreamer, images, starts))
  }

  /// Shows the recording instead of the dream, at the same step or its last, or dreams on from
  /// what is shown of the recording.
  ///
  /// - Throws: what the images throw.
  package mutating func switchMode() throws {
    var next = now
    guard now.mode == .dream else {
      next.mode = .dream
      remember()
      now = next
      return
    }
    let start = starts[now.start]
    while !dreamer.data.hasRow(next.step, behind: start) { next.step -= 1 }
    next.mode = .recording
    next.rollout = dreamer.rollout(at: [start + next.step])
    next.image = try images.image(start + next.step)
    (next.action, next.reward, next.bits, next.isEnd) = (nil, 0, nil, false)
    jump(to: next)
  }

  private mutating func jump(to moment: Moment) {
    remember()
    now = moment
    (now.taken, now.follows) = (take?.steps.count ?? 0, false)
  }

  private mutating func remember() {
    past.append(now)
    if past.count > kept { past.removeFirst() }
  }

  /// Moments to keep: a thousand, or what fits 256 MiB with their keys and values.
  private var kept: Int {
    let config = dreamer.model.config
    let bytes = 8 * config.window * config.layers * config.width + 3 * now.image.pixels.count
    return min(max((256 << 20) / bytes, 16), 1000)
  }

  // MARK: Takes

  /// Begins to record what follows.
  package mutating func beginTake() {
    take = PlayTake()
    for index in past.indices { (past[index].taken, past[index].follows) = (0, false) }
    (now.taken, now.follows) = (0, false)
  }

  /// Ends the recording.
  ///
  /// - Returns: what was played since it began; nil without a step.
  package mutating func endTake() -> PlayTake? {
    defer { take = nil }
    guard var take, !take.steps.isEmpty else { return nil }
    if now.follows { take.last = now.image }
    return take
  }
}
