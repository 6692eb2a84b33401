// A transformer, and the VQGANs around it, among the tensors of a file.

import Checkpoints
import Models

/// The weights of a `Net2NetTransformer` that have been checked against its architecture, still in their file.
package struct TransformerWeights: Sendable {
  package let config: GPTConfig
  /// Names are those of a checkpoint's `model.safetensors`; the masks are left out, the configuration tells them.
  package let tensors: RenamedTensors
  /// The VQGAN of the pictures.
  package let firstStage: FirstStageWeights?
  /// The VQGAN of the conditions.
  package let condStage: FirstStageWeights?
  /// What the project file says of the condition: `__is_unconditional__`, or a class.
  package let condition: String?
  /// Numbers that the project file gives the condition's class, by name.
  package let conditionNumbers: [String: Int]
  /// What of a picture a condition without a model of its own is: `objects_bbox`, for example.
  package let conditionKey: String?
  /// The order of the codes; nil for raster.
  package let order: TokenOrder?
  /// Side of the pictures that the project file names, pixels.
  package let pictureSize: Int?

  package static let prefix = "transformer."
  package static let firstStagePrefix = "first_stage_model."
  package static let condStagePrefix = "cond_stage_model."
  private static let permuterPrefix = "permuter."

  /// - Parameter heads: of the attention, for files without a project file.
  /// - Throws: `ArchitectureError`, `GPTConfigError`, `ModelMismatchError`.
  package init(_ source: some TensorSource, project: TamingProject?, heads: Int?) throws {
    let model = project?.model
    order = try Self.order(in: source)
    let parts = [
      Self.prefix, Self.firstStagePrefix, Self.condStagePrefix, Self.permuterPrefix,
    ]
    let others = source.names.filter { name in !parts.contains { name.hasPrefix($0) } }
    let isBare = source.contains("tok_emb.weight")
    guard isBare || others.isEmpty else {
      throw ModelMismatchError(path: source.path, unexpected: others)
    }
    let all = RenamedTensors(source, below: isBare ? "" : Self.prefix)
    config = try GPTConfig(
      inferredFrom: all, project: model?.section("transformer_config"), heads: heads)
    let shapes = TensorShapes.gpt(config)
    try all.require(shapes) { $0.hasSuffix(".attn.mask") }
    tensors = RenamedTensors(
      all, oldNames: Dictionary(uniqueKeysWithValues: shapes.list.map { ($0.name, $0.name) }))

    func stage(_ prefix: String, _ section: TamingProject.Section?) throws -> FirstStageWeights? {
      let tensors = RenamedTensors(source, below: prefix)
      guard tensors.contains("encoder.conv_in.weight") else {
        guard tensors.names.isEmpty else {
          throw ArchitectureError.unsupported(
            path: source.path, problem: "\(prefix): \(tensors.names[0]) is of no VQGAN")
        }
        return nil
      }
      return try FirstStageWeights(tensors, project: section)
    }
    firstStage = try stage(Self.firstStagePrefix, model?.section("first_stage_config"))
    condStage = try stage(Self.condStagePrefix, model?.section("cond_stage_config"))
    let section = model?.section("cond_stage_config")
    condition = section?.target
    conditionKey = section?.text("conditional_key")
    conditionNumbers = ["down_factor", "n_embed", "n_classes"].reduce(into: [:]) {
      $0[$1] = section?.integer($1)
    }
    pictureSize = project?.pictureSize
  }

  /// The order of codes that a stored permutation is.
  ///
  /// - Throws: `ArchitectureError.unsupported` for none that is known.
  private static func order(in source: some TensorSource) throws -> TokenOrder? {
    let name = permuterPrefix + "forward_shuffle_idx"
    guard source.contains(name) else { return nil }
    let cells = try source.floats(of: name).map { Int($0) }
    let side = Int(Double(cells.count).squareRoot().rounded())
    let found = TokenOrder.allCases.first {
      side * side == cells.count && $0.cells(of: GridSize(height: side, width: side)) == cells
    }
    guard let found else {
      throw ArchitectureError.unsupported(
        path: source.path, problem: "\(name): an order of codes that is not known")
    }
    return found == .raster ? nil : found
  }

  /// Whether the project file, or the lack of a second VQGAN, says that nothing but a start token stands before the codes.
  package var isUnconditional: Bool {
    condition.map { $0 == "__is_unconditional__" } ?? (condStage == nil)
  }

  /// What it is, in a line.
  package var summary: String {
    "GPT, \(config.layers) layers, \(config.heads) heads, width \(config.width), "
      + "\(config.vocabSize) tokens, \(config.blockSize) positions"
      + (config.unmasked > 0 ? ", \(config.unmasked) of them unmasked" : "")
  }
}
