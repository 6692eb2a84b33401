// Why a safetensors file cannot be read.
import Foundation

/// Why a safetensors file cannot be read; the cases follow the order of the checks.
package enum SafetensorsError: Error, Equatable {
  case cannotOpen(path: String, errno: Int32)
  case tooShort(path: String, bytes: Int)
  case headerTooLong(path: String, bytes: UInt64)
  case headerBeyondEnd(path: String, header: UInt64, file: Int)
  case notText(path: String)
  case notAHeader(path: String, problem: String)
  case unknownType(path: String, tensor: String, type: String)
  case badShape(path: String, tensor: String, shape: [Int])
  case badOffsets(path: String, tensor: String, begin: Int, end: Int)
  case hole(path: String, tensor: String, expected: Int, found: Int)
  case wrongSize(path: String, tensor: String, expected: Int, found: Int)
  case wrongLength(path: String, expected: Int, found: Int)
  case missing(path: String, tensor: String)
  case notFloats(path: String, tensor: String, type: String)
}

extension SafetensorsError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .cannotOpen(let path, let errno): "\(path): \(String(cString: strerror(errno)))"
    case .tooShort(let path, let bytes):
      "\(path): \(bytes) bytes; a safetensors file has at least 8"
    case .headerTooLong(let path, let bytes):
      "\(path): byte 0: a header of \(bytes) bytes; at most 100000000 are allowed; not a safetensors file?"
    case .headerBeyondEnd(let path, let header, let file):
      "\(path): byte 0: a header of \(header) bytes in a file of \(file); truncated?"
    case .notText(let path): "\(path): byte 8: the header is not UTF-8 text"
    case .notAHeader(let path, let problem): "\(path): byte 8: \(problem)"
    case .unknownType(let path, let tensor, let type): "\(path): \(tensor): unknown type \(type)"
    case .badShape(let path, let tensor, let shape): "\(path): \(tensor): impossible shape \(shape)"
    case .badOffsets(let path, let tensor, let begin, let end):
      "\(path): \(tensor): data from \(begin) to \(end)"
    case .hole(let path, let tensor, let expected, let found):
      "\(path): \(tensor): data begins at \(found), expected \(expected): tensors overlap or leave a hole"
    case .wrongSize(let path, let tensor, let expected, let found):
      "\(path): \(tensor): \(found) bytes of data, its shape and type need \(expected)"
    case .wrongLength(let path, let expected, let found):
      "\(path): \(found) bytes of data, the header describes \(expected); truncated?"
    case .missing(let path, let tensor): "\(path): no tensor \(tensor)"
    case .notFloats(let path, let tensor, let type):
      "\(path): \(tensor) is of type \(type), expected floating point"
    }
  }
}
