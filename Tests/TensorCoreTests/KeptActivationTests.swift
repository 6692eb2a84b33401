// What is kept for the backward pass in bf16.
import TensorCore
import Testing

/// The nearest value with eight bits of mantissa.
func nearestBFloat16(_ x: Float) -> Float {
  let bits = x.bitPattern
  return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
}

@Suite struct KeptActivationTests {
  private static let shape: Shape = [1, 32, 32, 32]
  private let values: [Float]
  private let weights: [Float]

  init() {
    var random = RandomSource(seed: 5)
    values = random.normal(Self.shape, on: .default).elements()
    weights = random.normal([32, 32, 3, 3], on: .default).elements()
  }

  /// The output, and the gradients of input and weights, of a convolution and a normalisation.
  private func run(_ values: [Float], on device: Device) -> (y: [Float], dx: [Float], dw: [Float]) {
    let x = Tensor(values, shape: Self.shape, on: device).trainable()
    let w = Tensor(weights, shape: [32, 32, 3, 3], on: device).trainable()
    let y = x.convolved(with: w, bias: nil, ConvolutionOptions(padding: 1))
    let gradients = backward([(y, Tensor(repeating: 1, shape: Self.shape, on: device))])
    return (
      y.elements(), gradients[x]?.elements() ?? [], gradients[w]?.elements() ?? []
    )
  }

  /// The forward pass and the gradient of the input need nothing that is kept; the gradient of the
  /// weights is that of the rounded input.
  @Test func theInputOfAConvolutionIsRounded() {
    let whole = run(values, on: .default)
    let kept = run(values, on: .bf16Activations)
    #expect(kept.y == whole.y)
    #expect(kept.dx == whole.dx)
    #expect(kept.dw == run(values.map(nearestBFloat16), on: .default).dw)
    #expect(kept.dw != whole.dw)
  }

  /// Without a transform the factors may be rounded too, so all results are those of rounded
  /// factors or exact.
  @Test func aStridedConvolutionIsExactOrOfRoundedFactors() {
    func run(_ values: [Float], _ weights: [Float], on device: Device) -> [[Float]] {
      let x = Tensor(values, shape: Self.shape, on: device).trainable()
      let w = Tensor(weights, shape: [32, 32, 3, 3], on: device).trainable()
      let y = x.convolved(with: w, bias: nil, .downsampling)
      let gradients = backward([(y, Tensor(repeating: 1, shape: y.shape, on: device))])
      return [y.elements(), gradients[x]?.elements() ?? []]
    }
    let found = run(values, weights, on: .bf16Activations)
    let whole = run(values, weights, on: .default)
    let ofRounded = run(
      values.map(nearestBFloat16), weights.map(nearestBFloat16), on: .default)
    for index in 0..<2 {
      #expect(
        found[index] == whole[index] || relativeDifference(found[index], ofRounded[index]) < 1e-6)
    }
  }

  @Test func normalisationIsExactForwardAndCloseBackward() {
    func run(_ device: Device) -> (y: [Float], dx: [Float]) {
      let x = Tensor(values, shape: Self.shape, on: device).trainable()
      let ones = Tensor(repeating: 1, shape: [32], on: device)
      let y = x.groupNormalized(gamma: ones, beta: ones, silu: true)
      let seeds = values.indices.map { weights[$0 % weights.count] }
      let seed = Tensor(seeds, shape: Self.shape, on: device)
      return (y.elements(), backward([(y, seed)])[x]?.elements() ?? [])
    }
    let (whole, kept) = (run(.default), run(.bf16Activations))
    #expect(kept.y == whole.y)
    let difference = zip(kept.dx, whole.dx).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let length = whole.dx.reduce(0) { $0 + $1 * $1 }
    #expect(difference > 0)
    #expect((difference / length).squareRoot() < 5e-3)
  }

  /// The logits' own memory takes their gradient where nobody else holds them.
  @Test func crossEntropyLeavesLogitsOfOthersAlone() {
    let logits = Tensor(values, shape: [32, 1024]).trainable()
    let before = logits.elements()
    let product = logits.scaled(by: 1)
    let targets = IndexTensor((0..<32).map { Int32($0) }, shape: [32])
    let held = product
    let first = backward(held.crossEntropy(targets))[logits]?.elements()
    #expect(product.elements() == before)
    let second = backward(logits.scaled(by: 1).crossEntropy(targets))[logits]?.elements()
    #expect(first == second)
    #expect(logits.elements() == before)
  }
}
