// The options of the codebook.
import ArgumentParser
import Models
import Training

/// What `train-vqgan` is told about the codebook.
struct QuantizerOptions: ParsableArguments {
  @Option(
    help: """
      Kind of the codebook: \
      \(QuantizerConfig.Kind.allCases.map(\.rawValue).joined(separator: ", ")) \
      (default: the preset's).
      """)
  var quantizer: QuantizerConfig.Kind?

  @Option(help: "Number of codes; with fsq about as many, by levels that work (256 to 64000).")
  var codes: Int?

  @Option(
    help: ArgumentHelp("Levels of fsq, for example 8,5,5,5.", valueName: "numbers"),
    transform: LevelList.init(argument:))
  var levels: LevelList?

  @Flag(help: "Compare directions of latents and entries, of 8 channels; see Docs/Quantizers.md.")
  var cosine = false

  @Option(help: "Codebooks one after the other, each of what is left: codes of one position.")
  var depth: Int?

  @Option(help: "Probability that a training step leaves out the last codebooks of --depth.")
  var quantizerDropout: Float?

  @Option(help: "Gradient of the latents: straight (through) or rotation (default: straight).")
  var quantizerGradient: QuantizerConfig.LatentGradient?

  func validate() throws {
    if let codes, !(2...1 << 20).contains(codes) {
      throw ValidationError("--codes must be in 2...\(1 << 20), got \(codes).")
    }
    if let depth, !(1...8).contains(depth) {
      throw ValidationError("--depth must be in 1...8, got \(depth).")
    }
    if let quantizerDropout, !(0..<1).contains(quantizerDropout) {
      throw ValidationError("--quantizer-dropout must be in 0..<1, got \(quantizerDropout).")
    }
    if levels != nil, let quantizer, quantizer != .fsq {
      throw ValidationError("--levels is for --quantizer fsq, not \(quantizer.rawValue).")
    }
    if levels != nil, codes != nil {
      throw ValidationError("--levels and --codes: levels say both.")
    }
  }

  /// Puts the options that were given into a model; a change of the kind brings its defaults.
  func change(_ model: inout VQGANConfig) throws {
    var isNew = false
    if let kind = quantizer ?? levels.map({ _ in .fsq }), kind != model.quantizer.kind {
      model.quantizer = QuantizerConfig(kind: kind, legacy: kind != .simVQ && kind != .ibq)
      isNew = true
    }
    try requireFit(model.quantizer)
    if isNew {
      switch model.quantizer.kind {
      case .movingAverage:
        (model.quantizer.restartAfter, model.quantizer.initialization) = (50, .kMeans)
      case .gumbel: model.embedDim = model.zChannels
      case .fsq: try setLevels(levels?.values, or: codes ?? model.nEmbed, of: &model)
      case .lfq: try setBits(codes ?? model.nEmbed, of: &model)
      case .ibq: model.quantizer.entropyWeight = 0.05
      case .gradient, .simVQ: break
      }
    }
    if cosine, !model.quantizer.cosine {
      model.quantizer.cosine = true
      model.embedDim = 8
    }
    if let quantizerGradient { model.quantizer.gradient = quantizerGradient }
    if let depth { model.quantizer.depth = depth }
    if let quantizerDropout { model.quantizer.dropout = quantizerDropout }
    if let codes {
      switch model.quantizer.kind {
      case .fsq: try setLevels(nil, or: codes, of: &model)
      case .lfq: try setBits(codes, of: &model)
      default: model.nEmbed = codes
      }
    } else if let levels {
      try setLevels(levels.values, or: 0, of: &model)
    }
  }

  /// Throws where options were given that do not go with a codebook, or not with each other.
  private func requireFit(_ codebook: QuantizerConfig) throws {
    let kind = codebook.kind
    func require(
      _ option: String?, because reason: String? = nil, _ fits: (QuantizerConfig.Kind) -> Bool
    ) throws {
      guard let option, !fits(kind) else { return }
      let kinds = QuantizerConfig.Kind.allCases.filter(fits).map(\.rawValue)
      throw ValidationError(
        "\(option) goes with --quantizer \(kinds.dropLast().joined(separator: ", ")) or "
          + "\(kinds[kinds.count - 1]), not \(kind.rawValue)\(reason.map { ": \($0)" } ?? "").")
    }
    try require(cosine ? "--cosine" : nil) { $0.hasOwnEntries }
    try require(depth.flatMap { $0 > 1 ? "--depth" : nil }, because: kind.whyWithoutDepth) {
      $0.whyWithoutDepth == nil
    }
    try require(quantizerGradient == .rotation ? "--quantizer-gradient rotation" : nil) {
      $0.hasNearestEntries
    }
    if let quantizerDropout, quantizerDropout > 0, (depth ?? codebook.depth) == 1 {
      throw ValidationError("--quantizer-dropout \(quantizerDropout) goes with --depth 2 or more.")
    }
  }

  private func setLevels(_ levels: [Int]?, or codes: Int, of model: inout VQGANConfig) throws {
    guard let levels = levels ?? FSQuantizer.presets[codes] else {
      let known = FSQuantizer.presets.keys.sorted().map { "\($0)" }.joined(separator: ", ")
      throw ValidationError(
        "fsq has no levels for \(codes) codes: give --levels, or --codes \(known).")
    }
    var product = 1
    for level in levels {
      let (more, overflows) = product.multipliedReportingOverflow(by: level)
      guard !overflows else {
        throw ValidationError("--levels make more codes than a number of 64 bits can say.")
      }
      product = more
    }
    model.quantizer.levels = levels
    model.nEmbed = product
    model.embedDim = levels.count
  }

  private func setBits(_ codes: Int, of model: inout VQGANConfig) throws {
    guard codes.nonzeroBitCount == 1 else {
      throw ValidationError("lfq needs a power of two of codes, got \(codes).")
    }
    (model.nEmbed, model.embedDim) = (codes, codes.trailingZeroBitCount)
  }
}

/// Numbers between commas.
struct LevelList {
  let values: [Int]

  init(argument: String) throws {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    values = parts.compactMap { Int($0) }.filter { (3...256).contains($0) }
    guard values.count == parts.count, values.count <= 20 else {
      throw ValidationError("fsq takes 1 to 20 levels, each 3 to 256, such as 8,5,5,5.")
    }
  }
}

extension QuantizerConfig.Kind: ExpressibleByArgument {}
extension QuantizerConfig.LatentGradient: ExpressibleByArgument {}
