// Drawing grids of codes from a GPT.
import TensorCore

/// The grids to sample together.
package struct SamplingTask: Sendable {
  package var grid: GridSize
  /// The random numbers of each grid, N streams.
  package var streams: [RandomSource]
  /// What stands before the codes of a window, of N sequences.
  package var condition: @Sendable (GridWindow) -> PositionedTokens
  /// What stands there in place of a condition, for guidance.
  package var noCondition: (@Sendable (GridWindow) -> PositionedTokens)?
  /// The known codes of each grid, `[N][H·W]` in raster order; nil is to be sampled.
  package var known: [[Int32?]]

  /// - Parameter condition: of all windows alike, N sequences; the start token if left out.
  package init(
    grid: GridSize, streams: [RandomSource],
    condition: (@Sendable (GridWindow) -> PositionedTokens)? = nil
  ) {
    self.grid = grid
    self.streams = streams
    let start = PositionedTokens(
      tokens: Array(repeating: [TokenSequences.startToken], count: streams.count), positions: [0])
    self.condition = condition ?? { _ in start }
    known = Array(repeating: Array(repeating: nil, count: grid.count), count: streams.count)
  }

  /// The streams of samples `numbers` of a seed.
  ///
  /// A sample's stream is its own, so it does not depend on how many are sampled at once.
  package static func streams(seed: UInt64, _ numbers: Range<Int>) -> [RandomSource] {
    let root = RandomSource(seed: seed).stream("sample")
    return numbers.map { root.stream($0) }
  }
}

