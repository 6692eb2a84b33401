import Foundation
import Models
import TensorCore
import TestSupport
import Testing

@Suite struct CodeRemapTests {
  private let list = [5, 2, 9, 2]
  private let entries = IndexTensor([2, 9, 5, 7] as [Int32], shape: [1, 2, 2])

  @Test(arguments: [
    (CodeRemap.Unknown.extra, [1, 2, 0, 4] as [Int32], [2, 9, 5, 5] as [Int32]),
    (.code(2), [1, 2, 0, 2], [2, 9, 5, 9]),
  ])
  func unknownEntriesHaveACode(
    unknown: CodeRemap.Unknown, codes: [Int32], back: [Int32]
  ) {
    let config = CodeRemap.Config(used: 4, unknownIndex: unknown)
    let remap = CodeRemap(config, entries: list)
    let found = remap.codes(of: entries)
    #expect(found.elements == codes && found.shape == entries.shape)
    #expect(remap.entries(of: found).elements == back)
    #expect(config.codes == (unknown == .extra ? 5 : 4))
  }

  @Test func randomCodesAreThoseOfTheirPlace() {
    let remap = CodeRemap(CodeRemap.Config(used: 4), entries: list)
    let once = IndexTensor([Int32](repeating: 7, count: 400), shape: [1, 20, 20])
    let twice = IndexTensor([Int32](repeating: 7, count: 800), shape: [2, 20, 20])
    let codes = remap.codes(of: once).elements
    #expect(Set(codes) == [0, 1, 2, 3])
    #expect(remap.codes(of: twice).elements == codes + codes)
  }

  /// A model with a remap shows entries as they are, and codes as the entries that they stand for.
  @Test(arguments: Device.all)
  func aModelNumbersItsCodes(device: Device) {
    var config = VQGANConfig.tiny
    var random = RandomSource(seed: 1)
    let whole = VQGAN(config, using: &random, on: device)
    config.quantizer.remap = CodeRemap.Config(used: 6, unknownIndex: .extra)
    random = RandomSource(seed: 1)
    var some = VQGAN(config, using: &random, on: device)
    let images = random.uniform([2, 3, 32, 32], in: -1..<1, on: device)
    let entries = whole.encode(.values(images))
    let used = Array(Set(entries.elements)).sorted().prefix(6).map { Float($0) }
    let padded = used + (used.count..<6).map { _ in used[0] }
    some.visitParameters { name, tensor in
      if name == "quantize.used" { tensor.assign(Tensor(padded, shape: [6], on: device)) }
    }
    let (shown, codes) = some.reconstructWithCodes(images)
    #expect(Distance(shown, whole.reconstruct(images)).largest == 0)
    let expected = entries.elements.map { entry in
      Int32(padded.firstIndex(of: Float(entry)) ?? 6)
    }
    #expect(codes.elements == expected)
    #expect(some.encode(.values(images)) == codes)
    let mapped = codes.elements.map { Int32($0 < 6 ? padded[Int($0)] : padded[0]) }
    let back = whole.decode(indices: IndexTensor(mapped, shape: codes.shape))
    #expect(Distance(some.decode(indices: codes), back).largest == 0)
  }

  @Test func filesSayWhatIsUnknown() throws {
    for (text, unknown) in [
      ("\"random\"", CodeRemap.Unknown.random), ("\"extra\"", .extra), ("3", .code(3)),
    ] {
      let json = "{\"used\":4,\"unknown_index\":\(text)}"
      let remap = try JSONDecoder().decode(CodeRemap.Config.self, from: Data(json.utf8))
      #expect(remap == CodeRemap.Config(used: 4, unknownIndex: unknown))
      let encoded = try JSONEncoder().encode(remap)
      let again = try JSONDecoder().decode(CodeRemap.Config.self, from: encoded)
      #expect(again == remap)
    }
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(
        CodeRemap.Config.self, from: Data("{\"used\":4,\"unknown_index\":\"none\"}".utf8))
    }
  }
}
