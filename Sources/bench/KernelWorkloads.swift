// Single operations at the sizes that the models have.
import TensorCore

extension Workload {
  static let kernels: [Workload] = [
    convolution(channels: 128, side: 256), convolution(channels: 256, side: 64),
    convolution(channels: 512, side: 16),
    Workload(
      name: "groupnorm_silu_128_256px",
      summary: "group normalisation with swish of 128×256×256, forward and backward",
      unit: .milliseconds
    ) { device in
      var random = RandomSource(seed: 1)
      let x = random.normal([1, 128, 256, 256], on: device).blocked().trainable()
      let gamma = Tensor(repeating: 1, shape: [128], on: device).trainable()
      let beta = Tensor(repeating: 0, shape: [128], on: device).trainable()
      let seed = random.normal(x.shape, on: device).blocked()
      return {
        _ = backward([(x.groupNormalized(gamma: gamma, beta: beta, silu: true), seed)])
      }
    },
    gemm(2048, 1024, 256), gemm(1024, 1024, 1024),
    Workload(
      name: "attention_8x32_T256_b8",
      summary: "causal attention, 8 heads of 32 channels, 8 sequences of 256, forward and backward",
      unit: .milliseconds
    ) { device in
      var random = RandomSource(seed: 1)
      let shape: Shape = [8, 256, 256]
      let inputs = (0..<3).map { _ in random.normal(shape, on: device).trainable() }
      let seed = random.normal(shape, on: device)
      return {
        let out = attention(
          inputs[0], inputs[1], inputs[2], heads: 8, scale: 0.177, mask: .causal(prefix: 0))
        _ = backward([(out, seed)])
      }
    },
  ]

  /// A 3×3 convolution, forward and both backward passes.
  private static func convolution(channels: Int, side: Int) -> Workload {
    Workload(
      name: "conv3x3_\(channels)_\(side)px",
      summary: "3×3 convolution of \(channels)×\(side)×\(side), forward and backward",
      unit: .milliseconds, operations: 3 * 2 * 9 * Double(channels * channels * side * side)
    ) { device in
      var random = RandomSource(seed: 1)
      let x = random.normal([1, channels, side, side], on: device).blocked().trainable()
      let weight = random.normal([channels, channels, 3, 3], on: device).in(.blockedWeights)
        .trainable()
      let bias = random.normal([channels], on: device).trainable()
      let seed = random.normal(x.shape, on: device).blocked()
      return {
        _ = backward([(x.convolved(with: weight, bias: bias, .init(padding: 1)), seed)])
      }
    }
  }

  private static func gemm(_ m: Int, _ n: Int, _ k: Int) -> Workload {
    Workload(
      name: "gemm_\(m)x\(n)x\(k)", summary: "product of matrices [\(m), \(k)] and [\(k), \(n)]",
      unit: .milliseconds, operations: 2 * Double(m * n * k)
    ) { device in
      var random = RandomSource(seed: 1)
      let a = random.normal([m, k], on: device)
      let b = random.normal([k, n], on: device)
      return { _ = a.matmul(b) }
    }
  }
}
