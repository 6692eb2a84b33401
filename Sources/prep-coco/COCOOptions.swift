import ArgumentParser
import Corpora
import Ingest

/// Which pictures of COCO are read, and what comes with them.
struct COCOOptions: ParsableArguments {
  /// Which folders of pictures.
  enum Split: String, CaseIterable, ExpressibleByArgument {
    case train, val, both

    var layouts: [COCOLayout.Split] {
      switch self {
      case .train: [.train]
      case .val: [.val]
      case .both: [.train, .val]
      }
    }
  }

  @Option(help: "Which pictures; those of val go into shards NAME-validation-….")
  var split = Split.train

  @Option(help: "Where maps of classes come from; annotations paints them from the outlines.")
  var segmentation = COCOIngestOptions.Segmentation.none

  @Option(
    help: ArgumentHelp(
      "Folder of depth maps, train2017/NUMBER.png and so on.", valueName: "dir"))
  var depth: String?

  @Flag(help: "Store all captions of each picture.")
  var captions = false

  @Flag(help: "Store the boxes and categories of the objects that a picture shows.")
  var objects = false

  @Option(
    help: ArgumentHelp(
      "Only pictures that show one of these categories, such as cat,dog or 17,18.",
      valueName: "names"))
  var categories: String?

  @Flag(help: "Read pictures through links that point out of their folder.")
  var followSymlinks = false

  func validate() throws {
    if let categories, categories.split(separator: ",").isEmpty {
      throw ValidationError("--categories names none.")
    }
  }

  var ingestOptions: COCOIngestOptions {
    COCOIngestOptions(
      splits: split.layouts, segmentation: segmentation, depth: depth, captions: captions,
      objects: objects,
      categories: categories?.split(separator: ",").map(String.init) ?? [],
      followsLinks: followSymlinks)
  }
}

extension COCOIngestOptions.Segmentation: ExpressibleByArgument {}
