// What a world model remembers of places that looked like the one at hand.
import NN
import TensorCore

/// Vectors of what stood around a place in the images before, and of the action.
///
/// A game repeats itself: what follows the same codes around a place and the same action is nearly
/// always the same code. Attention learns that, too, after far more steps. Here each such
/// combination has a row of its own in a table, found by a hash, that begins at zero; combinations
/// may share a row, and what was never seen adds nothing.
/// - Source: hashed n-gram embeddings of language models (Svenstrup et al. 2017; Pagnoni et al.
///   2024, *Byte Latent Transformer*, §3.2.1), here in time, row and column.
package struct Surroundings: Layer {
  /// What is combined, from the least to the most.
  enum Combination: CaseIterable {
    case codes, square, squareAndAction, squaresAndAction
  }

  static let width = 32
  var memory: Embedding  // [combinations · rows, width]
  var projection: Linear  // [C, combinations · width]

  init(_ config: WorldConfig, using random: inout RandomSource, on device: Device) {
    let combinations = Combination.allCases.count
    memory = Embedding(
      weight: Tensor(
        repeating: 0, shape: [combinations * config.surroundings, Self.width], on: device))
    projection = Linear(
      combinations * Self.width, config.width, bias: false, deviation: 1, using: &random,
      on: device)
  }

  /// Rows `[N, T, combinations]` to `[N, T, C]`.
  func callAsFunction(_ rows: IndexTensor) -> Tensor {
    let (n, t) = (rows.shape[0], rows.shape[1])
    return projection(memory(rows).reshaped([n, t, rows.shape[2] * Self.width]))
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try memory.visitParameters { try visit("memory." + $0, &$1) }
    try projection.visitParameters { try visit("projection." + $0, &$1) }
  }
}

/// What a world model reads of successive tokens of N games.
package struct WorldTokens: Equatable, Sendable {
  package let tokens: IndexTensor  // [N, T]: codes, and actions as K + their number
  /// The code of the image before at the place that a token predicts, K for none, `[N, T]`.
  package let previous: IndexTensor
  /// Rows of `Surroundings` for that place, `[N, T, combinations]`.
  package let surroundings: IndexTensor?
}

/// Collects them, token by token.
struct WorldTokenList {
  private let config: WorldConfig
  private var tokens: [Int32] = []
  private var previous: [Int32] = []
  private var surroundings: [Int32] = []

  init(_ config: WorldConfig) { self.config = config }

  /// - Parameters:
  ///   - place: that of the code that the token predicts; nil predicts none.
  ///   - images: those before the image that has the place, the last one first.
  ///   - action: what led to that image; nil for none.
  mutating func add(
    _ token: Int32, predicting place: Int?, after images: [ArraySlice<Int32>], _ action: Int32?
  ) {
    let none = Int32(config.codebookSize)
    tokens.append(token)
    if let place, let image = images.first {
      previous.append(image[image.startIndex + place])
    } else {
      previous.append(none)
    }
    guard config.surroundings > 0 else { return }
    let (last, before) = (square(place, images.first), square(place, images.dropFirst().first))
    for (number, combination) in Surroundings.Combination.allCases.enumerated() {
      var hash = RowHash()
      switch combination {
      case .codes: hash.add([last[4], before[4], action ?? -1])
      case .square: hash.add(last)
      case .squareAndAction: hash.add(last + [action ?? -1])
      case .squaresAndAction: hash.add(last + before + [action ?? -1])
      }
      surroundings.append(Int32(number * config.surroundings + hash.row(of: config.surroundings)))
    }
  }

  /// The 3×3 codes around a place of an image, K where there is none.
  private func square(_ place: Int?, _ image: ArraySlice<Int32>?) -> [Int32] {
    let none = Int32(config.codebookSize)
    guard let place, let image else { return Array(repeating: none, count: 9) }
    let (row, column) = (place / config.gridWidth, place % config.gridWidth)
    return (row - 1...row + 1).flatMap { row in
      (column - 1...column + 1).map { column in
        let index = image.startIndex + row * config.gridWidth + column
        return (0..<config.gridWidth).contains(column) && image.indices.contains(index)
          ? image[index] : none
      }
    }
  }

  /// All of them, as N games of as many tokens each.
  func tensors(games: Int) -> WorldTokens {
    let count = tokens.count / games
    let combinations = Surroundings.Combination.allCases.count
    return WorldTokens(
      tokens: IndexTensor(tokens, shape: [games, count]),
      previous: IndexTensor(previous, shape: [games, count]),
      surroundings: config.surroundings > 0
        ? IndexTensor(surroundings, shape: [games, count, combinations]) : nil)
  }
}

/// FNV-1a over whole numbers, with a last step that mixes all bits; part of what a model means.
private struct RowHash {
  private var state: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ numbers: [Int32]) {
    for number in numbers {
      state = (state ^ UInt64(UInt32(bitPattern: number))) &* 0x100_0000_01b3
    }
  }

  /// In `0..<rows`.
  func row(of rows: Int) -> Int {
    let mixed = (state ^ (state >> 33)) &* 0xff51_afd7_ed55_8ccd
    return Int((mixed >> 32) % UInt64(rows))
  }
}
