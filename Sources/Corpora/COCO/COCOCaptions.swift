import CAnnotations
import DurableFiles

/// The sentences of a `captions_*.json`.
package struct COCOCaptions: Sendable {
  private let file: AnnotationFile<Row>
  /// All sentences, one after the other: a file has 600,000, whose own storage would take more than
  /// their bytes.
  private let text: [UInt8]

  private struct Row: AnnotationRow {
    let id: Int64
    let imageID: Int64
    var category: Int? { nil }
    let position: Int
    /// Where the sentence lies in the text.
    let range: Range<Int>
  }

  /// Reads a file.
  ///
  /// - Throws: `DurableFileError`; `COCOError` when the file is none of COCO's or, in a strict
  ///   reading, has an invalid record; what `reading.progress` throws.
  package init(path: String, reading: COCOReading = COCOReading()) throws {
    var text: [UInt8] = []
    file = try AnnotationFile(OpenFile(reading: path), reading: reading) {
      (record) throws(InvalidCOCORecord.Reason) -> Row in
      if let reason = record.fault(requiring: [CA_IMAGE_ID, CA_CAPTION]) { throw reason }
      let start = text.count
      text.append(contentsOf: record.caption.buffer)
      return Row(
        id: record.annotationID, imageID: record.image_id, position: Int(record.begin),
        range: start..<text.count)
    }
    self.text = text
  }

  package var path: String { file.path }
  /// SHA-256 of the file, hexadecimal.
  package var digest: String { file.digest }
  /// In the order of the file.
  package var images: [COCOImage] { file.images }
  /// Records that were left out.
  package var faults: InvalidCOCORecords { file.faults }

  /// An image of the file, or `nil` when it lists no such one.
  package func image(_ id: Int64) -> COCOImage? { file.image(id) }

  /// The sentences about an image, in the order of the file.
  package func captions(of image: Int64) -> [COCOCaption] {
    file.rows(of: image).map {
      COCOCaption(id: $0.id, text: String(decoding: text[$0.range], as: UTF8.self))
    }
  }
}
