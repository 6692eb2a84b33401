// How the codebook is trained.

/// How the codebook is trained.
package struct QuantizerConfig: Codable, Equatable, Sendable {
  /// Where the codebook's entries come from.
  package enum Kind: String, Codable, CaseIterable, Sendable {
    /// The gradient of the codebook loss (the reference).
    case gradient
    /// Moving averages of the latent vectors assigned to each entry (van den Oord et al. 2017, appendix A.1).
    case movingAverage = "moving_average"
    /// Logits of a 1×1 convolution, relaxed to samples by Gumbel noise (Jang et al. 2017). Such a model can be described
    /// and converted, but not run yet.
    case gumbel
  }

  /// The entries before the first step.
  package enum Initialization: String, Codable, CaseIterable, Sendable {
    /// U(-1/K, 1/K), the reference.
    case uniform
    /// k-means over the latents of the first batches.
    case kMeans = "k_means"
  }

  package var kind: Kind
  package var beta: Float  // weight of the commitment term (of the codebook term, if legacy)
  package var legacy: Bool  // the published code's placement of beta, see `VectorQuantizer`
  package var decay: Float  // of the moving averages
  package var reviveAfter: Int  // unused steps before an entry is set to a latent vector; 0: never
  package var initialization: Initialization

  package init(
    kind: Kind = .gradient, beta: Float = 0.25, legacy: Bool = true, decay: Float = 0.99,
    reviveAfter: Int = 0, initialization: Initialization = .uniform
  ) {
    self.kind = kind
    self.beta = beta
    self.legacy = legacy
    self.decay = decay
    self.reviveAfter = reviveAfter
    self.initialization = initialization
  }

  var problem: String? {
    if kind == .gumbel { return "quantizer.kind is gumbel, which this version cannot run yet" }
    if !(beta >= 0 && beta.isFinite) { return "beta is \(beta); it must not be negative" }
    if !(0..<1).contains(decay) { return "decay is \(decay); it needs 0 up to 1" }
    if reviveAfter < 0 { return "revive_after is \(reviveAfter); it must not be negative" }
    return nil
  }

  enum CodingKeys: String, CodingKey {
    case kind, beta, legacy, decay, initialization
    case reviveAfter = "revive_after"
  }
}
