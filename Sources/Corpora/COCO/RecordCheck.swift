// What a record must have.

import CAnnotations

extension ca_record {
  func has(_ field: ca_field) -> Bool { seen & (1 << field.rawValue) != 0 }

  /// The number of an annotation; -1 where it has none.
  var annotationID: Int64 { has(CA_ID) ? id : -1 }

  /// The first thing that is wrong with the record.
  ///
  /// - Parameter required: fields it must have.
  func fault(requiring required: [ca_field]) -> InvalidCOCORecord.Reason? {
    guard is_object != 0 else { return .notAnObject(found: RecordStream.text(of: found)) }
    if repeated >= 0 { return .repeated(field: Self.name(of: ca_field(UInt32(repeated)))) }
    if wrong >= 0 {
      return Self.wrong(ca_field(UInt32(wrong)), found: RecordStream.text(of: found))
    }
    for field in required where !has(field) { return .missing(field: Self.name(of: field)) }
    let identifiers = [(CA_ID, id), (CA_IMAGE_ID, image_id)]
    for (field, value) in identifiers where has(field) && value < 0 {
      return Self.wrong(field, found: "\(value)")
    }
    return nil
  }

  /// A number outside its range.
  func fault(
    _ field: ca_field, _ value: Int64, in range: ClosedRange<Int64>
  ) -> InvalidCOCORecord.Reason? {
    guard !range.contains(value) else { return nil }
    return .wrong(
      field: Self.name(of: field), found: "\(value)",
      expected: "\(range.lowerBound)…\(range.upperBound)")
  }

  private static func wrong(_ field: ca_field, found: String) -> InvalidCOCORecord.Reason {
    .wrong(field: name(of: field), found: found, expected: expectation(of: field))
  }

  private static func name(of field: ca_field) -> String {
    switch field {
    case CA_ID: "id"
    case CA_IMAGE_ID: "image_id"
    case CA_CATEGORY_ID: "category_id"
    case CA_WIDTH: "width"
    case CA_HEIGHT: "height"
    case CA_ISCROWD: "iscrowd"
    case CA_AREA: "area"
    case CA_BBOX: "bbox"
    case CA_FILE_NAME: "file_name"
    case CA_NAME: "name"
    case CA_SUPERCATEGORY: "supercategory"
    case CA_CAPTION: "caption"
    default: "segmentation"
    }
  }

  private static func expectation(of field: ca_field) -> String {
    switch field {
    case CA_ID, CA_IMAGE_ID: "an integer of 0…9223372036854775807"
    case CA_CATEGORY_ID, CA_WIDTH, CA_HEIGHT: "an integer"
    case CA_ISCROWD: "0 or 1"
    case CA_AREA: "a finite number"
    case CA_BBOX: "[x, y, width, height]"
    case CA_SEGMENTATION: "a list or an object"
    default: "a text"
    }
  }
}
