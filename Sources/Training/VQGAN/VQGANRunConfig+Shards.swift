// Whether images can train the model.
import Shards

extension VQGANRunConfig {
  /// Checks that images of the shards fit the model, its discriminator and the machine.
  ///
  /// - Throws: `ShardError`; `RunError.damaged` naming the first shard, `RunError.tooLarge`.
  package func check(_ shards: ImageShardSet) throws {
    let (model, objective) = (settings.model, settings.objective)
    try shards.require(model.input)
    if let palette = model.palette {
      let found = try shards.palette()
      guard found == palette else {
        throw RunError.damaged(
          path: shards.paths[0],
          problem: "the palette is \(found), that of the model \(palette); make the shards of "
            + "both in one folder")
      }
    }
    let size = "images of \(shards.width)×\(shards.height)"
    let f = model.downsampling
    let crop = settings.augmentation.crop
    let (height, width) = crop > 0 ? (crop, crop) : (shards.height, shards.width)
    guard crop <= min(shards.height, shards.width) else {
      throw RunError.damaged(
        path: shards.paths[0], problem: "\(size) are smaller than --crop \(crop)")
    }
    guard crop == 0 && !settings.augmentation.flips || !model.encodesTiles else {
      throw RunError.damaged(
        path: shards.paths[0], problem: "tiles are of whole images, without --crop and --flip")
    }
    guard height % f == 0, width % f == 0 else {
      throw RunError.damaged(
        path: shards.paths[0],
        problem: crop > 0
          ? "crops of \(crop)×\(crop); the model needs multiples of \(f) pixels"
          : "\(size); the model needs multiples of \(f) pixels")
    }
    let depth = objective.discriminator.nLayers
    guard objective.discFactor == 0 || min(height, width) >> depth > 2 else {
      throw RunError.damaged(
        path: shards.paths[0],
        problem: "\(size) are too small for discriminator.n_layers \(depth); take fewer layers")
    }
    let images = max(loop.batchSize, settings.lateBatchSize ?? 0)
    // each residual block of the first level keeps its input and two outputs, on both sides
    let blocks = Double(2 * model.numResBlocks + 1)
    try requireMemory(
      forFloats: 3 * blocks * Double(images) * Double(height * width) * Double(model.ch),
      of: "a batch of \(images) \(size)")
  }

  /// Checks that it is known what changes in the images to train on, where that counts.
  ///
  /// - Throws: `RunError.damaged` naming the first shard.
  package func checkChanges(in shards: ImageShardSet) throws(RunError) {
    guard settings.objective.changeWeight == 0 || shards.hasRecordings else {
      throw .damaged(
        path: shards.paths[0],
        problem: "no label trajectory; objective.change_weight needs frames of recordings")
    }
  }
}
