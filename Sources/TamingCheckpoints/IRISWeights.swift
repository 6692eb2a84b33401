// An agent of IRIS among the tensors of a file: its tokenizer and its world model.

import Checkpoints
import Models
import NN

/// The weights of `last.pt` of IRIS that have been checked against their architectures, still in
/// their file.
///
/// Its policy (`actor_critic`) and the perceptual network of its tokenizer are left out.
/// - Source: Micheli et al. 2023, *Transformers are sample-efficient world models*, and its code.
package struct IRISWeights: Sendable {
  package let tokenizer: FirstStageWeights
  /// The dropout is the published one, which the file does not tell.
  package let config: WorldConfig
  /// The world model's, under the names of a checkpoint's `model.safetensors`.
  package let tensors: any TensorSource
  /// Beginnings of names that nothing is read of, with how many there are.
  package let leftOut: [(prefix: String, count: Int)]

  private static let tokenizerPrefix = "tokenizer."
  private static let worldPrefix = "world_model."
  private static let leftOutPrefixes = ["actor_critic.", "tokenizer.lpips."]
  private static let blocks = "world_model.transformer.blocks."
  private static let heads = ["head_observations", "head_rewards", "head_ends"]

  /// Whether a file is an agent's.
  static func recognises(_ source: some TensorSource) -> Bool {
    source.names.contains { $0.hasPrefix("world_model.transformer.") }
  }

  /// - Parameter heads: of the attention, which weights do not tell; the published 4 if left out.
  /// - Throws: `ArchitectureError`, `ModelMismatchError` with every name that is missing,
  ///   unexpected or of another shape.
  package init(_ source: some TensorSource, heads: Int?) throws {
    leftOut = Self.leftOutPrefixes.map { prefix in
      (prefix: prefix, count: source.names.count { $0.hasPrefix(prefix) })
    }.filter { $0.count > 0 }
    let others = source.names.filter { name in
      !(Self.leftOutPrefixes + [Self.tokenizerPrefix, Self.worldPrefix]).contains {
        name.hasPrefix($0)
      }
    }
    guard others.isEmpty else {
      throw ModelMismatchError(path: source.path, unexpected: others)
    }
    let marked = Self.tokenizerPrefix + IRISLayout.mark
    guard source.contains(marked) else {
      throw ModelMismatchError(path: source.path, missing: [marked])
    }
    tokenizer = try FirstStageWeights(
      RenamedTensors(source, below: Self.tokenizerPrefix), project: nil)
    config = try Self.config(of: source, heads: heads ?? 4)
    if config.codebookSize != tokenizer.config.codes {
      throw ArchitectureError.unsupported(
        path: source.path,
        problem: "a world model of \(config.codebookSize) codes, a tokenizer of "
          + "\(tokenizer.config.codes)")
    }
    let shapes = WorldModel(config).shapes().filter { $0.name != JoinedTables.name }
    let tables = [
      (name: Self.table(1), shape: [config.codebookSize, config.width]),
      (name: Self.table(0), shape: [config.actions, config.width]),
    ]
    try source.require(
      tables + shapes.map { (name: Self.theirs($0.name), shape: $0.shape) },
      below: Self.worldPrefix
    ) { $0.hasSuffix(".attn.mask") || $0.hasSuffix(".indices") }
    let names = shapes.map(\.name)
    tensors = JoinedTables(
      RenamedTensors(
        source,
        oldNames: Dictionary(uniqueKeysWithValues: names.map { ($0, Self.theirs($0)) })),
      codes: Self.table(1), actions: Self.table(0), of: source)
  }

  /// The vectors of actions (0) and of codes (1).
  private static func table(_ number: Int) -> String {
    "\(worldPrefix)embedder.embedding_tables.\(number).weight"
  }

  /// The name of a tensor of ours in the file.
  private static func theirs(_ name: String) -> String {
    let pairs = [
      ("blocks.", "transformer.blocks."), ("ln_f.", "transformer.ln_f."), ("pos_emb.", "pos_emb."),
      ("head.", "head_observations.head_module."),
      ("reward_head.", "head_rewards.head_module."), ("end_head.", "head_ends.head_module."),
    ]
    guard let (ours, theirs) = pairs.first(where: { name.hasPrefix($0.0) }) else {
      preconditionFailure("\(name) has no counterpart")
    }
    return worldPrefix + theirs + name.dropFirst(ours.count)
  }

  /// The shape of the world model: that of its tables, and of its steps what its heads read.
  private static func config(of source: some TensorSource, heads: Int) throws -> WorldConfig {
    let codes = try source.shape(of: table(1), axes: 2)
    let actions = try source.shape(of: table(0), axes: 2)
    let window = try source.shape(of: "\(worldPrefix)pos_emb.weight", axes: 2)[0]
    let context = try source.shape(of: "\(worldPrefix)head_rewards.indices", axes: 1)[0]
    let step = window / context
    let side = Int(Double(max(step - 1, 0)).squareRoot().rounded())
    guard window == step * context, step > 1, side * side == step - 1 else {
      throw ArchitectureError.unsupported(
        path: source.path,
        problem: "\(window) positions for \(context) steps; expected steps of a square of codes "
          + "and an action")
    }
    try requireIndices(of: source, step: step, context: context)
    var config = WorldConfig(
      gridHeight: side, gridWidth: side, codebookSize: codes[0], actions: actions[0],
      context: context, layers: source.count(blocks, ".ln1.weight"), heads: heads,
      width: codes[1], embeddingDropout: 0.1, residualDropout: 0.1)
    config.attentionDropout = 0.1
    (config.positions, config.readsPrevious, config.headsHaveHiddenLayer) = (.learned, false, true)
    config.mask = try mask(in: source, step: step, window: window)
    if let problem = config.problem {
      throw ArchitectureError.unsupported(path: source.path, problem: problem)
    }
    return config
  }

  /// Checks which positions each head reads: those of actions, and of codes all but the last of an
  /// image.
  private static func requireIndices(
    of source: some TensorSource, step: Int, context: Int
  ) throws {
    for head in heads {
      let name = "\(worldPrefix)\(head).indices"
      _ = try source.shape(of: name, axes: 1)
      let read = (0..<step * context).filter { position in
        head == "head_observations" ? position % step != step - 2 : position % step == step - 1
      }
      guard try source.integers(of: name) == read else {
        throw ArchitectureError.unsupported(
          path: source.path, problem: "\(name): not the positions of steps of \(step) tokens")
      }
    }
  }

  /// What a token sees by the stored masks; causal in a file without any.
  ///
  /// - Throws: `ArchitectureError` for a mask that is neither causal nor block-causal.
  private static func mask(
    in source: some TensorSource, step: Int, window: Int
  ) throws -> WorldConfig.Mask {
    var found: WorldConfig.Mask?
    for name in source.names where name.hasPrefix(blocks) && name.hasSuffix(".attn.mask") {
      let shape = try source.shape(of: name, axes: 2)
      let values = try source.floats(of: name)
      let isCausal = values.count > 1 && values[1] == 0
      let isKnown =
        shape == [window, window]
        && values.indices.allSatisfy { index in
          let (row, column) = (index / window, index % window)
          let isSeen = isCausal ? column <= row : column / step <= row / step
          return (values[index] != 0) == isSeen
        }
      let mask = isCausal ? WorldConfig.Mask.causal : .blockCausal
      guard isKnown, found == nil || found == mask else {
        throw ArchitectureError.unsupported(
          path: source.path, problem: "\(name): neither causal nor causal by steps of \(step)")
      }
      found = mask
    }
    return found ?? .causal
  }

  /// What it is, in a line.
  package var summary: String {
    "IRIS world model, \(config.layers) layers, \(config.heads) heads, width \(config.width), "
      + "\(config.context) steps of \(config.step) tokens, \(config.actions) actions, "
      + "\(config.mask.rawValue)"
  }
}

