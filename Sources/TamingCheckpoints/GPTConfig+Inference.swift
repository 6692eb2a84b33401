// The shape of a transformer from the names and shapes of its weights.

import Checkpoints
import Models

extension GPTConfig {
  /// Reads the configuration from weights, and the number of heads and dropout from elsewhere.
  ///
  /// - Parameters:
  ///   - weights: names without `transformer.`, the masks of each block among them if the file has
  ///     any.
  ///   - project: the `transformer_config` of a project file.
  ///   - heads: for files without a project file; else the same as there.
  /// - Throws: `ArchitectureError`, `GPTConfigError`.
  package init(
    inferredFrom weights: some TensorSource, project: TamingProject.Section?, heads: Int?
  ) throws {
    let tokens = try weights.shape(of: "tok_emb.weight", axes: 2)
    let positions = try weights.shape(of: "pos_emb", axes: 3)
    let stated = try project?.integer("n_head")
    if let project, let stated, let heads, stated != heads {
      throw ArchitectureError.otherHeads(project: project.path, found: stated, given: heads)
    }
    guard let heads = stated ?? heads else {
      throw ArchitectureError.unknownHeads(path: weights.path)
    }
    do {
      self = try GPTConfig(
        vocabSize: tokens[0], blockSize: positions[1],
        layers: weights.count("blocks.", ".ln1.weight"), heads: heads, width: tokens[1],
        unmasked: try Self.unmasked(in: weights) ?? project?.integer("n_unmasked") ?? 0,
        embeddingDropout: project?.float("embd_pdrop") ?? 0,
        residualDropout: project?.float("resid_pdrop") ?? 0,
        attentionDropout: project?.float("attn_pdrop") ?? 0)
    } catch let error as GPTConfigError {
      guard let project, !Self.isOfSizes(error) else { throw error }
      throw ArchitectureError.project(path: project.path, problem: error.description)
    }
    if let project { try compare(with: project, weights.path) }
  }

  /// Whether an error is of what weights tell, not of what a project file does.
  private static func isOfSizes(_ error: GPTConfigError) -> Bool {
    guard case .outOfRange(let key, _, _) = error else { return false }
    return ["vocab_size", "block_size", "n_layer", "n_embd"].contains(key)
  }

  /// The positions that see each other by the stored masks; nil for a file without masks.
  ///
  /// - Throws: `ArchitectureError` for a mask that is neither causal nor causal behind a prefix.
  private static func unmasked(in weights: some TensorSource) throws -> Int? {
    var result: Int?
    for name in weights.names where name.hasSuffix(".attn.mask") {
      let shape = try weights.shape(of: name, axes: 4)
      let mask = try weights.floats(of: name)
      let side = shape[3]
      // The first position sees the prefix, or itself alone.
      let seen = mask.prefix(side).count { $0 != 0 }
      let prefix = seen == 1 ? 0 : seen
      let isKnown =
        shape == [1, 1, side, side]
        && mask.indices.allSatisfy { position in
          let (row, column) = (position / side, position % side)
          return (mask[position] != 0) == (column <= row || (row < prefix && column < prefix))
        }
      guard isKnown, result == nil || result == prefix else {
        throw ArchitectureError.unsupported(
          path: weights.path, problem: "\(name): neither causal nor causal behind a prefix")
      }
      result = prefix
    }
    return result
  }

  private func compare(with project: TamingProject.Section, _ path: String) throws {
    let values = [
      ("vocab_size", vocabSize), ("block_size", blockSize), ("n_layer", layers), ("n_embd", width),
      ("n_unmasked", unmasked),
    ]
    for (key, value) in values {
      guard let found = try project.integer(key), found != value else { continue }
      throw ArchitectureError.contradiction(
        project: project.path, key: key, found: "\(found)", path: path, weights: "\(value)")
    }
  }
}
