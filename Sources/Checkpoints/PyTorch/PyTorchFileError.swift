// Why a PyTorch file cannot be read.

import DurableFiles

/// Why a PyTorch file, or a tensor in it, cannot be read.
package enum PyTorchFileError: Error, Equatable {
  // The file as a whole
  case notPyTorch(path: String, found: String, advice: String)
  case cutShort(path: String, bytes: Int, expected: Int)
  case archive(path: String, entry: String, problem: String)
  case pickle(path: String, byte: Int, problem: String)
  case noStateDictionary(path: String, found: String)
  case bigEndian(path: String)

  // One tensor
  case storage(path: String, key: String, problem: String)
  case tensor(path: String, tensor: String, problem: String)
  case noTensor(path: String, tensor: String)
  case wrongType(path: String, tensor: String, found: ElementType, expected: String)

  case file(DurableFileError)
}

extension PyTorchFileError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notPyTorch(let path, let found, let advice):
      "\(path): \(found), expected a PyTorch or safetensors file; \(advice)"
    case .cutShort(let path, let bytes, let expected):
      "\(path): \(bytes) bytes, at least \(expected) are described; the file is cut short"
    case .archive(let path, let entry, let problem):
      entry.isEmpty ? "\(path): \(problem)" : "\(path): \(entry): \(problem)"
    case .pickle(let path, let byte, let problem):
      "\(path): byte \(byte) of the pickle: \(problem)"
    case .noStateDictionary(let path, let found):
      "\(path): holds \(found), expected a dictionary of tensors, or one named state_dict; save "
        + "model.state_dict() instead of the model"
    case .bigEndian(let path):
      "\(path): was written on a big-endian machine; load and save it with PyTorch on another"
    case .storage(let path, let key, let problem): "\(path): storage \(key): \(problem)"
    case .tensor(let path, let tensor, let problem): "\(path): \(tensor): \(problem)"
    case .noTensor(let path, let tensor): "\(path): no tensor \(tensor)"
    case .wrongType(let path, let tensor, let found, let expected):
      "\(path): \(tensor): elements are \(found.rawValue), expected \(expected)"
    case .file(let error): "\(error)"
    }
  }
}
