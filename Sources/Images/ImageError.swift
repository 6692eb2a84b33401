// Why an image could not be read or written.

import DurableFiles
import Platform

/// Why an image could not be read or written; each case names the file.
package enum ImageError: Error, Equatable {
  /// No file of that name.
  case missing(path: String)
  /// A name that leads out of the folder that it belongs to.
  case outsideFolder(path: String, name: String)
  /// A link, or one on the way to the file, that points out of the folder.
  case linkLeadsOut(path: String, folder: String)
  /// A system call failed.
  case unreadable(path: String, operation: String, errno: Int32)
  /// A folder, FIFO, device or socket.
  case notARegularFile(path: String, found: String)
  /// No bytes at all.
  case empty(path: String)
  /// Neither PNG nor JPEG by its first bytes; `found` names what it looks like.
  case notAnImage(path: String, found: String)
  /// More bytes than an image within the limits can have.
  case fileTooLarge(path: String, bytes: Int, limit: Int)
  /// The header promises more pixels than the limits allow.
  case tooLarge(path: String, width: Int, height: Int, limits: ImageLimits)
  /// The file ends before the image does.
  case truncated(path: String, format: ImageFormat, reason: String)
  /// The bytes contradict the format.
  case damaged(path: String, format: ImageFormat, reason: String)
  /// A valid image of a kind that is not read here.
  case unsupported(path: String, format: ImageFormat, found: String, expected: String)
  /// An image of another size than what belongs to it.
  case wrongSize(
    path: String, width: Int, height: Int, expectedWidth: Int, expectedHeight: Int)
  /// The codec could not get memory.
  case outOfMemory(path: String, width: Int, height: Int)
  /// The encoded image could not be written.
  case unwritable(DurableFileError)
}

extension ImageError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .missing(let path):
      path.contains("\u{FFFD}")
        ? "\(path): its name is not UTF-8; rename it" : "\(path): no such file"
    case .outsideFolder(let path, let name):
      "\(path): the name \"\(name)\" leads out of this folder, expected an image in it"
    case .linkLeadsOut(let path, let folder):
      "\(path): a link to an absolute path or out of \(folder), expected an image in it (--follow-symlinks reads it)"
    case .unreadable(let path, let operation, let errno):
      "\(path): \(operation) failed: \(String(cString: strerror(errno)))"
    case .notARegularFile(let path, let found):
      "\(path): \(found), expected an image file"
    case .empty(let path):
      "\(path): empty file, expected a PNG or JPEG image"
    case .notAnImage(let path, let found):
      "\(path): \(found), expected a PNG or JPEG image"
    case .fileTooLarge(let path, let bytes, let limit):
      "\(path): \(bytes) bytes, the limit is \(limit) (--max-pixels)"
    case .tooLarge(let path, let width, let height, let limits):
      "\(path): \(width)x\(height) pixels, the limit is \(limits.maxSide) a side and "
        + "\(limits.maxPixels) in all (--max-pixels)"
    case .truncated(let path, let format, let reason):
      "\(path): truncated \(format): \(reason)"
    case .damaged(let path, let format, let reason):
      "\(path): damaged \(format): \(reason)"
    case .unsupported(let path, let format, let found, let expected):
      "\(path): \(format) with \(found), expected \(expected)"
    case .wrongSize(let path, let width, let height, let expectedWidth, let expectedHeight):
      "\(path): \(width)x\(height) pixels, expected \(expectedWidth)x\(expectedHeight)"
    case .outOfMemory(let path, let width, let height):
      "\(path): not enough memory for \(width)x\(height) pixels"
    case .unwritable(let error):
      "\(error)"
    }
  }
}
