import Checkpoints
import Foundation
import TestSupport
import Testing

/// Dictionaries of weights in a larger one.
@Suite struct DictionaryTests {
  private static let plain = PyTorchBytes.tensor(shape: [1])  // 1
  private static let average = PyTorchBytes.tensor(offset: 1, shape: [1])  // 2

  /// `{key: value, …}` as opcodes.
  private static func dictionary(_ items: [(String, [UInt8])]) -> [UInt8] {
    Array("}".utf8) + items.flatMap { PyTorchBytes.text($0) + $1 + Array("s".utf8) }
  }

  private func value(_ items: [(String, [UInt8])], _ weights: WeightChoice) throws -> Float? {
    let folder = try TemporaryFolder()
    let object = [0x80, 2] + Self.dictionary(items) + Array(".".utf8)
    let path = try PyTorchBytes.file(
      PyTorchBytes.archive(PyTorchBytes.entries(object)), in: folder)
    return try CheckpointFile.open(path, weights: weights).floats(of: "a").first
  }

  @Test(
    "Averages beside the weights",
    arguments: [
      ("model", "ema"), ("state_dict", "state_dict_ema"), ("state_dict", "model_ema"),
      ("model", "ema_state_dict"), ("module", "ema"),
    ])
  func averages(plain: String, average: String) throws {
    let weights = Self.dictionary([("a", Self.plain)])
    for averages in [
      Self.dictionary([("a", Self.average)]), Self.dictionary([("module.a", Self.average)]),
      Self.dictionary([("shadow", Self.dictionary([("a", Self.average)]))]),
    ] {
      let items = [(average, averages), (plain, weights)]
      #expect(try value(items, .ema) == 2)
      #expect(try value(items, .plain) == 1)
    }
  }

  @Test func oneDictionaryAlone() throws {
    let weights = Self.dictionary([("a", Self.plain)])
    for key in ["model", "state_dict", "model_state_dict", "ema"] {
      #expect(try value([(key, weights)], .ema) == 1, "\(key)")
      #expect(try value([(key, weights)], .plain) == 1, "\(key)")
    }
    #expect(try value([("a", Self.plain)], .ema) == 1)
  }
}
