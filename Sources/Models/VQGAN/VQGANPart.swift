// The parts of a VQGAN that are trained, kept and fingerprinted on their own.

/// A part of a VQGAN, with its discriminator.
package enum VQGANPart: String, Codable, CaseIterable, Sendable {
  /// With `quant_conv`: images to latents.
  case encoder
  /// Latents to codes, with the numbering of the codes.
  case codebook
  /// With `post_quant_conv`: entries to images.
  case decoder
  case discriminator

  /// The part that a tensor of the model belongs to, by its name.
  package init(ofTensor name: String) {
    switch name.prefix(while: { $0 != "." }) {
    case "encoder", "quant_conv": self = .encoder
    case "quantize": self = .codebook
    case "decoder", "post_quant_conv": self = .decoder
    default: preconditionFailure("\(name) is of no part of a VQGAN")
    }
  }
}

extension VQGANConfig {
  /// What decides the codes and is in no tensor: the rule of the quantizer, and what is read.
  package var codeRule: String {
    // Codebooks of both kinds take the nearest entry.
    let isNearest = [.gradient, .movingAverage].contains(quantizer.kind)
    var rule = isNearest ? "nearest" : quantizer.kind.rawValue
    if quantizer.signs != .normalized { rule += " signs \(quantizer.signs.rawValue)" }
    if quantizer.cosine { rule += " cosine" }
    if !quantizer.levels.isEmpty {
      rule += " levels \(quantizer.levels.map { "\($0)" }.joined(separator: ","))"
    }
    if quantizer.depth > 1 { rule += " depth \(quantizer.depth)" }
    switch quantizer.remap?.unknownIndex {
    case nil: break
    case .random: rule += " unknown random"
    case .extra: rule += " unknown extra"
    case .code(let code): rule += " unknown \(code)"
    }
    if let palette { return "\(rule) \(input.rawValue) \(palette)\(layerRule)" }
    return "\(rule) \(input.rawValue)\(layerRule)"
  }

  /// What of the layers and the pixels decides codes and images and is in no tensor; empty for
  /// those of taming-transformers.
  package var layerRule: String {
    (architecture == .taming ? "" : " layers \(architecture.rawValue)")
      + (pixels == .signed ? "" : " pixels \(pixels.rawValue)")
  }
}
