// The one owner of a file descriptor; every call is checked and repeated when interrupted.

import Platform

/// Repeats a system call until no signal interrupts it; `errno` is that of the last time.
func uninterrupted(_ call: () -> Int32) -> Int32 {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}

/// An open file; closed when it goes out of scope.
package struct OpenFile: ~Copyable {
  package let path: String
  private var descriptor: Int32

  /// A new file, which must not exist yet.
  ///
  /// - Throws: `cannotCreate`, `failed`; `replaced`, as the next one does.
  package init(creating path: String) throws(DurableFileError) {
    try FolderLock.check(path)
    let descriptor = Self.open(path, O_WRONLY | O_CREAT | O_EXCL)
    guard descriptor >= 0 else {
      throw .creating(path, operation: "create", errno: errno)
    }
    self.path = path
    self.descriptor = descriptor
  }

  /// A file whose every `write` goes to the end, made when it is missing; no link leads to another,
  /// and a pipe without a reader is refused at once.
  package init(appendingTo path: String) throws(DurableFileError) {
    try FolderLock.check(path)
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK
    let descriptor = Self.open(path, flags)
    guard descriptor >= 0 else {
      throw .creating(path, operation: "open", errno: errno)
    }
    self.path = path
    self.descriptor = descriptor
  }

  /// An existing regular file; a pipe is refused without waiting for its writer.
  package init(reading path: String) throws(DurableFileError) {
    let descriptor = Self.open(path, O_RDONLY | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw .failed(operation: "open", path: path, errno: errno)
    }
    try self.init(descriptor, path: path)
  }

  /// An open file, which is owned from now on; closed at once when it is no regular one.
  init(_ descriptor: Int32, path: String) throws(DurableFileError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      Platform.close(descriptor)
      throw .notAFile(path: path, found: Self.kind(of: status.st_mode))
    }
    self.path = path
    self.descriptor = descriptor
  }

  private static func kind(of mode: mode_t) -> String {
    switch mode & S_IFMT {
    case S_IFDIR: "a folder"
    case S_IFIFO: "a FIFO"
    case S_IFSOCK: "a socket"
    case S_IFCHR, S_IFBLK: "a device"
    default: "not a regular file"
    }
  }

  /// Whether the path still leads to this file.
  package var isInPlace: Bool {
    var (open, named) = (stat(), stat())
    return fstat(descriptor, &open) == 0 && lstat(path, &named) == 0
      && (open.st_dev, open.st_ino) == (named.st_dev, named.st_ino)
  }

  deinit {
    if descriptor >= 0 { Platform.close(descriptor) }
  }

  private static func open(_ path: String, _ flags: Int32) -> Int32 {
    guard !DurableFile.holdsNUL(path) else {
      errno = ENOENT
      return -1
    }
    return uninterrupted { Platform.open(path, flags | O_CLOEXEC | O_NOCTTY, 0o666) }
  }

  /// Length in bytes.
  package var count: Int {
    get throws(DurableFileError) { Int(try status.st_size) }
  }

  var status: stat {
    get throws(DurableFileError) {
      var status = stat()
      guard fstat(descriptor, &status) == 0 else {
        throw .failed(operation: "stat", path: path, errno: errno)
      }
      return status
    }
  }

  /// Writes all the bytes; one `write(2)` unless the system takes fewer.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(DurableFileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = Platform.write(
        descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw .failed(operation: "write", path: path, errno: errno)
      }
      rest = rest.dropFirst(written)
    }
  }

  package func write(_ bytes: [UInt8]) throws(DurableFileError) {
    try bytes.withUnsafeBufferPointer { bytes throws(DurableFileError) in
      try write(UnsafeRawBufferPointer(bytes))
    }
  }

  /// Reads bytes from `offset` until `buffer` is full or the file ends.
  ///
  /// - Returns: the number of bytes read.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(DurableFileError) -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let got = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + filled))
      if got < 0 {
        if errno == EINTR { continue }
        throw .failed(operation: "read", path: path, errno: errno)
      }
      if got == 0 { break }
      filled += got
    }
    return filled
  }

  /// All bytes; fewer than it began with when somebody cuts the file meanwhile.
  ///
  /// - Throws: `tooLarge` for more than `limit` bytes, before anything is allocated.
  package func contents(atMost limit: Int) throws(DurableFileError) -> [UInt8] {
    let count = try count
    guard count <= limit else { throw .tooLarge(path: path, bytes: count, limit: limit) }
    return try bytes(0..<count)
  }

  /// The bytes of a range; fewer when the file ends before.
  package func bytes(_ range: Range<Int>) throws(DurableFileError) -> [UInt8] {
    try elements(range, as: UInt8.self)
  }

  /// The bytes of a range as elements, little-endian as the machine is; fewer when the file ends
  /// before.
  ///
  /// - Parameter range: the element's size divides its length; nothing else of the file is read.
  package func elements<Element: BitwiseCopyable>(
    _ range: Range<Int>, as type: Element.Type
  ) throws(DurableFileError) -> [Element] {
    let stride = MemoryLayout<Element>.stride
    var failure: DurableFileError?
    let elements = [Element](unsafeUninitializedCapacity: range.count / stride) { buffer, count in
      let bytes = UnsafeMutableRawBufferPointer(
        start: buffer.baseAddress, count: range.count / stride * stride)
      do throws(DurableFileError) {
        count = try read(into: bytes, at: range.lowerBound) / stride
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return elements
  }

  /// Waits until the bytes written so far are on the disk.
  package func sync() throws(DurableFileError) {
    guard uninterrupted({ synchronize(descriptor) }) == 0 else {
      throw .failed(operation: "fsync", path: path, errno: errno)
    }
  }

  /// Closes the file and reports what only closing shows (a quota on a network disk).
  package mutating func close() throws(DurableFileError) {
    guard descriptor >= 0 else { return }
    let result = Platform.close(descriptor)
    let code = errno
    descriptor = -1
    guard result == 0 || code == EINTR else {
      throw .failed(operation: "close", path: path, errno: code)
    }
  }
}
