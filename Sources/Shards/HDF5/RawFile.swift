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

  /// By what the open file is known again, as it is now.
  var stamp: FileStamp {
    get throws(ShardError) {
      do throws(DurableFileError) {
        return try file.stamp
      } catch {
        throw .file(error)
      }
    }
  }

  /// SHA-256 of the whole file, in hexadecimal digits.
  func sha256() throws(ShardError) -> String {
    let hash = FileHash(of: self)
    while try hash.advance() > 0 {}
    return hash.digits
  }
}

/// SHA-256 of a file, a piece after the other.
final class FileHash {
  private let file: RawFile
  private var hash = SHA256()
  private var piece: [UInt8]
  /// Bytes so far.
  private var done = 0

  init(of file: RawFile) {
    self.file = file
    piece = [UInt8](repeating: 0, count: min(file.count, 1 << 20))
  }

  /// Reads a mebibyte.
  ///
  /// - Returns: how many bytes there were; 0 at the end.
  /// - Throws: `unreadable` where the file has been cut, `file` where the disk fails.
  func advance() throws(ShardError) -> Int {
    let count = min(piece.count, file.count - done)
    try piece.withUnsafeMutableBytes { buffer in
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
      return Result { () throws(ShardError) in
        try self.file.read(into: part, at: UInt64(self.done), item: "the file")
        self.hash.update(UnsafeRawBufferPointer(part))
      }
    }.get()
    done += count
    return count
  }

  /// In hexadecimal digits, of what was read.
  var digits: String {
    var hash = hash
    return hexadecimal(hash.finalize())
  }
}
