// Which action lies between two images, by their codes.
import Metrics
import Models
import NN
import TensorCore

/// Two successive images by their codes, and the action between them.
package struct ActionPair: Equatable, Sendable {
  /// The recorded row of the first image, or of the one whose place it takes in a dream.
  package let row: Int
  package let before: [Int32]  // [h·w]
  package let after: [Int32]  // [h·w]
  package let action: Int32

  package init(row: Int, before: [Int32], after: [Int32], action: Int32) {
    (self.row, self.before, self.after, self.action) = (row, before, after, action)
  }
}

extension WorldData {
  /// The recorded pair of a row that another follows.
  package func pair(_ row: Int) -> ActionPair {
    ActionPair(row: row, before: image(row), after: image(row + 1), action: actions[row])
  }
}

/// A small classifier of actions, as an inverse dynamics model.
///
/// Two convolutions look at the codes of both images, every position votes for actions, and the
/// votes are summed: what an action does can be learnt at one place of the screen and found at
/// another.
/// - Source: the measure is that of Guo et al. 2025, *MineWorld*; the network is ours.
package struct ActionReader: Layer {
  /// The actions that it can name, ascending.
  package let actions: [Int32]
  private let height: Int
  private let width: Int
  private let ones: Tensor  // [1, h·w]
  package var before: Embedding  // [K, C]
  package var after: Embedding  // [K, C]
  package var first: Conv2d  // [C, C, 3, 3]
  package var second: Conv2d  // [C, C, 3, 3]
  package var votes: Linear  // [A, C]

  private static let channels = 32
  private static let batchSize = 64
  private static let learningRate: Float = 3e-3  // of the first step; falls to 0

  /// - Parameter actions: ascending, at least one.
  package init(
    actions: [Int32], height: Int, width: Int, codebookSize: Int,
    using random: inout RandomSource
  ) {
    let device = Device.default  // in float32, whatever the precision of the dreams
    let channels = Self.channels
    (self.actions, self.height, self.width) = (actions, height, width)
    ones = Tensor(repeating: 1, shape: [1, height * width], on: device)
    // Their sum is the difference of the images at first: what stays is nothing.
    let table = random.normal([codebookSize, channels], on: device)
    before = Embedding(weight: table.scaled(by: -1))
    after = Embedding(weight: table)
    func convolution(using random: inout RandomSource) -> Conv2d {
      Conv2d(
        channels, channels, kernel: 3, ConvolutionOptions(padding: 1), using: &random, on: device)
    }
    first = convolution(using: &random)
    second = convolution(using: &random)
    votes = Linear(channels, actions.count, using: &random, on: device)
  }

  /// The logits of the actions, `[N, A]`.
  private func logits(_ pairs: [ActionPair]) -> Tensor {
    let shape: Shape = [pairs.count, height * width]
    let codes =
      before(IndexTensor(pairs.flatMap(\.before), shape: shape))
      + after(IndexTensor(pairs.flatMap(\.after), shape: shape))
    let seen = second(first(codes.image(height: height, width: width), relu: true), relu: true)
    let sums = votes(seen.rows()).transposed().linear(ones, bias: nil)  // [N, A, 1]
    return sums.reshaped([pairs.count, actions.count])
  }

  /// Learns from random batches of pairs.
  ///
  /// - Parameters:
  ///   - pairs: at least one; their actions are all among those that can be named.
  ///   - progress: called after each step; what it throws ends the training.
  package mutating func train(
    on pairs: [ActionPair], steps: Int, using random: inout RandomSource,
    progress: () throws -> Void
  ) throws {
    var optimizer = Adam(beta1: 0.9, beta2: 0.99)
    for step in 0..<steps {
      let batch = (0..<Self.batchSize).map { _ in
        pairs[Int.random(in: pairs.indices, using: &random)]
      }
      let targets = IndexTensor(batch.map { number(of: $0.action) ?? -1 }, shape: [batch.count])
      let loss = logits(batch).crossEntropy(targets)
      optimizer.update(
        &self, backward(loss),
        learningRate: Self.learningRate * (1 - Float(step) / Float(steps)))
      try progress()
    }
  }

  /// The place of an action among those that can be named.
  package func number(of action: Int32) -> Int? { actions.firstIndex(of: action) }

  /// The likeliest action of every pair, as its place among those that can be named.
  package func read(_ pairs: [ActionPair]) -> [Int] {
    stride(from: 0, to: pairs.count, by: Self.batchSize).flatMap { start in
      let batch = Array(pairs[start..<min(start + Self.batchSize, pairs.count)])
      return withoutGradients { logits(batch) }.largestColumns().elements.map { Int($0) }
    }
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try before.visitParameters { try visit("before." + $0, &$1) }
    try after.visitParameters { try visit("after." + $0, &$1) }
    try first.visitParameters { try visit("first." + $0, &$1) }
    try second.visitParameters { try visit("second." + $0, &$1) }
    try votes.visitParameters { try visit("votes." + $0, &$1) }
  }
}

