// A trained GPT, ready for use.
import Models
import TensorCore

/// A trained GPT with what its codes mean.
package struct SecondStage: Sendable {
  package let model: GPT
  package let codes: CodeGrid
  /// What stands before the codes; nil for the start token.
  package let condition: GPTCondition?
  /// The order of the codes.
  package let order: TokenOrder
  /// The weights file.
  package let path: String

  /// Loads a GPT from a run folder (its newest checkpoint), from one checkpoint's folder, or from a transformer's file that
  /// holds its VQGAN.
  ///
  /// - Throws: `RunError`, `SafetensorsError`, `PyTorchFileError`, `ArchitectureError`, `GPTConfigError`,
  ///   `ModelMismatchError`, `DurableFileError`.
  package static func load(_ path: String, on device: Device = .default) throws -> SecondStage {
    let file = try SecondStageFile.open(path)
    var gpt = GPT(file.description.model, on: device)
    try ModelFiles.load(&gpt, from: file.tensors)
    return SecondStage(
      model: gpt.frozen(), codes: file.description.codes, condition: file.description.condition,
      order: file.description.order ?? .raster, path: file.tensors.path)
  }

  /// Refuses a VQGAN other than the one whose codes the GPT speaks.
  package func requireCodes(of vqgan: FirstStage) throws(FingerprintMismatch) {
    try codes.require(vqgan.fingerprint, of: vqgan.path, for: path)
  }
}

extension CodeGrid {
  /// Refuses a VQGAN other than the one that gives the codes their meaning.
  ///
  /// - Parameters:
  ///   - found: its fingerprint.
  ///   - vqgan: its path, and `path` that of what speaks these codes, for the message.
  package func require(
    _ found: String, of vqgan: String, for path: String
  ) throws(FingerprintMismatch) {
    guard found == fingerprint else {
      throw FingerprintMismatch(
        path: vqgan, found: found, expected: fingerprint, expectedBy: path)
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
