// What the heads read behind growing sequences, without computing again what has not changed.
import TensorCore

/// What the model reads: tokens, and the position of each, for sequences of equal length.
package struct PositionedTokens: Equatable, Sendable {
  /// Those of each sequence, `[N][T]`.
  package var tokens: [[Int32]]
  /// Rising, the same for all sequences: `[T]`.
  package var positions: [Int32]

  package init(tokens: [[Int32]], positions: [Int32]) {
    precondition(tokens.allSatisfy { $0.count == positions.count }, "a position for every token")
    (self.tokens, self.positions) = (tokens, positions)
  }

  /// Tokens of a sequence.
  package var length: Int { positions.count }

  /// How many tokens at the start are those of `other`, in all sequences.
  func commonLength(with other: PositionedTokens) -> Int {
    var common = zip(positions, other.positions).prefix { $0 == $1 }.count
    for (own, others) in zip(tokens, other.tokens) {
      common = zip(own, others).prefix(common).prefix { $0 == $1 }.count
    }
    return tokens.count == other.tokens.count ? common : 0
  }

  /// The tokens of a range of positions, `[N, range.count]`.
  func indices(_ range: Range<Int>) -> IndexTensor {
    IndexTensor(tokens.flatMap { $0[range] }, shape: [tokens.count, range.count])
  }
}

/// Keys and values of every window that is still needed.
///
/// Within one window earlier positions never change: what a window has seen stays, and the next row
/// adds what was sampled since. A window that moves gives every token another position, and thereby
/// other keys and values in every block; it is computed anew, in one pass over what stands before
/// the code to sample.
struct WindowCaches {
  private struct Entry {
    var cache: GPTCache
    var content: PositionedTokens
  }

  private let model: GPT
  private let capacity: Int  // windows kept
  private var entries: [GridWindow: Entry] = [:]

  /// - Parameters: items: sequences; bytes: how much all windows together may take; one is always
  ///   kept.
  init(for model: GPT, items: Int, bytes: Int) {
    self.model = model
    let perWindow =
      (model.device.isBF16 ? 4 : 8) * items * model.config.layers * model.config.width
      * model.config.blockSize
    capacity = max(1, bytes / max(perWindow, 1))
  }

  /// What the heads read after the last token, `[N, C]`.
  mutating func states(after content: PositionedTokens, in window: GridWindow) -> Tensor {
    var entry = take(window, items: content.tokens.count)
    defer { entries[window] = entry }
    // The last token's states are wanted, so it is computed even where nothing is new.
    let kept = min(entry.content.commonLength(with: content), content.length - 1)
    entry.content = content
    // Among the first `n_unmasked` positions a new token changes the old ones.
    let unmasked = content.positions.count { $0 < model.config.unmasked }
    guard kept > 0, kept >= unmasked else {
      return model.states(
        after: content.indices(0..<content.length), at: content.positions, filling: &entry.cache)
    }
    entry.cache.truncate(to: kept)
    return model.states(
      appending: content.indices(kept..<content.length),
      at: Array(content.positions[kept...]), to: &entry.cache)
  }

  /// What is known of a window, or room for it: windows of other rows are never needed again.
  private mutating func take(_ window: GridWindow, items: Int) -> Entry {
    if let found = entries.removeValue(forKey: window) { return found }
    entries = entries.filter { $0.key.row == window.row }
    // Columns come in turns: giving up the newest keeps the others useful.
    if entries.count >= capacity, let newest = entries.keys.max(by: { $0.column < $1.column }) {
      entries[newest] = nil
    }
    return Entry(
      cache: GPTCache(for: model, items: items, capacity: model.config.blockSize),
      content: PositionedTokens(
        tokens: Array(repeating: [], count: items), positions: []))
  }
}
