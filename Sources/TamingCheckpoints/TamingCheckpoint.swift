// What a file of weights holds.

import Checkpoints
import Models

/// A file of weights, recognised by the names of its tensors.
package enum TamingCheckpoint: Sendable {
  case firstStage(FirstStageWeights)
  case transformer(TransformerWeights)
  case iris(IRISWeights)
  case perceptual(PerceptualWeights)
  /// torchvision's VGG16, which needs the heads of LPIPS to be of use.
  case vgg16(any TensorSource)
  /// The heads of LPIPS, which need VGG16.
  case lpipsHeads(any TensorSource)

  /// - Parameters:
  ///   - project: what the shapes do not tell.
  ///   - heads: of a transformer's attention, for files without a project file.
  ///   - stagesOnly: of a transformer its VQGANs alone matter, so that heads need not be known.
  ///   - quantizer: of a VQGAN, the kind of a codebook whose tensors do not show it.
  /// - Throws: `ArchitectureError`, `ModelMismatchError`, `GPTConfigError`.
  package init(
    _ source: some TensorSource, project: TamingProject? = nil, heads: Int? = nil,
    stagesOnly: Bool = false, quantizer: QuantizerConfig.Kind? = nil
  ) throws {
    if source.contains("transformer.tok_emb.weight") || source.contains("tok_emb.weight") {
      self = .transformer(
        try TransformerWeights(source, project: project, heads: heads, stagesOnly: stagesOnly))
    } else if IRISWeights.recognises(source) {
      self = .iris(try IRISWeights(source, heads: heads))
    } else if source.contains("encoder.conv_in.weight") {
      self = .firstStage(
        try FirstStageWeights(source, project: project?.model, quantizer: quantizer))
    } else if source.contains("features.0.weight") {
      self = .vgg16(source)
    } else if source.names.contains(where: { $0.hasSuffix("net.slice1.0.weight") }) {
      self = .perceptual(try PerceptualWeights(source))
    } else if source.contains("lin0.model.1.weight") {
      self = .lpipsHeads(source)
    } else {
      throw ArchitectureError.unknownModel(path: source.path, names: source.names)
    }
  }

  /// What it is, with an article, for messages.
  package var title: String {
    switch self {
    case .firstStage: "a VQGAN"
    case .transformer: "a transformer"
    case .iris: "an agent of IRIS"
    case .perceptual: "a perceptual network"
    case .vgg16: "VGG16 without the heads of LPIPS"
    case .lpipsHeads: "the heads of LPIPS without VGG16"
    }
  }
}

extension TensorSource {
  /// A tensor on its way into our files: floats of every width as float32, integers as they are.
  ///
  /// When its turn comes, a value that is not finite throws `NotFiniteError`.
  package func floatEntry(of name: String, as newName: String) throws -> SafetensorsEntry {
    switch try type(of: name) {
    case .float16, .bfloat16, .float32, .float64:
      SafetensorsEntry(name: newName, type: .float32, shape: try shape(of: name)) { body in
        try tensor(name).withElements { try body(UnsafeRawBufferPointer($0)) }
      }
    default: try entry(of: name, as: newName)
    }
  }
}
