import Models
import TensorCore
import Testing

/// The sampler against the reference's plain loop, written down here a second time: the model reads
/// the whole window for every code, with what is not drawn yet as it lies there.
@Suite struct SlidingWindowTests {
  static let trained = GridSize(height: 4, width: 4)
  static let greedy = SamplingOptions(isGreedy: true)

  /// A model of 4×4 windows behind `conditionLength` tokens, far from its initial zeros.
  static func model(conditionLength: Int, unmasked: Int, side: Int = 4) throws -> GPT {
    let config = try GPTConfig(
      vocabSize: 23, blockSize: conditionLength + side * side - 1, layers: 2, heads: 2, width: 16,
      unmasked: unmasked)
    var random = RandomSource(seed: 12)
    var model = GPT(config, using: &random)
    model.visitParameters { _, tensor in
      tensor = (tensor.detached() + random.normal(tensor.shape, deviation: 0.4)).trainable()
    }
    return model.frozen()
  }

  static func conditionCodes(_ grid: GridSize, item: Int) -> [Int32] {
    (0..<grid.count).map { Int32(($0 * 7 + item * 3 + $0 / grid.width) % 23) }
  }

  /// The loop of the reference's `sample_conditional.py`, greedy, for grids that have at least the
  /// window's sides.
  static func plainLoop(
    _ model: GPT, _ grid: GridSize, side: Int, step: Int = 1, condition: [Int32]?,
    known: [Int32?]
  ) throws -> [Int32] {
    var codes = known.map { $0 ?? 7 }
    func local(_ position: Int, _ count: Int) -> Int {
      let half = side / 2
      if position <= half { return position }
      if count - position <= side - half { return side - (count - position) }
      return half + (position - half) % step
    }
    for row in 0..<grid.height {
      for column in 0..<grid.width where known[row * grid.width + column] == nil {
        let (y, x) = (local(row, grid.height), local(column, grid.width))
        func crop(_ source: [Int32]) -> [Int32] {
          (row - y..<row - y + side).flatMap { r in
            (column - x..<column - x + side).map { source[r * grid.width + $0] }
          }
        }
        let prefix = condition.map(crop) ?? [0]
        let sequence = prefix + crop(codes).dropLast()
        let logits = model(IndexTensor(sequence, shape: [1, sequence.count])).elements()
        let position = prefix.count - 1 + y * side + x
        var none = RandomSource(seed: 0)
        codes[row * grid.width + column] = try SamplingOptions(isGreedy: true).draw(
          logits[position * 23..<position * 23 + 23], using: &none)
      }
    }
    return codes
  }

  enum Half: CaseIterable, Sendable {
    case none, top, bottom, left, right
    /// The codes of a grid of which this half is known.
    func known(_ codes: [Int32], _ grid: GridSize) -> [Int32?] {
      let cells: [Bool] =
        switch self {
        case .none: Array(repeating: false, count: grid.count)
        case .top: ImageHalf.top.cells(of: grid)
        case .bottom: ImageHalf.bottom.cells(of: grid)
        case .left: ImageHalf.left.cells(of: grid)
        case .right: ImageHalf.right.cells(of: grid)
        }
      return zip(codes, cells).map { $1 ? $0 : nil }
    }
  }

  @Test(
    "Windows, halves and conditions give the codes of the plain loop",
    arguments: [(4, 4), (5, 4), (4, 7), (7, 7), (13, 13), (17, 16), (20, 13)], Half.allCases)
  func windowsEqualThePlainLoop(size: (Int, Int), half: Half) throws {
    let grid = GridSize(height: size.0, width: size.1)
    for (withCondition, unmasked) in [(false, 0), (true, 0), (true, 16)] {
      let length = withCondition ? 16 : 1
      let model = try Self.model(conditionLength: length, unmasked: unmasked)
      let known = (0..<2).map { item in
        half.known((0..<grid.count).map { Int32(($0 * 5 + item) % 23) }, grid)
      }
      var task = SamplingTask(grid: grid, streams: SamplingTask.streams(seed: 0, 0..<2))
      if withCondition {
        task.condition = { window in
          Self.cropped((0..<2).map { Self.conditionCodes(grid, item: $0) }, window, grid)
        }
      }
      task.known = known
      for (caches, bytes) in [(true, 1 << 30), (true, 0), (false, 0)] {
        var sampler = Sampler(
          model, codebookSize: 23, trained: Self.trained, conditionLength: length)
        (sampler.caches, sampler.cacheBytes) = (caches, bytes)
        let drawn = try sampler.samples(task, Self.greedy, progress: { _ in })
        for item in 0..<2 {
          let expected = try Self.plainLoop(
            model, grid, side: 4,
            condition: withCondition ? Self.conditionCodes(grid, item: item) : nil,
            known: known[item])
          #expect(drawn[item] == expected, "\(grid), \(half), caches \(caches), item \(item)")
        }
      }
    }
  }

