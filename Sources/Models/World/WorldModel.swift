// A world model: which image an action leads to, which reward, and whether the game ends.
import NN
import TensorCore

/// A transformer over the steps of a game: the codes of an image, then the action chosen in it.
///
/// A position predicts the next code, the one at an action the first code of the next image, and
/// also the reward and the end that the action leads to. A position sees what stands before it in
/// its own step and the `context` - 1 steps before.
/// - Source: Micheli et al. 2023, *Transformers are sample-efficient world models* (IRIS), which is
///   the model of learned positions, a causal mask, heads with a hidden layer and no input of the
///   image before. Ours are positions by rotation, the banded mask, and as other inputs the code that
///   stood at the predicted place in the image before, and what was learnt of its surroundings.
package struct WorldModel: Layer {
  package private(set) var config: WorldConfig
  package var tokens: Embedding  // [K + actions, C], actions behind the codes
  package var previous: Embedding?  // [K + 1, C], the last one for no code
  package var surroundings: Surroundings?
  package var positions: Embedding?  // [context · P, C], of learned positions
  package var blocks: [TransformerBlock]
  package var finalNorm: LayerNorm
  package var codeHead: WorldHead  // K classes; one layer has no bias
  package var rewardHead: WorldHead  // 3
  package var endHead: WorldHead  // 2

  /// Weights N(0, 0.02), biases 0.
  ///
  /// - Precondition: the configuration has no `problem`.
  package init(
    _ config: WorldConfig, using random: inout RandomSource, on device: Device = .default
  ) {
    self.config = config
    func table(_ rows: Int, using random: inout RandomSource) -> Embedding {
      Embedding(weight: random.normal([rows, config.width], deviation: 0.02, on: device))
    }
    func head(_ classes: Int, bias: Bool = true, using random: inout RandomSource) -> WorldHead {
      WorldHead(of: config, classes: classes, bias: bias, using: &random, on: device)
    }
    tokens = table(config.codebookSize + config.actions, using: &random)
    if config.readsPrevious { previous = table(config.codebookSize + 1, using: &random) }
    if config.surroundings > 0 {
      surroundings = Surroundings(config, using: &random, on: device)
    }
    if config.positions == .learned { positions = table(config.window, using: &random) }
    blocks = []
    for _ in 0..<config.layers {
      blocks.append(
        TransformerBlock(
          width: config.width, heads: config.heads, dropout: config.residualDropout,
          attentionDropout: config.attentionDropout, using: &random, on: device))
    }
    finalNorm = LayerNorm(channels: config.width, on: device)
    codeHead = head(config.codebookSize, bias: config.headsHaveHiddenLayer, using: &random)
    rewardHead = head(WorldConfig.rewards, using: &random)
    endHead = head(WorldConfig.ends, using: &random)
  }

  /// A model to be filled from a file; its first weights, which then are never used, take no
  /// memory.
  package init(_ config: WorldConfig, on device: Device = .default) {
    var random = RandomSource(seed: 0)
    self.init(config, using: &random, on: device)
  }

  /// The same weights for images of another grid, of learned positions those of the first tokens.
  ///
  /// - Precondition: of learned positions, images of no more codes.
  package func of(gridHeight: Int, gridWidth: Int) -> WorldModel {
    var model = self
    (model.config.gridHeight, model.config.gridWidth) = (gridHeight, gridWidth)
    return model
  }

  package var device: Device { tokens.weight.device }

  /// What the heads read, `[N, T, C]`, of whole steps from the first on; with learned positions as
  /// many as the window has, at most.
  ///
  /// - Parameters:
  ///   - tokens: T of each of N games.
  ///   - random: where dropout takes numbers from in training; `nil` drops nothing.
  func states(
    _ tokens: WorldTokens, droppingWith random: inout RandomSource?
  ) -> Tensor {
    var x = embedded(tokens, from: 0).droppedOut(rate: config.embeddingDropout, using: &random)
    let mask = config.attentionMask
    let rotation = config.rotation(from: 0, count: tokens.tokens.shape[1], on: device)
    for block in blocks { x = block(x, mask: mask, rotation, droppingWith: &random) }
    return finalNorm(x)
  }

  /// The vectors of successive tokens, `[N, T, C]`, of which the first stands at `start`.
  func embedded(_ read: WorldTokens, from start: Int) -> Tensor {
    let tokens = read.tokens
    var x = self.tokens(tokens)
    if let table = previous { x = x + table(read.previous) }
    if let surroundings, let rows = read.surroundings { x = x + surroundings(rows) }
    guard let positions else { return x }
    let (n, count) = (tokens.shape[0], tokens.shape[1])
    precondition(
      start + count <= positions.weight.shape[0],
      "\(start + count) tokens in a window of \(positions.weight.shape[0])")
    let places = (0..<n).flatMap { _ in Int32(start)..<Int32(start + count) }
    return x + positions(IndexTensor(places, shape: tokens.shape))
  }

  /// The heads' logits of whole steps, in evaluation mode.
  package func callAsFunction(_ steps: WorldSteps) -> WorldLogits {
    var none: RandomSource?
    return logits(steps, droppingWith: &none)
  }

  func logits(_ steps: WorldSteps, droppingWith random: inout RandomSource?) -> WorldLogits {
    let states = states(steps.read, droppingWith: &random)
    let count = steps.tokens.count / config.step
    let actions = states.reshaped([count, config.step, config.width])
      .positions(config.codes..<config.step).reshaped([count, config.width])
    return WorldLogits(
      codes: codeHead(states), rewards: rewardHead(actions), ends: endHead(actions))
  }

  /// The loss of a training step, the first of the list, and what it is the weighted sum of: the
  /// means over codes, rewards and ends, in nats.
  package func losses(
    _ steps: WorldSteps, droppingWith random: inout RandomSource?
  ) -> [Tensor] {
    let logits = logits(steps, droppingWith: &random)
    let codes = logits.codes.crossEntropy(steps.codeTargets)
    let rewards = logits.rewards.crossEntropy(steps.rewardTargets)
    let ends = logits.ends.crossEntropy(steps.endTargets)
    let loss = codes + rewards.scaled(by: steps.rewardWeight) + ends.scaled(by: steps.endWeight)
    return [loss, codes.detached(), rewards.detached(), ends.detached()]
  }

  /// Names of the parameters that weight decay acts on: the weights of linear layers.
  package var decayedNames: Set<String> {
    let matrices = namedTensors.filter { $0.tensor.rank == 2 }.map(\.name)
    return Set(matrices).subtracting([
      "tok_emb.weight", "previous_emb.weight", "pos_emb.weight", "surroundings.memory.weight",
    ])
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try tokens.visitParameters { try visit("tok_emb." + $0, &$1) }
    try previous?.visitParameters { try visit("previous_emb." + $0, &$1) }
    try surroundings?.visitParameters { try visit("surroundings." + $0, &$1) }
    try positions?.visitParameters { try visit("pos_emb." + $0, &$1) }
    try NN.visit("blocks", &blocks, visit)
    try finalNorm.visitParameters { try visit("ln_f." + $0, &$1) }
    try codeHead.visitParameters { try visit("head." + $0, &$1) }
    try rewardHead.visitParameters { try visit("reward_head." + $0, &$1) }
    try endHead.visitParameters { try visit("end_head." + $0, &$1) }
  }
}

/// What the heads of a world model say of N sequences of S steps.
package struct WorldLogits {
  package let codes: Tensor  // [N, S·P, K], of the code after each token
  package let rewards: Tensor  // [N·S, 3], of each action
  package let ends: Tensor  // [N·S, 2]
}
