import Corpora
import Images
import Shards

/// An object in the pixels of the picture that it was found in.
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

/// What one row carries beside its pixels.
package struct PictureLabels: Sendable {
  /// Size of the picture as it was found, pixels.
  let sourceWidth, sourceHeight: Int
  /// Which of the picture's random squares; 0 for the middle.
  let crop: Int
  let geometry: FitGeometry
  let captions: [String]
  /// Objects of which the row shows anything.
  let objects: [ShardObject]

  init(of picture: SourcePicture, crop: Int, geometry: FitGeometry) {
    sourceWidth = picture.image.width
    sourceHeight = picture.image.height
    self.crop = crop
    self.geometry = geometry
    captions = picture.captions
    objects = picture.objects.compactMap { $0.placed(in: geometry) }
  }

  /// The category of the object with the largest visible box, no crowd; 0 where there is none.
  var mainCategory: Int32 {
    var main: (category: Int32, area: Float) = (0, -1)
    for object in objects where !object.isCrowd && object.width * object.height > main.area {
      main = (object.category, object.width * object.height)
    }
    return main.category
  }
}

extension [PictureLabels] {
  /// Where each row lies in its picture, one value a row.
  var columns: [(name: String, column: ShardColumn)] {
    func column(_ name: String, _ value: (PictureLabels) -> Int) -> (String, ShardColumn) {
      (name, .int32(map { Int32(value($0)) }))
    }
    return [
      column("source_width") { $0.sourceWidth },
      column("source_height") { $0.sourceHeight },
      column("scaled_width") { $0.geometry.scaledWidth },
      column("scaled_height") { $0.geometry.scaledHeight },
      column("crop_x") { -$0.geometry.x },
      column("crop_y") { -$0.geometry.y },
    ]
  }
}
