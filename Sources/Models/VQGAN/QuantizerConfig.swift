// How the codebook is trained.

/// How the codebook is trained.
package struct QuantizerConfig: Codable, Equatable, Sendable {
  /// Where the codebook's entries come from.
  package enum Kind: String, Codable, CaseIterable, Sendable {
    /// The gradient of the codebook loss (the reference).
    case gradient
    /// Moving averages of the latent vectors assigned to each entry (van den Oord et al. 2017,
    /// appendix A.1).
    case movingAverage = "moving_average"
    /// Samples from logits of a 1×1 convolution, relaxed by Gumbel noise (Jang et al. 2017; the
    /// reference's `GumbelVQ`).
    case gumbel
  }

  /// The entries before the first step.
  package enum Initialization: String, Codable, CaseIterable, Sendable {
    /// U(-1/K, 1/K), the reference; N(0, 1) for `gumbel`.
    case uniform
    /// k-means over the latents of the first batches.
    case kMeans = "k_means"
  }

  package var kind: Kind
  package var beta: Float  // weight of the commitment term (of the codebook term, if legacy)
  package var legacy: Bool  // the published code's placement of beta, see `NearestQuantizer`
  package var decay: Float  // of the moving averages
  package var restartAfter: Int  // unused steps before an entry is set to a latent vector; 0: never
  package var initialization: Initialization
  package var klWeight: Float  // of the divergence from even use; gumbel alone
  package var temperature: TemperatureSchedule  // of the relaxed samples; gumbel alone
  package var remap: CodeRemap.Config?  // codes other than the positions in the codebook

  package init(
    kind: Kind = .gradient, beta: Float = 0.25, legacy: Bool = true, decay: Float = 0.99,
    restartAfter: Int = 0, initialization: Initialization = .uniform, klWeight: Float = 1e-8,
    temperature: TemperatureSchedule = TemperatureSchedule(), remap: CodeRemap.Config? = nil
  ) {
    self.kind = kind
    self.beta = beta
    self.legacy = legacy
    self.decay = decay
    self.restartAfter = restartAfter
    self.initialization = initialization
    self.klWeight = klWeight
    self.temperature = temperature
    self.remap = remap
  }

  var problem: String? {
    if !(beta >= 0 && beta.isFinite) { return "beta is \(beta); it must not be negative" }
    if !(0..<1).contains(decay) { return "decay is \(decay); it needs 0 up to 1" }
    if restartAfter < 0 { return "revive_after is \(restartAfter); it must not be negative" }
    if !(klWeight >= 0 && klWeight.isFinite) {
      return "kl_weight is \(klWeight); it must not be negative"
    }
    return temperature.problem ?? remap?.problem
  }

  enum CodingKeys: String, CodingKey {
    case kind, beta, legacy, decay, initialization, temperature, remap
    case restartAfter = "revive_after"
    case klWeight = "kl_weight"
  }
}

extension QuantizerConfig.Kind {
  /// The codebook of this kind.
  var quantizer: any Quantizer.Type {
    switch self {
    case .gradient: NearestQuantizer.self
    case .movingAverage: MovingAverageQuantizer.self
    case .gumbel: GumbelQuantizer.self
    }
  }
}

extension QuantizerConfig {
  /// Reads a configuration; `kl_weight` and `temperature` may be missing, as in the files of
  /// version 0.1.
  package init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      kind: try values.decode(Kind.self, forKey: .kind),
      beta: try values.decode(Float.self, forKey: .beta),
      legacy: try values.decode(Bool.self, forKey: .legacy),
      decay: try values.decode(Float.self, forKey: .decay),
      restartAfter: try values.decode(Int.self, forKey: .restartAfter),
      initialization: try values.decode(Initialization.self, forKey: .initialization),
      klWeight: try values.decodeIfPresent(Float.self, forKey: .klWeight) ?? 1e-8,
      temperature: try values.decodeIfPresent(TemperatureSchedule.self, forKey: .temperature)
        ?? .init(),
      remap: try values.decodeIfPresent(CodeRemap.Config.self, forKey: .remap))
  }
}
