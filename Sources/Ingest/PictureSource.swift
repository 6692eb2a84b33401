import Images
import RowMaps
import Shards

/// Where pictures come from: a folder, a list, COCO, recordings of a game.
///
/// A new data set is one of these, and a function that plans what is read of it.
package protocol PictureSource: Sendable {
  /// The corpus, for the shards' attribute `source`.
  var corpus: String { get }
  /// What pictures carry.
  var contents: PictureContents { get }

  /// Reads and decodes a picture with all that belongs to it; any thread may do it.
  ///
  /// - Throws: why there is no such picture, in words for the report.
  func read(_ picture: PlannedPicture) throws(PictureFault) -> SourcePicture
}

/// What every picture of a source carries.
package struct PictureContents: Sendable {
  package var maps: [RowMap] = []
  package var captions = false
  package var objects = false
  /// The meaning of the numbers in maps and objects; `nil` where there are none.
  package var categories: [ShardCategory]?
  package var columns: [LabelColumn] = []
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
  package var bytes: Int?
  /// Its index in a list of the source, where that has one.
  package var index = 0
  /// What is known to be wrong with it before it is read.
  package var fault: PictureFault?
}

/// Why a picture is in no shard.
package struct PictureFault: Error, Equatable, CustomStringConvertible {
  package let description: String

  package init(_ reason: some Error) { description = String(describing: reason) }
  package init(_ description: String) { self.description = description }
}

/// A picture as it was found, with what belongs to it in its own pixels.
package struct SourcePicture: Sendable {
  package var image: RGBImage
  /// Maps of the picture's size, those of `PictureContents.maps`.
  package var maps: [RowMap: any PixelMap] = [:]
  /// One value for each of `PictureContents.columns`.
  package var labels: [Int64] = []
  package var captions: [String] = []
  package var objects: [SourceObject] = []
  /// Parts that had to be left out, in words for the report.
  package var faults: [String] = []

  package init(image: RGBImage) { self.image = image }
}
