import Checkpoints
import Foundation
import TestSupport
import Testing

/// Small pickles that name one part so often that what they stand for is large.
struct SharedPartsTests {
  private func read(_ object: [UInt8]) throws -> PyTorchFile {
    let folder = try TemporaryFolder()
    return try PyTorchFile(try PyTorchBytes.file(PyTorchBytes.stream(object), in: folder))
  }

  /// Opcodes and their operands, one after the other.
  private static func pickle(_ parts: [[UInt8]]) -> [UInt8] { [0x80, 2] + parts.joined() }

  private static func codes(_ text: String, _ count: Int = 1) -> [UInt8] {
    Array(repeatElement(Array(text.utf8), count: count).joined())
  }

  private static let tensor = PyTorchBytes.tensor()
  private static func memo(_ key: UInt8) -> [UInt8] { [0x71, key] }  // BINPUT
  private static func recall(_ key: UInt8, _ count: Int = 1) -> [UInt8] {
    Array(repeatElement([0x68, key], count: count).joined())  // BINGET
  }

  /// 4096 pairs in a list that 2100 ordered dictionaries are made of: 8.6 million pairs in 20 KB.
  @Test func orderedDictionariesOfOneList() throws {
    let dictionary: [UInt8] = Self.recall(3) + Self.recall(2) + [0x52]  // REDUCE
    let bomb = Self.pickle([
      Self.codes("K\u{1}K\u{2}"), [0x86], Self.memo(0),
      Self.codes("]("), Self.recall(0, 4096), Self.codes("e"), Self.memo(1),
      Self.recall(1), [0x85], Self.memo(2),
      PyTorchBytes.global("collections", "OrderedDict"), Self.memo(3),
      Array(repeatElement(dictionary, count: 2100).joined()), Self.codes("}."),
    ])
    let error = #expect(throws: PyTorchFileError.self) { try read(bomb) }
    #expect("\(try #require(error))".contains("more than 8388608 pairs in ordered dictionaries"))
  }

  /// Otherwise 40 million states.
  @Test func optimizersThatAreOne() throws {
    var states: [UInt8] = []
    for number in 0..<2000 {
      states += [0x4d, UInt8(number & 255), UInt8(number >> 8)]
      states += Self.recall(0)
    }
    let bomb = Self.pickle([
      Self.codes("}"), PyTorchBytes.text("exp_avg"), Self.tensor, Self.codes("s"),
      PyTorchBytes.text("exp_avg_sq"), Self.tensor, Self.codes("s"), Self.memo(0),
      Self.codes("}"), PyTorchBytes.text("state"), Self.codes("}("), states, Self.codes("us"),
      Self.memo(1), Self.codes("}"), PyTorchBytes.text("a"), Self.tensor, Self.codes("s"),
      PyTorchBytes.text("optimizer_states"), Self.codes("]("), Self.recall(1, 20_000),
      Self.codes("es."),
    ])
    let file = try read(bomb)
    #expect(file.optimizers.count == 20_000)
    #expect(file.optimizers[0].count == 2000)
    #expect(file.optimizers.dropFirst().allSatisfy { $0.isEmpty })
  }

  @Test(arguments: [512, 513])
  func longNames(length: Int) throws {
    let letters = [UInt8](repeating: 0x61, count: length)
    let name: [UInt8] = [0x58] + PyTorchBytes.little(length, 4) + letters
    let object = Self.pickle([Self.codes("}"), name, Self.tensor, Self.codes("s.")])
    if length <= 512 {
      #expect(try read(object).names.map(\.utf8.count) == [512])
    } else {
      let error = #expect(throws: PyTorchFileError.self) { try read(object) }
      #expect("\(try #require(error))".contains("a name of 513 bytes"))
    }
  }
}
