// One process at a time in a folder.

import Platform
import Synchronization

/// Exclusive `flock` on `<folder>/.lock`, held until the value is gone or the process ends.
///
/// As long as it is held, nothing is published below the path once it leads to another folder:
/// somebody may remove or move the folder of a process that is stopped, and begin anew there. A
/// folder that was made for the lock and in which nothing was put goes with it.
package final class FolderLock: Sendable {
  package let folder: String
  private let held: Held

  /// Told of a folder whose file system has no locks: nothing keeps a second process out.
  package static let withoutLocks = Mutex<@Sendable (_ folder: String) -> Void>({ _ in })

  /// Takes the lock, making the folder when it is missing.
  ///
  /// - Throws: `busy` at once when another process holds it.
  package init(folder: String) throws(DurableFileError) {
    var missing: [String] = []
    var position = folder
    while !DurableFile.exists(position) {
      missing.append(position)
      position = DurableFile.folder(of: position)
    }
    self.folder = folder
    held = try Self.making.withLock { [missing] _ throws(DurableFileError) in
      var held: Held?
      while held == nil {
        try DurableFile.createFolder(folder)
        held = try Held(folder)
      }
      guard var held else { preconditionFailure("the loop ends with a lock") }
      held.made = missing
      Self.all.withLock { [held] in $0.append(held) }
      return held
    }
  }

  deinit {
    Self.all.withLock { [held] in
      for own in $0 where own.directory == held.directory { own.parts.forEach { $0.release() } }
      $0.removeAll { $0.directory == held.directory }
      held.removeIfEmpty()
    }
    held.release()
  }

  /// Removes the folders that this process made for its locks and put nothing in: for one that ends
  /// while they are held.
  package static func removeEmpty() {
    making.withLock { _ in all.withLock { for held in $0 { held.removeIfEmpty() } } }
  }

  /// Keeps an eye on a folder to the end of the process, without keeping others out: nothing is
  /// published below its path once that leads to another one.
  ///
  /// For single files in a folder that is not the command's own.
  ///
  /// - Throws: `cannotCreate`, `failed` where there is no such folder.
  package static func watch(_ folder: String) throws(DurableFileError) {
    let held = try Held(watching: folder)
    all.withLock { $0.append(held) }
  }

  /// The locks of this process, and the folders that it watches.
  private static let all = Mutex<[Held]>([])

  /// Held from before a folder is made for a lock until that is in `all`.
  private static let making = Mutex(())

  /// Those whose folder is above a path.
  ///
  /// Paths are compared as texts: a command makes those of its results from that of their folder.
  private static func above(_ path: String) -> [Held] {
    all.withLock { $0.filter { path.utf8.starts(with: $0.prefix.utf8) } }
  }

  /// Checks that what stands at `path` will be in the folder that was locked, if one above it was.
  ///
  /// - Throws: `replaced`.
  package static func check(_ path: String) throws(DurableFileError) {
    for held in above(path) where !held.isInPlace { throw .replaced(path: held.folder) }
    let moved = all.withLock {
      $0.lazy.flatMap(\.parts).first { $0.holds(path) && !$0.isInPlace }?.path
    }
    if let moved { throw .replaced(path: moved) }
  }

  /// Holds on to folders below one that is locked, as to that one itself: nothing is published
  /// below their paths once those lead elsewhere.
  ///
  /// One that is not there yet, or that somebody removes, is known from when
  /// `DurableFile.createFolder` makes it. Without a lock above them nothing is done.
  ///
  /// - Throws: `cannotCreate` for a link and for what is no folder, `failed`.
  package static func hold(_ paths: [String]) throws(DurableFileError) {
    for path in paths {
      var part = Part(path: path)
      if DurableFile.exists(path) { try part.open() }
      let isHeld = all.withLock { [part] locks in
        guard
          let above = locks.firstIndex(where: {
            $0.lock >= 0 && path.utf8.starts(with: $0.prefix.utf8)
          })
        else { return false }
        locks[above].parts.removeAll {
          if $0.path == path { $0.release() }
          return $0.path == path
        }
        locks[above].parts.append(part)
        return true
      }
      if !isHeld { part.release() }
    }
  }

  /// Holds on to a folder that this process has just made, if it is one of those.
  static func holdMade(_ path: String) throws(DurableFileError) {
    let isPart = all.withLock { $0.contains { $0.parts.contains { $0.path == path } } }
    if isPart { try hold([path]) }
  }

  /// Removes a file or folder where those above it are by now, if they are elsewhere.
  static func removeMoved(_ path: String) {
    let slash = UInt8(ascii: "/")
    for held in above(path) where !held.isInPlace {
      let rest = path.utf8.dropFirst(held.prefix.utf8.count).drop { $0 == slash }
      let leadsOut = rest.split(separator: slash).contains { $0.elementsEqual("..".utf8) }
      guard !rest.isEmpty, !leadsOut else { continue }
      DurableFile.remove(String(decoding: rest, as: UTF8.self), in: held.directory)
    }
  }
}

