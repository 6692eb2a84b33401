// Sampling one token at a time without computing the positions before it again.
import NN
import TensorCore

/// Keys and values of every block for the positions seen so far.
package struct GPTCache {
  fileprivate var layers: [KeyValueCache]

  /// Room for `capacity` positions of `items` sequences.
  package init(for model: GPT, items: Int, capacity: Int) {
    let config = model.config
    layers = (0..<config.layers).map { _ in
      KeyValueCache(
        items: items, capacity: capacity, channels: config.width, heads: config.heads,
        on: model.device)
    }
  }

  /// Positions that the cache holds.
  package var length: Int { layers.first?.length ?? 0 }

  package mutating func reset() { truncate(to: 0) }

  /// Forgets all but the first `length` positions.
  package mutating func truncate(to length: Int) {
    for index in layers.indices { layers[index].truncate(to: length) }
  }
}

extension GPT {
  /// What the heads read after the last of `indices` `[N, T]`, whose keys and values replace what
  /// the cache held.
  ///
  /// - Parameter positions: the position of each token, rising; the first T if left out.
  /// - Returns: `[N, C]`.
  package func states(
    after indices: IndexTensor, at positions: [Int32]? = nil, filling cache: inout GPTCache
  ) -> Tensor {
    withoutGradients {
      cache.reset()
      let positions = positions ?? (0..<Int32(indices.shape[1])).map { $0 }
      var x = embedded(indices, at: positions)
      let (mask, rotation) = (mask(positions), rotation(positions))
      var random: RandomSource?
      for (index, block) in blocks.enumerated() {
        x = block(x, mask: mask, rotation, droppingWith: &random) {
          cache.layers[index].append($0)
        }
      }
      return states(ofLast: x)
    }
  }

  /// What the heads read after more tokens of each sequence, `[N, T]`.
  ///
  /// - Parameter positions: the position of each; those behind the cache's if left out.
  /// - Returns: `[N, C]`, after the last.
  /// - Precondition: all positions below `n_unmasked` that are ever seen are in the cache; before
  ///   that a new token changes what earlier positions see.
  package func states(
    appending indices: IndexTensor, at positions: [Int32]? = nil, to cache: inout GPTCache
  ) -> Tensor {
    let start = Int32(cache.length)
    let positions = positions ?? (start..<start + Int32(indices.shape[1])).map { $0 }
    precondition(
      positions.allSatisfy { $0 >= config.unmasked },
      "the first \(config.unmasked) positions see each other")
    return withoutGradients {
      var x = embedded(indices, at: positions)
      let rotation = rotation(positions)
      for (index, block) in blocks.enumerated() {
        x = block(x, rotation, after: &cache.layers[index])
      }
      return states(ofLast: x)
    }
  }

  private func states(ofLast x: Tensor) -> Tensor {
    let (n, length) = (x.shape[0], x.shape[1])
    let last = length == 1 ? x : x.positions(length - 1..<length)
    return finalNorm(last).reshaped([n, config.width])
  }

  /// Logits after the last of `indices`, `[N, V]`, of a model whose tokens have one part.
  package func logits(
    after indices: IndexTensor, at positions: [Int32]? = nil, filling cache: inout GPTCache
  ) -> Tensor {
    withoutGradients { head(states(after: indices, at: positions, filling: &cache)) }
  }

  /// Logits after more tokens, `[N, V]`, of a model whose tokens have one part.
  package func logits(
    appending indices: IndexTensor, at positions: [Int32]? = nil, to cache: inout GPTCache
  ) -> Tensor {
    withoutGradients { head(states(appending: indices, at: positions, to: &cache)) }
  }
}
