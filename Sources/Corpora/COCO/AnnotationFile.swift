// What both kinds of annotation files share: images, categories, invalid records, and annotations
// by image.

import CAnnotations
import DurableFiles

/// What is kept of a record of `annotations`.
protocol AnnotationRow: Sendable {
  /// -1 where the file gives none.
  var id: Int64 { get }
  var imageID: Int64 { get }
  /// The category, which the file must list; nil in a file without categories.
  var category: Int? { get }
  /// Where the record begins in the file.
  var position: Int { get }
}

extension AnnotationRow {
  /// The number, where it has one.
  var number: Int64? { id < 0 ? nil : id }
}

/// The good records of an annotation file; the others are noted.
struct AnnotationFile<Row: AnnotationRow>: Sendable {
  /// Positions of records are kept in 32 bits.
  private static var maxRecords: Int { Int(Int32.max) }

  let path: String
  /// In the order of the file.
  private(set) var images: [COCOImage] = []
  /// In the order of the file.
  private(set) var categories: [COCOCategory] = []
  private(set) var faults = InvalidCOCORecords()
  /// SHA-256 of the file, hexadecimal.
  private(set) var digest = ""

  private let isStrict: Bool
  /// Positions in `images` by number.
  private var imageIndex: [Int64: Int32] = [:]
  /// Positions in `categories` by number.
  private var categoryIndex: [Int: Int] = [:]
  /// Numbers of images whose record is invalid; that is reported once, not again for each
  /// annotation.
  private var brokenImages: Set<Int64> = []
  private var rows: [Row] = []
  private var groups = AnnotationGroups(imageOfRow: [], images: 0)

  /// Reads a file.
  ///
  /// Leaves out annotations of images or categories that the file does not list.
  ///
  /// - Parameter row: what is kept of a record of `annotations`; throws what is wrong with it.
  /// - Throws: `DurableFileError`; `COCOError` when the file is none of COCO's or, in a strict
  ///   reading, has an invalid record; what `reading.progress` throws.
  init(
    _ file: borrowing OpenFile, reading: COCOReading,
    row: (ca_record) throws(InvalidCOCORecord.Reason) -> Row
  ) throws {
    path = file.path
    isStrict = reading.isStrict
    let stream = try RecordStream.read(file, progress: reading.progress) { record in
      faults.read += 1
      do throws(InvalidCOCORecord.Reason) {
        switch record.section {
        case CA_IMAGE: try addImage(record)
        case CA_CATEGORY: try addCategory(record)
        default:
          faults.annotations += 1
          if record.has(CA_IMAGE_ID), !reading.keeps(record.image_id) { return }
          rows.append(try row(record))
        }
      } catch {
        try note(error, record)
      }
    }
    faults.mendedEscapes = stream.mended
    digest = stream.digest
    try leaveOutUnknownCategories()
    guard max(images.count, rows.count) <= Self.maxRecords else {
      throw COCOError.tooManyRecords(path: path, limit: Self.maxRecords)
    }
    groups = try grouped()
  }

  /// An image of the file, or `nil` when it lists no such one.
  func image(_ id: Int64) -> COCOImage? { imageIndex[id].map { images[Int($0)] } }

  /// The annotations of an image, in the order of the file.
  func rows(of image: Int64) -> [Row] {
    guard let index = imageIndex[image] else { return [] }
    return groups.rows(of: index).map { rows[Int($0)] }
  }

  // MARK: Records

  private mutating func addImage(_ record: ca_record) throws(InvalidCOCORecord.Reason) {
    let sides: ClosedRange<Int64> = 1...65_500  // as JPEG has at most
    let givesBoth = record.has(CA_WIDTH) && record.has(CA_HEIGHT)
    // Exporters write 0 and 0 of images that they have not opened.
    let isUnknown = givesBoth && (record.width, record.height) == (0, 0)
    let hasSize = givesBoth && !isUnknown
    func fault(_ side: ca_field, _ value: Int64) -> InvalidCOCORecord.Reason? {
      record.has(side) && !isUnknown ? record.fault(side, value, in: sides) : nil
    }
    if let reason = record.fault(requiring: [CA_ID, CA_FILE_NAME])
      ?? fault(CA_WIDTH, record.width) ?? fault(CA_HEIGHT, record.height)
    {
      if record.has(CA_ID) { brokenImages.insert(record.id) }
      throw reason
    }
    let image = COCOImage(
      id: record.id, fileName: record.file_name.string, width: hasSize ? Int(record.width) : nil,
      height: hasSize ? Int(record.height) : nil)
    if let index = imageIndex[record.id] {
      if images[Int(index)] != image { throw .duplicateID }
      return
    }
    imageIndex[record.id] = Int32(truncatingIfNeeded: images.count)
    images.append(image)
  }

