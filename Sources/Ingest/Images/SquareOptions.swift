import ArgumentParser
import Images

/// Which images of a corpus become squares, and how; the same for every corpus of photos.
package struct SquareOptions: ParsableArguments, Sendable {
  @Option(help: ArgumentHelp("Side of the square that a model sees, pixels.", valueName: "pixels"))
  package var size = 256

  @Option(
    help: ArgumentHelp(
      "Store this much more on each side, for random crops in training (train-vqgan --crop SIZE).",
      valueName: "pixels"))
  package var margin = 0

  @Option(
    help: ArgumentHelp(
      "Store K random squares of each image instead of its middle.", valueName: "K"))
  package var crops = 0

  @Option(
    name: .customLong("filter"),
    help: "How pixels are resampled (default: \(ResizeFilter.bicubic.rawValue)).")
  package var chosenFilter: ResizeFilter?

  @Flag(
    help: "Decode JPEGs that are 1.6 times too large at half their size: faster, a little blurred.")
  package var fastDecode = false

  @Option(help: ArgumentHelp("At most this many images of each split.", valueName: "count"))
  package var limit: Int?

  @Option(help: ArgumentHelp("Use this fraction of the images, chosen at random.", valueName: "%"))
  package var percent = 100.0

  @Option(
    help: ArgumentHelp(
      "Fraction of the training images for validation, in shards NAME-validation-….",
      valueName: "%"))
  package var holdout = 0.0

  @Option(
    help: ArgumentHelp(
      "Seed of every random choice; the same seed gives the same bytes.", valueName: "number"))
  package var seed: UInt64 = 0

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
    // All crops of an image are in memory at once, in every thread.
    guard crops * size * size * 3 <= 1 << 28 else {
      throw ValidationError(
        "--crops \(crops) of \(size)x\(size) are \(crops * size * size * 3 >> 20) MiB of each image, at most 256."
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

  package var filter: ResizeFilter {
    get { chosenFilter ?? .bicubic }
    set { chosenFilter = newValue }
  }

  /// The shorter side of the scaled image, pixels.
  var scaledSide: Int { size + 2 * margin }
  /// Side of a stored image, pixels.
  var storedSide: Int { crops > 0 ? size : scaledSide }

  func note(in record: inout IngestRecord) {
    let isRandom = crops > 0 || percent < 100 || holdout > 0
    record.remark("fit", FitMode.crop.rawValue)
    record.note("--size", size, as: "size")
    record.note("--margin", margin, as: "margin")
    record.note("--crops", crops, as: "crops")
    record.note("--filter", filter.rawValue, as: "filter")
    // Only where it is set: folders of versions without the option are continued.
    if fastDecode { record.note("--fast-decode", true, as: "fast_decode") }
    record.note("--limit", limit.map(String.init) ?? "none")
    record.note("--percent", percent)
    record.note("--holdout", holdout)
    record.note("--seed", isRandom ? "\(seed)" : "any")
    if crops > 0 { record.remark("seed", seed) }
  }
}

extension ResizeFilter: ExpressibleByArgument {}