  private static func cropped(
    _ grids: [[Int32]], _ window: GridWindow, _ grid: GridSize
  ) -> PositionedTokens {
    let cells = (window.row..<window.row + window.size.height).flatMap { row in
      (window.column..<window.column + window.size.width).map { row * grid.width + $0 }
    }
    return PositionedTokens(
      tokens: grids.map { codes in cells.map { codes[$0] } }, positions: (0..<16).map { $0 })
  }

  @Test(
    "A window that moves in steps gives the codes of the plain loop with such a window",
    arguments: [2])
  func windowsInSteps(step: Int) throws {
    let grid = GridSize(height: 11, width: 9)
    let model = try Self.model(conditionLength: 1, unmasked: 0)
    var sampler = Sampler(model, codebookSize: 23, trained: Self.trained)
    sampler.windowStep = step
    let task = SamplingTask(grid: grid, streams: SamplingTask.streams(seed: 0, 0..<1))
    let expected = try Self.plainLoop(
      model, grid, side: 4, step: step, condition: nil,
      known: Array(repeating: nil, count: grid.count))
    #expect(try sampler.samples(task, Self.greedy, progress: { _ in })[0] == expected)
  }

  @Test("At the published size the windows are the reference's", arguments: [16, 17, 24, 25, 40])
  func localPlacesOfTheReference(count: Int) {
    let trained = GridSize(height: 16, width: 16)
    for position in 0..<count {
      let local = position <= 8 ? position : count - position < 8 ? 16 - (count - position) : 8
      let window = GridWindow(
        around: position, 0, of: GridSize(height: count, width: 16), seenBy: trained)
      #expect(position - window.row == local, "row \(position) of \(count)")
    }
  }

  @Test(
    "Grids smaller than the window keep every code's own position",
    arguments: [(1, 1), (2, 3), (3, 2), (3, 4), (2, 9), (9, 2)], TokenOrder.allCases)
  func smallGrids(size: (Int, Int), order: TokenOrder) throws {
    let grid = GridSize(height: size.0, width: size.1)
    let model = try Self.model(conditionLength: 1, unmasked: 0)
    var sampler = Sampler(
      model, codebookSize: 23, trained: Self.trained, order: order)
    guard sampler.canSample(grid) else {
      #expect(order != .raster && max(grid.height, grid.width) > 4)
      return
    }
    let task = SamplingTask(grid: grid, streams: SamplingTask.streams(seed: 0, 0..<1))
    let drawn = try sampler.samples(task, Self.greedy, progress: { _ in })[0]
    sampler.caches = false
    #expect(try sampler.samples(task, Self.greedy, progress: { _ in })[0] == drawn)
    guard max(grid.height, grid.width) <= 4 else { return }
    // Every code is the most likely one behind all that come before it, at positions of the 4×4
    // grid.
    let turns = order.cells(of: Self.trained)
    var (tokens, positions): ([Int32], [Int32]) = ([0], [0])
    for (turn, cell) in turns.enumerated() where cell / 4 < grid.height && cell % 4 < grid.width {
      let logits = model(IndexTensor(tokens, shape: [1, tokens.count]), at: positions).elements()
      let last = logits[(tokens.count - 1) * 23..<tokens.count * 23]
      var none = RandomSource(seed: 0)
      let expected = try SamplingOptions(isGreedy: true).draw(last, using: &none)
      let code = drawn[cell / 4 * grid.width + cell % 4]
      #expect(code == expected, "\(grid), \(order), turn \(turn)")
      tokens.append(code)
      positions.append(Int32(1 + turn))
    }
  }

