// The one caller of the record reader in C: bytes of a file in, records out.

import CAnnotations
import Checksums
import DurableFiles

/// Reads annotation files piece by piece; memory does not depend on their size.
enum RecordStream {
  /// Bytes read at once.
  private static let window = 1 << 20

  /// Hands every record of a file to `take`, in the order of the file.
  ///
  /// - Returns: how many escaped halves of surrogate pairs were read as U+FFFD, and the SHA-256 of
  ///   the file, hexadecimal.
  /// - Throws: `DurableFileError`, `COCOError`, and what `progress` and `take` throw.
  static func read(
    _ file: borrowing OpenFile, progress: ((_ bytes: Int, _ size: Int) throws -> Void)?,
    take: (ca_record) throws -> Void
  ) throws -> (mended: Int, digest: String) {
    try withoutActuallyEscaping(take) { take in
      let relay = Relay(take)
      return try withExtendedLifetime(relay) {
        try read(file, into: relay, progress: progress)
      }
    }
  }

  private static func read(
    _ file: borrowing OpenFile, into relay: Relay,
    progress: ((_ bytes: Int, _ size: Int) throws -> Void)?
  ) throws -> (mended: Int, digest: String) {
    let path = file.path
    let context = Unmanaged.passUnretained(relay).toOpaque()
    guard
      let reader = ca_reader_create(
        { context, record in
          guard let context, let record else { return 0 }
          return Unmanaged<Relay>.fromOpaque(context).takeUnretainedValue().take(record.pointee)
        }, context)
    else { throw COCOError.noMemory(path: path) }
    defer { ca_reader_free(reader) }

    let size = try file.count
    var bytes = [UInt8](repeating: 0, count: window)
    var kept = 0  // bytes of an unfinished value, at the beginning of `bytes`
    var offset = 0
    var isLast = false
    var hash = SHA256()
    while !isLast {
      let got = try bytes.withUnsafeMutableBytes { buffer in
        let got = try file.read(
          into: UnsafeMutableRawBufferPointer(rebasing: buffer[kept...]), at: offset)
        hash.update(UnsafeRawBufferPointer(rebasing: buffer[kept..<kept + got]))
        return got
      }
      offset += got
      isLast = kept + got < bytes.count
      let filled = kept + got
      let taken = bytes.withUnsafeMutableBytes { buffer in
        ca_read(
          reader, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), filled, isLast ? 1 : 0)
      }
      guard taken >= 0 else {
        throw relay.failure ?? failure(of: reader, path: path)
      }
      kept = filled - taken
      bytes.withUnsafeMutableBytes { buffer in
        if kept > 0, taken > 0 {
          buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[taken..<filled]))
        }
      }
      // A single value that fills the window; the reader ends it at its limit.
      if kept == bytes.count { bytes += [UInt8](repeating: 0, count: bytes.count) }
      try progress?(offset, size)
    }
    for (section, name) in [(CA_IMAGE, "images"), (CA_ANNOTATION, "annotations")]
    where ca_reader_has(reader, section) == 0 {
      throw COCOError.missingSection(path: path, section: name)
    }
    return (ca_reader_mended(reader), hexadecimal(hash.finalize()))
  }

  private static func failure(of reader: OpaquePointer, path: String) -> COCOError {
    var failure = ca_failure()
    let outcome = ca_reader_outcome(reader, &failure)
    let found = text(of: failure.found)
    let byte = Int(failure.byte)
    switch outcome {
    case CA_WRONG_SHAPE:
      let expected = failure.expected.map { String(cString: $0) } ?? ""
      return .wrongShape(path: path, byte: byte, found: found, expected: expected)
    case CA_REPEATED_SECTION:
      return .repeatedSection(path: path, byte: byte, section: found)
    case CA_NO_MEMORY:
      return .noMemory(path: path)
    default:
      return .notJSON(path: path, byte: byte, found: found)
    }
  }

  /// The text in a C array of characters, up to its zero.
  static func text<Characters>(of characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}

/// What stands between the C callback and its caller: keeps an error until the reader has returned.
private final class Relay {
  private let body: (ca_record) throws -> Void
  private(set) var failure: (any Error)?

  init(_ body: @escaping (ca_record) throws -> Void) { self.body = body }

  func take(_ record: ca_record) -> Int32 {
    do {
      try body(record)
      return 1
    } catch {
      failure = error
      return 0
    }
  }
}

extension ca_text {
  /// The bytes as they lie in the reader.
  var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: count) }
  var string: String { String(decoding: buffer, as: UTF8.self) }
}
