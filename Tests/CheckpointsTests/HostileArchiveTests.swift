import Checkpoints
import Foundation
import TestSupport
import Testing

/// Storages that do not fit their tensors, and damaged archives.
struct HostileArchiveTests {
  /// What reading the tensor "a" says, without path; nil when it gives elements.
  private func problem(_ bytes: [UInt8]) throws -> String? {
    let folder = try TemporaryFolder()
    let path = try PyTorchBytes.file(bytes, in: folder)
    do {
      _ = try PyTorchFile(path).floats(of: "a")
      return nil
    } catch {
      #expect("\(error)".hasPrefix("\(path): "), "\(error)")
      return String("\(error)".dropFirst(path.count + 2))
    }
  }

  private func archive(_ change: (inout [PyTorchBytes.Entry]) -> Void) -> [UInt8] {
    var entries = PyTorchBytes.entries()
    change(&entries)
    return PyTorchBytes.archive(entries)
  }

  private static let misfits: [([UInt8], String)] = [
    (PyTorchBytes.tensor(shape: [3]), "reach past the 2 elements"),
    (PyTorchBytes.tensor(offset: 1), "reach past the 2 elements"),
    (PyTorchBytes.tensor(strides: [2]), "reach past the 2 elements"),
    (PyTorchBytes.tensor(offset: 3, shape: [0]), "reach past the 2 elements"),
    (PyTorchBytes.tensor(offset: .max, shape: [0]), "reach past the 2 elements"),
    (PyTorchBytes.tensor(offset: -1), "a negative size"),
    (PyTorchBytes.tensor(strides: [-1]), "a negative size"),
    (PyTorchBytes.tensor(shape: [-2]), "a negative size"),
    (PyTorchBytes.tensor(shape: [2, 1]), "a shape of [2, 1] with strides of [1]"),
    (PyTorchBytes.tensor(shape: [1 << 62, 4], strides: [0, 0]), "is too large"),
    (PyTorchBytes.tensor(shape: [1 << 30], strides: [0]), "is too large"),
    (PyTorchBytes.tensor(shape: [2, 2], strides: [1 << 62, 1 << 62]), "is too large"),
    (PyTorchBytes.tensor(count: 1 << 62), "a storage of 4611686018427387904 elements"),
    (PyTorchBytes.tensor(count: 1 << 60), "1152921504606846976 elements of F32 need"),
    (PyTorchBytes.tensor(storageClass: "QUInt8Storage"), "class torch.QUInt8Storage"),
    (PyTorchBytes.tensor(key: "7"), "no storage 7"),
    (PyTorchBytes.tensor(count: 3), "storage 0: 8 bytes, 3 elements of F32 need 12"),
    (PyTorchBytes.tensor(storageClass: "DoubleStorage"), "8 bytes, 2 elements of F64 need 16"),
  ]

  @Test(arguments: misfits)
  func tensorsThatDoNotFit(tensor: [UInt8], expected: String) throws {
    let found = try problem(
      PyTorchBytes.archive(PyTorchBytes.entries(PyTorchBytes.object([], tensor))))
    #expect(found?.contains(expected) == true, "\(found ?? "accepted")")
  }

  /// The product of the other extents is no integer.
  @Test func tensorsOfNothing() throws {
    let folder = try TemporaryFolder()
    for (offset, shape, strides) in [(2, [0], [1]), (0, [0, 1 << 31, 1 << 32], [0, 1 << 32, 1])] {
      let tensor = PyTorchBytes.tensor(offset: offset, shape: shape, strides: strides)
      let path = try PyTorchBytes.file(
        PyTorchBytes.stream(PyTorchBytes.object([], tensor)), in: folder)
      #expect(try PyTorchFile(path).floats(of: "a") == [])
    }
  }

  @Test func oneStorageOfTwoTypes() throws {
    let second = PyTorchBytes.tensor(storageClass: "IntStorage") + Array("0".utf8)
    let object =
      [0x80, 2] + Array("}(".utf8) + PyTorchBytes.text("a") + PyTorchBytes.tensor()
      + PyTorchBytes.text("b") + second.dropLast() + Array("u.".utf8)
    let found = try problem(PyTorchBytes.archive(PyTorchBytes.entries(object)))
    #expect(found?.contains("0 is used as 2 of F32 and as 2 of I32") == true, "\(found ?? "")")
  }

