import Foundation
import Testing

/// One TensorBoard event, as a reader of the published format sees it.
struct EventRecord {
  let fields: [Int: [ProtocolField]]

  var step: Int {
    guard case .number(let step)? = fields[2]?.first else { return 0 }
    return Int(step)
  }

  /// The values of the event's summary.
  var values: [[Int: [ProtocolField]]] {
    (fields[5]?.first?.message?[1] ?? []).compactMap(\.message)
  }
}

/// A field of a protocol buffer.
enum ProtocolField: Equatable {
  case number(UInt64)
  case double(Double)
  case word(Float)
  case bytes([UInt8])

  /// The fields of an embedded message.
  var message: [Int: [ProtocolField]]? {
    guard case .bytes(let bytes) = self else { return nil }
    return try? EventRecords.fields(bytes)
  }
}

/// Reads event files independently of the code that writes them.
enum EventRecords {
  struct Malformed: Error { let position: Int }

  /// The events of a file; every length and checksum is verified.
  static func events(_ path: String) throws -> [EventRecord] {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var events: [EventRecord] = []
    var position = 0
    while position < bytes.count {
      try #require(position + 12 <= bytes.count)
      let length = Array(bytes[position..<position + 8])
      #expect(Array(bytes[position + 8..<position + 12]) == maskedChecksum(length))
      let count = Int(number(length))
      try #require(position + 16 + count <= bytes.count)
      let data = Array(bytes[position + 12..<position + 12 + count])
      #expect(Array(bytes[position + 12 + count..<position + 16 + count]) == maskedChecksum(data))
      events.append(EventRecord(fields: try fields(data)))
      position += 16 + count
    }
    return events
  }

  static func fields(_ bytes: [UInt8]) throws -> [Int: [ProtocolField]] {
    var fields: [Int: [ProtocolField]] = [:]
    var position = 0
    func varint() throws -> UInt64 {
      var value: UInt64 = 0
      for shift in stride(from: 0, to: 64, by: 7) {
        guard position < bytes.count else { throw Malformed(position: position) }
        value |= UInt64(bytes[position] & 0x7f) << shift
        position += 1
        if bytes[position - 1] < 0x80 { return value }
      }
      throw Malformed(position: position)
    }
    func take(_ count: Int) throws -> [UInt8] {
      guard count >= 0, count <= bytes.count - position else { throw Malformed(position: position) }
      position += count
      return Array(bytes[position - count..<position])
    }
    while position < bytes.count {
      let key = try varint()
      let field: ProtocolField =
        switch key & 7 {
        case 0: .number(try varint())
        case 1: .double(Double(bitPattern: number(try take(8))))
        case 2: .bytes(try take(Int(try varint())))
        case 5: .word(Float(bitPattern: UInt32(number(try take(4)))))
        default: throw Malformed(position: position)
        }
      fields[Int(key >> 3), default: []].append(field)
    }
    return fields
  }

  private static func number(_ bytes: [UInt8]) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// CRC-32C bit by bit, turned and shifted as TFRecord files want it.
  private static func maskedChecksum(_ bytes: [UInt8]) -> [UInt8] {
    var crc = ~UInt32(0)
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 0 ? 0 : 0x82f6_3b78) }
    }
    crc = ~crc
    let masked = (crc >> 15 | crc << 17) &+ 0xa282_ead8
    return (0..<4).map { UInt8(truncatingIfNeeded: masked >> ($0 * 8)) }
  }
}
