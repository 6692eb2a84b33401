import ArgumentParser
import Images

/// How large images may be.
package struct PixelLimitOption: ParsableArguments, Sendable {
  @Option(
    help: ArgumentHelp(
      "The largest image that is read, width times height; the default is Pillow's limit.",
      valueName: "pixels"))
  package var maxPixels = ImageLimits.standard.maxPixels

  package init() {}

  package func validate() throws {
    guard (1...10_000_000_000).contains(maxPixels) else {
      throw ValidationError("--max-pixels must be in 1...10000000000, got \(maxPixels).")
    }
  }

  package var limits: ImageLimits {
    var limits = ImageLimits.standard
    limits.maxPixels = maxPixels
    return limits
  }
}

extension ImageLimits {
  /// Only where they are set: folders of versions without the option are continued.
  func note(in record: inout IngestRecord) {
    if self != .standard { record.note("--max-pixels", maxPixels) }
  }
}

/// How photos are read.
package struct PhotoOptions: ParsableArguments, Sendable {
  @Flag(
    help: "Turn photos as their EXIF orientation says; without, pixels stay as they are stored.")
  package var upright = false

  @OptionGroup package var size: PixelLimitOption

  package init() {}

  package var reading: ImageReading {
    ImageReading(limits: size.limits, turnsUpright: upright)
  }
}
