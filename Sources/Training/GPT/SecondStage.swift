// A trained GPT, ready for use.
import Checkpoints
import Models
import TensorCore

/// A trained GPT with what its codes mean.
package struct SecondStage: Sendable {
  package let model: GPT
  package let codes: CodeGrid
  /// The weights file.
  package let path: String

  /// Loads a GPT from a run folder (its newest checkpoint) or from one checkpoint's folder.
  ///
  /// - Throws: `RunError`, `SafetensorsError`, `ModelMismatchError`, `DurableFileError`.
  package static func load(_ path: String, on device: Device = .default) throws -> SecondStage {
    let run = RunFolder(path)
    let folder = run.exists ? try run.lastCheckpoint() : path
    let description = try RunFolder.decode(GPTDescription.self, from: "\(folder)/model.json")
    let (model, codes) = (description.model, description.codes)
    guard codes.codebookSize <= model.vocabSize, codes.count <= model.blockSize else {
      throw RunError.damaged(
        path: "\(folder)/model.json",
        problem: "\(codes.count) codes of \(codes.codebookSize) for a model of "
          + "\(model.blockSize) positions and \(model.vocabSize) tokens")
    }
    let file = try SafetensorsFile("\(folder)/model.safetensors")
    var random = RandomSource(seed: 0)
    var gpt = GPT(model, using: &random, on: device)
    try ModelFiles.load(&gpt, from: file)
    return SecondStage(model: gpt.frozen(), codes: codes, path: file.path)
  }

  /// Refuses a VQGAN other than the one whose codes the GPT speaks.
  package func requireCodes(of vqgan: FirstStage) throws(FingerprintMismatch) {
    guard vqgan.fingerprint == codes.fingerprint else {
      throw FingerprintMismatch(
        path: vqgan.path, found: vqgan.fingerprint, expected: codes.fingerprint, expectedBy: path)
    }
  }
}

/// A VQGAN whose codes mean something else.
package struct FingerprintMismatch: Error, Equatable, CustomStringConvertible {
  package let path: String
  package let found: String
  package let expected: String
  package let expectedBy: String

  package var description: String {
    "\(path): a VQGAN with fingerprint \(found.prefix(12))…; \(expectedBy) was trained on codes of "
      + "\(expected.prefix(12))…; name that VQGAN with --vqgan"
  }
}
