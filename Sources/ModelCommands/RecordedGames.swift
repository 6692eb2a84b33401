// What dreams start from: recordings as a world model and the VQGAN of its codes see them.
import CommandSupport
import Models
import Shards
import TensorCore
import Training

/// Recorded games with the VQGAN that shows them.
package struct RecordedGames {
  package let vqgan: FirstStage
  package let shards: CodeShardSet
  package let data: WorldData
  package let recorded: RecordedImages
  /// What imagined codes are: those of the model, by the VQGAN that decodes them.
  package let codes: CodeGrid

  /// Loads the VQGAN and reads every row of the code shards.
  ///
  /// - Parameters:
  ///   - path: of the world model, for messages.
  ///   - vqgan: its path; the one that made the model's codes if left out.
  ///   - codes: code shards of recordings, or folders of them.
  ///   - images: image shards of the same rows; none if empty.
  /// - Throws: `ValidationError`, `CommandError`, `CodesMismatch`, `WorldDataError`, `InputError`,
  ///   and the errors of the files.
  package init(
    for world: WorldStage, at path: String, vqgan: String?, from codes: [String],
    images: [String], on device: Device, console: Console
  ) throws {
    self.vqgan = try FirstStage.load(
      try vqgan ?? world.codes.storedVQGAN(of: path, option: "--vqgan"), on: device)
    try self.vqgan.requireCodes(world.codes, of: path)
    try self.vqgan.requireColourImages()
    shards = try CodeShardSet(try InputPaths.shards(codes))
    try world.codes.require(shards.grid, of: shards.paths[0], for: path)
    Interruption.install()
    let reading = Progress("reading codes", total: shards.count, unit: "grids", console: console)
    data = try WorldData(
      shards, segment: 2 * world.model.config.context, actionsBelow: world.model.config.actions
    ) {
      reading.advance()
      try Interruption.throwIfRequested()
    }
    reading.finish()
    let images = images.isEmpty ? nil : try ImageShardSet(try InputPaths.shards(images))
    recorded = try RecordedImages(of: data, codes: shards, images: images, decodedBy: self.vqgan)
    var codes = world.codes
    codes.codesFingerprint = self.vqgan.fingerprints.codes
    self.codes = codes
  }
}
