// The files of `Tests/Fixtures`.
import Checkpoints
import Foundation
import TensorCore

/// A golden file made by the reference implementation.
package enum Fixture {
  /// The path of a file in `Tests/Fixtures`.
  package static func path(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures").appendingPathComponent(name).path
  }

  package static func data(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path(name)))
  }

  package static func tensors(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile(path(name))
  }
}

extension SafetensorsFile {
  /// An integer tensor.
  package func indices(_ name: String) throws -> IndexTensor {
    IndexTensor(try floats(of: name).map { Int32($0) }, shape: Shape(try shape(of: name)))
  }
}

/// How far two lists of numbers are apart: the largest difference, and the norm of the difference
/// over that of `expected`.
package struct Distance: Equatable, Sendable {
  package var largest: Float = 0
  package var relative: Float = 0

  package init(_ found: [Float], _ expected: [Float]) {
    guard found.count == expected.count else {
      (largest, relative) = (.infinity, .infinity)
      return
    }
    var (difference, norm) = (0.0, 0.0)
    for (a, b) in zip(found, expected) {
      // `max` would lose NaN.
      largest = abs(a - b) <= largest ? largest : abs(a - b)
      difference += Double(a - b) * Double(a - b)
      norm += Double(b) * Double(b)
    }
    relative = Float(difference.squareRoot() / max(norm.squareRoot(), 1e-12))
  }

  package init(_ found: Tensor, _ expected: Tensor) {
    self.init(found.elements(), expected.elements())
  }
}
