// Every operation but the convolution, over shapes that include odd and 1-sized extents and
// channels that fill no block.
import TensorCore

extension OperationCase {
  static let elementwise: [OperationCase] = {
    var cases: [OperationCase] = []
    for shape: Shape in [[1], [3, 5], [2, 3, 4, 5], [1, 17, 3, 1]] {
      cases += [
        OperationCase("a + b", [shape, shape]) { $0[0] + $0[1] },
        OperationCase("a - b", [shape, shape]) { $0[0] - $0[1] },
        OperationCase("a · b", [shape, shape]) { $0[0] * $0[1] },
        OperationCase("a · a", [shape]) { $0[0] * $0[0] },
        OperationCase("-a", [shape]) { -$0[0] },
        OperationCase("scaled", [shape]) { $0[0].scaled(by: -2.5, plus: 0.5) },
        OperationCase("relu", [shape], [.awayFromZero]) { $0[0].activated(.relu) },
        OperationCase("leaky relu", [shape], [.awayFromZero]) {
          $0[0].activated(.leakyReLU(slope: 0.2))
        },
        OperationCase("silu", [shape]) { $0[0].activated(.silu) },
        OperationCase("gelu", [shape]) { $0[0].activated(.gelu) },
        OperationCase("softplus", [shape]) { $0[0].activated(.softplus) },
        OperationCase("dropout", [shape]) {
          var random = RandomSource(seed: 3)
          return $0[0].droppedOut(rate: 0.4, using: &random)
        },
        OperationCase("sum", [shape]) { $0[0].sum() },
        OperationCase("mean", [shape]) { $0[0].mean() },
        OperationCase(
          "mean absolute difference", [shape, shape],
          [.distinct(offset: 0), .distinct(offset: 0.025)]
        ) { $0[0].meanAbsoluteDifference(from: $0[1]) },
        OperationCase("mean squared difference", [shape, shape]) {
          $0[0].meanSquaredDifference(from: $0[1])
        },
      ]
    }
    for shape: Shape in [[2, 3, 4, 5], [1, 17, 3, 1]] {
      cases += [
        OperationCase("blocked a + plain b", [shape, shape]) { $0[0].blocked() + $0[1] },
        OperationCase("plain a · blocked b", [shape, shape]) { $0[0] * $0[1].blocked() },
        OperationCase("blocked sum", [shape]) { $0[0].blocked().sum() },
        OperationCase("blocked silu", [shape]) { $0[0].blocked().activated(.silu) },
        OperationCase("blocked dropout", [shape]) {
          var random = RandomSource(seed: 3)
          return $0[0].blocked().droppedOut(rate: 0.4, using: &random)
        },
        OperationCase("blocked mean squared difference", [shape, shape]) {
          $0[0].blocked().meanSquaredDifference(from: $0[1])
        },
        OperationCase(
          "blocked mean absolute difference", [shape, shape],
          [.distinct(offset: 0), .distinct(offset: 0.025)]
        ) { $0[0].blocked().meanAbsoluteDifference(from: $0[1].blocked()) },
      ]
    }
    return cases
  }()