  @Test func streamsThatDoNotFit() throws {
    #expect(
      try problem(PyTorchBytes.stream(storageCount: 3))
        == "storage 0: 3 elements, its tensors name 2"
    )
    let wide = PyTorchBytes.object([], PyTorchBytes.tensor(count: 1 << 40))
    let cut = try problem(PyTorchBytes.stream(wide, storageCount: 1 << 40))
    #expect(cut?.contains("the file is cut short") == true, "\(cut ?? "")")
    var bigEndian = PyTorchBytes.stream()
    bigEndian[PyTorchBytes.magic.count + PyTorchBytes.version.count + 18] = 0x89
    #expect(try problem(bigEndian)?.contains("big-endian") == true)
  }

  @Test func archivesThatAreNotTorchs() throws {
    #expect(
      try problem(archive { $0[1].bytes = Array("big".utf8) })?.contains("big-endian") == true)
    #expect(
      try problem(archive { $0.remove(at: 0) })?.contains("with 0 data.pkl") == true)
    #expect(
      try problem(archive { $0.append(.init(name: "b/data.pkl", bytes: [])) })?
        .contains("with 2 data.pkl") == true)
    #expect(
      try problem(archive { $0.append(.init(name: "archive/constants.pkl", bytes: [])) })?
        .contains("TorchScript") == true)
    #expect(try problem(archive { $0.remove(at: 2) })?.contains("a: no storage 0") == true)
  }

  @Test func damagedArchives() throws {
    func expect(
      _ text: String, _ bytes: [UInt8], location: SourceLocation = #_sourceLocation
    ) throws {
      let found = try problem(bytes)
      #expect(found?.contains(text) == true, "\(found ?? "accepted")", sourceLocation: location)
    }
    try expect("is compressed (method 8)", archive { $0[2].method = 8 })
    try expect("is encrypted", archive { $0[2].flags = 0x0809 })
    try expect("the name comes twice", archive { $0.append($0[2]) })
    try expect("storage 0: its CRC-32 differs", archive { $0[2].crc = 1 })
    try expect("data.pkl: its CRC-32 differs", archive { $0[0].crc = 1 })
    try expect("9 bytes are stored for 8", archive { $0[2].sizes = (9, 8) })
    try expect("lies outside of the archive", archive { $0[2].sizes = (4000, 4000) })
    try expect("lies outside of the archive", archive { $0[2].offset = 1 << 30 })
    try expect("no header of its own", archive { $0[2].offset = 1 })
    try expect(
      "overlaps the entry before it",
      archive { $0[0].sizes = ($0[0].bytes.count + 8, $0[0].bytes.count + 8) })

    let whole = PyTorchBytes.archive()
    try expect("no directory at its end", Array(whole.dropLast(1)))
    try expect("no directory at its end", whole + [0])
    try expect("3 bytes too many", [0x50, 0x4b, 3, 4] + whole.dropFirst(1))
    var farAway = whole
    farAway[whole.count - 3] = 0x7f  // the directory's offset
    try expect("the directory lies past the end", farAway)
    var wide = PyTorchBytes.archive(isWide: true)
    wide[wide.count - 22 - 20 + 14] = 0x7f  // the offset of the zip64 record
    try expect("the zip64 directory lies past the end", wide)
  }

  /// Entries are looked up by their names and never unpacked; a second directory in the comment is
  /// text.
  @Test func namesAndCommentsThatMeanNothing() throws {
    let folder = try TemporaryFolder()
    var entries = PyTorchBytes.entries()
    entries.append(.init(name: "archive/../../evil", bytes: Array("evil".utf8)))
    let inner = PyTorchBytes.archive().suffix(22)
    for bytes in [
      PyTorchBytes.archive(entries), PyTorchBytes.archive(comment: Array("a comment".utf8)),
      PyTorchBytes.archive(comment: inner + Array("and more".utf8)),
    ] {
      let path = try PyTorchBytes.file(bytes, in: folder)
      #expect(try PyTorchFile(path).floats(of: "a") == [1, 2])
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.ckpt"])
  }

  private static let others: [([UInt8], String)] = [
    ([UInt8](), "an empty file"), (Array("<!DOCTYPE html>".utf8), "an HTML page"),
    (Array("version https://git-lfs.github.com/spec/v1\n".utf8), "a Git-LFS pointer"),
    ([0x1f, 0x8b, 8], "a gzip file"), ([0x80, 4, 0x95], "a pickle that torch.save did not write"),
    ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"), (Array("hello".utf8), "an unknown format"),
    (
      [UInt8](repeating: 0x61, count: 257) + Array("ustar".utf8)
        + [UInt8](repeating: 0, count: 250), "a tar archive of PyTorch before 0.1.10"
    ),
  ]

  @Test(arguments: others)
  func otherFiles(bytes: [UInt8], expected: String) throws {
    let found = try problem(bytes)
    #expect(found?.hasPrefix("\(expected), expected a PyTorch or safetensors file") == true)
  }
}
