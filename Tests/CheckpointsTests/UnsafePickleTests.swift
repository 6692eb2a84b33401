import Checkpoints
import Foundation
import TestSupport
import Testing

/// Pickles that want to do harm, and damaged ones.
struct UnsafePickleTests {
  /// What the reader says of an object, without path; nil when it accepts it.
  private func problem(_ object: [UInt8]) throws -> String? {
    let folder = try TemporaryFolder()
    let path = try PyTorchBytes.file(PyTorchBytes.stream(object), in: folder)
    do {
      _ = try PyTorchFile(path)
      return nil
    } catch {
      #expect("\(error)".hasPrefix("\(path): "), "\(error)")
      return String("\(error)".dropFirst(path.count + 2))
    }
  }

  @Test(arguments: [
    ("posix", "system", "touch canary"), ("os", "system", "touch canary"),
    ("nt", "system", "touch canary"), ("subprocess", "call", "touch canary"),
    ("builtins", "eval", "open('canary', 'w')"), ("__builtin__", "eval", "open('canary', 'w')"),
    ("builtins", "exec", "open('canary', 'w')"), ("runpy", "_run_code", "open('canary', 'w')"),
    ("builtins", "__import__", "os"), ("os.path", "join", "canary"),
    ("torch.hub", "load", "canary"), ("torch", "load", "canary"), ("numpy", "load", "canary"),
    ("io", "open", "canary"), ("_io", "FileIO", "canary"), ("codecs", "open", "canary"),
    ("torch.storage", "_load_from_bytes", "canary"), ("torch.jit", "script", "canary"),
    ("numpy.core.multiarray", "fromfile", "canary"), ("torch", "nn.Module.load", "canary"),
  ])
  func codeIsNotRunButReported(module: String, name: String, argument: String) throws {
    let folder = try TemporaryFolder()
    let call =
      PyTorchBytes.global(module, name) + PyTorchBytes.text(argument) + [0x85]
      + Array("R".utf8)
    for bytes in [
      PyTorchBytes.stream(PyTorchBytes.object(call)),
      PyTorchBytes.archive(PyTorchBytes.entries(PyTorchBytes.object(call))),
    ] {
      let file = try PyTorchFile(try PyTorchBytes.file(bytes, in: folder))
      #expect(file.inertGlobals == [PickleGlobal(module, name)])
      #expect(file.inertGlobals.map(\.isDangerous) == [true])
      #expect(try file.floats(of: "a") == [1, 2])
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.ckpt"])
    #expect(!FileManager.default.fileExists(atPath: "canary"))
  }

  /// Names that checkpoints have for good reasons.
  @Test(arguments: [
    ("numpy.core.multiarray", "scalar"), ("numpy", "dtype"), ("_codecs", "encode"),
    ("pathlib", "PosixPath"), ("collections", "OrderedDict"), ("torch", "FloatStorage"),
    ("torch._utils", "_rebuild_tensor_v2"), ("__builtin__", "set"), ("copy_reg", "_reconstructor"),
    ("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint"),
    ("torch.serialization", "_get_layout"), ("argparse", "Namespace"),
  ])
  func harmlessNamesAreNotReported(module: String, name: String) {
    #expect(!PickleGlobal(module, name).isDangerous)
  }

  /// A tensor that such a call would have to give cannot be read.
  @Test func aTensorThatDependsOnCodeIsMissing() throws {
    let folder = try TemporaryFolder()
    let call =
      PyTorchBytes.global("builtins", "eval") + PyTorchBytes.text("1") + [0x85] + Array("R".utf8)
    let object =
      [0x80, 2] + Array("}(".utf8) + PyTorchBytes.text("a") + PyTorchBytes.tensor()
      + PyTorchBytes.text("b") + call + Array("u.".utf8)
    let file = try PyTorchFile(try PyTorchBytes.file(PyTorchBytes.stream(object), in: folder))
    #expect(file.names == ["a"])
    #expect(throws: PyTorchFileError.noTensor(path: file.path, tensor: "b")) {
      try file.floats(of: "b")
    }
  }

  @Test func onlyTheOpcodesOfTorchSaveAreRead() throws {
    let known =
      Array("().]}JKMGNXUTaesutbchjqrQR".utf8) + [
        0x80, 0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8f,
      ]
    for opcode in UInt8.min...UInt8.max where !known.contains(opcode) {
      let found = try problem([0x80, 2, opcode] + PyTorchBytes.object())
      #expect(found?.contains("opcode 0x\(String(opcode, radix: 16))") == true, "\(opcode)")
    }
  }

