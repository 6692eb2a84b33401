import CAnnotations
import DurableFiles

/// The objects of an `instances_*.json` or the surfaces of a `stuff_*.json`.
///
/// Outlines stay in the file, which is held open; they are read again, a few hundred bytes each,
/// when a mask is wanted. So an annotation takes some 100 bytes of memory, however long its outline
/// is.
package final class COCOObjects: Sendable {
  private let annotations: AnnotationFile<COCOAnnotation>
  private let file: OpenFile

  /// Reads a file.
  ///
  /// - Throws: `DurableFileError`; `COCOError` when the file is none of COCO's or, in a strict
  ///   reading, has an invalid record; what `reading.progress` throws.
  package init(path: String, reading: COCOReading = COCOReading()) throws {
    file = try OpenFile(reading: path)
    annotations = try AnnotationFile(file, reading: reading) {
      (record) throws(InvalidCOCORecord.Reason) -> COCOAnnotation in
      try COCOAnnotation(record)
    }
  }

  package var path: String { annotations.path }
  /// SHA-256 of the file, hexadecimal.
  package var digest: String { annotations.digest }
  /// In the order of the file.
  package var images: [COCOImage] { annotations.images }
  /// In the order of the file.
  package var categories: [COCOCategory] { annotations.categories }
  /// Records that were left out; outlines are looked at only when a mask is made.
  package var faults: InvalidCOCORecords { annotations.faults }

  /// An image of the file, or `nil` when it lists no such one.
  package func image(_ id: Int64) -> COCOImage? { annotations.image(id) }

  /// The annotations of an image, in the order of the file.
  package func annotations(of image: Int64) -> [COCOAnnotation] { annotations.rows(of: image) }

  /// The pixels of an annotation of this file; may be called by several threads at once.
  ///
  /// - Parameters:
  ///   - width: columns of the image.
  ///   - height: rows of the image.
  /// - Throws: `InvalidCOCORecord` when the outline makes no mask, `COCOError` when the file cannot
  ///   be read any more.
  package func mask(
    of annotation: COCOAnnotation, width: Int, height: Int
  ) throws -> COCOMask {
    try mask(of: annotation, with: MaskMaker(width: width, height: height))
  }

  /// As `mask(of:width:height:)`, with the memory of an earlier one; its `leftOut` says what is
  /// missing from the mask.
  func mask(of annotation: COCOAnnotation, with maker: MaskMaker) throws -> COCOMask {
    let bytes = try outline(of: annotation)
    do throws(InvalidSegmentation) {
      return try maker.mask(segmentation: bytes)
    } catch {
      throw InvalidCOCORecord(
        path: path, byte: annotation.position, section: .annotation, id: annotation.number,
        imageID: annotation.imageID, reason: .segmentation(error))
    }
  }

  /// The JSON of an annotation's outline.
  private func outline(of annotation: COCOAnnotation) throws(COCOError) -> [UInt8] {
    let bytes: [UInt8]
    do throws(DurableFileError) {
      bytes = try file.bytes(annotation.segmentation)
    } catch {
      throw .file(error)
    }
    // Where it was read first, it began and ended with its brackets.
    let brackets: [(UInt8?, UInt8?)] = [
      (nil, nil), (UInt8(ascii: "["), UInt8(ascii: "]")), (UInt8(ascii: "{"), UInt8(ascii: "}")),
    ]
    guard bytes.count == annotation.segmentation.count,
      brackets.contains(where: { $0 == (bytes.first, bytes.last) })
    else { throw .changed(path: path) }
    return bytes
  }
}

extension COCOAnnotation {
  fileprivate init(_ record: ca_record) throws(InvalidCOCORecord.Reason) {
    if let reason = record.fault(requiring: [CA_IMAGE_ID, CA_CATEGORY_ID, CA_BBOX])
      ?? record.fault(CA_CATEGORY_ID, record.category_id, in: COCOCategory.ids)
    {
      throw reason
    }
    let (x, y, width, height) = record.box
    guard width >= 0, height >= 0, [x, y, width, height].allSatisfy({ abs($0) <= 1e6 }) else {
      throw .wrong(
        field: "bbox", found: "[\(x), \(y), \(width), \(height)]",
        expected: "[x, y, width, height] of at most 1000000, sides from 0 on")
    }
    self.init(
      id: record.annotationID, imageID: record.image_id, categoryID: Int(record.category_id),
      isCrowd: record.is_crowd != 0, area: record.area,
      box: COCOBox(x: x, y: y, width: width, height: height),
      segmentation: Int(record.segmentation_begin)..<Int(record.segmentation_end),
      position: Int(record.begin))
  }
}
