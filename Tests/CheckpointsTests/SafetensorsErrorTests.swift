import Checkpoints
import Foundation
import TestSupport
import Testing

/// Files one step away from a valid one, in the order in which the format's checks are made.
struct SafetensorsErrorTests {
  private static let good = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#

  private static func file(_ header: String, data: Int = 8) -> [UInt8] {
    let count = header.utf8.count
    return (0..<8).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) } + Array(header.utf8)
      + [UInt8](repeating: 0, count: data)
  }

  /// What the reader says of these bytes, without the file's path; nil when it accepts them.
  private func problem(_ bytes: [UInt8]) throws -> String? {
    let folder = try TemporaryFolder()
    try Data(bytes).write(to: URL(fileURLWithPath: folder("a")))
    do {
      _ = try SafetensorsFile(folder("a"))
      return nil
    } catch {
      #expect("\(error)".hasPrefix("\(folder("a")): "))
      return String("\(error)".dropFirst(folder("a").count + 2))
    }
  }

  @Test func theUnchangedFileIsValid() throws {
    #expect(try problem(Self.file(Self.good)) == nil)
    #expect(try problem(Self.file(Self.good + "   ")) == nil)
    #expect(try problem(Self.file("{}", data: 0)) == nil)
    #expect(try problem(Self.file(#"{"__metadata__":null}"#, data: 0)) == nil)
    let extra =
      #"{"a":{"dtype":"F32","more":[{"x":-1.5e3,"y":[true,null]}],"shape":[],"#
      + #""data_offsets":[0,4]}}"#
    #expect(try problem(Self.file(extra, data: 4)) == nil)
  }

  @Test(arguments: [
    ([UInt8](repeating: 0, count: 7), "7 bytes, a safetensors file has at least 8"),
    (
      [0, 0xe1, 0xf5, 0x05, 0, 0, 0, 0],
      "a header of 100000000 bytes in a file of 8; the file is cut short"
    ),
    (
      [1, 0xe1, 0xf5, 0x05, 0, 0, 0, 0],
      "a header of 100000001 bytes, at most 100000000 are allowed; not a safetensors file?"
    ),
    (
      [UInt8](repeating: 0xff, count: 8),
      "a header of 18446744073709551615 bytes, at most 100000000 are allowed; "
        + "not a safetensors file?"
    ),
    (
      [3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d],
      "a header of 3 bytes in a file of 10; the file is cut short"
    ),
    ([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff], "the header is not UTF-8"),
    ([0, 0, 0, 0, 0, 0, 0, 0], "byte 0 of the header: expected \"{\""),
    (
      Array("PK\u{3}\u{4}archive/data.pkl".utf8),
      "a PyTorch or zip file, expected a safetensors file"
    ),
    (Array("<!DOCTYPE html>".utf8), "an HTML page, expected a safetensors file"),
    (
      Array("version https://git-lfs.github.com/spec/v1".utf8),
      "a Git-LFS pointer, expected a safetensors file"
    ),
  ])
  func brokenFrames(bytes: [UInt8], expected: String) throws {
    #expect(try problem(bytes) == expected)
  }

  @Test(arguments: [
    (" {}", "byte 0 of the header: expected \"{\""),
    ("[]", "byte 0 of the header: expected \"{\""),
    ("{", "byte 1 of the header: expected \"\"\""),
    ("{}x", "byte 2 of the header: text after the header's end"),
    (#"{"a":1}"#, "byte 5 of the header: expected \"{\""),
    (
      #"{"a":{"dtype":"F32","shape":[2]}}"#,
      "byte 32 of the header: a lacks one of dtype, shape and two data_offsets"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
      "byte 29 of the header: expected an integer that is not negative"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#,
      "byte 30 of the header: expected \"]\""
    ),
    (
      #"{"a":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}"#,
      "byte 31 of the header: expected an integer that is not negative"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}"#,
      "byte 48 of the header: expected an integer that is not negative"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}"#,
      "byte 55 of the header: a lacks one of dtype, shape and two data_offsets"
    ),
    (
      #"{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
      "byte 27 of the header: the key \"dtype\" comes twice"
    ),
    (#"{"__metadata__":{"a":1}}"#, "byte 21 of the header: expected \"\"\""),
    (#"{"__metadata__":{"a":"1","a":"2"}}"#, "byte 28 of the header: the key \"a\" comes twice"),
    (#"{"a\ud800":{}}"#, "byte 9 of the header: half a surrogate pair"),
    ("{\"a\u{1}\":{}}", "byte 4 of the header: a control character in a text"),
    (
      #"{"a":{"x":"# + String(repeating: "[", count: 200_000),
      "byte 110 of the header: nested too deeply"
    ),
  ])
  func brokenHeaders(header: String, expected: String) throws {
    #expect(try problem(Self.file(header)) == expected)
  }

  @Test(arguments: [
    ("\"F32\"", "\"F33\"", "a: element type \"F33\" is unknown"),
    ("[0,8]", "[1,8]", "a: data offsets [1, 8], expected to begin at 0"),
    ("[0,8]", "[8,0]", "a: data offsets [8, 0], expected to begin at 0"),
    ("[2]", "[4611686018427387904,4]", "a: a shape of [4611686018427387904, 4] is too large"),
    ("[2]", "[288230376151711744]", "a: a shape of [288230376151711744] is too large"),
    ("[2]", "[3]", "a: 8 bytes of data, its shape and type need 12"),
    ("[0,8]", "[0,7]", "a: 7 bytes of data, its shape and type need 8"),
    ("F32", "F4", "a: 8 bytes of data, its shape and type need 1"),
    (
      "[2],\"data_offsets\":[0,8]", "[1],\"data_offsets\":[0,4]",
      "8 bytes of data, the header describes 4"
    ),
    (
      "[2],\"data_offsets\":[0,8]", "[3],\"data_offsets\":[0,12]",
      "8 bytes of data, the header describes 12"
    ),
  ])
  func brokenTensors(old: String, new: String, expected: String) throws {
    #expect(try problem(Self.file(Self.good.replacing(old, with: new))) == expected)
  }

  @Test func halfBytesHolesOverlapsAndTwins() throws {
    let nibble = #"{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}"#
    #expect(try problem(Self.file(nibble, data: 1)) == "a: 4 bits, not an integer of bytes")
    func two(_ name: String, _ begin: Int, _ end: Int) -> [UInt8] {
      Self.file(
        #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"#
          + #""\#(name)":{"dtype":"U8","shape":[4],"data_offsets":[\#(begin),\#(end)]}}"#)
    }
    #expect(try problem(two("b", 4, 8)) == nil)
    #expect(
      try problem(two("b", 5, 9)) == "b: data offsets [5, 9], expected to begin at 4")
    #expect(
      try problem(two("b", 3, 7)) == "b: data offsets [3, 7], expected to begin at 4")
    #expect(try problem(two("a", 4, 8))?.hasSuffix("the key \"a\" comes twice") == true)
  }

  @Test func everyCutAndEveryChangedByteIsAnErrorOrAFile() throws {
    let bytes = Self.file(Self.good)
    for count in 0..<bytes.count {
      #expect(try problem(Array(bytes[..<count])) != nil, "cut to \(count) bytes")
    }
    for position in 0..<bytes.count - 8 {
      for change in [UInt8(1), 0x20, 0x80] {
        var changed = bytes
        changed[position] ^= change
        _ = try problem(changed)  // must not crash; the name "a" may become another
      }
    }
  }

  @Test func whatIsAskedForMustBeThere() throws {
    let folder = try TemporaryFolder()
    let path = folder("a")
    try SafetensorsWriter.write(
      [
        SafetensorsEntry("w", shape: [2], floats: [1, 2]),
        SafetensorsEntry("n", shape: [1], integers: [1]),
      ], to: path)
    let file = try SafetensorsFile(path)
    #expect(throws: SafetensorsError.noTensor(path: path, tensor: "x")) { try file.floats(of: "x") }
    #expect(try file.floats(of: "n") == [1])
    #expect(try file.type(of: "n") == .int64)
    #expect(
      throws: SafetensorsError.wrongType(
        path: path, tensor: "w", found: .float32, expected: "F32, F16, BF16 or integers")
    ) { try file.integers(of: "w") }
  }

  @Test func aMissingFileSaysSo() throws {
    let folder = try TemporaryFolder()
    #expect(throws: SafetensorsError.self) { try SafetensorsFile(folder("a")) }
  }
}
