// Why no model can be recognised in a file of weights.

/// Why no model can be recognised in a file of weights, or not the one that is asked for.
package enum ArchitectureError: Error, Equatable {
  /// Its names are those of no known model.
  case unknownModel(path: String, names: [String])
  /// It is a tokenizer, its names those of none of the known families.
  case unknownLayout(path: String, names: [String], known: [String])
  /// It holds another model than the one that is needed.
  case otherModel(path: String, found: String, expected: String)
  case noTensor(path: String, tensor: String)
  case shape(path: String, tensor: String, shape: [Int], expected: String)
  case unsupported(path: String, problem: String)
  /// The project's file says one thing, the weights another.
  case contradiction(project: String, key: String, found: String, path: String, weights: String)
  case unknownHeads(path: String)
  /// The project's file has one number of heads, the caller another.
  case otherHeads(project: String, found: Int, given: Int)
  case project(path: String, problem: String)
}

extension ArchitectureError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unknownModel(let path, let names):
      "\(path): no known model; its tensors are \(names.prefix(5).joined(separator: ", "))"
        + (names.count > 5 ? " and \(names.count - 5) more" : "")
    case .unknownLayout(let path, let names, let known):
      "\(path): a tokenizer of no known family; its encoder has "
        + names.filter { $0.hasPrefix("encoder.") }.prefix(4).joined(separator: ", ")
        + "; expected "
        + known.joined(separator: ", ")
    case .otherModel(let path, let found, let expected):
      "\(path): holds \(found), expected \(expected)"
    case .noTensor(let path, let tensor): "\(path): no tensor \(tensor)"
    case .shape(let path, let tensor, let shape, let expected):
      "\(path): \(tensor): a shape of \(shape), expected \(expected)"
    case .unsupported(let path, let problem): "\(path): \(problem)"
    case .contradiction(let project, let key, let found, let path, let weights):
      "\(project): \(key) is \(found), the weights in \(path) have \(weights)"
    case .unknownHeads(let path):
      "\(path): how many heads the attention has cannot be seen from the weights; put its project "
        + "file into ../configs beside it, or convert it with their number (16 in all published "
        + "models): convert-checkpoint \(path) --heads 16 --out FOLDER"
    case .otherHeads(let project, let found, let given):
      "\(project): n_head is \(found), --heads is \(given)"
    case .project(let path, let problem): "\(path): \(problem)"
    }
  }
}
