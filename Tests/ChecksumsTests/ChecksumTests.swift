import Checksums
import Testing

private func withBytes<Result>(
  _ text: String, _ body: (UnsafeRawBufferPointer) throws -> Result
) rethrows -> Result {
  try Array(text.utf8).withUnsafeBytes(body)
}

@Suite struct CRC32CTests {
  /// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
  @Test func publishedValues() {
    #expect(withBytes("123456789") { crc32c($0) } == 0xE306_9283)
    #expect([UInt8](repeating: 0, count: 32).withUnsafeBytes { crc32c($0) } == 0x8A91_36AA)
    #expect([UInt8](repeating: 0xFF, count: 32).withUnsafeBytes { crc32c($0) } == 0x62A8_AB43)
    #expect([UInt8](0..<32).withUnsafeBytes { crc32c($0) } == 0x46DD_794E)
    #expect([UInt8]((0..<32).reversed()).withUnsafeBytes { crc32c($0) } == 0x113F_DB5C)
  }

  @Test func nothingChangesNothing() {
    #expect(withBytes("") { crc32c($0) } == 0)
    #expect(withBytes("") { crc32c($0, continuing: 77) } == 77)
  }

  @Test func piecesGiveTheWhole() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    let whole = bytes.withUnsafeBytes { crc32c($0) }
    #expect(whole == Self.bitByBit(bytes))
    for cut in [1, 7, 8, 63, 64, 500, 999] {
      let first = bytes[..<cut].withUnsafeBytes { crc32c($0) }
      #expect(
        bytes[cut...].withUnsafeBytes { crc32c($0, continuing: first) } == whole, "cut \(cut)")
    }
  }

  /// The definition.
  private static func bitByBit(_ bytes: [UInt8]) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
    return ~crc
  }
}

@Suite struct SHA256Tests {
  /// FIPS 180-4, the examples of appendix B.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func publishedValues(text: String, digest: String) {
    #expect(withBytes(text) { sha256Hex($0) } == digest)
  }

  @Test func piecesGiveTheWhole() {
    var hash = SHA256()
    withBytes("a") { hash.update($0) }
    withBytes("") { hash.update($0) }
    withBytes("bc") { hash.update($0) }
    #expect(hexadecimal(hash.finalize()) == withBytes("abc") { sha256Hex($0) })
    // Afterwards it stands for the empty message.
    #expect(hexadecimal(hash.finalize()) == withBytes("") { sha256Hex($0) })
  }

  @Test func copiesAreIndependent() {
    var one = SHA256()
    withBytes("a") { one.update($0) }
    var two = one
    withBytes("bc") { one.update($0) }
    withBytes("x") { two.update($0) }
    #expect(hexadecimal(one.finalize()) == withBytes("abc") { sha256Hex($0) })
    #expect(hexadecimal(two.finalize()) == withBytes("ax") { sha256Hex($0) })
  }
}
