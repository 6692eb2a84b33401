import CKernels
import Testing

@Suite struct RowsChecksumTests {
  /// RFC 3720, appendix B.4, and the usual check value.
  @Test func knownAnswers() {
    let cases: [([UInt8], UInt32)] = [
      (Array("123456789".utf8), 0xE306_9283), ([], 0),
      ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
      ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43), (Array(0..<32), 0x46DD_794E),
      (Array((0..<32).reversed()), 0x113F_DB5C),
    ]
    for (bytes, expected) in cases { #expect(ck_crc32c(0, bytes, bytes.count) == expected) }
  }

  @Test func partsContinueAndEveryByteCounts() {
    let bytes = (0..<1001).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 3) }
    let whole = ck_crc32c(0, bytes, bytes.count)
    #expect(whole == Self.bitByBit(bytes))
    for cut in [0, 1, 7, 8, 9, 500, 1001] {
      let first = ck_crc32c(0, bytes, cut)
      #expect(ck_crc32c(first, Array(bytes[cut...]), bytes.count - cut) == whole)
    }
    for position in [0, 500, 1000] {
      var changed = bytes
      changed[position] ^= 1
      #expect(ck_crc32c(0, changed, changed.count) != whole)
    }
  }

  static func bitByBit(_ bytes: [UInt8]) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
    return ~crc
  }
}
