// The losses of one training step, under the reference's names.
import TensorCore

/// The losses of one step; names as the reference logs them, prefix `train/` or `val/` left off.
package struct VQGANLosses: Equatable, Sendable {
  package var total: Float = 0
  package var quant: Float = 0
  package var nll: Float = 0
  package var rec: Float = 0
  package var p: Float = 0
  package var dWeight: Float = 0
  package var discFactor: Float = 0
  package var g: Float = 0
  package var disc: Float = 0
  package var logitsReal: Float = 0
  package var logitsFake: Float = 0
  package var worst: Float = 0
  package var lecam: Float = 0

  package init() {}

  /// Every loss with its name, in the order in which it is logged.
  private static let all:
    [(name: String, path: any WritableKeyPath<VQGANLosses, Float> & Sendable)] = [
      ("total_loss", \.total), ("quant_loss", \.quant), ("nll_loss", \.nll), ("rec_loss", \.rec),
      ("p_loss", \.p), ("d_weight", \.dWeight), ("disc_factor", \.discFactor), ("g_loss", \.g),
      ("disc_loss", \.disc), ("logits_real", \.logitsReal), ("logits_fake", \.logitsFake),
    ]

  package var named: [(name: String, value: Float)] {
    Self.all.map { ($0.name, self[keyPath: $0.path]) }
  }

  /// Those of terms that the reference lacks, where an objective has them.
  package func added(by objective: VQGANObjective) -> [(name: String, value: Float)] {
    [("worst_loss", worst, objective.worstWeight), ("lecam_loss", lecam, objective.lecamWeight)]
      .filter { $0.2 > 0 }.map { ($0.0, $0.1) }
  }

  /// Adds `fraction` of another step's losses, for means.
  package mutating func add(_ other: VQGANLosses, fraction: Float) {
    for (_, path) in Self.all { self[keyPath: path] += fraction * other[keyPath: path] }
    worst += fraction * other.worst
    lecam += fraction * other.lecam
  }
}

/// The losses of one pass of the generator as they lie on the device, until somebody reads them.
struct PassLosses {
  let objective: VQGANObjective
  /// How much of the adversarial loss counts.
  let ramp: Float
  let quant: Tensor
  var rec: Tensor?
  var worst: Tensor?
  var p: Tensor?
  var g: Tensor?
  var dWeight: Tensor?

  func read() -> VQGANLosses {
    var losses = VQGANLosses()
    losses.quant = quant.item()
    losses.rec = rec?.item() ?? 0
    losses.nll = losses.rec
    losses.worst = worst?.item() ?? 0
    losses.p = p?.item() ?? 0
    if let g, let dWeight {
      losses.g = g.item()
      losses.dWeight = dWeight.item()
      losses.discFactor = ramp * objective.discFactor
    }
    losses.total =
      losses.nll + losses.dWeight * losses.discFactor * losses.g
      + objective.codebookWeight * losses.quant
    return losses
  }
}