  private static let damaged: [([UInt8], String)] = [
    ([0x80, 4], "byte 4 of the pickle: protocol 4"),
    (Array("0".utf8), "opcode 0x30 '0'"),
    (Array("R".utf8), "takes a value from an empty stack"),
    (Array("a".utf8), "takes a value from an empty stack"),
    (Array("t".utf8), "no mark on the stack"),
    (Array("(R".utf8), "takes a value from an empty stack"),
    (Array("N(R".utf8), "takes a value from an empty stack"),
    (Array("e".utf8), "no mark on the stack"),
    (Array("}(Nu".utf8), "a key without a value"),
    (Array("h\u{7}".utf8), "memo 7 was never set"),
    (Array("j".utf8) + [0xff, 0xff, 0xff, 0xff], "memo 4294967295 was never set"),
    (Array("q\u{1}".utf8), "takes a value from an empty stack"),
    (Array("X".utf8) + [0xff, 0xff, 0xff, 0xff], "ends too early"),
    (Array("NNR".utf8), "calls with None instead of a tuple"),
    (Array("NNa".utf8), "appends to None"),
    (Array("NNNs".utf8), "sets items of None"),
    (Array("NNb".utf8), "sets the state of None"),
    (Array("c".utf8) + [UInt8](repeating: 0x61, count: 5000), "a name of more than 4096 bytes"),
  ]

  @Test(arguments: damaged)
  func damagedPickles(before: [UInt8], expected: String) throws {
    let found = try problem([0x80, 2] + before + PyTorchBytes.object())
    #expect(found?.contains(expected) == true, "\(found ?? "accepted")")
  }

  /// A pickle of up to megabytes, told by its name in the log.
  struct OddPickle: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]

    init(_ name: String, _ bytes: [UInt8]) { (testDescription, self.bytes) = (name, bytes) }
  }

  private static let odd = [
    OddPickle("the largest memo key", Array("Nr".utf8) + [0xff, 0xff, 0xff, 0xff]),
    OddPickle("a list that holds itself", Array("]q\u{1}h\u{1}a".utf8)),
    OddPickle("a long integer of 255 bytes", [0x8a, 255] + [UInt8](repeating: 0x7f, count: 255)),
    OddPickle(
      "a million tuples, one in another",
      Array(")".utf8) + [UInt8](repeating: 0x85, count: 1_000_000)),
    OddPickle(
      "a million lists, one in another",
      [UInt8](repeating: 0x5d, count: 1_000_000) + [UInt8](repeating: 0x61, count: 999_999)),
  ]

  @Test(arguments: odd)
  func oddButHarmless(pickle: OddPickle) throws {
    #expect(try problem(PyTorchBytes.object(pickle.bytes)) == nil)
  }

  /// 40 times a tuple of the one before, twice: 2^40 leaves.
  @Test func manyEqualPartsStayReferences() throws {
    var before: [UInt8] = Array("K\u{1}".utf8)
    for round in UInt8(0)..<40 {
      before += [0x71, round, 0x68, round, 0x86]
    }
    #expect(try problem(PyTorchBytes.object(before)) == nil)
  }

  @Test func whatIsNoDictionaryOfTensors() throws {
    let model =
      PyTorchBytes.global("taming.models.vqgan", "VQModel") + Array(")".utf8) + [0x81]
    let cases: [([UInt8], String)] = [
      (Array("N".utf8), "None"), (Array("}".utf8), "a dictionary without tensors"),
      (model, "an object"), (Array("]".utf8), "a list"),
    ]
    for (object, title) in cases {
      let folder = try TemporaryFolder()
      let entries = PyTorchBytes.entries([0x80, 2] + object + Array(".".utf8))
      let path = try PyTorchBytes.file(PyTorchBytes.archive(entries), in: folder)
      #expect(throws: PyTorchFileError.noStateDictionary(path: path, found: title)) {
        try PyTorchFile(path)
      }
    }
  }

  @Test func everyCutAndEveryChangedByteIsAnErrorOrAFile() throws {
    let folder = try TemporaryFolder()
    for bytes in [PyTorchBytes.stream(), PyTorchBytes.archive()] {
      for count in 0..<bytes.count {
        let path = try PyTorchBytes.file(Array(bytes[..<count]), in: folder)
        #expect(throws: PyTorchFileError.self, "cut to \(count) bytes") {
          try PyTorchFile(path).floats(of: "a")
        }
      }
      for position in bytes.indices {
        for change in [UInt8(1), 0x20, 0x80] {
          var changed = bytes
          changed[position] ^= change
          let path = try PyTorchBytes.file(changed, in: folder)
          _ = try? PyTorchFile(path).floats(of: "a")  // must not crash
        }
      }
    }
  }
}
