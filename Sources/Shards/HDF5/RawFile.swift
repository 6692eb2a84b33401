import Checksums
import DurableFiles
import Platform

/// The plain bytes of a file; many threads may read at once.
final class RawFile: Sendable {
  let path: String
  let count: Int
  private let file: OpenFile

  /// - Throws: `missing`; `notAShard` for anything but a regular file.
  init(_ path: String) throws(ShardError) {
    do throws(DurableFileError) {
      file = try OpenFile(reading: path)
      count = try file.count
    } catch {
      switch error {
      case .failed(_, _, ENOENT), .failed(_, _, ENOTDIR): throw .missing(path: path)
      case .notAFile: throw .notAShard(path: path, reason: "not a regular file")
      default: throw .file(error)
      }
    }
    self.path = path
  }

  /// Fills `buffer` with the bytes from `offset` on.
  ///
  /// - Throws: `unreadable` at the end of the file; `file` where the disk fails.
  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, item: @autoclosure () -> String
  ) throws(ShardError) {
    guard let start = Int(exactly: offset), start <= count, buffer.count <= count - start else {
      throw .unreadable(
        path: path, item: item(),
        reason:
          "bytes \(offset) to \(offset) + \(buffer.count) lie past the end of the file, \(count)")
    }
    let count: Int
    do throws(DurableFileError) {
      count = try file.read(into: buffer, at: start)
    } catch {
      throw .file(error)
    }
    guard count == buffer.count else {
      throw .unreadable(path: path, item: item(), reason: "the file has been cut short")
    }
  }

  /// SHA-256 of the whole file, in hexadecimal digits.
  func sha256() throws(ShardError) -> String {
    var hash = SHA256()
    var piece = [UInt8](repeating: 0, count: min(count, 1 << 20))
    for start in stride(from: 0, to: count, by: 1 << 20) {
      try piece.withUnsafeMutableBytes { buffer in
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(1 << 20, count - start)])
        return Result { () throws(ShardError) in
          try read(into: part, at: UInt64(start), item: "the file")
          hash.update(UnsafeRawBufferPointer(part))
        }
      }.get()
    }
    return hexadecimal(hash.finalize())
  }
}
