import DurableFiles
import Foundation
import Glibc
import TestSupport
import Testing

struct DurableFolderTests {
  @Test func parentsAreMadeAndExistingFoldersAccepted() throws {
    let folder = try TemporaryFolder()
    try DurableFile.createFolder(folder("a/b/c/"))
    try DurableFile.createFolder(folder("a/b/c"))
    #expect(DurableFile.isFolder(folder("a/b/c")))
    try DurableFile.write([1], to: folder("file"))
    #expect(throws: DurableFileError.cannotCreate(path: folder("file"), errno: EEXIST)) {
      try DurableFile.createFolder(folder("file/x"))
    }
    #expect(throws: DurableFileError.cannotCreate(path: folder("file"), errno: EEXIST)) {
      try DurableFile.createFolder(folder("file"))
    }
  }

  /// A folder that was made for a lock goes with it, unless there is something in it.
  @Test func nothingStaysOfALockedFolderThatIsEmpty() throws {
    let folder = try TemporaryFolder()
    do {
      let lock = try FolderLock(folder: folder("a/b/c/"))
      #expect(DurableFile.names(in: folder("a/b/c")) == [".lock"])
      withExtendedLifetime(lock) {}
    }
    #expect(!DurableFile.exists(folder("a")))
    try DurableFile.createFolder(folder("a"))
    for name in ["file", "folder"] {
      let lock = try FolderLock(folder: folder("a/\(name)"))
      if name == "file" {
        try DurableFile.write([1], to: folder("a/file/x"))
      } else {
        try DurableFile.createFolder(folder("a/folder/x"))
      }
      withExtendedLifetime(lock) {}
    }
    #expect(DurableFile.names(in: folder("a")) == ["file", "folder"])
    // One that was there stays, with nothing but its lock in it.
    try DurableFile.createFolder(folder("b"))
    do { _ = try FolderLock(folder: folder("b")) }
    #expect(DurableFile.names(in: folder("b")) == [".lock"])
  }

  @Test func aFolderIsPublishedWhole() throws {
    let folder = try TemporaryFolder()
    let temporary = DurableFile.temporaryPath(for: folder("step"))
    try DurableFile.createFolder("\(temporary)/inner")
    try DurableFile.write([7], to: "\(temporary)/inner/a")
    #expect(symlink("inner", "\(temporary)/link") == 0)
    try DurableFile.publishFolder(temporary, as: folder("step"))
    #expect(try DurableFile.read(folder("step/link/a")) == [7])
    #expect(DurableFile.names(in: folder.path) == ["step"])
  }

  @Test func aFullFolderIsNotReplaced() throws {
    let folder = try TemporaryFolder()
    try DurableFile.createFolder(folder("step"))
    try DurableFile.write([1], to: folder("step/a"))
    let temporary = DurableFile.temporaryPath(for: folder("step"))
    try DurableFile.createFolder(temporary)
    #expect(throws: DurableFileError.self) {
      try DurableFile.publishFolder(temporary, as: folder("step"))
    }
    #expect(DurableFile.names(in: folder.path) == ["step"])
    #expect(try DurableFile.read(folder("step/a")) == [1])
  }

  @Test func onlyTheLeftoversOfDeadProcessesGo() throws {
    let folder = try TemporaryFolder()
    let dead = try deadProcess()
    let mine = "a.tmp-\(getpid())-12345678"
    let stay = [mine, "a.tmp-\(dead)-zzzzzzzz", "a.tmp-\(dead)", "b.tmp-x-12345678", "notes"]
    for name in stay + ["gone.h5.tmp-\(dead)-12345678"] {
      try DurableFile.write([1], to: folder(name))
    }
    try DurableFile.createFolder(folder("step.tmp-\(dead)-87654321/inner"))
    DurableFile.removeAbandoned(in: folder.path)
    #expect(Set(DurableFile.names(in: folder.path)) == Set(stay))
  }

  /// Its number is taken as long as nobody waits for it; in many containers nobody ever does.
  @Test func aProcessThatNobodyWaitedForIsDead() throws {
    let folder = try TemporaryFolder()
    var process: pid_t = 0
    let name = strdup("true")
    defer { free(name) }
    #expect(posix_spawn(&process, "/bin/true", nil, nil, [name, nil], environ) == 0)
    var status = siginfo_t()
    // Waits until it has ended, and leaves it.
    #expect(waitid(P_PID, id_t(process), &status, WEXITED | WNOWAIT) == 0)
    #expect(kill(process, 0) == 0)
    try DurableFile.write([1], to: folder("gone.h5.tmp-\(process)-12345678"))
    DurableFile.removeAbandoned(in: folder.path)
    #expect(DurableFile.names(in: folder.path) == [])
    #expect(waitpid(process, nil, 0) == process)
  }

  @Test func removalDoesNotFollowLinks() throws {
    let folder = try TemporaryFolder()
    try DurableFile.createFolder(folder("keep"))
    try DurableFile.write([1], to: folder("keep/a"))
    try DurableFile.createFolder(folder("gone"))
    #expect(symlink(folder("keep"), folder("gone/link")) == 0)
    DurableFile.remove(folder("gone"))
    #expect(DurableFile.names(in: folder.path) == ["keep"])
    #expect(DurableFile.names(in: folder("keep")) == ["a"])
  }

  /// As long as a folder is locked, nothing gets a name below its path once that leads elsewhere.
  @Test(arguments: ["removed", "replaced", "moved", "locked again"])
  func nothingIsPublishedInAFolderThatIsAnother(how: String) throws {
    let folder = try TemporaryFolder()
    let run = folder("run")
    var lock: FolderLock? = try FolderLock(folder: run)
    try DurableFile.write([1], to: "\(run)/a")
    try DurableFile.createFolder("\(run)/whole")
    switch how {
    case "removed": DurableFile.remove(run)
    case "moved": #expect(rename(run, folder("moved")) == 0)
    case "replaced":
      DurableFile.remove(run)
      try Data().write(to: URL(fileURLWithPath: folder("run-2")))
      #expect(mkdir(run, 0o777) == 0)
    default:
      #expect(unlink("\(run)/.lock") == 0)
      _ = FileManager.default.createFile(atPath: "\(run)/.lock", contents: nil)
    }
    let before = DurableFile.names(in: run)
    let error = DurableFileError.replaced(path: run)
    #expect(throws: error) { try DurableFile.write([2], to: "\(run)/a") }
    #expect(throws: error) { try DurableFile.createFolder("\(run)/checkpoints/x") }
    #expect(throws: error) { try DurableFile.link(to: "a", at: "\(run)/last") }
    #expect(throws: error) { try FolderLock.check("\(run)/metrics.csv") }
    DurableFile.removePublished("\(run)/whole")
    #expect(DurableFile.names(in: run) == before)
    // Others are not concerned, and neither is a path that only begins like this one.
    try DurableFile.write([3], to: folder("run-2"))
    #expect("\(error)".hasPrefix("\(run): not the folder any more"))
    // The lock that is another's stays, and so does a folder that this one had made.
    lock = nil
    #expect(DurableFile.names(in: run) == before)
    try DurableFile.createFolder("\(run)/checkpoints/x")
    withExtendedLifetime(lock) {}
  }

  /// Folders in a locked one that are held on to: another that takes their place is left alone.
  @Test(arguments: ["a link", "another folder", "a link to nothing"])
  func nothingIsPublishedInAPartThatIsAnother(how: String) throws {
    let folder = try TemporaryFolder()
    let lock = try FolderLock(folder: folder("run"))
    let (part, later) = (folder("run/checkpoints"), folder("run/pictures"))
    try DurableFile.createFolder(part)
    try FolderLock.hold([part, later])
    try DurableFile.write([1], to: "\(part)/a")
    try DurableFile.createFolder(folder("other/old"))
    for path in [part, later] {
      if path == part { #expect(rename(part, folder("moved")) == 0) }
      switch how {
      case "a link": #expect(symlink(folder("other"), path) == 0)
      case "a link to nothing": #expect(symlink(folder("nothing"), path) == 0)
      default: try FileManager.default.copyItem(atPath: folder("other"), toPath: path)
      }
      let error = DurableFileError.replaced(path: path)
      #expect(throws: error) { try DurableFile.write([2], to: "\(path)/a") }
      #expect(throws: error) { try DurableFile.createFolder(path) }
      #expect(throws: error) { try DurableFile.createFolder("\(path)/b") }
      #expect(throws: error) { try DurableFile.link(to: "a", at: "\(path)/last") }
      DurableFile.removePublished("\(path)/old")
      #expect(DurableFile.names(in: path) == (how == "a link to nothing" ? [] : ["old"]))
      #expect(DurableFile.names(in: folder("other")) == ["old"])
    }
    // The rest of the folder is not concerned, nor a name that only begins like theirs.
    try DurableFile.write([3], to: "\(part)-2")
    try DurableFile.write([3], to: folder("run/metrics.csv"))
    withExtendedLifetime(lock) {}
  }

  /// One that is moved is the same behind a link; one that is removed is made again and known.
  @Test func aPartMayBeMovedAndMadeAgain() throws {
    let folder = try TemporaryFolder()
    var lock: FolderLock? = try FolderLock(folder: folder("run"))
    let part = folder("run/checkpoints")
    try FolderLock.hold([part])
    try DurableFile.createFolder(part)
    #expect(rename(part, folder("moved")) == 0 && symlink("../moved", part) == 0)
    try DurableFile.write([1], to: "\(part)/a")
    #expect(DurableFile.names(in: folder("moved")) == ["a"])
    #expect(unlink(part) == 0)
    try DurableFile.createFolder("\(part)/step")
    try DurableFile.write([1], to: "\(part)/b")
    #expect(rename(part, folder("again")) == 0 && mkdir(part, 0o777) == 0)
    #expect(throws: DurableFileError.replaced(path: part)) {
      try DurableFile.write([1], to: "\(part)/c")
    }
    // Nobody holds on to it behind the end of the lock.
    lock = nil
    try DurableFile.write([1], to: "\(part)/c")
    withExtendedLifetime(lock) {}
  }

  /// The folder is replaced between the check and the call: the call's own reason misleads.
  @Test(arguments: ["symlink", "rename", "mkdir", "create"])
  func whatCannotBeMadeInAnotherFolderIsTold(operation: String) throws {
    let folder = try TemporaryFolder()
    let lock = try FolderLock(folder: folder("run"))
    let failure = { DurableFileError.creating(folder("run/x"), operation: operation, errno: $0) }
    #expect(failure(ENOENT) == .cannotCreate(path: folder("run/x"), errno: ENOENT))
    #expect(rename(folder("run"), folder("moved")) == 0)
    #expect(failure(ENOENT) == .replaced(path: folder("run")))
    #expect(failure(EIO) == .replaced(path: folder("run")))
    withExtendedLifetime(lock) {}
  }

  /// A folder that is not locked, in which a command puts one thing; what it has begun goes from
  /// where the folder is by now.
  @Test func nothingStaysInAWatchedFolderThatIsMoved() throws {
    let folder = try TemporaryFolder()
    let parent = folder("parent")
    try DurableFile.createFolder(parent)
    try FolderLock.watch(parent)
    #expect(DurableFile.names(in: parent) == [])
    let temporary = DurableFile.temporaryPath(for: "\(parent)/model")
    try DurableFile.createFolder("\(temporary)/inner")
    try DurableFile.write([1], to: "\(temporary)/inner/a")
    let file = DurableFile.temporaryPath(for: "\(parent)//file")
    try DurableFile.write([1], to: file)
    #expect(symlink("inner", "\(temporary)/link") == 0)
    #expect(rename(parent, folder("moved")) == 0)
    #expect(mkdir(parent, 0o777) == 0)
    let error = DurableFileError.replaced(path: parent)
    #expect(throws: error) { try DurableFile.publishFolder(temporary, as: "\(parent)/model") }
    #expect(throws: error) { try DurableFile.publish(file, as: "\(parent)/file") }
    #expect(throws: error) { try DurableFile.write([1], to: "\(parent)/other") }
    #expect(DurableFile.names(in: folder("moved")) == [])
    #expect(DurableFile.names(in: parent) == [])
  }

  @Test func aFolderThatIsMissingIsNotWatched() throws {
    let folder = try TemporaryFolder()
    #expect(throws: DurableFileError.cannotCreate(path: folder("none"), errno: ENOENT)) {
      try FolderLock.watch(folder("none"))
    }
  }

  @Test func aFolderKeepsItsIdentityThroughLinks() throws {
    let folder = try TemporaryFolder()
    let lock = try FolderLock(folder: folder("run/"))
    try DurableFile.write([1], to: folder("run/a"))
    #expect(rename(folder("run"), folder("elsewhere")) == 0)
    #expect(throws: DurableFileError.replaced(path: folder("run/"))) {
      try DurableFile.write([1], to: folder("run//b"))
    }
    #expect(symlink("elsewhere", folder("run")) == 0)
    try DurableFile.write([1], to: folder("run/b"))
    #expect(DurableFile.names(in: folder("elsewhere")) == [".lock", "a", "b"])
    withExtendedLifetime(lock) {}
  }

  @Test func oneHolderOfALockAtATime() throws {
    let folder = try TemporaryFolder()
    var lock: FolderLock? = try FolderLock(folder: folder("run"))
    #expect(lock?.folder == folder("run"))
    #expect(throws: DurableFileError.busy(path: folder("run"))) {
      try FolderLock(folder: folder("run"))
    }
    lock = nil
    _ = try FolderLock(folder: folder("run"))
  }

  /// The number of a process that has ended.
  private func deadProcess() throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/true")
    try process.run()
    process.waitUntilExit()
    return process.processIdentifier
  }
}
