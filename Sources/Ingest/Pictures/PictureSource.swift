import Images
import Shards

/// Where pictures come from: a folder, a list, COCO.
package protocol PictureSource: Sendable {
  /// The corpus, for the shards' attribute `source`.
  var corpus: String { get }
  /// What pictures carry.
  var contents: PictureContents { get }
  /// What the shards' attribute `preprocessing` says besides the options: keys and values.
  var remarks: [String: String] { get }

  /// Reads and decodes a picture with all that belongs to it; any thread may do it.
  ///
  /// - Throws: why there is no such picture, in words for the report.
  func read(_ picture: PlannedPicture) throws(PictureFault) -> SourcePicture
}

/// What every picture of a source carries.
package struct PictureContents: Equatable, Sendable {
  package var segmentation = false
  package var depth = false
  package var captions = false
  package var objects = false
  /// The meaning of the numbers in maps and objects; `nil` where there are none.
  package var categories: [ShardCategory]?
}

/// A picture that a plan will read.
package struct PlannedPicture: Equatable, Sendable {
  /// The largest number that leaves room for that of a random square of the picture.
  static let mostCroppedID: Int64 = (1 << 48) - 1

  /// A number that the picture keeps whatever the options.
  package let id: Int64
  /// Its name in the shard, and in its source.
  package let name: String
  /// Length of the file; `nil` where it cannot be opened.
  package let bytes: Int?
}

/// Why a picture is in no shard.
package struct PictureFault: Error, CustomStringConvertible {
  package let description: String

  package init(_ reason: some Error) { description = String(describing: reason) }
  package init(_ description: String) { self.description = description }
}

/// A picture as it was found, with what belongs to it in its own pixels.
package struct SourcePicture: Sendable {
  package var image: RGBImage
  /// The classes of its pixels, of the same size; `nil` where the source has none.
  package var labels: LabelMap?
  /// How far away its pixels are, of the same size; `nil` where the source has none.
  package var depth: DepthMap?
  package var captions: [String]
  package var objects: [SourceObject]
  /// Parts that had to be left out, in words for the report.
  package var faults: [String]

  package init(
    image: RGBImage, labels: LabelMap? = nil, depth: DepthMap? = nil, captions: [String] = [],
    objects: [SourceObject] = [], faults: [String] = []
  ) {
    self.image = image
    self.labels = labels
    self.depth = depth
    self.captions = captions
    self.objects = objects
    self.faults = faults
  }
}
