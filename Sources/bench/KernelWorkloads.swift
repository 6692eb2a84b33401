// One workload for each family of kernels, at sizes that the models have.
import TensorCore

extension Workload {
  static let kernels: [Workload] =
    convolutions + normalizations + resampling + products + sequences + quantizers + updates

  // MARK: Convolutions

  private static let convolutions = [
    convolution(128, 128, side: 256), convolution(256, 256, side: 64),
    convolution(512, 512, side: 16), convolution(128, 128, side: 256, stride: 2),
    convolution(512, 512, kernel: 1, side: 16), convolution(256, 512, kernel: 4, side: 32),
    convolution(64, 128, kernel: 4, side: 128, stride: 2), convolution(3, 128, side: 256),
  ]

  /// Forward and both backward passes.
  private static func convolution(
    _ inputs: Int, _ outputs: Int, kernel: Int = 3, side: Int, stride: Int = 1
  ) -> Workload {
    let form = ConvolutionOptions(stride: stride, padding: kernel / 2)
    let out = (side + 2 * (kernel / 2) - kernel) / stride + 1
    let step = stride == 1 ? "" : "s\(stride)"
    return differentiated(
      "conv\(kernel)x\(kernel)\(step)_\(inputs)to\(outputs)_\(side)px",
      "\(kernel)×\(kernel) convolution of \(inputs)×\(side)×\(side)",
      operations: 3 * 2 * kernel * kernel * inputs * outputs * out * out,
      floats: 3 * inputs * side * side + 3 * outputs * out * out
    ) { random, device in
      let image = random.normal([1, inputs, side, side], on: device)
      let x = (inputs == 3 ? image : image.blocked()).trainable()
      let weight = random.normal([outputs, inputs, kernel, kernel], on: device)
        .in(.blockedWeights).trainable()
      let bias = random.normal([outputs], on: device).trainable()
      return { x.convolved(with: weight, bias: bias, form) }
    }
  }

  // MARK: Norms

  private static let normalizations = [
    differentiated(
      "groupnorm_silu_128_256px", "group normalisation with swish of 128×256×256",
      floats: 8 * 128 * 256 * 256
    ) { random, device in
      let x = random.normal([1, 128, 256, 256], on: device).blocked().trainable()
      let (gamma, beta) = scaleAndShift(128, on: device)
      return { x.groupNormalized(gamma: gamma, beta: beta, silu: true) }
    },
    differentiated(
      "batchnorm_leaky_relu_128_64px", "batch normalisation with leaky ReLU of 128×64×64",
      floats: 9 * 128 * 64 * 64
    ) { random, device in
      let x = random.normal([1, 128, 64, 64], on: device).blocked().trainable()
      let (gamma, beta) = scaleAndShift(128, on: device)
      return { x.batchNormalized(gamma: gamma, beta: beta, slope: 0.2).output }
    },
    differentiated(
      "layernorm_2048x1024", "layer normalisation of 2048 rows of 1024",
      floats: 7 * 2048 * 1024
    ) { random, device in
      let x = random.normal([2048, 1024], on: device).trainable()
      let (gamma, beta) = scaleAndShift(1024, on: device)
      return { x.layerNormalized(gamma: gamma, beta: beta) }
    },
  ]

  private static func scaleAndShift(_ channels: Int, on device: Device) -> (Tensor, Tensor) {
    (
      Tensor(repeating: 1, shape: [channels], on: device).trainable(),
      Tensor(repeating: 0, shape: [channels], on: device).trainable()
    )
  }

  // MARK: Changes of size and of layout

