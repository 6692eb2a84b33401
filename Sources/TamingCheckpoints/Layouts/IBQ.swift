// IBQ of SEED-Voken: the tensors of taming-transformers, and another rule for the codes.

import Checkpoints
import Models

extension QuantizerConfig {
  /// The rule of a codebook whose names and shapes are those of both families.
  ///
  /// IBQ takes the entry of the largest product with a latent, taming-transformers the nearest one.
  /// Nothing in the weights says which; the class in the project file does, or the caller.
  ///
  /// - Parameters:
  ///   - given: what the caller knows.
  ///   - blocks: residual blocks of a level: the published models of taming-transformers have 2,
  ///     those of IBQ 4.
  /// - Throws: `ArchitectureError` where nobody says it and the blocks are those of IBQ.
  static func rule(
    _ given: Kind?, _ project: TamingProject.Section?, blocks: Int, of weights: some TensorSource
  ) throws -> QuantizerConfig {
    let nearest = QuantizerConfig(kind: .gradient, beta: 0.25, legacy: true)
    var ibq = QuantizerConfig(kind: .ibq, beta: 0.25, legacy: false)
    ibq.entropyWeight = 0.05
    let isIBQ = project.map { $0.target == "IBQ" }
    if let project, let isIBQ, let given, (given == .ibq) != isIBQ {
      throw ArchitectureError.contradiction(
        project: project.path, key: "model.target", found: project.target, path: weights.path,
        weights: "--quantizer \(given.rawValue)")
    }
    if given == .ibq || isIBQ == true { return ibq }
    guard given == nil, project == nil, blocks == 4 else { return nearest }
    throw ArchitectureError.unsupported(
      path: weights.path,
      problem:
        "the names and shapes fit IBQ (SEED-Voken) and a VQModel of taming-transformers with "
        + "4 blocks a level, whose codes are others; convert it with its configuration (--project "
        + "FILE.yaml), or with --quantizer ibq or --quantizer gradient")
  }
}
