import Checkpoints
import Models
import NN
import TensorCore
import TestSupport
import Testing

/// Results, losses and gradients of PyTorch, which make_quantizers.py compares with
/// vector-quantize-pytorch.
@Suite struct QuantizerParityTests {
  private static let cases = [
    "fsq", "lfq", "lfq-open", "simvq-straight", "simvq-rotation", "cosine", "ibq",
  ]

  static func quantizer(_ name: String, _ golden: SafetensorsFile) throws -> any Quantizer {
    var config = VQGANConfig.tiny
    config.quantizer = QuantizerConfig(legacy: false)
    config.embedDim = try golden.shape(of: "\(name).z")[1]
    switch name {
    case "fsq":
      config.quantizer.kind = .fsq
      (config.quantizer.levels, config.nEmbed) = ([8, 5, 4], 160)
    case "lfq": (config.quantizer.kind, config.nEmbed) = (.lfq, 16)
    case "lfq-open":
      (config.quantizer.kind, config.nEmbed) = (.lfq, 16)
      config.quantizer.signs = .openMAGVIT2
    case "ibq": (config.quantizer.kind, config.nEmbed) = (.ibq, 9)
    case "cosine": (config.quantizer.cosine, config.nEmbed) = (true, 9)
    default:
      (config.quantizer.kind, config.nEmbed) = (.simVQ, 9)
      config.quantizer.gradient = name == "simvq-rotation" ? .rotation : .straight
    }
    var random = RandomSource(seed: 1)
    var quantizer = VQGAN(config, using: &random).quantizer
    try quantizer.visitParameters { part, tensor in
      switch part {
      case "embedding.weight":
        let table = name.hasPrefix("simvq") ? "frozen" : "weight"
        tensor.assign(try golden.tensor("\(name).\(table)"))
      case "embedding_proj.weight": tensor.assign(try golden.tensor("\(name).weight"))
      default: break
      }
    }
    return quantizer
  }

  @Test(arguments: cases)
  func forwardLossAndGradientsArePyTorchs(name: String) throws {
    let golden = try Fixture.tensors("quantizers.safetensors")
    let quantizer = try Self.quantizer(name, golden)
    let rows = try golden.tensor("\(name).z").trainable()
    let (count, width) = (rows.shape[0], rows.shape[1])
    func image(_ x: Tensor) -> Tensor {
      x.reshaped([1, count, width]).image(height: count, width: 1)
    }
    var none: RandomSource?
    let quantized = quantizer(image(rows), among: nil, sampling: &none)
    #expect(
      quantized.indices.elements.map { Float($0) }
        == (try golden.tensor("\(name).indices").elements()))
    #expect(
      Distance(quantized.latents.vectors(), try golden.tensor("\(name).q")).relative < 1e-5)
    let loss = try golden.tensor("\(name).loss").item()
    #expect(abs(quantized.loss.item() - loss) < 2e-5 * max(1, abs(loss)))
    let seed = image(try golden.tensor("\(name).seed"))
    let one = Tensor(1)
    let gradients = backward([(quantized.latents, seed), (quantized.loss, one)])
    let found = try #require(gradients[rows])
    #expect(Distance(found, try golden.tensor("\(name).dz")).relative < 1e-4)
    for (part, tensor) in quantizer.namedTensors where tensor.isTracked {
      let gradient = try #require(gradients[tensor])
      #expect(
        Distance(gradient, try golden.tensor("\(name).dweight")).relative < 1e-4, "\(part)")
    }
  }
}
