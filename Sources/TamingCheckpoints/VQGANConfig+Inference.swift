// The shape of a VQGAN from the names and shapes of its weights.

import Checkpoints
import Models

extension VQGANConfig {
  /// Reads the configuration from weights, and what they do not tell from a project file.
  ///
  /// Weights tell channels, levels, blocks, at which levels attention stands, codes and their
  /// length. They do not tell the nominal resolution, which only names those levels, nor dropout.
  /// Without a project file the resolution is 256. The codebook's loss is recorded as in the
  /// published code: β 0.25 in the legacy position. A list of the entries in use says nothing of
  /// the others: they get a random code, as in the published models.
  ///
  /// - Parameters:
  ///   - quantizer: the rule of a codebook that has none of its own in the weights.
  ///   - layout: the family that the weights come from, whose names have been translated.
  /// - Throws: `ArchitectureError`; also when the project file contradicts the weights.
  init(
    inferredFrom weights: some TensorSource, project: TamingProject.Section?,
    quantizer given: QuantizerConfig.Kind? = nil, layout: (any PublishedLayout)? = nil
  ) throws {
    let input = try weights.shape(of: "encoder.conv_in.weight", axes: 4)
    let (ch, inputs) = (input[0], input[1])
    let levels = weights.count("encoder.down.", ".block.0.conv1.weight")
    let factors = try (0..<levels).map { level in
      let name = "encoder.down.\(level).block.0.conv1.weight"
      let outputs = try weights.shape(of: name, axes: 4)[0]
      guard outputs % ch == 0 else {
        throw ArchitectureError.shape(
          path: weights.path, tensor: name, shape: try weights.shape(of: name),
          expected: "a multiple of \(ch) channels")
      }
      return outputs / ch
    }
    let blocks = weights.count("encoder.down.0.block.", ".conv1.weight")
    let attending = (0..<levels).filter {
      weights.contains("encoder.down.\($0).attn.0.norm.weight")
    }
    let stated = try project?.integer("resolution", in: "ddconfig")
    let resolution = stated ?? 256
    guard levels > 0, levels < 20, resolution >> (levels - 1) > 0 else {
      let isOfProject = stated != nil && (1..<20).contains(levels)
      throw ArchitectureError.unsupported(
        path: isOfProject ? project?.path ?? "" : weights.path,
        problem: "\(levels) levels for a resolution of \(resolution)")
    }
    let latent = try weights.shape(of: "encoder.conv_out.weight", axes: 4)[0]
    let output = try weights.shape(of: "decoder.conv_out.weight", axes: 4)[0]
    guard try weights.shape(of: "decoder.conv_in.weight", axes: 4)[1] == latent else {
      throw ArchitectureError.unsupported(
        path: weights.path, problem: "an encoder with double_z, which no VQGAN has")
    }
    let (codebook, quantizer) =
      try layout?.codebook(of: weights)
      ?? Self.codebook(of: weights, project, given, blocks: blocks)
    self.init(
      resolution: resolution, inChannels: inputs, outChannels: output, ch: ch, chMult: factors,
      numResBlocks: blocks, attnResolutions: attending.map { resolution >> $0 }, zChannels: latent,
      dropout: try project?.float("dropout", in: "ddconfig") ?? 0, embedDim: codebook[1],
      nEmbed: codebook[0], quantizer: quantizer)
    try layout?.complete(&self, of: weights)
    if let project { try compare(with: project, weights.path) }
  }

  /// The shape of the codebook, `[K, D]`, and what kind it is.
  private static func codebook(
    of weights: some TensorSource, _ project: TamingProject.Section?,
    _ given: QuantizerConfig.Kind?, blocks: Int
  ) throws -> (shape: [Int], quantizer: QuantizerConfig) {
    let isDrawn = weights.contains("quantize.embed.weight")
    let isEMA = weights.contains("quantize.cluster_size")
    if let given, isDrawn || isEMA {
      throw ArchitectureError.unsupported(
        path: weights.path,
        problem: "--quantizer \(given.rawValue) for a codebook of kind "
          + (isDrawn ? "gumbel" : "moving_average"))
    }
    var quantizer =
      isDrawn || isEMA
      ? QuantizerConfig(
        kind: isDrawn ? .gumbel : .movingAverage, beta: 0.25, legacy: true,
        klWeight: try project?.float("kl_weight") ?? 1e-8)
      : try .rule(given, project, blocks: blocks, of: weights)
    if let schedule = project?.section("temperature_scheduler_config") {
      let published = TemperatureSchedule()
      quantizer.temperature = TemperatureSchedule(
        start: try schedule.float("lr_max") ?? published.start,
        end: try schedule.float("lr_min") ?? published.end,
        steps: try schedule.integer("max_decay_steps") ?? published.steps)
    }
    if weights.contains("quantize.used") {
      quantizer.remap = CodeRemap.Config(used: try weights.shape(of: "quantize.used", axes: 1)[0])
    }
    let table = isDrawn ? "quantize.embed.weight" : "quantize.embedding.weight"
    return (try weights.shape(of: table, axes: 2), quantizer)
  }

  /// - Throws: `ArchitectureError.contradiction` at the first key that says something else than the
  ///   weights.
  private func compare(with project: TamingProject.Section, _ path: String) throws {
    func require(_ key: String, _ found: String?, _ weights: String) throws {
      guard let found, found != weights else { return }
      throw ArchitectureError.contradiction(
        project: project.path, key: key, found: found, path: path, weights: weights)
    }
    let integers = [
      ("ch", ch), ("in_channels", inChannels), ("out_ch", outChannels), ("z_channels", zChannels),
      ("num_res_blocks", numResBlocks),
    ]
    for (key, value) in integers {
      try require(key, project.integer(key, in: "ddconfig").map { "\($0)" }, "\(value)")
    }
    try require("n_embed", project.integer("n_embed").map { "\($0)" }, "\(nEmbed)")
    try require("embed_dim", project.integer("embed_dim").map { "\($0)" }, "\(embedDim)")
    try require(
      "ch_mult", project.integers("ch_mult", in: "ddconfig").map { "\($0)" }, "\(chMult)")
    let reached = Set(chMult.indices.map { resolution >> $0 })
    try require(
      "attn_resolutions",
      project.integers("attn_resolutions", in: "ddconfig").map {
        "\(Set($0).intersection(reached).sorted())"
      }, "\(attnResolutions.sorted())")
  }
}

extension DiscriminatorConfig {
  /// Reads the configuration from weights named `main.0.weight` and so on.
  ///
  /// - Throws: `ArchitectureError`.
  package init(inferredFrom weights: some TensorSource) throws {
    let ndf = try weights.shape(of: "main.0.weight", axes: 4)[0]
    // Convolutions stand at 0, 2, 5, 8, …: the second one follows an activation, the others a norm
    // and an activation.
    let middle = (0..<64).first { !weights.contains("main.\(2 + 3 * $0).weight") } ?? 64
    guard middle >= 2 else {
      throw ArchitectureError.noTensor(path: weights.path, tensor: "main.5.weight")
    }
    // Beside batch norms convolutions have no bias.
    let isPlain = weights.contains("main.2.bias") && !weights.contains("main.3.running_mean")
    self.init(
      ndf: ndf, nLayers: middle - 1,
      normalization: weights.contains("main.3.loc") ? .activation : isPlain ? .group : .batch)
  }
}
