// Tensors of the engine to files.

import TensorCore

extension SafetensorsEntry {
  /// A tensor of F32, converted to row-major order when its turn comes.
  package init(_ name: String, _ tensor: Tensor) {
    self.init(name: name, type: .float32, shape: tensor.shape.extents) { body in
      try tensor.withElements { try body(UnsafeRawBufferPointer($0)) }
    }
  }
}
