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

  private static func repeated(_ code: String, _ count: Int) -> [UInt8] {
    Array(repeatElement(Array(code.utf8), count: count).joined())
  }

  private static let tensor = PyTorchBytes.tensor()
  private static func memo(_ key: UInt8) -> [UInt8] { [0x71, key] }  // BINPUT

  /// 4096 pairs in a list that 2100 ordered dictionaries are made of: 8.6 million pairs in 20 KB.
  @Test func orderedDictionariesOfOneList() throws {
    let pair = Array("K\u{1}K\u{2}".utf8) + [0x86] + Self.memo(0)
    let list = Array("](".utf8) + Self.repeated("h\0", 4096) + Array("e".utf8) + Self.memo(1)
    let arguments = Array("h\u{1}".utf8) + [0x85] + Self.memo(2)
    let function = PyTorchBytes.global("collections", "OrderedDict") + Self.memo(3)
    let bomb =
      pair + list + arguments + function + Self.repeated("h\u{3}h\u{2}R", 2100)
    let error = #expect(throws: PyTorchFileError.self) {
      try read([0x80, 2] + bomb + Array("}.".utf8))
    }
    #expect("\(try #require(error))".contains("more than 8388608 pairs in ordered dictionaries"))
  }

  /// Otherwise 40 million states.
  @Test func optimizersThatAreOne() throws {
    let moments =
      Array("}".utf8) + PyTorchBytes.text("exp_avg") + Self.tensor + Array("s".utf8)
      + PyTorchBytes.text("exp_avg_sq") + Self.tensor + Array("s".utf8) + Self.memo(0)
    let states = (0..<2000).flatMap { [0x4d] + PyTorchBytes.little($0, 2) + Array("h\0".utf8) }
    let optimizer =
      Array("}".utf8) + PyTorchBytes.text("state") + Array("}(".utf8) + states
      + Array("us".utf8) + Self.memo(1)
    let object =
      [0x80, 2] + moments + optimizer + Array("}".utf8) + PyTorchBytes.text("a") + Self.tensor
      + Array("s".utf8) + PyTorchBytes.text("optimizer_states") + Array("](".utf8)
      + Self.repeated("h\u{1}", 20_000) + Array("es.".utf8)
    let file = try read(object)
    #expect(file.optimizers.count == 20_000)
    #expect(file.optimizers[0].count == 2000)
    #expect(file.optimizers.dropFirst().allSatisfy(\.isEmpty))
  }

  @Test(arguments: [512, 513])
  func longNames(length: Int) throws {
    let name = [0x58] + PyTorchBytes.little(length, 4) + [UInt8](repeating: 0x61, count: length)
    let object = [0x80, 2] + Array("}".utf8) + name + Self.tensor + Array("s.".utf8)
    if length <= 512 {
      #expect(try read(object).names.map(\.utf8.count) == [512])
    } else {
      let error = #expect(throws: PyTorchFileError.self) { try read(object) }
      #expect("\(try #require(error))".contains("a name of 513 bytes"))
    }
  }
}
