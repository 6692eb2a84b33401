import ArgumentParser
import Images
import Ingest

/// Which pictures of a corpus become squares, and how; the same for every corpus of photos.
package struct SquareOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Side of the square that a model sees, pixels.", valueName: "pixels"))
  package var size = 256

  @Option(
    help: ArgumentHelp(
      "Store this much more on each side, for random crops in training (train-vqgan --crop SIZE).",
      valueName: "pixels"))
  package var margin = 0

  @Option(
    help: ArgumentHelp(
      "Store K random squares of each picture instead of its middle.", valueName: "K"))
  package var crops = 0

  @Option(help: "How pixels are resampled.")
  package var filter = ResizeFilter.bicubic

  @Option(help: ArgumentHelp("Most pictures of each split.", valueName: "count"))
  package var limit: Int?

  @Option(help: ArgumentHelp("Use this share of the pictures, chosen at random.", valueName: "%"))
  package var percent = 100.0

  @Option(
    help: ArgumentHelp(
      "Share of the training pictures for validation, in shards NAME-validation-….",
      valueName: "%"))
  package var holdout = 0.0

  @OptionGroup package var random: SeedOption

  package init() {}

  package func validate() throws {
    guard (1...4096).contains(size) else {
      throw ValidationError("--size must be in 1...4096, got \(size).")
    }
    guard (0...2048).contains(margin) else {
      throw ValidationError("--margin must be in 0...2048, got \(margin).")
    }
    guard (0...100).contains(crops) else {
      throw ValidationError("--crops must be in 0...100, got \(crops).")
    }
    // All crops of a picture are in memory at once, in every thread.
    guard crops * size * size * 3 <= 1 << 28 else {
      throw ValidationError(
        "--crops \(crops) of \(size)x\(size) are \(crops * size * size * 3 >> 20) MiB of each picture, at most 256."
      )
    }
    if let limit, limit < 1 {
      throw ValidationError("--limit must be 1 or more, got \(limit).")
    }
    guard percent > 0, percent <= 100 else {
      throw ValidationError("--percent must be above 0 and at most 100, got \(percent).")
    }
    guard holdout >= 0, holdout < 100 else {
      throw ValidationError("--holdout must be at least 0 and below 100, got \(holdout).")
    }
  }

  /// The options as the ingest takes them.
  ///
  /// - Parameter name: first part of the shards' names, unless one is given.
  package func ingestOptions(_ shards: ShardOptions, name: String) -> PictureIngestOptions {
    PictureIngestOptions(
      name: shards.name ?? name, size: size, margin: margin, crops: crops, filter: filter,
      seed: random.seed, percent: percent, holdout: holdout, limit: limit,
      shardSize: shards.shardSize, compression: shards.compression)
  }
}

extension ResizeFilter: ExpressibleByArgument {}
