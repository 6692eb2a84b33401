// TensorBoard's event files.
import Checksums
import DurableFiles
import Foundation

/// An append-only file of TensorBoard events.
///
/// - Source: tensorflow/core/util/event.proto and summary.proto (the few fields used here), TFRecord framing.
final class EventFile {
  /// What one event holds.
  enum Content {
    case scalars([(tag: String, value: Float)])
    case picture(tag: String, width: Int, height: Int, png: [UInt8])
  }

  private let path: String
  private let descriptor: Int32

  /// Creates `events.out.tfevents.SECONDS.HOST.PID`.
  init(in folder: String) throws(DurableFileError) {
    let now = Date().timeIntervalSince1970
    path =
      "\(folder)/events.out.tfevents.\(Int(now)).\(ProcessInfo.processInfo.hostName).\(getpid())"
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .cannotCreate(path: path, errno: errno) }
    var event = Message()
    event.double(1, now)
    event.bytes(3, Array("brain.Event:2".utf8))
    try append(event.encoded)
  }

  deinit { close(descriptor) }

  func write(_ content: Content, step: Int) throws(DurableFileError) {
    var summary = Message()
    switch content {
    case .scalars(let values):
      for (tag, value) in values {
        var entry = Message()
        entry.bytes(1, Array(tag.utf8))
        entry.float(2, value)
        summary.bytes(1, entry.encoded)
      }
    case .picture(let tag, let width, let height, let png):
      var image = Message()
      image.integer(1, UInt64(height))
      image.integer(2, UInt64(width))
      image.integer(3, 3)  // RGB
      image.bytes(4, png)
      var entry = Message()
      entry.bytes(1, Array(tag.utf8))
      entry.bytes(4, image.encoded)
      summary.bytes(1, entry.encoded)
    }
    var event = Message()
    event.double(1, Date().timeIntervalSince1970)
    event.integer(2, UInt64(step))
    event.bytes(5, summary.encoded)
    try append(event.encoded)
  }

  /// One record: length, its checksum, data, its checksum.
  private func append(_ data: [UInt8]) throws(DurableFileError) {
    let length = Self.littleEndian(UInt64(data.count))
    let record = length + Self.maskedChecksum(length) + data + Self.maskedChecksum(data)
    guard Foundation.write(descriptor, record, record.count) == record.count else {
      throw .failed(operation: "write", path: path, errno: errno)
    }
  }

  private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  private static func maskedChecksum(_ bytes: [UInt8]) -> [UInt8] {
    let sum = bytes.withUnsafeBytes { crc32c($0) }
    return littleEndian((sum >> 15 | sum << 17) &+ 0xA282_EAD8)
  }
}

/// A protocol buffer being written.
private struct Message {
  private(set) var encoded: [UInt8] = []

  mutating func integer(_ field: Int, _ value: UInt64) {
    varint(UInt64(field << 3))
    varint(value)
  }

  mutating func double(_ field: Int, _ value: Double) {
    varint(UInt64(field << 3 | 1))
    withUnsafeBytes(of: value.bitPattern.littleEndian) { encoded += $0 }
  }

  mutating func bytes(_ field: Int, _ value: [UInt8]) {
    varint(UInt64(field << 3 | 2))
    varint(UInt64(value.count))
    encoded += value
  }

  mutating func float(_ field: Int, _ value: Float) {
    varint(UInt64(field << 3 | 5))
    withUnsafeBytes(of: value.bitPattern.littleEndian) { encoded += $0 }
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      encoded.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    encoded.append(UInt8(rest))
  }
}
