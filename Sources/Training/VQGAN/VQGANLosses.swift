// The figures of one training step, under the reference's names.

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

  package init() {}

  /// Every figure with its name, in the order in which it is logged.
  package var named: [(name: String, value: Float)] {
    [
      ("total_loss", total), ("quant_loss", quant), ("nll_loss", nll), ("rec_loss", rec),
      ("p_loss", p), ("d_weight", dWeight), ("disc_factor", discFactor), ("g_loss", g),
      ("disc_loss", disc), ("logits_real", logitsReal), ("logits_fake", logitsFake),
    ]
  }

  /// Adds `share` of another step's figures, for means.
  package mutating func add(_ other: VQGANLosses, share: Float) {
    total += share * other.total
    quant += share * other.quant
    nll += share * other.nll
    rec += share * other.rec
    p += share * other.p
    dWeight += share * other.dWeight
    discFactor += share * other.discFactor
    g += share * other.g
    disc += share * other.disc
    logitsReal += share * other.logitsReal
    logitsFake += share * other.logitsFake
  }
}