  static let layouts: [OperationCase] = {
    var cases: [OperationCase] = []
    for shape: Shape in [[1, 1, 1, 1], [2, 3, 4, 5], [1, 16, 2, 3], [3, 33, 1, 7]] {
      let (n, c, h, w) = (shape[0], shape[1], shape[2], shape[3])
      cases += [
        OperationCase("to blocks and back", [shape]) { $0[0].blocked().plain() },
        OperationCase("to blocked weights and back", [shape]) { $0[0].in(.blockedWeights).plain() },
        OperationCase("rows", [shape]) { $0[0].rows() },
        OperationCase("image", [[n, h * w, c]]) { $0[0].image(height: h, width: w) },
        OperationCase("reshaped", [shape]) { $0[0].blocked().reshaped([c, n * h * w]) },
        OperationCase("transposed", [[n, h, w]]) { $0[0].transposed() },
        OperationCase("items", [[3, c, h, w]]) { $0[0].blocked().items(1..<3) },
        OperationCase("followed by", [shape, [2, c, h, w]]) {
          $0[0].blocked().followed(by: $0[1])
        },
        OperationCase("positions", [[n, 5, c]]) { $0[0].positions(1..<4) },
        OperationCase("vectors", [shape]) { $0[0].vectors() },
        OperationCase("channels scaled", [shape, [c], [c]]) {
          $0[0].channelsScaled(by: $0[1], plus: $0[2])
        },
        OperationCase("blocked channels scaled", [shape, [c], [c]]) {
          $0[0].blocked().channelsScaled(by: $0[1], plus: $0[2])
        },
      ]
    }
    return cases
  }()

  static let spatial: [OperationCase] = {
    var cases: [OperationCase] = []
    // Groups of several values: one value alone, or two equal ones, have no slope to measure.
    for shape: Shape in [[1, 128, 1, 1], [2, 32, 3, 5], [1, 64, 4, 4], [3, 96, 1, 7]] {
      let c: Shape = [shape[1]]
      cases += [
        OperationCase("group norm", [shape, c, c]) {
          $0[0].groupNormalized(gamma: $0[1], beta: $0[2], silu: false)
        },
        OperationCase("group norm, silu", [shape, c, c]) {
          $0[0].groupNormalized(gamma: $0[1], beta: $0[2], silu: true)
        },
        OperationCase("group norm of 8 groups", [shape, c, c]) {
          $0[0].blocked().groupNormalized(gamma: $0[1], beta: $0[2], groups: 8, silu: true)
        },
      ]
    }
    for shape: Shape in [[2, 1, 3, 4], [2, 17, 3, 5], [1, 32, 4, 4], [3, 20, 1, 7]] {
      let (c, scale): (Shape, Shape) = ([shape[1]], [1, shape[1], 1, 1])
      cases += [
        OperationCase("batch norm", [shape, c, c]) {
          $0[0].batchNormalized(gamma: $0[1], beta: $0[2]).output
        },
        OperationCase("batch norm, leaky relu", [shape, c, c], step: 1e-3) {
          $0[0].batchNormalized(gamma: $0[1], beta: $0[2], slope: 0.2).output
        },
        OperationCase("channel affine", [shape, scale, scale]) {
          $0[0].channelAffine(loc: $0[1], scale: $0[2])
        },
        OperationCase("channel affine, leaky relu", [shape, scale, scale], step: 1e-3) {
          $0[0].channelAffine(loc: $0[1], scale: $0[2], slope: 0.2)
        },
      ]
    }
    for shape: Shape in [[1, 1, 2, 2], [2, 17, 4, 6], [1, 16, 5, 7], [3, 3, 2, 3]] {
      cases += [
        OperationCase("max pooling", [shape], [.distinct(offset: 0)]) { $0[0].maxPooled() },
        OperationCase("upsampling", [shape]) { $0[0].upsampled() },
      ]
      let c = shape[1]
      cases.append(
        OperationCase("perceptual distance", [shape, shape]) { x in
          var random = RandomSource(seed: 31)
          let weights = random.uniform([c], in: 0.1..<1, on: x[0].device)
          return x[0].perceptualDistance(to: x[1], weights: weights)
        })
    }
    return cases
  }()

