// Drawing one token at a time without computing the positions before it again.
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

  package mutating func reset() {
    for index in layers.indices { layers[index].reset() }
  }
}

extension GPT {
  /// Logits after the last of `indices` `[N, T]`, whose keys and values replace what the cache held.
  ///
  /// - Returns: `[N, V]`.
  package func logits(after indices: IndexTensor, filling cache: inout GPTCache) -> Tensor {
    withoutGradients {
      cache.reset()
      var x = embedded(indices, from: 0)
      let mask = mask(length: indices.shape[1])
      var random: RandomSource?
      for (index, block) in blocks.enumerated() {
        x = block(x, mask: mask, droppingWith: &random) { keys, values in
          cache.layers[index].append(keys: keys, values: values)
        }
      }
      return logits(ofLast: x)
    }
  }

  /// Logits after one more token of each sequence, `[N, 1]`.
  ///
  /// - Returns: `[N, V]`.
  /// - Precondition: the cache holds at least `n_unmasked` positions; before that a new token changes what earlier
  ///   positions see.
  package func logits(appending indices: IndexTensor, to cache: inout GPTCache) -> Tensor {
    precondition(
      cache.length >= config.unmasked,
      "\(cache.length) positions in the cache, the first \(config.unmasked) see each other")
    return withoutGradients {
      var x = embedded(indices, from: cache.length)
      for (index, block) in blocks.enumerated() { x = block(x, after: &cache.layers[index]) }
      return logits(ofLast: x)
    }
  }

  private func logits(ofLast x: Tensor) -> Tensor {
    let (n, length) = (x.shape[0], x.shape[1])
    let last = length == 1 ? x : x.positions(length - 1..<length)
    return head(finalNorm(last)).reshaped([n, config.vocabSize])
  }
}
