import DurableFiles

/// Why a COCO annotation file, or a map of COCO-Stuff, cannot be used at all.
package enum COCOError: Error, Equatable, Sendable {
  case file(DurableFileError)
  /// `found` is the parser's sentence.
  case notJSON(path: String, byte: Int, found: String)
  case wrongShape(path: String, byte: Int, found: String, expected: String)
  case missingSection(path: String, section: String)
  case repeatedSection(path: String, byte: Int, section: String)
  case tooManyRecords(path: String, limit: Int)
  /// The first broken record of a strict reading.
  case badRecord(InvalidCOCORecord)
  /// The file is shorter than when it was first read.
  case changed(path: String)
  case notALabel(path: String, column: Int, row: Int, value: UInt8)
  case noMemory(path: String)
}

extension COCOError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .file(let error):
      "\(error)"
    case .notJSON(let path, let byte, let found):
      "\(path): byte \(byte): \(found); expected a JSON file, is it complete?"
    case .wrongShape(let path, let byte, let found, let expected):
      "\(path): byte \(byte): \(found), expected \(expected)"
    case .missingSection(let path, let section):
      "\(path): no \"\(section)\"; expected one of COCO's instances, stuff or captions files"
    case .repeatedSection(let path, let byte, let section):
      "\(path): byte \(byte): \"\(section)\" is there twice"
    case .tooManyRecords(let path, let limit):
      "\(path): more than \(limit) records"
    case .badRecord(let fault):
      "\(fault) (stopped, because every record must be good)"
    case .changed(let path):
      "\(path): changed since it was read; run again"
    case .notALabel(let path, let column, let row, let value):
      "\(path): pixel \(column),\(row) is \(value), expected a COCO-Stuff label 0…181 or 255 for none"
    case .noMemory(let path):
      "\(path): not enough memory"
    }
  }
}