/// The tensors of a world model with its two tables of vectors, of codes and of actions, as one.
private struct JoinedTables: TensorSource {
  static let name = "tok_emb.weight"

  private let base: RenamedTensors
  private let parts: [String]
  private let source: any TensorSource

  init(_ base: RenamedTensors, codes: String, actions: String, of source: some TensorSource) {
    (self.base, self.parts, self.source) = (base, [codes, actions], source)
  }

  var path: String { base.path }
  var names: [String] {
    (base.names + [Self.name]).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  func contains(_ name: String) -> Bool { name == Self.name || base.contains(name) }

  func shape(of name: String) throws -> [Int] {
    guard name == Self.name else { return try base.shape(of: name) }
    let shapes = try parts.map { try source.shape(of: $0) }
    return [shapes[0][0] + shapes[1][0], shapes[0][1]]
  }

  func type(of name: String) throws -> ElementType {
    name == Self.name ? .float32 : try base.type(of: name)
  }

  func floats(of name: String) throws -> [Float] {
    name == Self.name
      ? try parts.flatMap { try source.floats(of: $0) } : try base.floats(of: name)
  }

  func integers(of name: String) throws -> [Int] { try base.integers(of: name) }

  func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    name == Self.name
      ? try floats(of: name).withUnsafeBytes(body) : try base.withBytes(of: name, body)
  }
}
