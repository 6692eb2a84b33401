// A trained VQGAN, ready for use.
import Checkpoints
import Checksums
import Foundation
import Models
import TensorCore

/// A trained VQGAN with its configuration and the fingerprint of its weights.
package struct FirstStage: Sendable {
  package let model: VQGAN
  package let config: VQGANConfig
  /// SHA-256 over the names and values of all weights; a code means nothing without it.
  package let fingerprint: String
  /// The weights file.
  package let path: String

  /// Loads a VQGAN from a run folder (its newest checkpoint) or from one checkpoint's folder.
  ///
  /// - Throws: `RunError`, `SafetensorsError`, `ModelMismatchError`.
  package static func load(_ path: String, on device: Device = .default) throws -> FirstStage {
    let isRun = RunFolder(path).exists
    let folder = isRun ? try RunFolder(path).lastCheckpoint() : path
    let config = try RunFolder.decode(VQGANConfig.self, from: "\(folder)/model.json")
    if let problem = config.problem {
      throw RunError.damaged(path: "\(folder)/model.json", problem: problem)
    }
    let file = try SafetensorsFile("\(folder)/model.safetensors")
    var random = RandomSource(seed: 0)
    var model = VQGAN(config, using: &random, on: device)
    try ModelFiles.load(&model, from: file, ignoring: { $0.hasPrefix("loss.") })
    model = model.frozen()
    return FirstStage(
      model: model, config: config, fingerprint: fingerprint(of: model), path: file.path)
  }

  /// SHA-256 over name, shape and values of every tensor in visiting order.
  package static func fingerprint(of model: VQGAN) -> String {
    var hash = SHA256()
    for (name, tensor) in model.namedTensors {
      Array("\(name) \(tensor.shape)\n".utf8).withUnsafeBytes { hash.update($0) }
      tensor.withElements { hash.update(UnsafeRawBufferPointer($0)) }
    }
    return hash.finalize().map { String(UInt32($0) + 256, radix: 16).dropFirst() }.joined()
  }
}
