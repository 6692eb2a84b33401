import CAnnotations
import DurableFiles

/// The sentences of a `captions_*.json`.
package final class COCOCaptions: Sendable {
  package let path: String
  /// In the order of the file.
  package let images: [COCOImage]
  /// Records that were left out.
  package let faults: COCOFaults

  private let imageIndex: [Int64: Int32]
  private let rows: [Row]
  private let groups: AnnotationGroups
  /// All sentences, one after the other.
  private let text: [UInt8]

  struct Row: Sendable {
    var id: Int64
    var imageID: Int64
    var place: Int
    /// Where the sentence lies in the text.
    var start: Int
    var length: Int
  }

  /// Reads a file.
  ///
  /// - Throws: `COCOError` when the file is none of COCO's or, in a strict reading, has a broken record; what `reading.progress` throws.
  package init(path: String, reading: COCOReading = COCOReading()) throws {
    let collector = Collector(path: path, reading: reading)
    do {
      let file = try OpenFile(reading: path)
      collector.noteMended(
        try RecordStream.read(file, into: collector, progress: reading.progress))
    } catch let error as DurableFileError {
      throw COCOError.file(error)
    }
    let rows = collector.rows
    groups = try collector.grouped(count: rows.count) { row in
      (rows[row].id, rows[row].imageID, rows[row].place)
    }
    self.path = path
    self.rows = rows
    text = collector.text
    images = collector.images
    imageIndex = collector.imageIndex
    faults = collector.faults
  }

  /// Sentences about all pictures.
  package var captionCount: Int { groups.count }

  /// A picture of the file, or `nil` when it lists no such one.
  package func image(_ id: Int64) -> COCOImage? {
    imageIndex[id].map { images[Int($0)] }
  }

  /// The sentences about a picture, in the order of the file.
  package func captions(of image: Int64) -> [COCOCaption] {
    guard let index = imageIndex[image] else { return [] }
    return groups.rows(of: index).map { position in
      let row = rows[Int(position)]
      return COCOCaption(
        id: row.id,
        text: String(decoding: text[row.start..<row.start + row.length], as: UTF8.self))
    }
  }
}

extension COCOCaptions {
  private final class Collector: RecordCollector {
    var rows: [Row] = []
    var text: [UInt8] = []

    override func receiveAnnotation(_ record: ca_record) throws(COCOError) {
      if let reason = record.fault(requiring: [CA_ID, CA_IMAGE_ID, CA_CAPTION]) {
        return try add(reason, record)
      }
      rows.append(
        Row(
          id: record.id, imageID: record.image_id, place: Int(record.begin), start: text.count,
          length: record.caption.count))
      text.append(contentsOf: record.caption.buffer)
    }
  }
}