  static let products: [OperationCase] = {
    var cases: [OperationCase] = []
    for (m, k, n) in [(1, 1, 1), (3, 5, 7), (17, 33, 2), (64, 16, 48)] {
      let targets = IndexTensor((0..<m).map { $0 * 5 % n }, shape: [m])
      let someTargets = IndexTensor((0..<m).map { $0 % 3 == 1 ? -1 : $0 * 5 % n }, shape: [m])
      let positions = IndexTensor((0..<2 * m).map { $0 * $0 % k }, shape: [2, m])
      cases += [
        OperationCase("matrix product", [[m, k], [k, n]]) { $0[0].matmul($0[1]) },
        OperationCase("linear", [[m, k], [n, k], [n]]) { $0[0].linear($0[1], bias: $0[2]) },
        OperationCase("linear, GELU", [[m, k], [n, k], [n]]) {
          $0[0].linearGELU($0[1], bias: $0[2])
        },
        OperationCase("linear without bias", [[2, m, k], [n, k]]) {
          $0[0].linear($0[1], bias: nil)
        },
        OperationCase("layer norm", [[2, m, k + 3], [k + 3], [k + 3]]) {
          $0[0].layerNormalized(gamma: $0[1], beta: $0[2])
        },
        OperationCase("softmax", [[m, k]]) { $0[0].softmax() },
        OperationCase("cross-entropy", [[m, n]]) { $0[0].crossEntropy(targets) },
        OperationCase("cross-entropy with positions left out", [[m, n]]) {
          $0[0].crossEntropy(someTargets)
        },
        OperationCase("divergence from uniform", [[m, n]]) { $0[0].divergenceFromUniform() },
        OperationCase("gather", [[k, n]]) { $0[0].gathered(at: positions) },
      ]
    }
    return cases
  }()

  static let labels: [OperationCase] = {
    var cases: [OperationCase] = []
    for (n, length, heads, width) in [(1, 1, 1, 2), (2, 3, 2, 4), (1, 5, 3, 8)] {
      cases.append(
        OperationCase("rotary positions", [[n, length, heads * width]]) { x in
          let angles = (0..<length).map { position in
            (0..<width / 2).map { Double(position) / Double($0 + 1) }
          }
          return x[0].rotated(by: Rotation(angles: angles, on: x[0].device))
        })
    }
    for (n, labels, outputs, h, w, k) in [
      (1, 1, 1, 1, 1, 3), (2, 5, 3, 3, 4, 3), (1, 17, 18, 2, 5, 1), (2, 33, 4, 4, 3, 5),
    ] {
      let map = IndexTensor(
        (0..<n * h * w).map { ($0 * 7 + $0 / 3) % labels }, shape: [n, h, w])
      let weights = (0..<labels).map { 0.5 + Float($0 % 7) }
      cases += [
        OperationCase("label convolution", [[outputs, labels, k, k], [outputs]]) {
          map.convolved(with: $0[0].in(.blockedWeights), bias: $0[1])
        },
        OperationCase("weighted label cross-entropy", [[n, labels, h, w]]) {
          $0[0].labelCrossEntropy(map, weights: weights)
        },
        OperationCase("label cross-entropy", [[n, labels, h, w]]) {
          $0[0].blocked().labelCrossEntropy(map)
        },
        OperationCase("plain label cross-entropy", [[n, labels, h, w]]) {
          $0[0].labelCrossEntropy(map)
        },
      ]
    }
    return cases
  }()

  static let attention: [OperationCase] = {
    var cases: [OperationCase] = []
    let masks: [AttentionMask] = [
      .none, .causal(prefix: 0), .causal(prefix: 3), .banded(step: 2, context: 2),
      .blockCausal(step: 2),
    ]
    for (n, length, heads, width) in [(1, 3, 1, 5), (2, 7, 3, 4), (1, 33, 2, 16), (2, 4, 1, 32)] {
      for mask in masks {
        let shape: Shape = [n, length, heads * width]
        cases.append(
          OperationCase("attention, \(heads) heads, \(mask)", [shape, shape, shape]) {
            TensorCore.attention(
              $0[0], $0[1], $0[2], heads: heads, scale: 1 / Float(width).squareRoot(), mask: mask)
          })
      }
    }
    return cases
  }()

  static let all =
    elementwise + layouts + spatial + products + labels + attention + smallConvolutions
}
