import ArgumentParser
import Corpora
import Images

/// Which images of COCO are read, and what comes with them.
package struct COCOOptions: ParsableArguments, Sendable {
  /// Which folders of images.
  package enum Split: String, CaseIterable, ExpressibleByArgument, Sendable {
    case train, val, both
  }

  /// Where maps of classes come from.
  package enum Segmentation: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// The images of COCO-Stuff's archive.
    case stuffthingmaps
    /// Painted from the outlines in `instances_*.json` and `stuff_*.json`.
    case annotations
    case none
  }

  @Option(help: "Which images; those of val go into shards NAME-validation-….")
  package var split = Split.train

  @Option(help: "Where maps of classes come from; annotations paints them from the outlines.")
  package var segmentation = Segmentation.none

  @Option(
    help: ArgumentHelp(
      "Folder of depth maps, train2017/NUMBER.png and so on.", valueName: "dir"))
  package var depth: String?

  @Flag(help: "Store all captions of each image.")
  package var captions = false

  @Flag(help: "Store the boxes and categories of the objects that an image shows.")
  package var objects = false

  @Option(
    help: ArgumentHelp(
      "Only images that show one of these categories, such as cat,dog or 17,18.",
      valueName: "names"))
  package var categories: String?

  @Flag(
    name: .customLong("follow-symlinks"),
    help: "Read images through links that point out of their folder.")
  package var followsLinks = false

  @OptionGroup package var pixels: PixelLimitOption

  package init() {}

  package func validate() throws {
    if let categories, categories.split(separator: ",").isEmpty {
      throw ValidationError("--categories names none.")
    }
  }

  /// Splits of the corpus; `val` becomes the validation split.
  var splits: [COCOLayout.Split] {
    switch split {
    case .train: [.train]
    case .val: [.val]
    case .both: [.train, .val]
    }
  }

  /// Names or numbers; none for all images.
  var categoryNames: [String] { categories?.split(separator: ",").map(String.init) ?? [] }

  func note(in record: inout IngestRecord) {
    record.note("--split", split.rawValue)
    record.note("--segmentation", segmentation.rawValue)
    if segmentation != .none {
      record.remark("segmentation", segmentation.rawValue)
      record.remark("segmentation_filter", ResizeFilter.nearest.rawValue)
    }
    if segmentation == .annotations {
      record.remark("segmentation_overlaps", COCOLabelMaps.rule)
    }
    DepthFolder.note(depth, in: &record)
    pixels.limits.note(in: &record)
    record.note("--captions", captions)
    record.note("--objects", objects)
    let names = categoryNames.sorted().joined(separator: ",")
    record.note("--categories", names.isEmpty ? "all" : names)
    record.remark("orientation", "turned as EXIF says where the annotations' size asks for it")
  }
}
