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
    /// Each channel rounded to a few levels (Mentzer et al. 2023): no codebook, no loss.
    case fsq
    /// The sign of each channel, held in use by an entropy loss (Yu et al. 2023).
    case lfq
    /// Frozen entries under a linear map that is trained (Zhu et al. 2024).
    case simVQ = "simvq"
    /// The entry of the largest scalar product, with a gradient for all of them (Shi et al. 2024).
    case ibq
  }

  /// How lfq reads latents, and which bit of a code is which channel's.
  package enum SignConvention: String, Codable, CaseIterable, Sendable {
    /// An image's latents are normalised together; the first channel's bit is the highest.
    case normalized
    /// Latents are taken as they are; the first channel's bit is the lowest.
    case openMAGVIT2 = "open_magvit2"
  }

  /// What the latents get of the gradient of their entries; of kinds with nearest entries.
  package enum LatentGradient: String, Codable, CaseIterable, Sendable {
    /// The gradient as it is.
    case straight
    /// Rotated and scaled as the entry is to its latent (Fifty et al. 2024).
    case rotation
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
  package var gradient = LatentGradient.straight
  package var cosine = false  // latents and entries of length 1; gradient, moving_average
  package var levels: [Int] = []  // of each channel; fsq alone
  package var depth = 1  // codebooks one after the other, each of what those before it leave
  package var dropout: Float = 0  // probability that a step leaves out the last of them
  private var declaredEntropyWeight: Float?
  package var diversity: Float = 1  // of the entropy over a batch in it; fsq, lfq, ibq
  package var signs = SignConvention.normalized  // lfq alone

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

  /// Of the entropy loss; fsq, lfq, ibq.
  package var entropyWeight: Float {
    get { declaredEntropyWeight ?? standardEntropyWeight }
    set { declaredEntropyWeight = newValue == standardEntropyWeight ? nil : newValue }
  }

  private var standardEntropyWeight: Float { kind == .fsq ? 0 : 0.1 }

  var problem: String? {
    if !(beta >= 0 && beta.isFinite) { return "beta is \(beta); it must not be negative" }
    if !(0..<1).contains(decay) { return "decay is \(decay); it needs 0 up to 1" }
    if restartAfter < 0 { return "revive_after is \(restartAfter); it must not be negative" }
    if !(klWeight >= 0 && klWeight.isFinite) {
      return "kl_weight is \(klWeight); it must not be negative"
    }
    for (key, value) in [("entropy_weight", entropyWeight), ("diversity", diversity)]
    where !(value >= 0 && value.isFinite) {
      return "\(key) is \(value); it must not be negative"
    }
    if !(1...8).contains(depth) { return "depth is \(depth), expected 1 to 8" }
    if !(0..<1).contains(dropout) || (dropout > 0 && depth == 1) {
      return "dropout is \(dropout); it needs 0 up to 1, and a depth above 1"
    }
    if cosine, !kind.hasOwnEntries {
      return "cosine is for the kinds gradient and moving_average, not \(kind.rawValue)"
    }
    if gradient == .rotation, !kind.hasNearestEntries {
      return "gradient is rotation; \(kind.rawValue) has no nearest entries to rotate to"
    }
    if signs != .normalized, kind != .lfq {
      return "signs are for the kind lfq, not \(kind.rawValue)"
    }
    if kind != .fsq, !levels.isEmpty { return "levels are for the kind fsq, not \(kind.rawValue)" }
    if !kind.hasOwnEntries, restartAfter > 0 || initialization != .uniform {
      return "\(kind.rawValue) has neither revive_after nor k_means: its entries are no latents"
    }
    return temperature.problem ?? remap?.problem
  }

  enum CodingKeys: String, CodingKey {
    case kind, beta, legacy, decay, initialization, temperature, remap, gradient, cosine, levels
    case diversity, depth, dropout, signs
    case entropyWeight = "entropy_weight"
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
    case .fsq: FSQuantizer.self
    case .lfq: LFQuantizer.self
    case .simVQ: SimVQuantizer.self
    case .ibq: IBQuantizer.self
    }
  }

  /// Whether a latent vector becomes the entry that is nearest to it.
  package var hasNearestEntries: Bool { hasOwnEntries || self == .simVQ }

  /// Whether entries can be set to latent vectors; `cosine` is for these.
  package var hasOwnEntries: Bool { self == .gradient || self == .movingAverage }

  /// Why there cannot be several codebooks of this kind one after the other; nil where there can.
  package var whyWithoutDepth: String? {
    switch self {
    case .gradient, .movingAverage, .fsq, .lfq, .simVQ: nil
    case .gumbel: "gumbel samples its entry, which need not be near: what it leaves says nothing"
    case .ibq:
      "ibq takes the entry of the largest product, which need not be near: what it leaves may be "
        + "longer than the latent"
    }
  }
}

extension QuantizerConfig {
  /// The codebook, or several of them one after the other.
  var quantizer: any Quantizer.Type { depth > 1 ? ResidualQuantizer.self : kind.quantizer }

  /// Reads a configuration; `kl_weight`, `temperature` and later keys may be missing, as in the
  /// files of earlier versions.
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
    gradient = try values.decodeIfPresent(LatentGradient.self, forKey: .gradient) ?? gradient
    cosine = try values.decodeIfPresent(Bool.self, forKey: .cosine) ?? cosine
    depth = try values.decodeIfPresent(Int.self, forKey: .depth) ?? depth
    dropout = try values.decodeIfPresent(Float.self, forKey: .dropout) ?? dropout
    levels = try values.decodeIfPresent([Int].self, forKey: .levels) ?? levels
    if let weight = try values.decodeIfPresent(Float.self, forKey: .entropyWeight) {
      entropyWeight = weight
    }
    diversity = try values.decodeIfPresent(Float.self, forKey: .diversity) ?? diversity
    signs = try values.decodeIfPresent(SignConvention.self, forKey: .signs) ?? signs
  }

  /// Writes a configuration; the keys of later versions only where they say something.
  package func encode(to encoder: any Swift.Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(kind, forKey: .kind)
    try values.encode(beta, forKey: .beta)
    try values.encode(legacy, forKey: .legacy)
    try values.encode(decay, forKey: .decay)
    try values.encode(restartAfter, forKey: .restartAfter)
    try values.encode(initialization, forKey: .initialization)
    try values.encode(klWeight, forKey: .klWeight)
    try values.encode(temperature, forKey: .temperature)
    try values.encodeIfPresent(remap, forKey: .remap)
    if gradient != .straight { try values.encode(gradient, forKey: .gradient) }
    if cosine { try values.encode(cosine, forKey: .cosine) }
    if depth != 1 {
      try values.encode(depth, forKey: .depth)
      try values.encode(dropout, forKey: .dropout)
    }
    if kind == .fsq { try values.encode(levels, forKey: .levels) }
    if signs != .normalized { try values.encode(signs, forKey: .signs) }
    if [.fsq, .lfq, .ibq].contains(kind) {
      try values.encode(entropyWeight, forKey: .entropyWeight)
      try values.encode(diversity, forKey: .diversity)
    }
  }
}