  private mutating func addCategory(_ record: ca_record) throws(InvalidCOCORecord.Reason) {
    if let reason = record.fault(requiring: [CA_ID, CA_NAME])
      ?? record.fault(CA_ID, record.id, in: COCOCategory.ids)
    {
      throw reason
    }
    let category = COCOCategory(
      id: Int(record.id), name: record.name.string, supercategory: record.supercategory.string)
    if let index = categoryIndex[category.id] {
      if categories[index] != category { throw .duplicateID }
      return
    }
    categoryIndex[category.id] = categories.count
    categories.append(category)
  }

  // MARK: Invalid records

  /// Notes an invalid record.
  ///
  /// - Throws: `.badRecord` for any when the reading is strict.
  private mutating func note(_ fault: InvalidCOCORecord) throws(COCOError) {
    if isStrict { throw .badRecord(fault) }
    faults.add(fault)
  }

  private mutating func note(
    _ reason: InvalidCOCORecord.Reason, _ record: ca_record
  ) throws(COCOError) {
    let section: InvalidCOCORecord.Section =
      switch record.section {
      case CA_IMAGE: .image
      case CA_CATEGORY: .category
      default: .annotation
      }
    try note(
      InvalidCOCORecord(
        path: path, byte: Int(record.begin), section: section,
        id: record.has(CA_ID) ? record.id : nil,
        imageID: record.has(CA_IMAGE_ID) ? record.image_id : nil, reason: reason))
  }

  private mutating func note(_ reason: InvalidCOCORecord.Reason, _ row: Row) throws(COCOError) {
    try note(
      InvalidCOCORecord(
        path: path, byte: row.position, section: .annotation, id: row.number, imageID: row.imageID,
        reason: reason))
  }

  // MARK: The whole file

  /// Categories may stand behind the annotations, so this waits for the end.
  private mutating func leaveOutUnknownCategories() throws(COCOError) {
    let known = Set(categories.map(\.id))
    func isUnknown(_ row: Row) -> Bool { row.category.map { !known.contains($0) } ?? false }
    guard rows.contains(where: isUnknown) else { return }
    for row in rows where isUnknown(row) {
      if let category = row.category { try note(.unknownCategory(category), row) }
    }
    rows.removeAll(where: isUnknown)
  }

  /// Where the annotations of each image are among the rows.
  private mutating func grouped() throws(COCOError) -> AnnotationGroups {
    // The image's position, or -1 to leave the row out.
    var imageOfRow = [Int32](repeating: -1, count: rows.count)
    let ids = rows.compactMap(\.number).sorted()
    faults.repeatedIDs = zip(ids, ids.dropFirst()).count { $0 == $1 }
    for (position, row) in rows.enumerated() {
      if let image = imageIndex[row.imageID] {
        imageOfRow[position] = image
      } else if !brokenImages.contains(row.imageID) {
        try note(.unknownImage, row)
      }
    }
    faults.keptAnnotations = imageOfRow.count { $0 >= 0 }
    return AnnotationGroups(imageOfRow: imageOfRow, images: images.count)
  }
}

/// The annotations of each image, by position.
struct AnnotationGroups: Sendable {
  /// Positions of the annotations, sorted by image and then in the order of the file.
  private let order: [Int32]
  /// Where each image's begin in `order`, and the end of the last.
  private let starts: [Int32]

  /// - Parameter imageOfRow: the image's position for each annotation, or -1.
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

  /// Positions of the annotations of an image.
  func rows(of image: Int32) -> ArraySlice<Int32> {
    order[Int(starts[Int(image)])..<Int(starts[Int(image) + 1])]
  }
}
