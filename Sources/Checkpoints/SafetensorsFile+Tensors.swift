// Tensors of the engine from files and to files.

import TensorCore

extension SafetensorsFile {
  /// A tensor on a device, converted to floats.
  ///
  /// - Throws: `noTensor`, `wrongType`.
  package func tensor(
    _ name: String, on device: Device = .default
  ) throws(SafetensorsError) -> Tensor {
    Tensor(try floats(of: name), shape: Shape(try shape(of: name)), on: device)
  }
}

extension SafetensorsEntry {
  /// A tensor of F32, converted to row-major order when its turn comes.
  package init(_ name: String, _ tensor: Tensor) {
    self.init(name: name, type: .float32, shape: tensor.shape.extents) { body in
      try tensor.withElements { try body(UnsafeRawBufferPointer($0)) }
    }
  }
}
