// Where a model says that the VQGAN of its codes is.
import ArgumentParser
import CommandSupport
import DurableFiles
import Shards

extension CodeGrid {
  /// The path of the VQGAN of these codes.
  ///
  /// - Parameters:
  ///   - model: what speaks them, for messages.
  ///   - option: that names another path.
  /// - Throws: `ValidationError` where the model names none, `CommandError` (66) where it is gone.
  package func storedVQGAN(of model: String, option: String) throws -> String {
    guard !vqgan.isEmpty else {
      throw ValidationError("Missing \(option): \(model) does not say where its VQGAN is.")
    }
    guard DurableFile.exists(vqgan) else {
      throw CommandError(
        .noInput,
        "\(vqgan): is gone, and \(model) was trained on codes of this VQGAN; if its training has removed "
          + "the checkpoint (--keep-checkpoints) or it was moved, name a copy with \(option), of "
          + "fingerprint \(fingerprint)")
    }
    return vqgan
  }
}
