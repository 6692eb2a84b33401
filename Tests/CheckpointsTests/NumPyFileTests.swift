import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite struct NumPyFileTests {
  /// A file as `numpy.save` writes it: the header is filled up with spaces to 64 bytes.
  private static func bytes(
    _ type: String, shape: String, _ body: [UInt8], version: UInt8 = 1
  ) -> [UInt8] {
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }"
    while (header.utf8.count + 11) % 64 != 0 { header += " " }
    header += "\n"
    let length = header.utf8.count
    let size = (0..<(version > 1 ? 4 : 2)).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + size + Array(header.utf8) + body
  }

  private static func read(_ bytes: [UInt8]) throws -> [Int] {
    let folder = try TemporaryFolder()
    try Data(bytes).write(to: URL(fileURLWithPath: folder("used.npy")))
    return try NumPyFile(folder("used.npy")).integers
  }

  @Test func wholeNumbersOfEveryWidth() throws {
    let cases: [(String, [UInt8], [Int])] = [
      ("<i8", [7, 0, 0, 0, 0, 0, 0, 0, 254, 255, 255, 255, 255, 255, 255, 255], [7, -2]),
      ("<i4", [7, 0, 0, 0, 254, 255, 255, 255], [7, -2]), ("<u2", [1, 2, 255, 255], [513, 65535]),
      ("|u1", [3, 200], [3, 200]), ("|i1", [3, 200], [3, -56]),
    ]
    for (type, body, expected) in cases {
      for version: UInt8 in [1, 2, 3] {
        let found = try Self.read(Self.bytes(type, shape: "(2,)", body, version: version))
        #expect(found == expected, "\(type) version \(version)")
      }
    }
    let empty = try Self.read(Self.bytes("<i8", shape: "(0,)", []))
    #expect(empty == [])
  }

  @Test(arguments: [
    ("x.npy is text", "does not begin"), ("big", "type >i8"), ("floats", "type <f8"),
    ("square", "expected one axis"), ("short", "expected 3 × 8"), ("version", "version 9"),
    ("header", "header of 65535 bytes"), ("scalar", "expected one axis"),
    ("huge", "expected 4611686018427387904 × 8"), ("negative", "expected -1 × 8"),
    ("longer than integers", "expected one axis"),
  ])
  func otherFilesAreRefused(name: String, problem: String) throws {
    let eight = [UInt8](repeating: 0, count: 8)
    let bytes: [UInt8]
    switch name {
    case "big": bytes = Self.bytes(">i8", shape: "(1,)", eight)
    case "floats": bytes = Self.bytes("<f8", shape: "(1,)", eight)
    case "square": bytes = Self.bytes("<i8", shape: "(1, 1)", eight)
    case "scalar": bytes = Self.bytes("<i8", shape: "()", eight)
    case "huge": bytes = Self.bytes("<i8", shape: "(4611686018427387904,)", eight)
    case "negative": bytes = Self.bytes("<i8", shape: "(-1,)", eight)
    case "longer than integers":
      bytes = Self.bytes("<i8", shape: "(99999999999999999999,)", eight)
    case "short": bytes = Self.bytes("<i8", shape: "(3,)", eight)
    case "version": bytes = Self.bytes("<i8", shape: "(1,)", eight, version: 9)
    case "header":
      bytes = Array(Self.bytes("<i8", shape: "(1,)", eight)[..<8]) + [255, 255, 0, 0, 0, 0]
    default: bytes = Array("no array of numbers at all".utf8)
    }
    do {
      let found = try Self.read(bytes)
      Issue.record("\(name): read as \(found)")
    } catch let error as NumPyFileError {
      #expect(error.description.contains(problem), "\(error)")
    }
  }

  @Test func aClaimOfMoreThanIntegersHold() {
    #expect(throws: NumPyFileError.self) { try NumPyFile(Fixture.path("npy-huge.npy")) }
  }
}
