// What both kinds of annotation files share: pictures, categories, faults.

import CAnnotations

/// Keeps the good records of an annotation file and notes the others.
class RecordCollector: RecordReceiver {
  /// Positions of records are kept in 32 bits.
  private static let mostRecords = Int(Int32.max)

  let path: String
  private let reading: COCOReading
  private(set) var images: [COCOImage] = []
  /// Positions in `images` by number.
  private(set) var imageIndex: [Int64: Int32] = [:]
  private(set) var categories: [COCOCategory] = []
  private(set) var faults = COCOFaults()
  /// Numbers of pictures whose record is broken; that is reported once, not again for each annotation.
  private var brokenImages: Set<Int64> = []

  init(path: String, reading: COCOReading) {
    self.path = path
    self.reading = reading
  }

  final func receive(_ record: ca_record) throws(COCOError) {
    switch record.section {
    case CA_IMAGE: try receiveImage(record)
    case CA_CATEGORY: try receiveCategory(record)
    default:
      guard !record.has(CA_IMAGE_ID) || reading.keeps(record.image_id) else { return }
      try receiveAnnotation(record)
    }
  }

  /// Takes a record of `annotations` about a picture that is kept.
  func receiveAnnotation(_ record: ca_record) throws(COCOError) {
    preconditionFailure("each kind of file receives its own annotations")
  }

  /// Notes a broken record.
  ///
  /// - Throws: `.badRecord` for any when the reading is strict.
  final func add(_ fault: COCOFault) throws(COCOError) {
    if reading.isStrict { throw .badRecord(fault) }
    faults.add(fault)
  }

  final func add(_ reason: COCOFault.Reason, _ record: ca_record) throws(COCOError) {
    let section: COCOFault.Section =
      switch record.section {
      case CA_IMAGE: .image
      case CA_CATEGORY: .category
      default: .annotation
      }
    try add(
      COCOFault(
        path: path, byte: Int(record.begin), section: section,
        id: record.has(CA_ID) ? record.id : nil,
        imageID: record.has(CA_IMAGE_ID) ? record.image_id : nil, reason: reason))
  }

  final func noteMended(_ count: Int) { faults.mendedEscapes = count }

  /// Which of the annotations to keep, and where the pictures' annotations are among those.
  ///
  /// Leaves out those of pictures that the file does not list, and every further one of the same number.
  ///
  /// - Parameters:
  ///   - count: annotations in the order of the file.
  ///   - key: their number, their picture's and the byte where they begin.
  final func grouped(
    count: Int, key: (Int) -> (id: Int64, imageID: Int64, place: Int)
  ) throws(COCOError) -> AnnotationGroups {
    guard count <= Self.mostRecords else {
      throw .tooManyRecords(path: path, limit: Self.mostRecords)
    }
    var rows = [Int32](repeating: -1, count: count)  // the picture's position, or -1 to leave out
    var repeats = Self.repeats(count: count) { key($0).id }
    for row in 0..<count {
      let (id, imageID, place) = key(row)
      var reason: COCOFault.Reason?
      if repeats.remove(row) != nil {
        reason = .duplicateID
      } else if let image = imageIndex[imageID] {
        rows[row] = image
      } else if !brokenImages.contains(imageID) {
        reason = .unknownImage
      }
      guard let reason else { continue }
      try add(
        COCOFault(
          path: path, byte: place, section: .annotation, id: id, imageID: imageID, reason: reason))
    }
    return AnnotationGroups(imageOfRow: rows, images: images.count)
  }

  /// Positions of all but the first of equal numbers.
  private static func repeats(count: Int, id: (Int) -> Int64) -> Set<Int> {
    var ids = (0..<count).map(id)
    ids.sort()
    guard zip(ids, ids.dropFirst()).contains(where: { $0 == $1 }) else { return [] }
    var seen: Set<Int64> = []
    return Set((0..<count).filter { !seen.insert(id($0)).inserted })
  }

  private func receiveImage(_ record: ca_record) throws(COCOError) {
    let sides: ClosedRange<Int64> = 1...65_500  // as JPEG has at most
    if let reason = record.fault(requiring: [CA_ID, CA_FILE_NAME, CA_WIDTH, CA_HEIGHT])
      ?? record.fault(CA_WIDTH, record.width, in: sides)
      ?? record.fault(CA_HEIGHT, record.height, in: sides)
    {
      if record.has(CA_ID) { brokenImages.insert(record.id) }
      return try add(reason, record)
    }
    guard imageIndex[record.id] == nil else { return try add(.duplicateID, record) }
    guard images.count < Self.mostRecords else {
      throw .tooManyRecords(path: path, limit: Self.mostRecords)
    }
    imageIndex[record.id] = Int32(images.count)
    images.append(
      COCOImage(
        id: record.id, fileName: record.file_name.string, width: Int(record.width),
        height: Int(record.height)))
  }

  private func receiveCategory(_ record: ca_record) throws(COCOError) {
    if let reason = record.fault(requiring: [CA_ID, CA_NAME])
      ?? record.fault(CA_ID, record.id, in: COCOCategory.ids)
    {
      return try add(reason, record)
    }
    let id = Int(record.id)
    guard !categories.contains(where: { $0.id == id }) else { return try add(.duplicateID, record) }
    categories.append(
      COCOCategory(
        id: id, name: record.name.string, supercategory: record.supercategory.string))
  }
}

/// The annotations of each picture, by position.
struct AnnotationGroups: Sendable {
  /// Positions of the annotations, sorted by picture and then in the order of the file.
  private let order: [Int32]
  /// Where each picture's begin in `order`, and the end of the last.
  private let starts: [Int32]

  /// - Parameter imageOfRow: the picture's position for each annotation, or -1.
  init(imageOfRow rows: [Int32], images: Int) {
    var starts = [Int32](repeating: 0, count: images + 1)
    for image in rows where image >= 0 { starts[Int(image) + 1] += 1 }
    for image in 0..<images { starts[image + 1] += starts[image] }
    var next = starts
    var order = [Int32](repeating: 0, count: Int(starts[images]))
    for (row, image) in rows.enumerated() where image >= 0 {
      order[Int(next[Int(image)])] = Int32(row)
      next[Int(image)] += 1
    }
    self.order = order
    self.starts = starts
  }

  var count: Int { order.count }

  /// Positions of the annotations of a picture.
  func rows(of image: Int32) -> ArraySlice<Int32> {
    order[Int(starts[Int(image)])..<Int(starts[Int(image) + 1])]
  }
}
