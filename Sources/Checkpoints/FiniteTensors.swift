// Weights are finite numbers: a file with others is refused, whoever reads it.

import TensorCore

/// A tensor holds a value that is not finite, or weights give such a result.
package struct NotFiniteError: Error, Equatable, CustomStringConvertible {
  package let path: String
  /// The tensor, or the result.
  package let what: String
  private let isResult: Bool

  package init(path: String, tensor: String) {
    (self.path, what, isResult) = (path, tensor, false)
  }

  /// - Parameter result: of finite weights, such as "the latents of an image".
  package init(path: String, result: String) {
    (self.path, what, isResult) = (path, result, true)
  }

  package var description: String {
    isResult
      ? "\(path): gives NaN or infinity for \(what): the weights are too large to compute with; "
        + "take a checkpoint from before they grew so"
      : "\(path): \(what): holds values that are not finite (NaN or infinity); "
        + "take a checkpoint from before they appeared"
  }
}

extension TensorSource {
  /// A tensor on a device, converted to floats, all of them finite.
  ///
  /// - Throws: `NotFiniteError`, and as `floats(of:)`.
  package func tensor(_ name: String, on device: Device = .default) throws -> Tensor {
    let tensor = Tensor(try floats(of: name), shape: Shape(try shape(of: name)), on: device)
    guard tensor.isFinite else { throw NotFiniteError(path: path(of: name), tensor: name) }
    return tensor
  }

  /// Reads all tensors of floats and checks that every value is finite.
  ///
  /// - Throws: as `tensor(_:on:)`.
  package func requireFinite() throws {
    for name in names where try type(of: name).isFloat { _ = try tensor(name) }
  }
}

extension ElementType {
  /// A type of floats that models are stored in.
  fileprivate var isFloat: Bool {
    [.float16, .bfloat16, .float32, .float64].contains(self)
  }
}
