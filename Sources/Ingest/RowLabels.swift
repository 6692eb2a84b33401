import Corpora
import Images
import Shards

/// An object in the pixels of the image that it was found in.
package struct SourceObject: Equatable, Sendable {
  package var id: Int64
  package var category: Int
  package var box: COCOBox
  package var isCrowd: Bool

  package init(id: Int64, category: Int, box: COCOBox, isCrowd: Bool) {
    self.id = id
    self.category = category
    self.box = box
    self.isCrowd = isCrowd
  }

  /// The object in a row; `nil` where the row shows nothing of it.
  func placed(in geometry: FitGeometry) -> ShardObject? {
    let placed = box.placed(
      scaleX: geometry.scaleX, scaleY: geometry.scaleY, x: Double(geometry.x),
      y: Double(geometry.y), width: geometry.width, height: geometry.height)
    guard let (box, visible) = placed else { return nil }
    return ShardObject(
      id: id, category: Int32(category), x: Float(box.x), y: Float(box.y),
      width: Float(box.width), height: Float(box.height), visible: Float(visible),
      isCrowd: isCrowd)
  }
}

/// A label of every row: the dataset's name and the type of its values, of integers or truth
/// values.
package typealias LabelColumn = (name: String, type: ShardColumnType)

/// What one row carries beside its pixels.
struct RowLabels: Sendable {
  /// One value for each column, those of the source first.
  let values: [Int64]
  let captions: [String]
  /// Objects of which the row shows anything.
  let objects: [ShardObject]

  /// The category of the object with the largest visible box, no crowd; nil where there is none.
  var mainCategory: Int32? {
    var main: (category: Int32?, area: Float) = (nil, -1)
    for object in objects where !object.isCrowd && object.width * object.height > main.area {
      main = (object.category, object.width * object.height)
    }
    return main.category
  }
}

extension ShardColumn {
  /// Integers as a column of another type, which holds all of them; any but 0 is true.
  init(_ values: [Int64], as type: ShardColumnType) {
    switch type {
    case .uint8: self = .uint8(values.map(UInt8.init))
    case .uint16: self = .uint16(values.map(UInt16.init))
    case .uint32: self = .uint32(values.map(UInt32.init))
    case .int32: self = .int32(values.map(Int32.init))
    case .int64: self = .int64(values)
    case .float32: self = .float32(values.map(Float.init))
    case .bool: self = .bool(values.map { $0 != 0 })
    case .string: self = .string(values.map(String.init))
    }
  }
}
