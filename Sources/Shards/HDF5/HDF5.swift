// The door to libhdf5: its lock, its handles, its errors. Only the files of this folder import CHDF5.

import CHDF5
import DurableFiles
import Platform

enum HDF5 {
  /// Runs `body` while no other thread is inside the library, which is safe for threads in some builds only.
  ///
  /// The lock is recursive, so that a handle may be closed by a `deinit` inside `body`.
  @discardableResult
  static func locked<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lock.enter()
    defer { lock.leave() }
    precondition(isOpen, "libhdf5 cannot start")
    // Printing of errors is switched off for the calling thread alone.
    H5Eset_auto2(0, nil, nil)
    return try body()
  }

  /// Repeats a call that makes an identifier until no signal interrupts it; the library does so for
  /// reads and writes alone.
  static func uninterrupted(_ call: () -> hid_t) -> hid_t {
    while true {
      errno = 0
      let id = call()
      if id >= 0 || errno != EINTR { return id }
    }
  }

  private static let lock = RecursiveLock()

  private static let isOpen: Bool = {
    // The exit handler crashes after a failed write; every file is closed by its owner instead.
    H5dont_atexit()
    // No plugin named by a file is ever loaded.
    return H5open() >= 0 && H5PLset_loading_state(0) >= 0
  }()
}

/// An identifier of the library that is released at the end of its scope.
struct HDF5Handle: ~Copyable {
  let id: hid_t
  private let release: @convention(c) (hid_t) -> herr_t

  init(_ id: hid_t, release: @escaping @convention(c) (hid_t) -> herr_t) {
    self.id = id
    self.release = release
  }

  deinit {
    HDF5.locked { _ = release(id) }
  }
}

/// The file and the item that a call works on, for the message when it fails.
struct HDF5Location: Sendable {
  let path: String
  let item: String
  let isWriting: Bool

  /// Passes `result` on, or throws when it is negative, the library's mark of failure.
  @discardableResult
  func check<Result: SignedInteger>(_ result: Result) throws(ShardError) -> Result {
    guard result >= 0 else {
      if !isWriting, let errno = Self.systemError() {
        throw .file(.failed(operation: "reading \(item)", path: path, errno: errno))
      }
      let reason = Self.innermostError() ?? "libhdf5 does not say why"
      throw isWriting
        ? .writeFailed(path: path, item: item, reason: reason)
        : .unreadable(path: path, item: item, reason: reason)
    }
    return result
  }

  /// An owned identifier from a call that returns one.
  func handle(
    _ id: hid_t, release: @escaping @convention(c) (hid_t) -> herr_t
  ) throws(ShardError) -> HDF5Handle {
    HDF5Handle(try check(id), release: release)
  }

  /// How files are opened: without locks, which some network file systems refuse; shards never change under their names.
  func fileAccess() throws(ShardError) -> HDF5Handle {
    let access = try handle(H5Pcreate(chdf5_file_access()), release: H5Pclose)
    try check(H5Pset_file_locking(access.id, false, true))
    return access
  }

  /// The library's own words about the last failure on this thread, without names and values of its source.
  static func innermostError() -> String? {
    let text = innermostText()
    // Failures of the system come with addresses and times around the words that matter.
    let parts = text.split(separator: "error message = '", maxSplits: 1)
    if parts.count == 2 { return String(parts[1].prefix { $0 != "'" }) }
    // "truncated file: eof = 96, sblock->base_addr = 0, …"
    let words = text.split(separator: ": eof = ", maxSplits: 1).first ?? ""
    return words.isEmpty ? nil : String(words)
  }

  /// The number of the system's error, if it was the system that failed.
  static func systemError() -> Int32? {
    let parts = innermostText().split(separator: "errno = ", maxSplits: 1)
    return parts.count == 2 ? Int32(parts[1].prefix { $0.isNumber }) : nil
  }

  private static func innermostText() -> String {
    var text = ""
    // Upward: the function that failed first is walked first.
    withUnsafeMutablePointer(to: &text) { text in
      _ = H5Ewalk2(
        0, H5E_WALK_UPWARD,
        { depth, entry, context in
          guard depth == 0, let words = entry?.pointee.desc else { return 0 }
          context?.assumingMemoryBound(to: String.self).pointee = String(cString: words)
          return 0
        }, text)
    }
    return text
  }
}

/// A lock that its holder may take again.
private final class RecursiveLock: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init() {
    var attributes = pthread_mutexattr_t()
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
    pthread_mutex_init(mutex, &attributes)
    pthread_mutexattr_destroy(&attributes)
  }

  func enter() { pthread_mutex_lock(mutex) }
  func leave() { pthread_mutex_unlock(mutex) }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }
}
