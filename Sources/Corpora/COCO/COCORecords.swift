// The records of COCO's annotation files, as far as the suite uses them.

/// An image that an annotation file lists.
package struct COCOImage: Equatable, Sendable {
  package let id: Int64
  /// As the file gives it: not checked, it may hold anything.
  package let fileName: String
  /// Pixels, each in 1…65,500; `nil` where the file does not give both.
  package let width, height: Int?

  package init(id: Int64, fileName: String, width: Int?, height: Int?) {
    self.id = id
    self.fileName = fileName
    self.width = width
    self.height = height
  }
}

/// A kind of object or surface that an annotation file lists.
package struct COCOCategory: Equatable, Sendable {
  /// In 0…65,535; COCO's things have 1…90, COCO-Stuff's surfaces 92…182, and 183 is "other".
  package let id: Int
  package let name: String
  /// Empty where the file names none.
  package let supercategory: String

  /// What an id may be.
  static let ids: ClosedRange<Int64> = 0...65_535

  package init(id: Int, name: String, supercategory: String) {
    self.id = id
    self.name = name
    self.supercategory = supercategory
  }
}

/// A sentence about an image.
package struct COCOCaption: Equatable, Sendable {
  /// -1 where the file gives none.
  package let id: Int64
  /// As the file gives it, line breaks and double blanks included; may be empty.
  package let text: String

  package init(id: Int64, text: String) {
    self.id = id
    self.text = text
  }
}

/// An object, a group of objects or a surface in an image; its outline stays in the file until a
/// mask is wanted.
package struct COCOAnnotation: Equatable, AnnotationRow {
  /// -1 where the file gives none.
  package let id: Int64
  package let imageID: Int64
  package let categoryID: Int
  var category: Int? { categoryID }
  /// Whether a group of objects is marked as one.
  package let isCrowd: Bool
  /// As the file gives it, pixels of the mask; 0 where it gives none.
  package let area: Double
  package let box: COCOBox
  /// Where the outline lies in the file; empty where there is none.
  let segmentation: Range<Int>
  /// Where the record begins in the file.
  let position: Int
}
