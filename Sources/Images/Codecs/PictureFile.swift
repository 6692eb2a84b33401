// Reading a picture file without trusting what its name points to.

import Glibc

/// Reads whole regular files.
enum PictureFile {
  /// All bytes of a regular file that begins like a PNG or JPEG picture.
  ///
  /// The open cannot block, so a FIFO is refused instead of waited for; the content is sniffed
  /// before the rest is read.
  ///
  /// - Throws: `ImageError` for anything that is not a readable PNG or JPEG file by its beginning.
  static func read(_ path: String, limits: ImageLimits) throws(ImageError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { throw .missing(path: path) }
      throw .unreadable(path: path, operation: "open", errno: errno)
    }
    return try read(descriptor, path: path, limits: limits)
  }

  /// Reads an open file, checked as above, and closes it.
  static func read(
    _ descriptor: Int32, path: String, limits: ImageLimits
  ) throws(ImageError) -> [UInt8] {
    defer { close(descriptor) }

    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .unreadable(path: path, operation: "stat", errno: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .notARegularFile(path: path, found: kind(of: status.st_mode))
    }
    let size = Int(status.st_size)
    guard size > 0 else { throw .empty(path: path) }

    let head = try read(min(size, SniffedContent.length), from: descriptor, at: 0, path: path)
    try ImageDecoder.checkContent(head, path: path)
    guard size <= limits.maxFileBytes else {
      throw .fileTooLarge(path: path, bytes: size, limit: limits.maxFileBytes)
    }
    return try read(size, from: descriptor, at: 0, path: path)
  }

  /// Up to `count` bytes; fewer if the file has become shorter.
  private static func read(
    _ count: Int, from descriptor: Int32, at offset: Int, path: String
  ) throws(ImageError) -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while initialized < count {
        let got = pread(
          descriptor, buffer.baseAddress.map { $0 + initialized }, count - initialized,
          offset + initialized)
        if got > 0 {
          initialized += got
        } else if got == 0 {
          return
        } else if errno != EINTR {
          failure = errno
          return
        }
      }
    }
    guard failure == 0 else { throw .unreadable(path: path, operation: "read", errno: failure) }
    guard !bytes.isEmpty else { throw .empty(path: path) }
    return bytes
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
}
