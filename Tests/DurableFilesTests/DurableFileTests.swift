import DurableFiles
import Foundation
import Glibc
import TestSupport
import Testing

struct DurableFileTests {
  @Test func whatIsWrittenIsReadBack() throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try DurableFile.write(bytes, to: folder("a.bin"))
    #expect(try DurableFile.read(folder("a.bin")) == bytes)
    try DurableFile.write([], to: folder("a.bin"))
    #expect(try DurableFile.read(folder("a.bin")) == [])
    #expect(DurableFile.names(in: folder.path) == ["a.bin"])
  }

  @Test func temporaryNamesHoldTheProcessAndDiffer() {
    let first = DurableFile.temporaryPath(for: "x/y.h5")
    #expect(first.hasPrefix("x/y.h5.tmp-\(getpid())-"))
    #expect(first != DurableFile.temporaryPath(for: "x/y.h5"))
    #expect(DurableFile.temporaryPath(for: "x/y/").hasPrefix("x/y.tmp-"))
  }

  @Test func anUnpublishedFileLeavesNothing() throws {
    let folder = try TemporaryFolder()
    do {
      var file = try UnfinishedFile(for: folder("a"))
      try file.write([1, 2, 3])
      #expect(DurableFile.names(in: folder.path).count == 1)
    }
    #expect(DurableFile.names(in: folder.path) == [])
  }

  /// The last look before the final name: a disk may not hold what it took.
  @Test(arguments: [[1, 2, 4], [1, 2], [1, 2, 3, 0], []] as [[UInt8]])
  func whatDiffersFromWhatWasWrittenIsNotPublished(found: [UInt8]) throws {
    let folder = try TemporaryFolder()
    try DurableFile.write([9], to: folder("a"))
    do {
      var file = try UnfinishedFile(for: folder("a"))
      try file.write([1])
      try file.write([2, 3])
      try Data(found).write(to: URL(fileURLWithPath: file.temporaryPath))
      try file.publish()
      Issue.record("published")
    } catch let error as DurableFileError {
      #expect(error == .failed(operation: "reading back", path: folder("a"), errno: EIO))
    }
    #expect(DurableFile.names(in: folder.path) == ["a"])
    #expect(try DurableFile.read(folder("a")) == [9])
  }

  @Test func missingParentCannotBeCreated() throws {
    let folder = try TemporaryFolder()
    #expect(throws: DurableFileError.cannotCreate(path: folder("no/a"), errno: ENOENT)) {
      try DurableFile.write([1], to: folder("no/a"))
    }
  }

  @Test func aFileDoesNotReplaceAFolder() throws {
    let folder = try TemporaryFolder()
    try DurableFile.createFolder(folder("a"))
    #expect(throws: DurableFileError.cannotCreate(path: folder("a"), errno: EISDIR)) {
      try DurableFile.write([1], to: folder("a"))
    }
    #expect(DurableFile.names(in: folder.path) == ["a"])
  }

  @Test func readingRefusesWhatIsNotAFile() throws {
    let folder = try TemporaryFolder()
    #expect(throws: DurableFileError.failed(operation: "open", path: folder("a"), errno: ENOENT)) {
      try DurableFile.read(folder("a"))
    }
    #expect(throws: DurableFileError.notAFile(path: folder.path, found: "a folder")) {
      try DurableFile.read(folder.path)
    }
    #expect(mkfifo(folder("pipe"), 0o600) == 0)
    #expect(throws: DurableFileError.notAFile(path: folder("pipe"), found: "a FIFO")) {
      try DurableFile.read(folder("pipe"))
    }
    try DurableFile.write([1, 2, 3], to: folder("b"))
    #expect(throws: DurableFileError.tooLarge(path: folder("b"), bytes: 3, limit: 2)) {
      try DurableFile.read(folder("b"), atMost: 2)
    }
  }

  /// To C the path would end there, and be that of another file.
  @Test func aPathWithANULIsThatOfNoFile() throws {
    let folder = try TemporaryFolder()
    try DurableFile.write([1], to: folder("a"))
    let path = folder("a\0b")
    #expect(!DurableFile.exists(path) && !DurableFile.isFile(path))
    #expect(!DurableFile.isFolder("\(folder.path)\0x"))
    #expect(throws: DurableFileError.failed(operation: "open", path: path, errno: ENOENT)) {
      try DurableFile.read(path)
    }
  }

  @Test func aFullDeviceIsAnError() throws {
    let full = try OpenFile(appendingTo: "/dev/full")
    #expect(
      throws: DurableFileError.failed(operation: "write", path: "/dev/full", errno: ENOSPC)
    ) {
      try full.write([1])
    }
  }

  @Test func aDeviceOrAPipeIsNotReplaced() throws {
    let folder = try TemporaryFolder()
    #expect(mkfifo(folder("pipe"), 0o600) == 0)
    #expect(throws: DurableFileError.cannotCreate(path: folder("pipe"), errno: EEXIST)) {
      try DurableFile.write([1], to: folder("pipe"))
    }
    #expect(DurableFile.names(in: folder.path) == ["pipe"])
  }

  @Test func appendingContinuesAtTheEnd() throws {
    let folder = try TemporaryFolder()
    for byte in [UInt8(1), 2] {
      let file = try OpenFile(appendingTo: folder("log"))
      try file.write([byte])
    }
    #expect(try DurableFile.read(folder("log")) == [1, 2])
  }

  @Test func rangesEndWithTheFile() throws {
    let folder = try TemporaryFolder()
    try DurableFile.write([1, 0, 2, 0, 3], to: folder("a"))
    let file = try OpenFile(reading: folder("a"))
    #expect(try file.bytes(1..<3) == [0, 2])
    #expect(try file.bytes(4..<9) == [3] && file.bytes(5..<9) == [])
    #expect(try file.elements(0..<4, as: UInt16.self) == [1, 2])
    #expect(try file.elements(2..<6, as: UInt16.self) == [2])
  }

  @Test func aFolderThatCannotBeListedIsAnError() throws {
    let folder = try TemporaryFolder()
    #expect(throws: DurableFileError.self) { try DurableFile.list(folder("none")) }
    #expect(DurableFile.names(in: folder("none")) == [])
  }

  @Test(arguments: [
    ("a/b", "a"), ("/a", "/"), ("a", "."), ("a/b/", "a"), ("/", "/"),
  ])
  func foldersOfPaths(path: String, expected: String) {
    #expect(DurableFile.folder(of: path) == expected)
  }
}
