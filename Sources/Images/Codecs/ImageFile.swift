// Reading an image file without trusting what its name points to.

import DurableFiles
import Platform

/// Reads whole regular files.
enum ImageFile {
  /// All bytes of a regular file that begins like a PNG or JPEG image.
  ///
  /// The open cannot block, so a FIFO is refused instead of waited for; the content is sniffed
  /// before the rest is read.
  ///
  /// - Throws: `ImageError` for anything that is not a readable PNG or JPEG file by its beginning.
  static func read(_ path: String, limits: ImageLimits) throws(ImageError) -> [UInt8] {
    let file: OpenFile
    do throws(DurableFileError) {
      file = try OpenFile(reading: path)
    } catch {
      throw ImageError(reading: error)
    }
    return try read(file, limits: limits)
  }

  /// Reads an open file, checked as above.
  static func read(
    _ file: borrowing OpenFile, limits: ImageLimits
  ) throws(ImageError) -> [UInt8] {
    let head: [UInt8]
    do throws(DurableFileError) {
      head = try file.bytes(0..<SniffedContent.length)
    } catch {
      throw ImageError(reading: error)
    }
    guard !head.isEmpty else { throw .empty(path: file.path) }
    try ImageDecoder.checkContent(head, path: file.path)
    do throws(DurableFileError) {
      return try file.contents(atMost: limits.maxFileBytes)
    } catch {
      throw ImageError(reading: error)
    }
  }
}

extension ImageError {
  /// The error of a file that was to be read.
  init(reading error: DurableFileError) {
    self =
      switch error {
      case .failed("open", let path, ENOENT), .failed("open", let path, ENOTDIR):
        .missing(path: path)
      case .failed(let operation, let path, let code):
        .unreadable(path: path, operation: operation, errno: code)
      case .notAFile(let path, let found): .notARegularFile(path: path, found: found)
      case .tooLarge(let path, let bytes, let limit):
        .fileTooLarge(path: path, bytes: bytes, limit: limit)
      case .cannotCreate, .busy, .replaced: .unwritable(error)  // not by reading
      }
  }
}