/// Two readers, of which each has learnt from one fold of the recorded rows and is asked about the
/// other: all pairs are held out.
package struct ActionReaders {
  private let readers: [ActionReader]
  private let rows: Int

  /// The actions that occur, ascending; tables of what was read have them in this order.
  package var actions: [Int32] { readers[0].actions }

  private static let steps = 400
  /// Folds are made of so many successive stretches in turns: neighbours, which are alike, are
  /// mostly in the same fold, and both folds come from all over the recordings.
  private static let stretches = 8

  private static func fold(of row: Int, among rows: Int) -> Int { row * stretches / rows % 2 }

  /// Trains both; nil where a fold has no pairs.
  ///
  /// - Parameter progress: called after each step; what it throws ends the training.
  package init?(
    of data: WorldData, height: Int, width: Int, seed: UInt64, progress: () throws -> Void
  ) throws {
    let rows = data.codes.count
    let pairs = data.pieces.flatMap { $0.dropLast() }.map { data.pair($0) }
    let actions = Set(pairs.map(\.action)).sorted()
    let folds = (0..<2).map { fold in
      pairs.filter { Self.fold(of: $0.row, among: rows) == fold }
    }
    if folds.contains(where: \.isEmpty) { return nil }
    var readers: [ActionReader] = []
    for (number, fold) in folds.enumerated() {
      var random = RandomSource(seed: seed).stream("action reader").stream(number)
      var reader = ActionReader(
        actions: actions, height: height, width: width, codebookSize: data.codes.codebookSize,
        using: &random)
      try reader.train(on: fold, steps: Self.steps, using: &random, progress: progress)
      readers.append(reader.frozen())
    }
    (self.readers, self.rows) = (readers, rows)
  }

  /// What the reader that has not learnt from a pair's row says of it, `[true][said]`.
  package func table(of pairs: [ActionPair]) -> ConfusionTable {
    var table = ConfusionTable(classes: actions.count)
    for fold in 0..<2 {
      let own = pairs.filter { Self.fold(of: $0.row, among: rows) == fold }
      let reader = readers[1 - fold]
      for (pair, said) in zip(own, reader.read(own)) {
        guard let number = reader.number(of: pair.action) else { continue }
        table.add(true: number, said: said)
      }
    }
    return table
  }
}

/// Whether actions can be read back from dreams as they can from recordings.
package struct ActionReadBack: Encodable, Equatable, Sendable {
  package let actions: [Int32]
  /// `[true][read]`, of the dreamt pairs, of the recorded ones in whose place they stand, and of
  /// their first images, held: what a dream gets in which nothing happens.
  package let dreamt, recorded, copy: ConfusionTable

  /// - Parameters:
  ///   - dreamt: pairs of dreams that took the recorded actions.
  package init(_ dreamt: [ActionPair], of data: WorldData, by readers: ActionReaders) {
    actions = readers.actions
    self.dreamt = readers.table(of: dreamt)
    let recorded = dreamt.map { data.pair($0.row) }
    self.recorded = readers.table(of: recorded)
    copy = readers.table(
      of: recorded.map {
        ActionPair(row: $0.row, before: $0.before, after: $0.before, action: $0.action)
      })
  }

  enum CodingKeys: String, CodingKey {
    case pairs, accuracy, actions
    case f1 = "macro_f1"
    case accuracyRecorded = "accuracy_recorded"
    case f1Recorded = "macro_f1_recorded"
    case accuracyCopy = "accuracy_copy"
    case f1Copy = "macro_f1_copy"
  }

  private struct Action: Encodable {
    let action: Int32
    let pairs: Int
    let f1, f1_recorded: Double?
  }

  package func encode(to encoder: any Swift.Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(dreamt.total, forKey: .pairs)
    try values.encode(dreamt.accuracy, forKey: .accuracy)
    try values.encode(dreamt.macroF1, forKey: .f1)
    try values.encode(recorded.accuracy, forKey: .accuracyRecorded)
    try values.encode(recorded.macroF1, forKey: .f1Recorded)
    try values.encode(copy.accuracy, forKey: .accuracyCopy)
    try values.encode(copy.macroF1, forKey: .f1Copy)
    let occurring = actions.indices.filter { dreamt.occurrences(of: $0) > 0 }
    try values.encode(
      occurring.map { index in
        Action(
          action: actions[index], pairs: dreamt.occurrences(of: index),
          f1: dreamt.f1(of: index), f1_recorded: recorded.f1(of: index))
      }, forKey: .actions)
  }
}
