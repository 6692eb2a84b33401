// The condition of a transformer of taming-transformers.
import Models
import Shards
import TamingCheckpoints

extension GPTCondition {
  /// What stands before the codes of an external transformer, by its project file and the VQGAN in
  /// it; nil for the start token.
  ///
  /// - Parameters:
  ///   - codes: the grid of the images.
  ///   - stagePath: where the second VQGAN is found later.
  /// - Throws: `ArchitectureError.unsupported` for conditions that are not told of.
  package init?(of weights: TransformerWeights, codes: CodeGrid, stagePath: String) throws {
    if weights.isUnconditional { return nil }
    guard let firstStage = weights.firstStage ?? weights.condStage else {
      throw ArchitectureError.unsupported(
        path: weights.tensors.path, problem: "a condition without its VQGANs")
    }
    let factor = firstStage.config.downsampling
    let numbers = weights.conditionNumbers
    if let stage = weights.condStage {
      let own = stage.config.downsampling
      let fingerprints = try FirstStageFile(stage).fingerprints()
      let grid = CodeGrid(
        height: codes.height * factor / own, width: codes.width * factor / own,
        codebookSize: stage.config.codes, fingerprint: fingerprints.vqgan,
        codesFingerprint: fingerprints.codes, vqgan: stagePath)
      self.init(
        .codes(ConditionCodes(input: stage.config.input.rawValue, grid: grid)))
      return
    }
    switch weights.condition {
    case "CoordStage":
      let own = numbers["down_factor"] ?? factor
      self.init(
        .coordinates(
          CoordinatesCondition(
            vocabulary: numbers["n_embed"] ?? 1024,
            grid: GridSize(
              height: codes.height * factor / own, width: codes.width * factor / own))))
    case "Labelator":
      self.init(
        .label(LabelCondition(vocabulary: numbers["n_classes"] ?? 1000, column: "label")))
    case "DummyCondStage":
      let positions = weights.config.blockSize - codes.count + 1
      self.init(
        .objects(
          ObjectsCondition(
            form: weights.conditionKey == "objects_center_points" ? .points : .boxes,
            vocabulary: weights.config.vocabSize,
            objects: min(weights.objects ?? 30, (positions - 2) / weights.objectLength),
            categories: weights.categories)))
    default:
      throw ArchitectureError.unsupported(
        path: weights.tensors.path,
        problem: "a condition of \(weights.condition ?? "an unknown kind"); a project file beside "
          + "it would tell")
    }
  }
}
