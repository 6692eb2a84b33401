/// Why an outline makes no mask.
package enum InvalidSegmentation: Error, Equatable, Sendable {
  /// No outline, or one without parts.
  case empty
  case wrongShape(found: String)
  /// Part `part` of a polygon, counted from 0, has too few numbers, or an odd count.
  case numberCount(part: Int, count: Int)
  /// A number that is none, or past a million pixels.
  case coordinate(part: Int, found: String)
  /// The parts together run along more pixels than an image can need.
  case tooLong
  case size(foundWidth: Int, foundHeight: Int, width: Int, height: Int)
  case count(index: Int, found: String)
  /// The runs do not fill the image exactly.
  case sum(found: Int, expected: Int)
  /// A byte of a compressed count outside `0`…`o`.
  case character(index: Int, found: UInt8)
  /// The compressed counts end inside a count.
  case unterminated
  /// A compressed count of more than six characters.
  case longCount(index: Int)
}

extension InvalidSegmentation: CustomStringConvertible {
  package var description: String {
    switch self {
    case .empty:
      "segmentation is empty"
    case .wrongShape(let found):
      "segmentation is \(found), expected [[x, y, …], …] or {\"counts\": …, \"size\": [h, w]}"
    case .numberCount(let part, let count):
      "part \(part) of the segmentation has \(count) numbers, expected x and y of 3 points or more"
    case .coordinate(let part, let found):
      "part \(part) of the segmentation holds \(found), expected numbers of -1000000…1000000"
    case .tooLong:
      "the segmentation's outline is longer than \(COCOMask.maxOutlinePoints) pixels"
    case .size(let foundWidth, let foundHeight, let width, let height):
      "the segmentation's size is \(foundWidth)x\(foundHeight), the image has \(width)x\(height)"
    case .count(let index, let found):
      "count \(index) of the segmentation is \(found), expected an integer of pixels"
    case .sum(let found, let expected):
      "the counts of the segmentation sum to \(found), expected \(expected) pixels"
    case .character(let index, let found):
      "character \(index) of the segmentation's counts has code \(found), expected 48…111"
    case .unterminated:
      "the segmentation's counts end inside a count"
    case .longCount(let index):
      "count \(index) of the segmentation has more than 6 characters"
    }
  }
}
