// Games that a world model goes on with by itself, one token at a time.
import Foundation
import NN
import TensorCore

/// N games in step: images that are shown or imagined, each followed by an action.
///
/// Keys and values of the last `context` steps are kept. With rotary positions the oldest step is
/// forgotten when a new one begins, and what is computed is what one pass over all steps from the
/// first on gives, up to the rounding of sums.
///
/// With learned positions the window has an end. When the image behind an action would not fit in,
/// the cache is thrown away and refilled with the last image alone, before the action is chosen, as
/// in IRIS: of every `context` - 1 steps nothing but the last image is remembered. Within a window
/// what is computed is what one pass over it gives; of a block-causal mask, what a causal one does.
package struct WorldRollout {
  package let model: WorldModel
  /// The last image of each game, `[N][h·w]`; nothing before the first.
  package var codes: [[Int32]] { images.first ?? [] }
  /// The last two images of all games, the last one first.
  private var images: [[[Int32]]] = []
  /// What led to the image behind the last one, or, before an action, to the last one.
  private var actions: [Int32]?
  /// `-log p` of the last image of each game, nats: how little the model expected it behind the
  /// last action; zero where it was shown unscored.
  package private(set) var nats: [Double]
  private let items: Int
  private var caches: [KeyValueCache]
  private var token = 0  // tokens since the beginning, of learned positions since the refill
  /// What the heads read behind the last action, `[N, C]`; nil while none follows the last image.
  private var states: Tensor?

  package init(of model: WorldModel, items: Int) {
    self.model = model
    self.items = items
    nats = Array(repeating: 0, count: items)
    let config = model.config
    caches = (0..<config.layers).map { _ in
      KeyValueCache(
        items: items, capacity: config.window, channels: config.width, heads: config.heads,
        on: model.device)
    }
  }

  /// Shows the next image of each game, whatever the model thinks would come.
  ///
  /// - Parameters:
  ///   - images: `[N][h·w]`.
  ///   - scoring: whether `nats` is computed, where an action stands before them.
  package mutating func show(_ images: [[Int32]], scoring: Bool = false) {
    precondition(images.count == items && images.allSatisfy { $0.count == model.config.codes })
    let behind = scoring ? states : nil
    beginStep()
    let seen = append(images)
    remember(images)
    nats = Array(repeating: 0, count: items)
    guard let behind else { return }
    add(behind, predicting: 0..<1)
    if let seen {
      add(withoutGradients { model.finalNorm(seen) }, predicting: 1..<model.config.codes)
    }
  }

  /// Adds `-log p` of some codes of the last images to `nats`.
  ///
  /// - Parameter states: what the code head reads before each of them, `[N, places, C]`.
  private mutating func add(_ states: Tensor, predicting places: Range<Int>) {
    let targets = IndexTensor(codes.flatMap { $0[places] }, shape: [items, places.count])
    let losses = withoutGradients {
      model.codeHead(states).reshaped([targets.count, model.config.codebookSize])
        .crossEntropies(targets).elements()
    }
    for (index, loss) in losses.enumerated() { nats[index / places.count] += Double(loss) }
  }

  /// Appends the codes of images but for the last one, which predicts nothing: it waits for the
  /// action.
  ///
  /// - Returns: what the blocks make of them, `[N, h·w - 1, C]`; nil for images of one code.
  @discardableResult
  private mutating func append(_ images: [[Int32]]) -> Tensor? {
    let last = model.config.codes - 1
    guard last > 0 else { return nil }
    return append(images.map { Array($0[..<last]) }, predicting: Array(1...last))
  }

  private mutating func remember(_ codes: [[Int32]]) {
    images = Array(([codes] + images).prefix(2))
  }

  /// The logits of what an action leads to.
  package struct Outcome {
    package let rewards: [[Float]]  // [N][3]
    package let ends: [[Float]]  // [N][2]
  }

  /// Chooses an action for the image of each game.
  ///
  /// - Parameter actions: `[N]`.
  /// - Returns: the reward and the end that it leads to.
  package mutating func act(_ actions: [Int32]) -> Outcome {
    precondition(states == nil && codes.count == items, "an action without an image")
    if model.config.positions == .learned, token == model.config.window - 2 {
      for layer in caches.indices { caches[layer].truncate(to: 0) }
      token = 0
      let last = codes
      (images, self.actions) = ([], nil)  // there is no image before
      append(last)
      remember(last)
    }
    let none = Int32(model.config.codebookSize)
    append(codes.map { [$0[$0.count - 1]] }, predicting: [nil])
    self.actions = actions
    let states = last(of: append(actions.map { [none + $0] }, predicting: [0]))
    self.states = states
    func rows(_ head: WorldHead) -> [[Float]] {
      let logits = withoutGradients { head(states).elements() }
      let width = logits.count / items
      return (0..<items).map { Array(logits[$0 * width..<($0 + 1) * width]) }
    }
    return Outcome(rewards: rows(model.rewardHead), ends: rows(model.endHead))
  }

  /// Imagines the image behind the last action of each game; `codes` has it then.
  ///
  /// - Parameter streams: the random numbers of each game, N.
  /// - Throws: `NotFiniteLogits`; the image is not there then.
  package mutating func imagine(
    _ options: SamplingOptions, using streams: inout [RandomSource]
  ) throws(NotFiniteLogits) {
    guard var behind = states else { preconditionFailure("an image without an action before") }
    beginStep()
    var images = [[Int32]](repeating: [], count: items)
    nats = Array(repeating: 0, count: items)
    for place in 0..<model.config.codes {
      let logits = withoutGradients { model.codeHead(behind).elements() }
      let width = logits.count / items
      for item in 0..<items {
        let row = logits[item * width..<(item + 1) * width]
        let code = try options.draw(row, using: &streams[item])
        images[item].append(code)
        nats[item] += Self.nats(of: code, under: row)
      }
      if place + 1 < model.config.codes {
        behind = last(
          of: append(images.map { [$0[place]] }, predicting: [place + 1]))
      }
    }
    remember(images)
  }

  /// `-log softmax(logits)[code]`.
  private static func nats(of code: Int32, under logits: ArraySlice<Float>) -> Double {
    let largest = logits.max() ?? 0
    let sum = logits.reduce(0.0) { $0 + exp(Double($1 - largest)) }
    return log(sum) - Double(logits[logits.startIndex + Int(code)] - largest)
  }

  private mutating func beginStep() {
    precondition(token % model.config.step == 0, "an image behind an image")
    states = nil
    guard caches[0].length == model.config.window else { return }
    for layer in caches.indices { caches[layer].drop(first: model.config.step) }
  }

  /// What the heads read behind the last of some tokens, `[N, C]`.
  ///
  /// - Parameter x: what `append` returns of them.
  private func last(of x: Tensor) -> Tensor {
    let count = x.shape[1]
    return withoutGradients {
      model.finalNorm(count == 1 ? x : x.positions(count - 1..<count))
        .reshaped([items, model.config.width])
    }
  }

  /// What the blocks make of the given tokens, which predict codes at some places, `[N, T, C]`.
  @discardableResult
  private mutating func append(_ tokens: [[Int32]], predicting places: [Int?]) -> Tensor {
    var list = WorldTokenList(model.config)
    for (game, tokens) in tokens.enumerated() {
      let before = images.map { $0[game][...] }
      for (token, place) in zip(tokens, places) {
        list.add(token, predicting: place, after: before, actions?[game])
      }
    }
    let (read, count) = (list.tensors(games: items), places.count)
    return withoutGradients {
      var x = model.embedded(read, from: token)
      let rotation = model.config.rotation(from: token, count: count, on: model.device)
      token += count
      for (layer, block) in model.blocks.enumerated() {
        x = block(x, rotation, after: &caches[layer])
      }
      return x
    }
  }
}
