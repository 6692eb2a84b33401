// Questions to a file of weights, and its check against a model's list.

import Checkpoints
import NN

extension TensorSource {
  /// The shape of a tensor that the architecture is read from.
  ///
  /// - Throws: `ArchitectureError` when it is missing or has another number of axes.
  func shape(of name: String, axes: Int) throws -> [Int] {
    guard contains(name) else { throw ArchitectureError.noTensor(path: path, tensor: name) }
    let shape = try shape(of: name)
    // No model is larger; a product of them fits an integer.
    guard shape.count == axes, shape.allSatisfy((1...1 << 24).contains) else {
      throw ArchitectureError.shape(
        path: path, tensor: name, shape: shape,
        expected: "\(axes) axes, none of them empty or of more than 2^24")
    }
    return shape
  }

  /// How many names there are with 0, 1, 2 and so on between `prefix` and `suffix`.
  func count(_ prefix: String, _ suffix: String) -> Int {
    (0..<4096).first { !contains("\(prefix)\($0)\(suffix)") } ?? 4096
  }

  /// Whether whole numbers stand in a model's tensor, which other programs store as such: which
  /// entries are in use, the levels of FSQ, whether statistics have been taken.
  private static func mayBeIntegers(_ name: String) -> Bool {
    let last = name.split(separator: ".").last ?? ""
    return ["used", "levels", "initialized"].contains(last)
  }

  /// Checks that the file holds these tensors and, extras aside, no others.
  ///
  /// - Parameters:
  ///   - shapes: of a model's tensors, see `Layer.shapes`; nothing of the file's bodies is read.
  ///   - prefix: all of `shapes` begin with it; other names in the file do not matter.
  ///   - isExtra: names in the file, behind the prefix, that may be left over.
  /// - Throws: `ModelMismatchError` with everything that does not fit, integers for weights too.
  package func require(
    _ shapes: [(name: String, shape: [Int])], below prefix: String = "",
    ignoring isExtra: (String) -> Bool = { _ in false }
  ) throws {
    var mismatch = ModelMismatchError(path: path)
    for (name, expected) in shapes {
      guard contains(name) else {
        mismatch.missing.append(name)
        continue
      }
      let shape = try shape(of: name)
      if shape != expected { mismatch.misshapen.append("\(name) \(shape) instead of \(expected)") }
      let type = try type(of: name)
      if type.isInteger, !Self.mayBeIntegers(name) {
        mismatch.integers.append("\(name) \(type.rawValue)")
      }
    }
    let known = Set(shapes.map(\.name))
    mismatch.unexpected = names.filter {
      $0.hasPrefix(prefix) && !known.contains($0) && !isExtra(String($0.dropFirst(prefix.count)))
    }
    guard mismatch.isEmpty else { throw mismatch }
  }
}