  @Test("The published Montezuma grid, 13×13, and its half") func oddHalf() throws {
    let (grid, side) = (GridSize(height: 13, width: 13), 13)
    let model = try Self.model(conditionLength: 1, unmasked: 0, side: side)
    let given = (0..<169).map { Int32($0 % 23) }
    let known = Half.top.known(given, grid)
    #expect(known.count { $0 != nil } == 84)  // six rows and six codes, as the reference counts
    var task = SamplingTask(grid: grid, streams: SamplingTask.streams(seed: 0, 0..<1))
    task.known = [known]
    let drawn = try Sampler(model, codebookSize: 23, trained: grid)
      .samples(task, Self.greedy, progress: { _ in })[0]
    let expected = try Self.plainLoop(model, grid, side: side, condition: nil, known: known)
    #expect(drawn == expected)
    // In the reference the columns before the first drawn one stay empty in every later row.
    #expect(drawn.suffix(85) != given.suffix(85))
  }

  @Test func gridsOfABatchMayKnowDifferentCodes() throws {
    let model = try Self.model(conditionLength: 1, unmasked: 0)
    let grid = GridSize(height: 4, width: 4)
    let codes = (0..<16).map { Int32($0 % 23) }
    let known = [Half.top.known(codes, grid), Half.left.known(codes, grid)]
    let sampler = Sampler(model, codebookSize: 23, trained: grid)
    var task = SamplingTask(grid: grid, streams: SamplingTask.streams(seed: 0, 0..<2))
    task.known = known
    var steps = 0
    let drawn = try sampler.samples(task, Self.greedy) { steps += $0 }
    #expect(steps == 16)
    for item in 0..<2 {
      let expected = try Self.plainLoop(
        model, grid, side: 4, condition: nil, known: known[item])
      #expect(drawn[item] == expected)
    }
  }

  @Test func guidanceMovesLogitsAwayFromThoseWithoutCondition() throws {
    let model = try Self.model(conditionLength: 1, unmasked: 0)
    let grid = GridSize(height: 4, width: 4)
    func draw(_ label: Int32, guidance: Double, null: Int32?) throws -> [Int32] {
      var task = SamplingTask(
        grid: grid, streams: SamplingTask.streams(seed: 0, 0..<1),
        condition: { _ in PositionedTokens(tokens: [[label]], positions: [0]) })
      if let null {
        task.noCondition = { _ in PositionedTokens(tokens: [[null]], positions: [0]) }
      }
      return try Sampler(model, codebookSize: 23, trained: grid).samples(
        task, SamplingOptions(isGreedy: true, guidance: guidance), progress: { _ in })[0]
    }
    #expect(try draw(3, guidance: 1, null: 5) == draw(3, guidance: 1, null: nil))
    #expect(try draw(3, guidance: 0, null: 5) == draw(5, guidance: 1, null: nil))
    // The first code is the largest of u + s (c - u).
    let one: Shape = [1, 1]
    let c: [Float] = model(IndexTensor([Int32(3)], shape: one)).elements()
    let u: [Float] = model(IndexTensor([Int32(5)], shape: one)).elements()
    let moved: [Float] = c.indices.map { u[$0] + 4 * (c[$0] - u[$0]) }
    var none = RandomSource(seed: 0)
    let first = try SamplingOptions(isGreedy: true).draw(moved, using: &none)
    #expect(try draw(3, guidance: 4, null: 5)[0] == first)
  }

  @Test(
    "Without a cache the codes are the same, wherever the unmasked positions end",
    arguments: [1, 2, 7, 12, 16, 20, 31], [false, true])
  func noCacheEqualsTheCache(unmasked: Int, isGuided: Bool) throws {
    for length in [1, 16] {
      let model = try Self.model(
        conditionLength: length, unmasked: min(unmasked, length + 15))
      var sampler = Sampler(
        model, codebookSize: 23, trained: Self.trained, conditionLength: length)
      let grid = GridSize(height: 5, width: 6)
      let tokens = PositionedTokens(
        tokens: [Self.conditionCodes(Self.trained, item: 0).prefix(length).map { $0 }],
        positions: (0..<Int32(length)).map { $0 })
      var task = SamplingTask(
        grid: grid, streams: SamplingTask.streams(seed: 3, 0..<1), condition: { _ in tokens })
      if isGuided {
        let none = PositionedTokens(
          tokens: [Array(repeating: 22, count: length)], positions: tokens.positions)
        task.noCondition = { _ in none }
      }
      task.known[0][4] = 5
      var options = Self.greedy
      options.guidance = isGuided ? 2 : 1
      let cached = try sampler.samples(task, options) { _ in }
      sampler.caches = false
      #expect(
        try sampler.samples(task, options) { _ in } == cached, "\(length) tokens of condition")
    }
  }
}
