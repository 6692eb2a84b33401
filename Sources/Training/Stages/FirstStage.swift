// A trained VQGAN, ready for use.
import Checkpoints
import Foundation
import Models
import NN
import Shards
import TensorCore

/// A trained VQGAN with its configuration and the fingerprints of its weights.
package struct FirstStage: Sendable {
  package let model: VQGAN
  package let config: VQGANConfig
  /// A code means nothing without them.
  package let fingerprints: VQGANFingerprints
  /// The weights file; that of the EMA weights, where these are used.
  package let path: String

  /// - Parameters:
  ///   - fingerprints: taken of the weights if left out.
  ///   - path: of the weights file.
  package init(_ model: VQGAN, fingerprints: VQGANFingerprints? = nil, path: String) {
    self.model = model.frozen()
    config = model.config
    self.fingerprints = fingerprints ?? VQGANFingerprints(of: self.model)
    self.path = path
  }

  /// Loads a VQGAN from a run folder (its newest checkpoint), from one checkpoint's folder, or from
  /// a file of weights.
  ///
  /// - Throws: what `FirstStageFile.open` throws, `ModelMismatchError`, `NotFiniteError`.
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
    try file.load(&model)
    let path = file.tensors.path(of: model.shapes()[0].name)
    try model.requireFiniteResults(of: path)
    return FirstStage(model, path: path)
  }

  /// SHA-256 over the names and values of all weights.
  package var fingerprint: String { fingerprints.vqgan }

  /// The absolute path of the checkpoint's folder, which `load` takes.
  ///
  /// Of a link such as `last` what it points to now.
  package var checkpointPath: String {
    URL(fileURLWithPath: path).standardizedFileURL.deletingLastPathComponent()
      .resolvingSymlinksInPath().path
  }

  /// Keeps the run that made it from removing it, as long as something else needs it.
  ///
  /// - Parameter user: what needs it.
  /// - Returns: whether it stays; also for weights that no run can remove.
  package func pin(for user: String) -> Bool {
    let folder = URL(fileURLWithPath: checkpointPath)
    guard folder.lastPathComponent.hasPrefix("step-"),
      folder.deletingLastPathComponent().lastPathComponent == "checkpoints"
    else { return true }
    return RunFolder.pin(folder.path, for: user)
  }

  /// The codes of images of a size that the VQGAN takes, pixels.
  package func codes(ofHeight height: Int, width: Int) -> CodeGrid {
    CodeGrid(
      height: height / config.downsampling, width: width / config.downsampling * config.depth,
      codebookSize: config.codes, fingerprint: fingerprints.vqgan,
      codesFingerprint: fingerprints.codes, vqgan: checkpointPath, depth: config.depth,
      subVocabulary: config.subVocabulary)
  }

  /// Refuses to decode codes of another encoder or codebook.
  ///
  /// - Parameters: owner: what speaks these codes; option: that names another VQGAN.
  package func requireCodes(
    _ codes: CodeGrid, of owner: String, option: String = "--vqgan"
  ) throws(CodesMismatch) {
    try codes.requireVQGAN(fingerprints, of: path, for: owner, option: option)
  }
}
