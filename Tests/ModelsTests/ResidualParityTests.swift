import Checkpoints
import Models
import NN
import TensorCore
import TestSupport
import Testing

/// Codebooks one after the other, moving averages and k-means as PyTorch computes them;
/// make_quantizers.py compares its numbers with vector-quantize-pytorch.
@Suite struct ResidualParityTests {
  static let cases = [
    "gradient", "moving", "rotation", "simvq", "cosine", "cosine-gradient", "fsq", "lfq",
  ]

  /// Three codebooks with the entries of the fixture.
  static func quantizer(_ name: String, _ golden: SafetensorsFile) throws -> any Quantizer {
    var config = VQGANConfig.tiny
    config.quantizer = QuantizerConfig(legacy: false)
    config.quantizer.depth = 3
    (config.nEmbed, config.embedDim) = (7, 4)
    switch name {
    case "fsq":
      config.quantizer = QuantizerConfig(kind: .fsq, legacy: false)
      (config.quantizer.depth, config.quantizer.levels) = (3, [8, 5, 4])
      (config.nEmbed, config.embedDim) = (160, 3)
    case "lfq": (config.quantizer.kind, config.nEmbed) = (.lfq, 16)
    case "simvq": config.quantizer.kind = .simVQ
    case "gradient", "cosine-gradient": break
    default: config.quantizer.kind = .movingAverage
    }
    config.quantizer.cosine = name.hasPrefix("cosine")
    if name == "rotation" { config.quantizer.gradient = .rotation }
    #expect(config.problem == nil)
    var random = RandomSource(seed: 1)
    var quantizer = VQGAN(config, using: &random).quantizer
    try quantizer.visitParameters { part, tensor in
      let table: String
      switch (part.split(separator: ".").dropFirst(2).joined(separator: "."), name) {
      case ("embedding.weight", "simvq"): table = "frozen"
      case ("embedding.weight", _), ("embedding_proj.weight", _): table = "weight"
      default: return
      }
      tensor.assign(
        try golden.tensor("residual-\(name).\(table)").items(level(part, of: tensor)))
    }
    return quantizer
  }

  @Test(arguments: cases)
  func forwardLossAndGradientsArePyTorchs(name: String) throws {
    let golden = try Fixture.tensors("quantizers.safetensors")
    let quantizer = try Self.quantizer(name, golden)
    func stored(_ key: String) throws -> Tensor { try golden.tensor("residual-\(name).\(key)") }
    let rows = try stored("z").trainable()
    let quantized = quantizer(rows.imageOfRows)
    #expect(quantized.indices.elements.map { Float($0) } == (try stored("indices").elements()))
    #expect(Distance(quantized.latents.vectors(), try stored("q")).relative < 1e-5)
    #expect(
      Distance(quantizer.vectors(of: quantized.indices).vectors(), try stored("q")).relative < 1e-5)
    let loss = try stored("loss").item()
    #expect(abs(quantized.loss.item() - loss) < 2e-5 * max(1, abs(loss)))
    let gradients = backward([
      (quantized.latents, try stored("seed").imageOfRows), (quantized.loss, Tensor(1)),
    ])
    #expect(Distance(try #require(gradients[rows]), try stored("dz")).relative < 1e-4)
    for (part, tensor) in quantizer.namedTensors where tensor.isTracked {
      let wanted = try stored("dweight").items(level(part, of: tensor))
      #expect(Distance(try #require(gradients[tensor]), wanted).relative < 1e-4, "\(part)")
    }
  }

  @Test(arguments: [("averages", 1), ("averages-cosine", 1), ("averages-residual", 3)])
  func averagesMoveAsPyTorchs(name: String, depth: Int) throws {
    let golden = try Fixture.tensors("quantizers.safetensors")
    var config = QuantizerConfig(kind: .movingAverage, decay: 0.9)
    (config.depth, config.cosine) = (depth, name == "averages-cosine")
    var quantizer = VQGAN.quantizer(config, entries: 7, dimension: 4, on: .default)
    quantizer.replaceEntries(try golden.tensor("\(name).start"))
    let (batches, codes) = (
      try golden.tensor("\(name).z"), try golden.tensor("\(name).codes").elements()
    )
    let (steps, perStep) = (batches.shape[0], codes.count / batches.shape[0])
    for step in 0..<steps {
      let batch = batches.items(step..<step + 1)
      let quantized = quantizer(batch.image(height: batch.shape[1], width: 1))
      let found = quantized.indices.elements.map { Float($0) }
      #expect(found == Array(codes[step * perStep..<(step + 1) * perStep]), "step \(step)")
      quantizer.moveEntries(towards: quantized.levels)
      let table = try golden.tensor("\(name).tables").items(step..<step + 1)
      #expect(Distance(quantizer.codebook, table).relative < 1e-5, "step \(step)")
    }
    for (part, key) in [("cluster_size", "size"), ("embed_avg", "sum")] {
      let found = quantizer.namedTensors.filter { $0.name.hasSuffix(part) }
        .flatMap { $0.tensor.elements() }
      let wanted = try golden.tensor("\(name).\(key)").elements()
      #expect(Distance(found, wanted).relative < 1e-5, "\(part)")
    }
  }

  @Test(arguments: [false, true])
  func kMeansFromGivenRowsIsPyTorchs(onSphere: Bool) throws {
    let golden = try Fixture.tensors("quantizers.safetensors")
    let name = onSphere ? "kmeans-sphere" : "kmeans"
    let rows = try golden.tensor("\(name).rows")
    var random = RandomSource(seed: 1)
    let found = kMeans(rows, from: rows.items(0..<5), onSphere: onSphere, using: &random)
    #expect(Distance(found, try golden.tensor("\(name).centres")).relative < 1e-5)
  }
}

/// The rows of a fixture that are those of a tensor `layers.LEVEL.…`.
private func level(_ part: String, of tensor: Tensor) -> Range<Int> {
  let level = part.split(separator: ".").dropFirst().first.flatMap { Int($0) } ?? 0
  return level * tensor.shape[0]..<(level + 1) * tensor.shape[0]
}

extension Tensor {
  /// Rows `[M, D]` as latents `[1, D, M, 1]`.
  var imageOfRows: Tensor {
    reshaped([1, shape[0], shape[1]]).image(height: shape[0], width: 1)
  }
}
