import CAnnotations
import DurableFiles

/// The objects of an `instances_*.json` or the surfaces of a `stuff_*.json`.
///
/// Outlines stay in the file, which is held open; they are read again, a few hundred bytes each, when a mask is wanted. So an
/// annotation takes some 100 bytes of memory, however long its outline is.
package final class COCOObjects: Sendable {
  package let path: String
  /// In the order of the file.
  package let images: [COCOImage]
  /// In the order of the file.
  package let categories: [COCOCategory]
  /// Records that were left out; outlines are looked at only when a mask is made.
  package let faults: COCOFaults

  private let imageIndex: [Int64: Int32]
  private let rows: [COCOAnnotation]
  private let groups: AnnotationGroups
  private let file: OpenFile

  /// Reads a file.
  ///
  /// - Throws: `COCOError` when the file is none of COCO's or, in a strict reading, has a broken record; what `reading.progress` throws.
  package init(path: String, reading: COCOReading = COCOReading()) throws {
    let collector = Collector(path: path, reading: reading)
    do {
      file = try OpenFile(reading: path)
      collector.noteMended(
        try RecordStream.read(file, into: collector, progress: reading.progress))
    } catch let error as DurableFileError {
      throw COCOError.file(error)
    }
    try collector.leaveOutUnknownCategories()
    let rows = collector.rows
    groups = try collector.grouped(count: rows.count) { row in
      (rows[row].id, rows[row].imageID, rows[row].place)
    }
    self.path = path
    self.rows = rows
    images = collector.images
    categories = collector.categories
    imageIndex = collector.imageIndex
    faults = collector.faults
  }

  /// Annotations of all pictures.
  package var annotationCount: Int { groups.count }

  /// A picture of the file, or `nil` when it lists no such one.
  package func image(_ id: Int64) -> COCOImage? {
    imageIndex[id].map { images[Int($0)] }
  }

  /// The annotations of a picture, in the order of the file.
  package func annotations(of image: Int64) -> [COCOAnnotation] {
    guard let index = imageIndex[image] else { return [] }
    return groups.rows(of: index).map { rows[Int($0)] }
  }

  /// The pixels of an annotation of this file; may be called by several threads at once.
  ///
  /// - Parameters:
  ///   - width: columns of the picture.
  ///   - height: rows of the picture.
  /// - Throws: `COCOFault` when the outline makes no mask, `COCOError` when the file cannot be read any more.
  package func mask(
    of annotation: COCOAnnotation, width: Int, height: Int
  ) throws -> COCOMask {
    try mask(of: annotation, with: MaskMaker(width: width, height: height))
  }

  /// As `mask(of:width:height:)`, with the memory of an earlier one.
  func mask(of annotation: COCOAnnotation, with maker: MaskMaker) throws -> COCOMask {
    let bytes = try outline(of: annotation)
    do throws(COCOSegmentationFault) {
      return try maker.mask(segmentation: bytes)
    } catch {
      throw COCOFault(
        path: path, byte: annotation.place, section: .annotation, id: annotation.id,
        imageID: annotation.imageID, reason: .segmentation(error))
    }
  }

  /// The JSON of an annotation's outline.
  private func outline(of annotation: COCOAnnotation) throws(COCOError) -> [UInt8] {
    let wanted = annotation.segmentation
    var bytes = [UInt8](repeating: 0, count: wanted.count)
    let got: Int
    do throws(DurableFileError) {
      got = try bytes.withUnsafeMutableBufferPointer { buffer throws(DurableFileError) in
        try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: wanted.lowerBound)
      }
    } catch {
      throw .file(error)
    }
    // Where it was read first, it began and ended with its brackets.
    let brackets: [(UInt8?, UInt8?)] = [
      (nil, nil), (UInt8(ascii: "["), UInt8(ascii: "]")), (UInt8(ascii: "{"), UInt8(ascii: "}")),
    ]
    guard got == wanted.count, brackets.contains(where: { $0 == (bytes.first, bytes.last) }) else {
      throw .changed(path: path)
    }
    return bytes
  }
}

extension COCOObjects {
  private final class Collector: RecordCollector {
    var rows: [COCOAnnotation] = []

    override func receiveAnnotation(_ record: ca_record) throws(COCOError) {
      if let reason = record.fault(requiring: [CA_ID, CA_IMAGE_ID, CA_CATEGORY_ID, CA_BBOX])
        ?? record.fault(CA_CATEGORY_ID, record.category_id, in: COCOCategory.ids)
      {
        return try add(reason, record)
      }
      let (x, y, width, height) = record.box
      guard width >= 0, height >= 0, [x, y, width, height].allSatisfy({ abs($0) <= 1e6 }) else {
        return try add(
          .wrong(
            field: "bbox", found: "[\(x), \(y), \(width), \(height)]",
            expected: "[x, y, width, height] of at most 1000000, sides from 0 on"), record)
      }
      rows.append(
        COCOAnnotation(
          id: record.id, imageID: record.image_id, categoryID: Int(record.category_id),
          isCrowd: record.is_crowd != 0, area: record.area,
          box: COCOBox(x: x, y: y, width: width, height: height),
          segmentation: Int(record.segmentation_begin)..<Int(record.segmentation_end),
          place: Int(record.begin)))
    }

    /// Categories may stand behind the annotations, so this waits for the end.
    func leaveOutUnknownCategories() throws(COCOError) {
      let known = Set(categories.map(\.id))
      guard rows.contains(where: { !known.contains($0.categoryID) }) else { return }
      for row in rows where !known.contains(row.categoryID) {
        try add(
          COCOFault(
            path: path, byte: row.place, section: .annotation, id: row.id, imageID: row.imageID,
            reason: .unknownCategory(row.categoryID)))
      }
      rows.removeAll { !known.contains($0.categoryID) }
    }
  }
}
