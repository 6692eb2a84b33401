// Questions to a file of weights, and its check against a model's list.

import Checkpoints

extension TensorSource {
  /// The shape of a tensor that the architecture is read from.
  ///
  /// - Throws: `ArchitectureError` when it is missing or has another number of axes.
  func shape(of name: String, axes: Int) throws -> [Int] {
    guard contains(name) else { throw ArchitectureError.noTensor(path: path, tensor: name) }
    let shape = try shape(of: name)
    guard shape.count == axes, !shape.contains(0) else {
      throw ArchitectureError.shape(
        path: path, tensor: name, shape: shape, expected: "\(axes) axes, none of them empty")
    }
    return shape
  }

  /// How many names there are with 0, 1, 2 and so on between `prefix` and `suffix`.
  func count(_ prefix: String, _ suffix: String) -> Int {
    (0..<4096).first { !contains("\(prefix)\($0)\(suffix)") } ?? 4096
  }

  /// Checks that the file holds these tensors and, `extras` aside, no others.
  ///
  /// - Throws: `ModelMismatchError` with everything that does not fit.
  package func require(
    _ shapes: TensorShapes, ignoring isExtra: (String) -> Bool = { _ in false }
  ) throws {
    var mismatch = ModelMismatchError(path: path)
    for (name, expected) in shapes.list {
      guard contains(name) else {
        mismatch.missing.append(name)
        continue
      }
      let shape = try shape(of: name)
      if shape != expected { mismatch.misshapen.append("\(name) \(shape) instead of \(expected)") }
    }
    let known = Set(shapes.list.map(\.name))
    mismatch.unexpected = names.filter { !known.contains($0) && !isExtra($0) }
    guard mismatch.isEmpty else { throw mismatch }
  }
}
