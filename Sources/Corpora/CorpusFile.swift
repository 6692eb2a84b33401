import DurableFiles
import Glibc

/// Text files of a corpus; every byte of them is foreign.
enum CorpusFile {
  /// 2²⁸ bytes hold ten million rows; the whole data set has that many over 10⁴ files.
  static let limit = 1 << 28

  /// The bytes of a regular file.
  ///
  /// - Throws: `.notARegularFile` for folders, pipes and devices (never waits for one), `.tooLarge` above `limit`, `.linkLeadsOut`, `.unreadable`.
  static func read(
    _ name: String, in folder: ConfinedFolder
  ) throws(AtariCorpusError) -> [UInt8] {
    let path = folder.path(of: name)
    let descriptor: Int32
    do throws(ConfinementError) {
      descriptor = try folder.open(name)
    } catch {
      switch error {
      case .nameLeadsOut, .linkLeadsOut: throw .linkLeadsOut(path: path, folder: folder.path)
      case .failed(let code): throw .unreadable(path: path, errno: code)
      }
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notARegularFile(path: path) }
    let size = Int(status.st_size)
    guard size <= limit else { throw .tooLarge(path: path, bytes: size, limit: limit) }

    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
        if got < 0, errno == EINTR { continue }
        if got < 0 { failure = errno }
        if got <= 0 { break }
        count += got
      }
    }
    guard failure == 0 else { throw .unreadable(path: path, errno: failure) }
    return bytes
  }
}
