// A world model: which image an action leads to, which reward, and whether the game ends.
import NN
import TensorCore

/// A transformer over the steps of a game: the codes of an image, then the action chosen in it.
///
/// A position predicts the next code, the one at an action the first code of the next image, and
/// also the reward and the end that the action leads to. A position sees what stands before it in
/// its own step and the `context` - 1 steps before.
/// - Source: Micheli et al. 2023, *Transformers are sample-efficient world models* (IRIS). Ours are
///   positions by rotation, the banded mask, and the code that stood at the predicted place in the
///   image before, as another input.
package struct WorldModel: Layer {
  package private(set) var config: WorldConfig
  package var tokens: Embedding  // [K + actions, C], actions behind the codes
  package var previous: Embedding  // [K + 1, C], the last one for no code
  package var blocks: [TransformerBlock]
  package var finalNorm: LayerNorm
  package var codeHead: Linear  // [K, C]
  package var rewardHead: Linear  // [3, C]
  package var endHead: Linear  // [2, C]

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
    func head(_ outputs: Int, bias: Bool, using random: inout RandomSource) -> Linear {
      Linear(config.width, outputs, bias: bias, using: &random, on: device)
    }
    tokens = table(config.codebookSize + config.actions, using: &random)
    previous = table(config.codebookSize + 1, using: &random)
    blocks = []
    for _ in 0..<config.layers {
      blocks.append(
        TransformerBlock(
          width: config.width, heads: config.heads, dropout: config.residualDropout,
          using: &random, on: device))
    }
    finalNorm = LayerNorm(channels: config.width, on: device)
    codeHead = head(config.codebookSize, bias: false, using: &random)
    rewardHead = head(WorldConfig.rewards, bias: true, using: &random)
    endHead = head(WorldConfig.ends, bias: true, using: &random)
  }

  /// A model to be filled from a file; its first weights, which then are never used, take no
  /// memory.
  package init(_ config: WorldConfig, on device: Device = .default) {
    var random = RandomSource(seed: 0)
    self.init(config, using: &random, on: device)
  }

  /// The same weights, none of which depends on the grid, for images of another one.
  package func of(gridHeight: Int, gridWidth: Int) -> WorldModel {
    var model = self
    (model.config.gridHeight, model.config.gridWidth) = (gridHeight, gridWidth)
    return model
  }

  package var device: Device { tokens.weight.device }

  /// What the heads read, `[N, T, C]`, of whole steps from the first on.
  ///
  /// - Parameters:
  ///   - tokens: codes, and actions as `K +` their number, `[N, T]`.
  ///   - previous: the code of the image before at the place that each token predicts, K for none,
  ///     `[N, T]`.
  ///   - random: where dropout takes numbers from in training; `nil` drops nothing.
  func states(
    _ tokens: IndexTensor, previous: IndexTensor, droppingWith random: inout RandomSource?
  ) -> Tensor {
    var x = embedded(tokens, previous).droppedOut(rate: config.embeddingDropout, using: &random)
    let mask = AttentionMask.banded(step: config.step, context: config.context)
    let rotation = config.rotation(from: 0, count: tokens.shape[1], on: device)
    for block in blocks { x = block(x, mask: mask, rotation, droppingWith: &random) }
    return finalNorm(x)
  }

  func embedded(_ tokens: IndexTensor, _ previous: IndexTensor) -> Tensor {
    self.tokens(tokens) + self.previous(previous)
  }

  /// The heads' logits of whole steps, in evaluation mode.
  package func callAsFunction(_ steps: WorldSteps) -> WorldLogits {
    var none: RandomSource?
    return logits(steps, droppingWith: &none)
  }

  func logits(_ steps: WorldSteps, droppingWith random: inout RandomSource?) -> WorldLogits {
    let states = states(steps.tokens, previous: steps.previous, droppingWith: &random)
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
    return Set(matrices).subtracting(["tok_emb.weight", "previous_emb.weight"])
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try tokens.visitParameters { try visit("tok_emb." + $0, &$1) }
    try previous.visitParameters { try visit("previous_emb." + $0, &$1) }
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