  private static let resampling = [
    differentiated(
      "upsample_128_128px", "doubling of 128×128×128", floats: 10 * 128 * 128 * 128
    ) { random, device in
      let x = random.normal([1, 128, 128, 128], on: device).blocked().trainable()
      return { x.upsampled() }
    },
    differentiated(
      "maxpool_64_256px", "2×2 maximum of 64×256×256", floats: 7 * 64 * 256 * 256 / 2
    ) { random, device in
      let x = random.normal([1, 64, 256, 256], on: device).blocked().trainable()
      return { x.maxPooled() }
    },
    kernel("layout_128_256px", "128×256×256 to blocks and back", floats: 4 * 128 * 256 * 256) {
      random, device in
      let x = random.normal([1, 128, 256, 256], on: device)
      return { _ = x.blocked().plain() }
    },
    kernel("add_128_256px", "sum of two 128×256×256", floats: 3 * 128 * 256 * 256) {
      random, device in
      let x = random.normal([1, 128, 256, 256], on: device).blocked()
      return { _ = x + x }
    },
    differentiated(
      "lpips_distance_128_128px", "perceptual distance of features 128×128×128",
      floats: 5 * 128 * 128 * 128
    ) { random, device in
      let shape: Shape = [1, 128, 128, 128]
      let (a, b) = (random.normal(shape, on: device), random.normal(shape, on: device))
      let weights = random.uniform([128], in: 0..<1, on: device)
      let (x, y) = (a.blocked(), b.blocked().trainable())
      return { x.perceptualDistance(to: y, weights: weights) }
    },
  ]

  // MARK: Products

  private static let products =
    [gemm(2048, 1024, 256), gemm(1024, 1024, 1024)]
    + [linear(rows: 1), linear(rows: 16)]
    + [
      differentiated(
        "linear_gelu_2048x256x1024", "linear map of 2048 rows from 256 to 1024 channels, GELU",
        operations: 3 * 2 * 2048 * 256 * 1024, floats: 2048 * (2 * 256 + 6 * 1024)
      ) { random, device in
        let x = random.normal([2048, 256], on: device).trainable()
        let weight = random.normal([1024, 256], on: device).trainable()
        let bias = random.normal([1024], on: device).trainable()
        return { x.linearGELU(weight, bias: bias) }
      }
    ]

  private static func gemm(_ m: Int, _ n: Int, _ k: Int) -> Workload {
    kernel(
      "gemm_\(m)x\(n)x\(k)", "product of matrices [\(m), \(k)] and [\(k), \(n)]",
      operations: 2 * m * n * k, floats: m * k + k * n + m * n
    ) { random, device in
      let (a, b) = (random.normal([m, k], on: device), random.normal([k, n], on: device))
      return { _ = a.matmul(b) }
    }
  }

  /// What sampling does most: few rows with weights that come from memory, 16 matrices in turn.
  private static func linear(rows: Int) -> Workload {
    let (layers, inputs, outputs) = (16, 1024, 4096)
    return kernel(
      "linear_\(rows)x1024x4096", "linear maps of \(rows) rows by 16 matrices [4096, 1024]",
      operations: 2 * rows * layers * inputs * outputs, floats: layers * inputs * outputs
    ) { random, device in
      let x = random.normal([rows, inputs], on: device)
      let weights = (0..<layers).map { _ in random.normal([outputs, inputs], on: device) }
      return { for weight in weights { _ = x.linear(weight, bias: nil) } }
    }
  }

  // MARK: Sequences

  private static let sequences = [
    attention(items: 8, length: 256, heads: 8, width: 32),
    attention(items: 1, length: 512, heads: 16, width: 64),
    kernel(
      "attention_step_16x64_T512_b16", "one new position of 16 sequences behind 512 kept ones",
      operations: 4 * 16 * 513 * 1024, floats: 2 * 16 * 513 * 1024
    ) { random, device in
      var cache = KeyValueCache(
        items: 16, capacity: 513, channels: 1024, heads: 16, on: device)
      let kept = random.normal([16, 512, 1024], on: device)
      cache.append(keys: kept, values: kept)
      let one = random.normal([16, 1, 1024], on: device)
      return {
        _ = cache.attend(one, one, one, scale: 0.125)
        cache.truncate(to: 512)
      }
    },
    differentiated(
      "cross_entropy_2048x8192", "cross-entropy of 2048 rows of 8192 logits",
      floats: 3 * 2048 * 8192
    ) { random, device in
      let logits = random.normal([2048, 8192], on: device).trainable()
      let targets = IndexTensor((0..<2048).map { $0 * 3 }, shape: [2048])
      return { logits.crossEntropy(targets) }
    },
    differentiated(
      "embedding_8x512_1024", "vectors of 8×512 tokens of 8192", floats: 4 * 8 * 512 * 1024
    ) { random, device in
      let table = random.normal([8192, 1024], on: device).trainable()
      let tokens = IndexTensor((0..<4096).map { $0 * 7 % 8192 }, shape: [8, 512])
      return { table.gathered(at: tokens) }
    },
  ]

