import Checkpoints
import TestSupport
import Testing

/// Files of torch.save give the tensors that torch.load gives.
struct PyTorchReadingTests {
  @Test(arguments: ["gpt-tiny", "gpt-tiny-unmasked", "vqgan-tiny"])
  func checkpointsOfTheReference(name: String) throws {
    let file = try PyTorchFile(Fixture.path("\(name).ckpt"))
    let expected = try Fixture.tensors("\(name).weights.safetensors")
    #expect(file.names.filter { !$0.hasSuffix(".attn.mask") } == expected.names)
    for tensor in expected.names {
      let (shape, type) = (try expected.shape(of: tensor), try expected.type(of: tensor))
      #expect(try file.shape(of: tensor) == shape)
      #expect(try file.type(of: tensor) == type)
      let (found, wanted) = (try bytes(file, tensor), try bytes(expected, tensor))
      #expect(found == wanted, "\(tensor)")
    }
    #expect(file.inertGlobals == [])
    #expect(file.notes["global_step"] == (name == "vqgan-tiny" ? "7" : "1"))
  }

  @Test(arguments: ["pytorch-views.pt", "pytorch-views-legacy.pt"])
  func everyTypeAndEveryView(name: String) throws {
    let file = try PyTorchFile(Fixture.path(name))
    let expected = try Fixture.tensors("pytorch-views.safetensors")
    #expect(file.names == expected.names)
    for tensor in expected.names {
      let (shape, type) = (try expected.shape(of: tensor), try expected.type(of: tensor))
      #expect(try file.shape(of: tensor) == shape, "\(tensor)")
      #expect(try file.type(of: tensor) == type, "\(tensor)")
      let (found, wanted) = (try bytes(file, tensor), try bytes(expected, tensor))
      #expect(found == wanted, "\(tensor)")
      let (floats, wantedFloats) = (try file.floats(of: tensor), try expected.floats(of: tensor))
      #expect(floats == wantedFloats, "\(tensor)")
    }
    #expect(file.notes["global_step"] == "70000")
    #expect(file.inertGlobals.contains(PickleGlobal("argparse", "Namespace")))
    #expect(!file.inertGlobals.contains { $0.isDangerous })
    #expect(file.unreadable == [:])
  }

  /// A file of PyTorch 0.4 under Python 2.
  @Test func headsOfLPIPS() throws {
    let file = try PyTorchFile(Fixture.path("lpips-vgg.pth"))
    #expect(file.names == (0..<5).map { "lin\($0).model.1.weight" })
    // The sums are those of torch.load in double precision.
    let sums = [
      4.127489823673386, 7.665736016817391, 16.467284248763463, 33.659458627109416,
      31.916949514939915,
    ]
    for (level, (channels, sum)) in zip([64, 128, 256, 512, 512], sums).enumerated() {
      let name = "lin\(level).model.1.weight"
      #expect(try file.shape(of: name) == [1, channels, 1, 1])
      let found = try file.floats(of: name).reduce(0.0) { $0 + Double($1) }
      #expect(abs(found - sum) < 1e-9)
    }
  }

  /// The form in which Python 2 pickled an ordered dictionary, and a parameter by class and state.
  @Test func filesOfPython2() throws {
    let folder = try TemporaryFolder()
    let parameter =
      PyTorchBytes.global("torch.nn.parameter", "Parameter")
      + PyTorchBytes.tuple([PyTorchBytes.tensor(), [0x89]]) + Array("R".utf8)
    let dictionary =
      PyTorchBytes.global("collections", "OrderedDict") + Array("](]".utf8) + [0x28]
      + PyTorchBytes.text("a") + PyTorchBytes.tensor() + Array("e]".utf8) + [0x28]
      + PyTorchBytes.text("b") + parameter + Array("ee".utf8) + [0x85] + Array("R.".utf8)
    let path = try PyTorchBytes.file(PyTorchBytes.stream([0x80, 2] + dictionary), in: folder)
    let file = try PyTorchFile(path)
    #expect(file.names == ["a", "b"])
    #expect(try file.floats(of: "b") == [1, 2])
  }

  @Test func archivesAndStreamsMadeByHand() throws {
    let folder = try TemporaryFolder()
    for bytes in [
      PyTorchBytes.stream(), PyTorchBytes.archive(), PyTorchBytes.archive(isWide: true),
      PyTorchBytes.archive(
        PyTorchBytes.entries().map {
          var entry = $0
          entry.isWide = true
          return entry
        }, isWide: true),
      PyTorchBytes.archive(comment: Array("text PK\u{5}\u{6} text of more than 22 bytes".utf8)),
      PyTorchBytes.archive(
        PyTorchBytes.entries() + [.init(name: "../../etc/passwd", bytes: [1])]),
      PyTorchBytes.archive(
        PyTorchBytes.entries(PyTorchBytes.object([], PyTorchBytes.tensor(location: "cuda:0")))),
    ] {
      let file = try PyTorchFile(try PyTorchBytes.file(bytes, in: folder))
      #expect(file.names == ["a"])
      #expect(try file.floats(of: "a") == [1, 2])
      #expect(try file.integersOrNil("a") == nil)
    }
  }

  @Test func theFormatIsKnownByTheContent() throws {
    #expect(try CheckpointFile.open(Fixture.path("gpt-tiny.ckpt")) is PyTorchFile)
    #expect(try CheckpointFile.open(Fixture.path("lpips-vgg.pth")) is PyTorchFile)
    #expect(try CheckpointFile.open(Fixture.path("gpt-tiny.safetensors")) is SafetensorsFile)
    #expect(throws: PyTorchFileError.self) {
      try CheckpointFile.open(Fixture.path("gpt-tiny.json"))
    }
    #expect(throws: PyTorchFileError.self) { try CheckpointFile.open("/nowhere") }
  }

  private func bytes(_ file: any TensorSource, _ name: String) throws -> [UInt8] {
    try file.withBytes(of: name) { Array($0) }
  }
}

extension PyTorchFile {
  fileprivate func integersOrNil(_ name: String) throws -> [Int]? {
    do {
      return try integers(of: name)
    } catch PyTorchFileError.wrongType {
      return nil
    }
  }
}
