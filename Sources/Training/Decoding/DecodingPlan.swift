// Which images are made of which code shard.
import Checksums
import Shards

/// One image shard, or a PNG for each row, for each code shard, by one VQGAN.
package struct DecodingPlan: Sendable {
  /// The code shards by their names.
  package let sources: [String: PlannedSource]
  /// The image shards in the order of the code shards.
  package let shards: ShardPlan
  /// Rows of all shards.
  package let count: Int
  /// Of every image, pixels.
  package let height, width: Int

  /// Opens every shard and checks that its codes are the VQGAN's.
  ///
  /// - Parameter format: what is written: a folder that holds the other format is refused.
  /// - Throws: `CodesMismatch`, `EncodingError`, `ShardError`.
  package init(_ paths: [String], for stage: FirstStage, as format: DecodingFormat) throws {
    try stage.requireColourImages()
    let codes = try CodeShardSet(paths)
    let (positions, factor) = (codes.grid.positions, stage.config.downsampling)
    let (height, width) = (positions.height * factor, positions.width * factor)
    try stage.codes(ofHeight: height, width: width).require(
      codes.grid, of: paths[0], for: stage.path)
    (shards, sources) = try ShardPlan.oneForEach(
      of: codes,
      options: [
        "codes_fingerprint": stage.fingerprints.codes,
        "decoder_fingerprint": stage.fingerprints.decoder, "format": format.rawValue,
      ], former: ["vqgan_fingerprint": stage.fingerprint, "format": format.rawValue])
    count = codes.count
    (self.height, self.width) = (height, width)
  }
}

/// What decoded images are written as.
package enum DecodingFormat: String, Sendable {
  case shards
  case png
}