/// What a lock holds on to: the folder and the file in it, by which both are known again whatever
/// becomes of their names.
///
/// Of a folder that is only watched there is no file.
private struct Held {
  let folder: String
  let directory: Int32
  let lock: Int32  // -1 for none
  /// Folders in it that are held on to besides.
  var parts: [Part] = []
  /// It and those above it as far as they were made for the lock, the innermost first.
  var made: [String] = []

  init(watching folder: String) throws(DurableFileError) {
    self.folder = folder
    lock = -1
    directory = Self.open(folder)
    guard directory >= 0 else { throw .creating(folder, operation: "open", errno: errno) }
  }

  private static func open(_ folder: String) -> Int32 {
    uninterrupted { Platform.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
  }

  /// - Returns: nil where the folder has just been removed or replaced.
  init?(_ folder: String) throws(DurableFileError) {
    self.folder = folder
    directory = Self.open(folder)
    if directory < 0, [ENOENT, ENOTDIR].contains(errno) { return nil }
    guard directory >= 0 else { throw .creating(folder, operation: "open", errno: errno) }
    let path = "\(folder)/.lock"
    lock = uninterrupted { Platform.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666) }
    guard lock >= 0 else {
      let code = errno
      close(directory)
      throw .creating(path, operation: "open", errno: code)
    }
    do throws(DurableFileError) {
      try acquire(path)
    } catch {
      close(lock)
      close(directory)
      throw error
    }
    guard isInPlace, Identity(ofFile: path) != nil else {
      release()
      return nil
    }
  }

  private func acquire(_ path: String) throws(DurableFileError) {
    guard uninterrupted({ flock(lock, LOCK_EX | LOCK_NB) }) != 0 else { return }
    let code = errno
    guard [ENOLCK, ENOSYS, EOPNOTSUPP].contains(code) else {
      throw code == EWOULDBLOCK
        ? .busy(path: folder) : .failed(operation: "flock", path: path, errno: code)
    }
    FolderLock.withoutLocks.withLock { $0(folder) }
  }

  /// Removes the folders that were made, if nothing was put in them.
  func removeIfEmpty() {
    guard !made.isEmpty, isInPlace, (try? DurableFile.list(folder)) == [".lock"] else { return }
    unlink("\(folder)/.lock")
    for folder in made where rmdir(folder) != 0 { break }
  }

  func release() {
    flock(lock, LOCK_UN)  // also for a child process that still has a copy
    close(lock)
    close(directory)
  }

  /// With what paths in the folder begin.
  var prefix: String { folder.hasSuffix("/") ? folder : folder + "/" }

  /// Whether the path leads to the folder that was locked, and no other process has a lock there.
  var isInPlace: Bool {
    guard let found = Identity(ofFile: folder), found == Identity(of: directory) else {
      return false
    }
    if lock < 0 { return true }
    let file = Identity(ofFile: "\(folder)/.lock")
    return file == nil || file == Identity(of: lock)
  }
}

/// A folder in one that is locked; its descriptor keeps its number from being given to another.
private struct Part {
  let path: String
  /// -1 as long as there is none.
  private var directory: Int32 = -1

  init(path: String) { self.path = path }

  mutating func open() throws(DurableFileError) {
    directory = uninterrupted {
      Platform.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
    }
    guard directory >= 0 else { throw .of(errno, operation: "open", path: path) }
  }

  func release() { if directory >= 0 { close(directory) } }

  /// Whether a path is that of the folder or below it.
  func holds(_ other: String) -> Bool {
    other.utf8.starts(with: path.utf8)
      && (other.utf8.count == path.utf8.count || other.utf8.starts(with: "\(path)/".utf8))
  }

  /// Whether the path leads to the folder, or to nothing.
  var isInPlace: Bool {
    guard DurableFile.exists(path) else { return true }
    return Identity(of: directory).map { $0 == Identity(ofFile: path) } ?? false
  }
}

/// What tells a file or folder from every other, whatever becomes of its name.
private struct Identity: Equatable {
  let device: dev_t
  let number: ino_t

  init?(of descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    (device, number) = (status.st_dev, status.st_ino)
  }

  init?(ofFile path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    (device, number) = (status.st_dev, status.st_ino)
  }
}
