import Models
import NN
import TensorCore
import TestSupport
import Testing

/// The architecture of Open-MAGVIT2, small.
private let config: VQGANConfig = {
  var quantizer = QuantizerConfig(kind: .lfq, legacy: false)
  quantizer.signs = .openMAGVIT2
  var config = VQGANConfig(
    resolution: 8, ch: 32, chMult: [2, 1], numResBlocks: 1, attnResolutions: [], zChannels: 4,
    embedDim: 4, nEmbed: 16, quantizer: quantizer)
  config.architecture = .openMAGVIT2
  return config
}()

@Suite struct OpenMAGVIT2Tests {
  private static func model() -> VQGAN {
    var random = RandomSource(seed: 5)
    return VQGAN(config, using: &random)
  }

  /// The normalisation by the codes too: their deviation has a derivative.
  @Test func decoderHasTheGradientsOfItsDifferences() throws {
    var random = RandomSource(seed: 2)
    let model = Self.model()
    let z = random.normal([2, 4, 2, 3])
    let decoder = model.decoder
    try checkGradient(at: [("z", z)], step: 5e-3, tolerance: 3e-2) { tensors in
      var none: RandomSource?
      return decoder(tensors[0], dropout: &none)
    }
  }

  @Test func shapesAndCodes() {
    var random = RandomSource(seed: 3)
    let model = Self.model()
    #expect(config.problem == nil)
    let images = random.uniform([2, 3, 8, 12], in: -1..<1)
    let (reconstruction, codes) = model.reconstructWithCodes(images)
    #expect(reconstruction.shape == images.shape)
    #expect(codes.shape == [2, 4, 6])
    #expect(Distance(model.decode(indices: codes), reconstruction).largest == 0)
    #expect(!model.namedTensors.contains { $0.name.contains("quant_conv") })
    #expect(!model.namedTensors.contains { $0.name.hasSuffix("conv1.bias") })
  }

  @Test func whatTheArchitectureDoesNotHaveIsExplained() {
    func problem(_ change: (inout VQGANConfig) -> Void) -> String? {
      var changed = config
      change(&changed)
      return changed.problem
    }
    #expect(problem { $0.attnResolutions = [4] }?.contains("no attention") == true)
    #expect(problem { $0.attendsInMiddle = true }?.contains("no attention") == true)
    #expect(problem { $0.zChannels = 8 }?.contains("z_channels") == true)
    #expect(
      problem { $0.quantizer = QuantizerConfig(kind: .ibq) }.map { $0.contains("lfq") } == nil)
    #expect(
      problem {
        $0.quantizer = QuantizerConfig(kind: .ibq)
        $0.quantizer.signs = .openMAGVIT2
      }?.contains("signs") == true)
  }

  /// Black and white are 0 and 1 inside, -1 and 1 outside.
  @Test func pixelsOfUnitRange() {
    var signed = VQGANConfig.tiny
    signed.attendsInMiddle = false
    var unit = signed
    unit.pixels = .unit
    var (a, b) = (RandomSource(seed: 1), RandomSource(seed: 1))
    let (one, other) = (VQGAN(signed, using: &a), VQGAN(unit, using: &b))
    var random = RandomSource(seed: 4)
    let images = random.uniform([1, 3, 8, 8], in: -1..<1)
    let inside = images.scaled(by: 0.5, plus: 0.5)
    #expect(other.encode(.values(images)) == one.encode(.values(inside)))
    let wanted = one.reconstruct(inside).scaled(by: 2, plus: -1)
    #expect(Distance(other.reconstruct(images), wanted).largest < 1e-6)
    #expect(!one.namedTensors.contains { $0.name.contains("mid.attn_1") })
  }
}
