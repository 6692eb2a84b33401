// TensorBoard's event files.
import Checksums
import DurableFiles
import Foundation

/// An append-only file of TensorBoard events.
///
/// - Source: tensorflow/core/util/event.proto and summary.proto (the few fields used here),
///   TFRecord framing.
final class EventFile {
  /// What one event holds.
  enum Content {
    case scalars([(tag: String, value: Float)])
    case image(tag: String, width: Int, height: Int, png: [UInt8])
    /// Markdown.
    case text(tag: String, String)
  }

  private let file: OpenFile

  /// Creates `events.out.tfevents.SECONDS.HOST.PID.N`, with the first N that is free.
  init(in folder: String) throws(DurableFileError) {
    let now = Date().timeIntervalSince1970
    let stem = "\(folder)/events.out.tfevents.\(Int(now)).\(Self.hostName()).\(getpid())"
    var number = 0
    while DurableFile.exists("\(stem).\(number)") { number += 1 }
    file = try OpenFile(creating: "\(stem).\(number)")
    var event = Message()
    event.double(1, now)
    event.bytes(3, Array("brain.Event:2".utf8))
    try append(event.encoded)
  }

  func write(_ content: Content, step: Int) throws(DurableFileError) {
    try append(step: step, field: 5, Self.summary(of: content))
  }

  /// Writes the metrics that have a value.
  func write(_ metrics: [Metric], step: Int) throws(DurableFileError) {
    let values = metrics.compactMap { metric in
      metric.value.map { (tag: metric.name, value: Float($0)) }
    }
    try write(.scalars(values), step: step)
  }

  /// Says that the run goes on from `step`: what older files say of it and of later ones no longer
  /// counts.
  func restart(at step: Int) throws(DurableFileError) {
    var session = Message()
    session.integer(1, 1)  // START
    try append(step: step, field: 7, session)
  }

  private func append(step: Int, field: Int, _ content: Message) throws(DurableFileError) {
    var event = Message()
    event.double(1, Date().timeIntervalSince1970)
    event.integer(2, UInt64(step))
    event.bytes(field, content.encoded)
    try append(event.encoded)
  }

  private static func summary(of content: Content) -> Message {
    var summary = Message()
    switch content {
    case .scalars(let values):
      for (tag, value) in values {
        var entry = Message()
        entry.bytes(1, Array(tag.utf8))
        entry.float(2, value)
        summary.bytes(1, entry.encoded)
      }
    case .image(let tag, let width, let height, let png):
      var image = Message()
      image.integer(1, UInt64(height))
      image.integer(2, UInt64(width))
      image.integer(3, 3)  // RGB
      image.bytes(4, png)
      var entry = Message()
      entry.bytes(1, Array(tag.utf8))
      entry.bytes(4, image.encoded)
      summary.bytes(1, entry.encoded)
    case .text(let tag, let markdown):
      var plugin = Message()
      plugin.bytes(1, Array("text".utf8))
      var metadata = Message()
      metadata.bytes(1, plugin.encoded)
      var length = Message()
      length.integer(1, 1)
      var shape = Message()
      shape.bytes(2, length.encoded)
      var tensor = Message()
      tensor.integer(1, 7)  // strings
      tensor.bytes(2, shape.encoded)
      tensor.bytes(8, Array(markdown.utf8))
      var entry = Message()
      entry.bytes(1, Array(tag.utf8))
      entry.bytes(8, tensor.encoded)
      entry.bytes(9, metadata.encoded)
      summary.bytes(1, entry.encoded)
    }
    return summary
  }

  /// One record: length, its checksum, data, its checksum.
  private func append(_ data: [UInt8]) throws(DurableFileError) {
    let length = Self.littleEndian(UInt64(data.count))
    try file.write(length + Self.maskedChecksum(length) + data + Self.maskedChecksum(data))
  }

  /// The machine's name as it knows itself; `ProcessInfo.hostName` may ask the network.
  private static func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
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