/// Samples grids of codes, cell by cell, each behind what its window shows.
///
/// A grid does not depend on how many are sampled at once, up to the rounding of matrix products:
/// batches of different size may add in another order.
package struct Sampler: Sendable {
  package let model: GPT
  /// The grid that the model was trained on.
  package let trained: GridSize
  /// The order of its codes in the sequence.
  package let order: TokenOrder
  /// Tokens of the condition in training: where the positions of the codes begin.
  package let conditionLength: Int
  /// Tokens from this number on are never sampled: an embedding table may hold more than the image
  /// codes.
  package let codebookSize: Int
  /// Codes of one position, which stand one after the other.
  package var depth = 1
  /// Whether a KV cache is used; without one the model reads the whole window for every code, as the reference
  /// does.
  package var caches = true
  /// Cells by which the window moves at once, half its side at most; 1 is the reference's.
  package var windowStep = 1
  /// Bytes for the keys and values of windows that come again in the next row.
  package var cacheBytes = 2 << 30

  package init(
    _ model: GPT, codebookSize: Int, trained: GridSize, order: TokenOrder = .raster,
    conditionLength: Int = 1
  ) {
    precondition(codebookSize <= model.config.vocabSize, "more codes than tokens")
    precondition(
      conditionLength + trained.count - 1 <= model.config.blockSize,
      "\(conditionLength) and \(trained.count) tokens for \(model.config.blockSize) positions")
    self.model = model
    self.codebookSize = codebookSize
    self.trained = trained
    self.order = order
    self.conditionLength = conditionLength
  }

  /// Whether a grid can be sampled: orders other than raster have no windows.
  package func canSample(_ grid: GridSize) -> Bool {
    order == .raster || (grid.height <= trained.height && grid.width <= trained.width)
  }

  /// Samples every code that is not known.
  ///
  /// - Parameter progress: called after every step with the codes sampled in it.
  /// - Returns: the codes of each grid `[N][H·W]` in raster order.
  /// - Throws: `NotFiniteLogits`, and what `progress` throws.
  package func samples(
    _ task: SamplingTask, _ options: SamplingOptions, progress: (_ codes: Int) throws -> Void
  ) throws -> [[Int32]] {
    precondition(canSample(task.grid), "a grid of \(task.grid) in the order \(order)")
    let count = task.streams.count
    var streams = task.streams
    // What is not known yet is never read: a code's window shows what stands before it.
    var codes = task.known.map { $0.map { $0 ?? 0 } }
    var conditioned = WindowCaches(
      for: model, items: count, bytes: task.noCondition == nil ? cacheBytes : cacheBytes / 2)
    var unconditioned = conditioned
    let ranks = ranks
    for cell in samplingOrder(task.grid, ranks) {
      let items = (0..<count).filter { task.known[$0][cell] == nil }
      if items.isEmpty { continue }
      let window = GridWindow(
        around: cell / task.grid.width, cell % task.grid.width, of: task.grid, seenBy: trained,
        step: windowStep, depth: depth)
      let seen = seen(of: window, before: cell, task.grid, ranks)
      func states(
        _ condition: (GridWindow) -> PositionedTokens, _ caches: inout WindowCaches
      ) -> Tensor {
        var content = condition(window)
        for item in 0..<count { content.tokens[item] += seen.cells.map { codes[item][$0] } }
        content.positions += seen.positions
        return self.caches
          ? caches.states(after: content, in: window) : wholeWindow(content, window)
      }
      let wanted = states(task.condition, &conditioned)
      let other = task.noCondition.map { states($0, &unconditioned) }
      /// A token, or part of one, for each item, of so many.
      func draw(
        _ limit: (_ item: Int) -> Int, _ logits: (Tensor) -> Tensor
      ) throws(NotFiniteLogits) -> [Int32] {
        let (found, without) = withoutGradients {
          (logits(wanted).elements(), other.map { logits($0).elements() })
        }
        let width = found.count / count
        var drawn = [Int32](repeating: 0, count: count)
        for item in items {
          let range = item * width..<item * width + limit(item)
          let row = guided(found[range], against: without?[range], by: options.guidance)
          drawn[item] = try options.draw(row, using: &streams[item])
        }
        return drawn
      }
      var drawn: [Int32]
      if let sub = model.sub {
        drawn = try draw({ _ in (codebookSize + sub.size - 1) / sub.size }) { model.head($0) }
        let coarse = IndexTensor(drawn, shape: [count])
        let fine = try draw({ min(sub.size, codebookSize - Int(coarse.elements[$0]) * sub.size) }) {
          sub.logits($0, after: coarse)
        }
        drawn = zip(drawn, fine).map { $0 * Int32(sub.size) + $1 }
      } else {
        drawn = try draw({ _ in codebookSize }) { model.head($0) }
      }
      for item in items { codes[item][cell] = drawn[item] }
      try progress(items.count)
    }
    return codes
  }

  /// Logits moved away from those without a condition.
  ///
  /// - Source: Ho & Salimans 2022, *Classifier-free diffusion guidance*, on logits.
  private func guided(
    _ wanted: ArraySlice<Float>, against other: ArraySlice<Float>?, by guidance: Double
  ) -> ArraySlice<Float> {
    guard let other else { return wanted }
    return ArraySlice(zip(wanted, other).map { $1 + Float(guidance) * ($0 - $1) })
  }

  // MARK: Cells

  /// The turn of every cell of the trained grid.
  private var ranks: [Int] {
    var ranks = Array(repeating: 0, count: trained.count)
    for (rank, cell) in order.cells(of: trained).enumerated() { ranks[cell] = rank }
    return ranks
  }

  /// The cells of a grid in the order in which they are sampled.
  package func samplingOrder(_ grid: GridSize) -> [Int] { samplingOrder(grid, ranks) }

  private func samplingOrder(_ grid: GridSize, _ ranks: [Int]) -> [Int] {
    guard order != .raster else { return Array(0..<grid.count) }
    func rank(_ cell: Int) -> Int {
      ranks[cell / grid.width * trained.width + cell % grid.width]
    }
    return (0..<grid.count).sorted { rank($0) < rank($1) }
  }

  /// The cells of a window that stand before `cell` in the model's order, and their positions.
  ///
  /// A cell has the position that it would have in a whole window: in a narrower grid, positions
  /// are left out.
  private func seen(
    of window: GridWindow, before cell: Int, _ grid: GridSize, _ ranks: [Int]
  ) -> (cells: [Int], positions: [Int32]) {
    let (row, column) = (cell / grid.width - window.row, cell % grid.width - window.column)
    let turn = ranks[row * trained.width + column]
    var found: [(cell: Int, rank: Int)] = []
    for y in 0..<window.size.height {
      for x in 0..<window.size.width {
        let rank = ranks[y * trained.width + x]
        if rank < turn {
          found.append(((window.row + y) * grid.width + window.column + x, rank))
        }
      }
    }
    if order != .raster { found.sort { $0.rank < $1.rank } }
    return (found.map(\.cell), found.map { Int32(conditionLength + $0.rank) })
  }

  /// What the heads read behind `content`, `[N, C]`, by a pass over all positions of the window,
  /// those behind it included.
  private func wholeWindow(_ content: PositionedTokens, _ window: GridWindow) -> Tensor {
    let all = (0..<window.size.count).map { cell in
      let position = cell / window.size.width * trained.width + cell % window.size.width
      return Int32(conditionLength + ranks[position])
    }
    let last = content.positions.last ?? 0
    // What stands before them would see positions below `n_unmasked`, though nothing is known there.
    let hidden = all.filter { $0 > last && $0 >= model.config.unmasked }
    let behind = Array(hidden.sorted().dropLast())
    var whole = content
    whole.positions += behind
    for item in whole.tokens.indices {
      whole.tokens[item] += Array(repeating: 0, count: behind.count)
    }
    return withoutGradients {
      var random: RandomSource?
      let states = model.states(
        whole.indices(0..<whole.length), at: whole.positions, droppingWith: &random)
      return states.positions(content.length - 1..<content.length)
        .reshaped([content.tokens.count, model.config.width])
    }
  }
}