  private static func attention(items: Int, length: Int, heads: Int, width: Int) -> Workload {
    // Half of all pairs; the backward pass computes the scores again: 7 products in all.
    let pairs = items * heads * length * (length + 1) / 2
    return differentiated(
      "attention_\(heads)x\(width)_T\(length)_b\(items)",
      "causal attention, \(heads) heads of \(width) channels, \(items) sequences of \(length)",
      operations: 7 * 2 * pairs * width
    ) { random, device in
      let inputs = (0..<3).map { _ in
        random.normal([items, length, heads * width], on: device).trainable()
      }
      let scale = 1 / Float(width).squareRoot()
      return {
        TensorCore.attention(
          inputs[0], inputs[1], inputs[2], heads: heads, scale: scale, mask: .causal(prefix: 0))
      }
    }
  }

  // MARK: Quantizer, optimizer, random numbers

  private static let quantizers = [
    kernel(
      "nearest_codes_256x8192", "the nearest of 8192 codes to each of 256 latents",
      operations: 2 * 256 * 8192 * 256, floats: (256 + 8192) * 256
    ) { random, device in
      let latents = random.normal([256, 256], on: device)
      let codebook = random.normal([8192, 256], on: device)
      return { _ = latents.nearestRows(in: codebook) }
    }
  ]

  private static let updates = [
    kernel("adam_16M", "one Adam step on 16.8 million weights", floats: 7 << 24) {
      random, device in
      var weights = random.normal([1 << 24], on: device).trainable()
      var (mean, square) = (Tensor(zerosLike: weights), Tensor(zerosLike: weights))
      let gradient = random.normal([1 << 24], on: device)
      let rule = AdamRule(
        learningRate: 1e-4, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.01, step: 1)
      return { weights.updateByAdam(gradient: gradient, mean: &mean, square: &square, rule) }
    },
    kernel("random_normal_16M", "16.8 million normal random numbers", floats: 1 << 24) {
      random, device in
      var source = random
      return { _ = source.normal([1 << 24], on: device) }
    },
  ]

  // MARK: Forms

  /// A repetition that computes something; operations and floats moved at least are of one.
  private static func kernel(
    _ name: String, _ summary: String, operations: Int? = nil, floats: Int? = nil,
    _ prepare: @escaping @Sendable (inout RandomSource, Device) -> () -> Void
  ) -> Workload {
    Workload(
      name: name, summary: summary, unit: .milliseconds, operations: operations.map(Double.init),
      bytes: floats.map { 4 * Double($0) }
    ) { device in
      var random = RandomSource(seed: 1)
      return prepare(&random, device)
    }
  }

  /// A differentiable function, forward and backward.
  private static func differentiated(
    _ name: String, _ summary: String, operations: Int? = nil, floats: Int? = nil,
    _ prepare: @escaping @Sendable (inout RandomSource, Device) -> () -> Tensor
  ) -> Workload {
    kernel(name, "\(summary), forward and backward", operations: operations, floats: floats) {
      random, device in
      let function = prepare(&random, device)
      let out = function()
      let seed = random.normal(out.shape, on: device).in(out.layout)
      return { _ = backward([(function(), seed)]) }
    }
  }
}
