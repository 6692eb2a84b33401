// By what a file is known again that was looked at before.

import Platform

/// What tells a file from one that has come into its place, and from itself before a change.
package struct FileStamp: Equatable, Sendable {
  /// Length in bytes.
  package let size: Int
  private let device: dev_t
  private let number: ino_t
  private let seconds, nanoseconds: Int  // of its last change

  fileprivate init(_ status: stat) {
    let time = timeOfChange(status)
    (size, device, number) = (Int(status.st_size), status.st_dev, status.st_ino)
    (seconds, nanoseconds) = (Int(time.tv_sec), Int(time.tv_nsec))
  }

  /// That of the file at a path, links followed; nil where there is none.
  package init?(at path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }
}

extension OpenFile {
  /// That of the open file, whatever its name leads to by now.
  ///
  /// - Throws: `failed("stat")`.
  package var stamp: FileStamp {
    get throws(DurableFileError) { FileStamp(try status) }
  }
}
