// What every layer and model has in common: tensors with checkpoint names.
import TensorCore

/// A part of a network: a value that holds named tensors.
///
/// Trainable parameters are tracked tensors; buffers (running statistics, codebook counts) are not.
package protocol Layer: Sendable {
  /// Visits every tensor under its name in the reference's checkpoints, in a fixed order.
  mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows
}

extension Layer {
  /// Every tensor by name, in visiting order.
  package var namedTensors: [(name: String, tensor: Tensor)] {
    var copy = self
    var result: [(String, Tensor)] = []
    copy.visitParameters { result.append(($0, $1)) }
    return result
  }

  /// Name and shape of every tensor, names below `prefix`: what a file of the weights must hold.
  ///
  /// A model that has just been made takes no memory for this, whatever its size.
  package func shapes(below prefix: String = "") -> [(name: String, shape: [Int])] {
    namedTensors.map { (prefix + $0.name, $0.tensor.shape.extents) }
  }

  /// The trainable tensors alone.
  package var parameters: [Tensor] { namedTensors.map(\.tensor).filter(\.isTracked) }

  /// Number of trainable values.
  package var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// A copy whose tensors are constants: no gradient work is done for it.
  package func frozen() -> Self {
    var copy = self
    copy.visitParameters { $1 = $1.detached() }
    return copy
  }

  /// A copy on another device.
  package func moved(to device: Device) -> Self {
    var copy = self
    copy.visitParameters { _, tensor in
      let moved = tensor.moved(to: device)
      tensor = tensor.isTracked ? moved.trainable() : moved
    }
    return copy
  }
}

extension Tensor {
  /// Visits this tensor alone; `bias?.visit(as: "bias", visit)` visits one that may be missing, in
  /// position.
  package mutating func visit(
    as name: String, _ visitor: (String, inout Tensor) throws -> Void
  ) rethrows {
    try visitor(name, &self)
  }
}

/// Visits the parts of a list under `prefix.index.`, as PyTorch's ModuleList names them.
package func visit<L: Layer>(
  _ prefix: String, _ layers: inout [L], _ visit: (String, inout Tensor) throws -> Void
) rethrows {
  for index in layers.indices {
    try layers[index].visitParameters { try visit("\(prefix).\(index).\($0)", &$1) }
  }
}
