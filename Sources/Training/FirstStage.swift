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

  /// Loads a VQGAN from a run folder (its newest checkpoint), from one checkpoint's folder, or from a file of weights.
  ///
  /// - Throws: what `FirstStageFile.open` throws, `ModelMismatchError`.
  package static func load(_ path: String, on device: Device = .default) throws -> FirstStage {
    try load(try FirstStageFile.open(path), on: device)
  }

  /// Loads the VQGAN of a transformer's conditions; of a transformer's file the second one in it.
  ///
  /// - Throws: as `load`.
  package static func loadCondition(_ path: String, on device: Device = .default) throws
    -> FirstStage
  {
    try load(try FirstStageFile.open(path, ofCondition: true), on: device)
  }

  private static func load(_ file: FirstStageFile, on device: Device) throws -> FirstStage {
    var model = VQGAN(file.config, on: device)
    try file.loadForUse(&model)
    model = model.frozen()
    return FirstStage(
      model: model, config: file.config, fingerprint: fingerprint(of: model),
      path: file.tensors.path)
  }

  /// SHA-256 over name, shape and values of every tensor in visiting order.
  package static func fingerprint(of model: VQGAN) -> String {
    var hash = SHA256()
    for (name, tensor) in model.namedTensors {
      add(name, tensor.shape, to: &hash)
      tensor.withElements { hash.update(UnsafeRawBufferPointer($0)) }
    }
    return hexadecimal(hash.finalize())
  }

  static func add(_ name: String, _ shape: Shape, to hash: inout SHA256) {
    Array("\(name) \(shape)\n".utf8).withUnsafeBytes { hash.update($0) }
  }
}
