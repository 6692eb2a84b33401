// Why a safetensors file cannot be read.

import DurableFiles

/// Why a safetensors file cannot be read.
package enum SafetensorsError: Error, Equatable {
  // The file as a whole
  case tooShort(path: String, bytes: Int)
  case headerTooLarge(path: String, bytes: UInt64)
  case headerPastEnd(path: String, bytes: UInt64, fileBytes: Int)
  case notSafetensors(path: String, found: String)
  case headerNotUTF8(path: String)
  case malformedHeader(path: String, byte: Int, problem: String)
  case dataLength(path: String, bytes: Int, expected: Int)

  // One tensor
  case unknownType(path: String, tensor: String, found: String)
  case badOffsets(path: String, tensor: String, begin: Int, end: Int, expectedBegin: Int)
  case sizeOverflow(path: String, tensor: String, shape: [Int])
  case partOfAByte(path: String, tensor: String, bits: Int)
  case wrongByteCount(path: String, tensor: String, bytes: Int, expected: Int)

  // What the caller asks for
  case noTensor(path: String, tensor: String)
  case wrongType(path: String, tensor: String, found: ElementType, expected: String)

  case file(DurableFileError)
}

extension SafetensorsError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tooShort(let path, let bytes):
      "\(path): \(bytes) bytes, a safetensors file has at least 8"
    case .headerTooLarge(let path, let bytes):
      "\(path): a header of \(bytes) bytes, at most 100000000 are allowed; not a safetensors file?"
    case .headerPastEnd(let path, let bytes, let fileBytes):
      "\(path): a header of \(bytes) bytes in a file of \(fileBytes); the file is cut short"
    case .notSafetensors(let path, let found):
      "\(path): \(found), expected a safetensors file"
    case .headerNotUTF8(let path):
      "\(path): the header is not UTF-8"
    case .malformedHeader(let path, let byte, let problem):
      "\(path): byte \(byte) of the header: \(problem)"
    case .dataLength(let path, let bytes, let expected):
      "\(path): \(bytes) bytes of data, the header describes \(expected)"
    case .unknownType(let path, let tensor, let found):
      "\(path): \(tensor): element type \"\(found)\" is unknown"
    case .badOffsets(let path, let tensor, let begin, let end, let expectedBegin):
      "\(path): \(tensor): data offsets [\(begin), \(end)], expected to begin at \(expectedBegin)"
    case .sizeOverflow(let path, let tensor, let shape):
      "\(path): \(tensor): a shape of \(shape) is too large"
    case .partOfAByte(let path, let tensor, let bits):
      "\(path): \(tensor): \(bits) bits, not an integer of bytes"
    case .wrongByteCount(let path, let tensor, let bytes, let expected):
      "\(path): \(tensor): \(bytes) bytes of data, its shape and type need \(expected)"
    case .noTensor(let path, let tensor):
      "\(path): no tensor \(tensor)"
    case .wrongType(let path, let tensor, let found, let expected):
      "\(path): \(tensor): elements are \(found.rawValue), expected \(expected)"
    case .file(let error): "\(error)"
    }
  }
}
