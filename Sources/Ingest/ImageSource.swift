import Images
import Platform
import RowMaps
import Shards

/// Where images come from: a folder, a list, COCO, recordings of a game.
///
/// A new data set is one of these, and a function that plans what is read of it.
package protocol ImageSource: Sendable {
  /// The corpus, for the shards' attribute `source`.
  var corpus: String { get }
  /// What images carry.
  var contents: ImageContents { get }

  /// Reads and decodes an image with all that belongs to it; any thread may do it.
  ///
  /// - Parameter needs: what will be made of it.
  /// - Throws: why there is no such image, in words for the report.
  func read(_ image: PlannedImage, needs: ImageNeeds) throws(InvalidImage) -> SourceImage
}

/// What every image of a source carries.
package struct ImageContents: Sendable {
  package var maps: [RowMap] = []
  package var captions = false
  package var objects = false
  /// The meaning of the numbers in maps and objects; `nil` where there are none.
  package var categories: [ShardCategory]?
  /// The category of an image without objects.
  package var noCategory: Int32 = 0
  package var columns: [LabelColumn] = []
}

/// An image that a plan will read.
package struct PlannedImage: Equatable, Sendable {
  /// The largest number that leaves room for that of a random square of the image.
  static let maxCroppedID: Int64 = (1 << 48) - 1

  /// A number that the image keeps whatever the options.
  package let id: Int64
  /// Its name in the shard, and in its source.
  package let name: String
  /// Length of the file; `nil` where it cannot be opened.
  package var bytes: Int?
  /// Its index in a list of the source, where that has one.
  package var index = 0
  /// What is known to be wrong with it before it is read.
  package var fault: InvalidImage?
}

/// Why an image is in no shard.
package struct InvalidImage: Error, Equatable, CustomStringConvertible {
  package let description: String
  /// The reason, where it says nothing of the image: too many files are open.
  let shortage: ImageError?

  package init(_ reason: some Error) {
    description = String(describing: reason)
    if case .unreadable(_, _, let code)? = reason as? ImageError, [EMFILE, ENFILE].contains(code) {
      shortage = reason as? ImageError
    } else {
      shortage = nil
    }
  }

  package init(_ description: String) { (self.description, shortage) = (description, nil) }
}

/// An image as it was found, with what belongs to it in its own pixels.
package struct SourceImage: Sendable {
  package var image: DecodedImage
  /// Maps of the image's size, those of `ImageContents.maps`.
  package var maps: [RowMap: any PixelMap] = [:]
  /// One value for each of `ImageContents.columns`.
  package var labels: [Int64] = []
  package var captions: [String] = []
  package var objects: [SourceObject] = []
  /// Parts that had to be left out, in words for the report.
  package var faults: [String] = []

  package init(image: DecodedImage) { self.image = image }
}
