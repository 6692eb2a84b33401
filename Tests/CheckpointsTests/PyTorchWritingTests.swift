import Checkpoints
import DurableFiles
import TestSupport
import Testing

struct PyTorchWritingTests {
  @Test(arguments: [0xffff_ffff, 100])
  func whatIsWrittenIsReadBack(zip64From: Int) throws {
    let folder = try TemporaryFolder()
    let source = try PyTorchFile(Fixture.path("pytorch-views.pt"))
    let entries = try source.names.map { try source.entry(of: $0, as: "new.\($0)") }
    let counters = [(name: "epoch", value: 3), (name: "global_step", value: 1 << 33)]
    for name in ["a.ckpt", "b.ckpt"] {
      try PyTorchWriter.write(entries, counters: counters, to: folder(name), zip64From: zip64From)
    }
    let (first, second) = (
      try DurableFile.read(folder("a.ckpt")), try DurableFile.read(folder("b.ckpt"))
    )
    #expect(first == second)
    let copy = try PyTorchFile(folder("a.ckpt"))
    #expect(copy.names == source.names.map { "new.\($0)" })
    for name in source.names {
      let (shape, type) = (try source.shape(of: name), try source.type(of: name))
      #expect(try copy.shape(of: "new.\(name)") == shape)
      #expect(try copy.type(of: "new.\(name)") == type)
      let (found, expected) = try (
        copy.withBytes(of: "new.\(name)") { Array($0) }, source.withBytes(of: name) { Array($0) }
      )
      #expect(found == expected, "\(name)")
    }
    #expect(copy.notes["global_step"] == "\(1 << 33)")
    #expect(copy.notes["pytorch-lightning_version"] == "1.0.8")
    #expect(copy.inertGlobals == [])
    #expect(copy.unreadable == [:])
  }

  @Test func typesWithoutStorageClassAreRefused() throws {
    let folder = try TemporaryFolder()
    let entry = SafetensorsEntry(name: "a", type: .uint16, shape: [1]) { body in
      try [UInt16(1)].withUnsafeBytes { try body($0) }
    }
    #expect(throws: PyTorchTypeError.self) {
      try PyTorchWriter.write([entry], counters: [], to: folder("a"))
    }
    #expect(DurableFile.names(in: folder.path) == [])
  }
}
