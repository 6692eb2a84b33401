// A VQGAN among the tensors of a file.

import Checkpoints
import Models
import NN

/// The weights of a VQGAN that have been checked against its architecture, still in their file.
package struct FirstStageWeights: Sendable {
  package private(set) var config: VQGANConfig
  package let discriminator: DiscriminatorConfig?
  /// Whether the file also holds the perceptual network, under `loss.perceptual_loss.`.
  package let hasPerceptual: Bool
  /// All of them: names are those of a checkpoint's `model.safetensors`.
  package let tensors: RenamedTensors
  /// The family whose names the file has; nil for taming-transformers and IBQ.
  package let family: String?

  /// - Parameters:
  ///   - project: the section of the model in its project file.
  ///   - position: the section's key there.
  ///   - quantizer: the kind of a codebook whose tensors do not show it: gradient or ibq.
  /// - Throws: `ArchitectureError`, `ModelMismatchError` with every name that is missing,
  ///   unexpected or of another shape.
  package init(
    _ source: some TensorSource, project: TamingProject.Section?, position: String = "model.target",
    quantizer: QuantizerConfig.Kind? = nil
  ) throws {
    guard let published = try PublishedWeights(source) else {
      try self.init(source, project, position, quantizer, nil)
      return
    }
    if let quantizer {
      throw ArchitectureError.unsupported(
        path: source.path,
        problem: "--quantizer \(quantizer.rawValue) is for the names of taming-transformers, these "
          + "are \(type(of: published.layout).title)'s")
    }
    do {
      try self.init(published.tensors, project, position, nil, published.layout)
    } catch {
      throw published.inTheirNames(error)
    }
  }

  /// - Parameter source: under the names of taming-transformers, whatever the layout was.
  private init(
    _ source: some TensorSource, _ project: TamingProject.Section?, _ position: String,
    _ quantizer: QuantizerConfig.Kind?, _ layout: (any PublishedLayout)?
  ) throws {
    family = layout.map { type(of: $0).title }
    try project?.require(.vqgan, position, for: source.path)
    if let target = project?.target,
      (target == "GumbelVQ") != source.contains("quantize.embed.weight"),
      ["VQModel", "GumbelVQ"].contains(target)
    {
      throw ArchitectureError.contradiction(
        project: project?.path ?? "", key: position, found: target, path: source.path,
        weights: target == "VQModel" ? "a Gumbel quantizer" : "a codebook of nearest entries")
    }
    let config = try VQGANConfig(
      inferredFrom: source, project: project, quantizer: quantizer, layout: layout)
    if let problem = config.problem {
      let bare = try? VQGANConfig(
        inferredFrom: source, project: nil, quantizer: quantizer, layout: layout)
      // What is impossible stands in the project file where the weights alone are possible.
      let path = bare.map { $0.problem == nil } == true ? project?.path : nil
      throw ArchitectureError.unsupported(path: path ?? source.path, problem: problem)
    }
    let critic = RenamedTensors(source, below: Self.discriminatorPrefix)
    discriminator = critic.names.isEmpty ? nil : try DiscriminatorConfig(inferredFrom: critic)
    hasPerceptual = source.names.contains { $0.hasPrefix(PerceptualWeights.prefix) }
    try Self.requireWhole(source, config, discriminator)
    if config.quantizer.remap != nil {
      let list = try source.floats(of: "quantize.used")
      if let bad = list.firstIndex(where: { !(0..<Float(config.nEmbed)).contains($0) }) {
        throw ArchitectureError.unsupported(
          path: source.path,
          problem: "quantize.used[\(bad)] is \(list[bad]); there are \(config.nEmbed) entries")
      }
    }
    self.config = config
    tensors = RenamedTensors(
      source, oldNames: Dictionary(uniqueKeysWithValues: source.names.map { ($0, $0) }))
  }

  /// Gives entries that the numbering of codes leaves out another code than a random one.
  ///
  /// - Throws: `ArchitectureError` where there is no numbering, or no such code.
  package mutating func setUnknownIndex(_ unknown: CodeRemap.Unknown) throws {
    config.quantizer.remap?.unknownIndex = unknown
    if let problem = config.quantizer.remap == nil
      ? "no quantize.used, so every entry has its code" : config.problem
    {
      throw ArchitectureError.unsupported(path: tensors.path, problem: problem)
    }
  }

  /// Checks that a file holds all tensors of a VQGAN, and of its loss those of a part that it has,
  /// in their shapes, and no others.
  ///
  /// - Throws: `ModelMismatchError`, `ArchitectureError`.
  package static func requireWhole(
    _ source: some TensorSource, _ config: VQGANConfig, _ discriminator: DiscriminatorConfig?
  ) throws {
    var shapes = VQGAN(config).shapes()
    if let discriminator {
      let first = "\(discriminatorPrefix)main.0.weight"
      // A training on maps of labels here keeps one that sees colours.
      let seesColors =
        try config.input.isLabels && source.contains(first) && source.shape(of: first)[1] == 3
      shapes += Discriminator(discriminator, channels: seesColors ? 3 : config.inChannels).shapes(
        below: discriminatorPrefix)
    }
    let perceptual = RenamedTensors(source, below: PerceptualWeights.prefix)
    if !perceptual.names.isEmpty {
      shapes += LPIPS(channels: try PerceptualWeights.channels(of: perceptual)).shapes(
        below: PerceptualWeights.prefix)
    }
    try source.require(shapes, ignoring: isExtra)
  }

  package static let discriminatorPrefix = "loss.discriminator."

  /// Tensors of the reference without a part in the model: counters, constants, colours of label
  /// maps.
  private static func isExtra(_ name: String) -> Bool {
    name == "colorize" || name.hasSuffix(".num_batches_tracked")
      || name.hasPrefix(PerceptualWeights.prefix + "scaling_layer.")
  }

  /// What it is, in a line.
  package var summary: String {
    let kind =
      switch config.quantizer.kind {
      case .gumbel: "Gumbel VQGAN"
      case .ibq: "IBQ VQGAN"
      default:
        family.map { "\($0) VQGAN" } ?? (config.inChannels > 4 ? "segmentation VQGAN" : "VQGAN")
      }
    var parts = [
      "\(kind), f = \(config.downsampling)",
      "\(config.nEmbed) codes × \(config.embedDim)"
        + (config.quantizer.remap.map { ", \($0.used) of them in use" } ?? ""),
      "ch \(config.ch), ch_mult \(config.chMult)",
    ]
    if let discriminator {
      parts.append("discriminator \(discriminator.ndf)×\(discriminator.nLayers)")
    }
    if hasPerceptual { parts.append("LPIPS") }
    return parts.joined(separator: ", ")
  }
}
