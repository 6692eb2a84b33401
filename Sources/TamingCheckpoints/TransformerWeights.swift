// A transformer, and the VQGANs around it, among the tensors of a file.

import Checkpoints
import Models
import NN

/// The weights of a `Net2NetTransformer` that have been checked against its architecture, still in
/// their file.
package struct TransformerWeights: Sendable {
  package let config: GPTConfig
  /// Names are those of a checkpoint's `model.safetensors`; the masks are left out, the
  /// configuration tells them.
  package let tensors: RenamedTensors
  /// The VQGAN of the images.
  package let firstStage: FirstStageWeights?
  /// The VQGAN of the conditions.
  package let condStage: FirstStageWeights?
  /// What the project file says of the condition: `__is_unconditional__`, or a class.
  package let condition: String?
  /// Numbers that the project file gives the condition's class, by name.
  package let conditionNumbers: [String: Int]
  /// What of an image a condition without a model of its own is: `objects_bbox`, for example.
  package let conditionKey: String?
  /// Objects of an image, at most; nil where the project file does not tell.
  package let objects: Int?
  /// The numbers of the objects' categories in the order of their tokens; nil where the project
  /// file does not tell.
  package let categories: [Int]?
  /// The order of the codes; nil for raster.
  package let order: TokenOrder?
  /// Side of the images that the project file names, pixels.
  package let imageSize: Int?

  package static let prefix = "transformer."
  package static let firstStagePrefix = "first_stage_model."
  package static let condStagePrefix = "cond_stage_model."
  private static let permuterPrefix = "permuter."

  /// - Parameters:
  ///   - heads: of the attention, for files without a project file.
  ///   - stagesOnly: the transformer itself is of no interest, nor are its heads.
  /// - Throws: `ArchitectureError`, `GPTConfigError`, `ModelMismatchError`.
  package init(
    _ source: some TensorSource, project: TamingProject?, heads: Int?, stagesOnly: Bool = false
  ) throws {
    let model = project?.model
    try model?.require(.transformer, "model.target", for: source.path)
    let section = model?.section("transformer_config")
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
      inferredFrom: all, project: section,
      heads: stagesOnly ? section?.integer("n_head") ?? 1 : heads)
    let shapes = GPT(config).shapes()
    try all.require(shapes) { $0.hasSuffix(".attn.mask") }
    tensors = RenamedTensors(
      all, oldNames: Dictionary(uniqueKeysWithValues: shapes.map { ($0.name, $0.name) }))

    func stage(_ prefix: String, _ key: String) throws -> FirstStageWeights? {
      let tensors = RenamedTensors(source, below: prefix)
      guard tensors.contains("encoder.conv_in.weight") else {
        guard tensors.names.isEmpty else {
          throw ArchitectureError.unsupported(
            path: source.path, problem: "\(prefix): \(tensors.names[0]) is of no VQGAN")
        }
        return nil
      }
      return try FirstStageWeights(tensors, project: model?.section(key), position: key)
    }
    firstStage = try stage(Self.firstStagePrefix, "first_stage_config")
    condStage = try stage(Self.condStagePrefix, "cond_stage_config")
    let ofCondition = model?.section("cond_stage_config")
    condition = ofCondition?.target
    // A transformer that was extracted has no stages at all.
    if let ofCondition, ofCondition.kind == .vqgan, condStage == nil, firstStage != nil {
      throw ArchitectureError.contradiction(
        project: ofCondition.path, key: "cond_stage_config", found: ofCondition.target,
        path: source.path, weights: "no VQGAN of conditions")
    }
    conditionKey = ofCondition?.text("conditional_key")
    var numbers: [String: Int] = [:]
    for key in ["down_factor", "n_embed", "n_classes"] {
      guard let ofCondition, let number = try ofCondition.integer(key) else { continue }
      guard (1...1 << 24).contains(number) else {
        throw ArchitectureError.project(
          path: ofCondition.path, problem: "\(key) is \(number), expected 1...\(1 << 24)")
      }
      numbers[key] = number
    }
    conditionNumbers = numbers
    imageSize = project?.imageSize
    objects = project?.objects
    categories = project?.categories
  }

  /// The order of codes that a stored permutation is.
  ///
  /// - Throws: `ArchitectureError.unsupported` for none that is known.
  private static func order(in source: some TensorSource) throws -> TokenOrder? {
    let name = permuterPrefix + "forward_shuffle_idx"
    guard source.contains(name) else { return nil }
    // Anything but a whole number is no cell.
    let cells = try source.floats(of: name).map { Int(exactly: $0) ?? -1 }
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

  /// Whether the project file, or the lack of a second VQGAN, says that nothing but a start token
  /// stands before the codes.
  package var isUnconditional: Bool {
    condition.map { $0 == "__is_unconditional__" } ?? (condStage == nil)
  }

  /// Tokens that stand before the codes of an image of that many pixels.
  ///
  /// - Source: `cond_transformer.py`, `cond_stage.py`; of boxes and centre points those of all
  ///   objects, 30 in the published models, and of the crop.
  package func conditionLength(height: Int, width: Int) -> Int {
    func cells(_ side: Int) -> Int { (height / side) * (width / side) }
    if let condStage { return cells(condStage.config.downsampling) }
    return switch condition {
    case "__is_first_stage__": cells(firstStage?.config.downsampling ?? 16)
    case "CoordStage": cells(conditionNumbers["down_factor"] ?? 16)
    case "DummyCondStage": (objects ?? 30) * objectLength + 2
    default: 1
    }
  }

  /// Tokens of an object: its class, and its corners or its centre.
  package var objectLength: Int { conditionKey == "objects_center_points" ? 2 : 3 }

  /// What it is, in a line.
  package var summary: String {
    "GPT, \(config.layers) layers, \(config.heads) heads, width \(config.width), "
      + "\(config.vocabSize) tokens, \(config.blockSize) positions"
      + (config.unmasked > 0 ? ", \(config.unmasked) of them unmasked" : "")
  }
}
