import Checkpoints
import DurableFiles
import TestSupport
import Testing

struct SafetensorsRoundTripTests {
  @Test func whatIsWrittenIsReadBack() throws {
    let folder = try TemporaryFolder()
    let metadata = [
      "format": "pt", "text": "\"quoted\" \\ \n\u{1} ä 🎮", "seed": "18446744073709551615",
    ]
    let weights: [Float] = [1, -0.0, .infinity, .leastNonzeroMagnitude, 5, 6]
    try SafetensorsWriter.write(
      [
        SafetensorsEntry("encoder.w", shape: [2, 3], floats: weights),
        SafetensorsEntry("step", shape: [], integers: [Int.min]),
        SafetensorsEntry("none", shape: [0, 4], floats: []),
        SafetensorsEntry(name: "bytes", type: .uint8, shape: [3]) { body in
          try [UInt8](1...3).withUnsafeBytes(body)
        },
      ], metadata: metadata, to: folder("a.safetensors"))
    let file = try SafetensorsFile(folder("a.safetensors"))
    #expect(file.names == ["bytes", "encoder.w", "none", "step"])
    #expect(file.metadata == metadata)
    #expect(try file.shape(of: "encoder.w") == [2, 3])
    #expect(try file.floats(of: "encoder.w").map(\.bitPattern) == weights.map(\.bitPattern))
    #expect(try file.floats(of: "none") == [])
    #expect(try file.integers(of: "step") == [Int.min])
    #expect(try file.integers(of: "bytes") == [1, 2, 3])
    #expect(try file.withBytes(of: "bytes") { Array($0) } == [1, 2, 3])
    #expect(DurableFile.names(in: folder.path) == ["a.safetensors"])
  }

  @Test func tensorsStandAsTheOfficialWriterSortsThem() throws {
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write(
      [
        SafetensorsEntry("b", shape: [1], floats: [2]),
        SafetensorsEntry("z", shape: [1], integers: [3]),
        SafetensorsEntry("a", shape: [1], floats: [1]),
      ], metadata: ["k": "v"], to: folder("a"))
    let json =
      #"{"__metadata__":{"k":"v"},"z":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"#
      + #""a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"#
      + #""b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}"#
    let padded = json + String(repeating: " ", count: (8 - json.utf8.count % 8) % 8)
    let header = [UInt8(padded.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(padded.utf8)
    let data: [UInt8] = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40]
    #expect(try DurableFile.read(folder("a")) == header + data)
  }

  @Test func narrowFloatsAreWidened() throws {
    let folder = try TemporaryFolder()
    let halves: [UInt16] = [0x3c00, 0xc000, 0x0001, 0x8000, 0x7bff, 0x7c00, 0xfc00, 0x0400, 0x3555]
    let brains: [UInt16] = [0x3f80, 0xc000, 0x7f80, 0x0001]
    try SafetensorsWriter.write(
      [
        SafetensorsEntry(name: "half", type: .float16, shape: [9]) {
          try halves.withUnsafeBytes($0)
        },
        SafetensorsEntry(name: "brain", type: .bfloat16, shape: [4]) {
          try brains.withUnsafeBytes($0)
        },
        SafetensorsEntry(name: "nan", type: .float16, shape: [1]) {
          try [UInt16(0x7e00)].withUnsafeBytes($0)
        },
      ], to: folder("a"))
    let file = try SafetensorsFile(folder("a"))
    #expect(
      try file.floats(of: "half") == [
        1, -2, 0x1p-24, -0.0, 65504, .infinity, -.infinity, 0x1p-14, 0.33325195,
      ])
    #expect(
      try file.floats(of: "brain") == [1, -2, .infinity, Float(bitPattern: 0x0001_0000)])
    #expect(try file.floats(of: "nan")[0].isNaN)
  }

  @Test func aFailingProviderLeavesNothing() throws {
    struct Stop: Error {}
    let folder = try TemporaryFolder()
    #expect(throws: Stop.self) {
      try SafetensorsWriter.write(
        [SafetensorsEntry(name: "a", type: .float32, shape: [1]) { _ in throw Stop() }],
        to: folder("a"))
    }
    #expect(DurableFile.names(in: folder.path) == [])
  }

  @Test func theFingerprintIsOfTheWeightsAlone() throws {
    let folder = try TemporaryFolder()
    let a = SafetensorsEntry("a", shape: [2], floats: [1, 2])
    let b = SafetensorsEntry("b", shape: [1], floats: [3])
    let fingerprints = try [
      (tensors: [a, b], metadata: [:]), ([b, a], ["step": "7"]),
      ([SafetensorsEntry("a", shape: [2, 1], floats: [1, 2]), b], [:]),
      ([SafetensorsEntry("a", shape: [2], floats: [1, 2.0000002]), b], [:]),
      ([a], [:]),
    ].map {
      try SafetensorsWriter.write($0.tensors, metadata: $0.metadata, to: folder("a"))
      return try SafetensorsFile(folder("a")).fingerprint()
    }
    #expect(fingerprints[0].count == 64)
    #expect(fingerprints[0] == fingerprints[1])
    #expect(Set(fingerprints).count == 4)
    try SafetensorsWriter.write([a, b], to: folder("a"))
    #expect(try SafetensorsFile(folder("a")).fingerprint { $0 == "a" } == fingerprints[4])
  }
}
