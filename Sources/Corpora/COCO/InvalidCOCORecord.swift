/// Why one record of an annotation file cannot be used.
package struct InvalidCOCORecord: Error, Equatable, Sendable {
  package enum Section: String, Sendable {
    case image, category, annotation
  }

  package enum Reason: Error, Equatable, Sendable {
    /// The record is no object.
    case notAnObject(found: String)
    case missing(field: String)
    /// The same key twice in one record: two programs would read two values.
    case repeated(field: String)
    case wrong(field: String, found: String, expected: String)
    /// Another image or category before it has the same number and is not the same.
    case duplicateID
    case unknownImage
    case unknownCategory(Int)
    case segmentation(InvalidSegmentation)
    /// Parts of a polygon; the object is painted without them.
    case parts(first: InvalidSegmentation, count: Int)
  }

  package var path: String
  /// Where the record begins in the file.
  package var byte: Int
  package var section: Section
  /// The record's number, when that much could be read.
  package var id: Int64?
  /// The image that the record is about, when it is known.
  package var imageID: Int64?
  package var reason: Reason

  package init(
    path: String, byte: Int, section: Section, id: Int64?, imageID: Int64?, reason: Reason
  ) {
    self.path = path
    self.byte = byte
    self.section = section
    self.id = id
    self.imageID = imageID
    self.reason = reason
  }

  /// A short word for reports, such as `duplicate-id`.
  package var kind: String {
    switch reason {
    case .notAnObject: "not-an-object"
    case .missing: "missing-field"
    case .repeated: "repeated-field"
    case .wrong: "wrong-value"
    case .duplicateID: "duplicate-id"
    case .unknownImage: "unknown-image"
    case .unknownCategory: "unknown-category"
    case .segmentation, .parts: "segmentation"
    }
  }
}

extension InvalidCOCORecord: CustomStringConvertible {
  package var description: String {
    var location = "\(path): byte \(byte): \(section.rawValue)"
    if let id { location += " \(id)" }
    if section == .annotation, let imageID { location += " of image \(imageID)" }
    return switch reason {
    case .notAnObject(let found): "\(location): \(found), expected {…}"
    case .missing(let field): "\(location): no \(field)"
    case .repeated(let field): "\(location): \(field) is there twice"
    case .wrong(let field, let found, let expected):
      "\(location): \(field) is \(found), expected \(expected)"
    case .duplicateID: "\(location): its id is taken by another one before it"
    case .unknownImage: "\(location): the file lists no such image"
    case .unknownCategory(let category): "\(location): the file lists no category \(category)"
    case .segmentation(let fault): "\(location): \(fault)"
    case .parts(let first, let count):
      "\(location): \(first); "
        + (count == 1 ? "that part is not painted" : "\(count) parts are not painted")
    }
  }
}

/// The broken records of a file.
package struct InvalidCOCORecords: Equatable, Sendable {
  /// Faults that are kept with their location; the rest is only counted.
  package static let listedLimit = 1000

  /// The first ones.
  package private(set) var listed: [InvalidCOCORecord] = []
  package private(set) var count = 0
  /// How many there are of each kind, by `InvalidCOCORecord.kind`.
  package private(set) var counts: [String: Int] = [:]
  /// Halves of surrogate pairs (`\ud800` alone) that were read as U+FFFD; no record is lost by
  /// them.
  package internal(set) var mendedEscapes = 0
  /// Records read, good and invalid ones.
  package internal(set) var read = 0
  /// Annotations read, and those that are kept: good ones of images that are listed.
  package internal(set) var annotations = 0, keptAnnotations = 0
  /// Annotations with a number that an earlier one has; nothing needs it to be unique, and all are
  /// kept.
  package internal(set) var repeatedIDs = 0

  package init() {}

  /// Records that should have been of use; annotations of images that are not listed are not, for a
  /// list that was cut down to some images often keeps all annotations.
  package var lost: Int { count - counts["unknown-image", default: 0] }

  mutating func add(_ fault: InvalidCOCORecord) {
    count += 1
    counts[fault.kind, default: 0] += 1
    if listed.count < Self.listedLimit { listed.append(fault) }
  }
}
