import Foundation
import TestSupport

/// A folder for parsers that read files.
package final class ScratchFolder {
  private let folder: TemporaryFolder

  package init() throws { folder = try TemporaryFolder() }

  package var path: String { folder.path }

  /// Puts bytes into a file.
  ///
  /// - Returns: its path.
  func file(_ bytes: [UInt8], _ name: String = "input") throws -> String {
    // Not removed and made anew each time: a fuzzer comes here ten thousand times a second.
    let path = folder(name)
    let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
    precondition(descriptor >= 0, "\(path): no scratch file")
    defer { close(descriptor) }
    let written = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    precondition(
      written == bytes.count && ftruncate(descriptor, off_t(written)) == 0, "\(path): no room")
    return path
  }
}
