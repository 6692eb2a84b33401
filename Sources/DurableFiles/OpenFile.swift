// The one owner of a file descriptor; every call is checked and repeated when interrupted.

import Glibc

/// An open file; closed when it goes out of scope.
package struct OpenFile: ~Copyable {
  package let path: String
  private var descriptor: Int32

  /// A new file, which must not exist yet.
  package init(creating path: String) throws(DurableFileError) {
    let descriptor = Self.open(path, O_WRONLY | O_CREAT | O_EXCL)
    guard descriptor >= 0 else {
      throw .creating(path, operation: "create", errno: errno)
    }
    self.path = path
    self.descriptor = descriptor
  }

  /// A file whose every `write` goes to the end, made when it is missing.
  package init(appendingTo path: String) throws(DurableFileError) {
    let descriptor = Self.open(path, O_WRONLY | O_CREAT | O_APPEND)
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
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      Glibc.close(descriptor)
      throw .notAFile(path: path)
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    if descriptor >= 0 { Glibc.close(descriptor) }
  }

  private static func open(_ path: String, _ flags: Int32) -> Int32 {
    var descriptor: Int32
    repeat {
      descriptor = Glibc.open(path, flags | O_CLOEXEC | O_NOCTTY, 0o666)
    } while descriptor < 0 && errno == EINTR
    return descriptor
  }

  /// Length in bytes.
  package var count: Int {
    get throws(DurableFileError) {
      var status = stat()
      guard fstat(descriptor, &status) == 0 else {
        throw .failed(operation: "stat", path: path, errno: errno)
      }
      return Int(status.st_size)
    }
  }

  /// Writes all the bytes; one `write(2)` unless the system takes fewer.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(DurableFileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = Glibc.write(
        descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw .failed(operation: "write", path: path, errno: errno)
      }
      rest = rest.dropFirst(written)
    }
  }

  package func write(_ bytes: [UInt8]) throws(DurableFileError) {
    do {
      try bytes.withUnsafeBytes { try write($0) }
    } catch let error as DurableFileError {
      throw error
    } catch {
      preconditionFailure("write throws DurableFileError only, got \(error)")
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

  /// Waits until the bytes written so far are on the disk.
  package func sync() throws(DurableFileError) {
    while fsync(descriptor) != 0 {
      if errno == EINTR { continue }
      throw .failed(operation: "fsync", path: path, errno: errno)
    }
  }

  /// Closes the file and reports what only closing shows (a quota on a network disk).
  package mutating func close() throws(DurableFileError) {
    guard descriptor >= 0 else { return }
    let result = Glibc.close(descriptor)
    let code = errno
    descriptor = -1
    guard result == 0 || code == EINTR else {
      throw .failed(operation: "close", path: path, errno: code)
    }
  }
}
