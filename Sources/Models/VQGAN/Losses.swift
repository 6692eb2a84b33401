// The adversarial losses and the weight between them and reconstruction.
//
// The other losses: of the discriminator's history `LeCAM`, of pixels `VQGANObjective.pixelLoss`
// and `Tensor.worstPixelLoss`, of labels both `Tensor.labelCrossEntropy`, of perception `LPIPS`, of
// the codebook each `Quantizer`; `VQGANTrainer.generatorPass` adds them up.
import TensorCore

/// The discriminator's loss.
package enum DiscriminatorLoss: String, Codable, CaseIterable, Sendable {
  /// ½ (mean max(0, 1 - D(x)) + mean max(0, 1 + D(x̂)))
  case hinge
  /// ½ (mean log(1 + e^-D(x)) + mean log(1 + e^D(x̂)))
  case vanilla

  /// A scalar from the logits of real images and of reconstructions.
  package func callAsFunction(real: Tensor, fake: Tensor) -> Tensor {
    switch self {
    case .hinge:
      let onReal = real.scaled(by: -1, plus: 1).activated(.relu).mean()
      let onFake = fake.scaled(by: 1, plus: 1).activated(.relu).mean()
      return 0.5 * (onReal + onFake)
    case .vanilla:
      return 0.5 * ((-real).activated(.softplus).mean() + fake.activated(.softplus).mean())
    }
  }
}

/// The generator's adversarial loss.
package enum GeneratorLoss: String, Codable, CaseIterable, Sendable {
  /// `-mean D(x̂)`, the reference's beside either loss of the discriminator.
  case hinge
  /// `mean log(1 + e^-D(x̂))`: its gradient fades for images that are taken for real.
  ///
  /// - Source: Goodfellow et al. 2014, §3, on logits.
  case nonSaturating = "non_saturating"

  /// A scalar from the logits of reconstructions.
  package func callAsFunction(fake: Tensor) -> Tensor {
    switch self {
    case .hinge: -fake.mean()
    case .nonSaturating: (-fake).activated(.softplus).mean()
    }
  }
}

/// λ = ‖∇L_rec‖ / (‖∇L_GAN‖ + 10⁻⁴), clamped to [0, 10⁴], a scalar; norms of the gradients at the
/// decoder's last weight.
///
/// - Source: Esser et al. 2021, eq. 7 (the paper's δ is 10⁻⁶; the published code's, kept here, is
///   10⁻⁴).
package func adaptiveWeight(reconstruction: Tensor, adversarial: Tensor) -> Tensor {
  (reconstruction.norm() / adversarial.norm().scaled(by: 1, plus: 1e-4)).clamped(to: 0...1e4)
}
