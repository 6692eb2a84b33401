import Corpora

/// What `prep-coco` was asked to take from COCO, besides what happens to the pictures.
package struct COCOIngestOptions: Equatable, Sendable {
  /// Where maps of classes come from.
  package enum Segmentation: String, CaseIterable, Sendable {
    /// The pictures of COCO-Stuff's archive.
    case stuffthingmaps
    /// Painted from the outlines in `instances_*.json` and `stuff_*.json`.
    case annotations
    case none
  }

  /// Splits of the corpus; `val` becomes the validation split.
  package var splits: [COCOLayout.Split]
  package var segmentation: Segmentation
  /// Folder of depth maps; `nil` for none.
  package var depth: String?
  package var captions: Bool
  package var objects: Bool
  /// Only pictures that show at least one of these, by name or number; none for all pictures.
  package var categories: [String]
  /// Whether links in the folders of pictures may point out of them.
  package var followsLinks: Bool

  package init(
    splits: [COCOLayout.Split], segmentation: Segmentation = .none, depth: String? = nil,
    captions: Bool = false,
    objects: Bool = false, categories: [String] = [], followsLinks: Bool = false
  ) {
    self.splits = splits
    self.segmentation = segmentation
    self.depth = depth
    self.captions = captions
    self.objects = objects
    self.categories = categories
    self.followsLinks = followsLinks
  }

  /// The options as one types them, with their values.
  package var described: [String: String] {
    [
      "--split": splits.count > 1 ? "both" : splits.first?.rawValue ?? "none",
      "--segmentation": segmentation.rawValue, "--depth": depth ?? "none",
      "--captions": "\(captions)",
      "--objects": "\(objects)",
      "--categories": categories.isEmpty ? "all" : categories.sorted().joined(separator: ","),
    ]
  }
}
