// Names and shapes of a model's tensors, known without making the model.

/// What a file of a model's weights must hold: names with shapes, in the order in which the model visits its tensors.
///
/// A transformer of 650 million weights is checked against its file without memory being taken for it.
package struct TensorShapes: Sendable {
  package private(set) var list: [(name: String, shape: [Int])] = []

  package init() {}

  package mutating func add(_ name: String, _ shape: [Int]) { list.append((name, shape)) }

  /// Adds another list under a prefix.
  package mutating func add(_ other: TensorShapes, below prefix: String) {
    for (name, shape) in other.list { add(prefix + name, shape) }
  }

  mutating func addConvolution(
    _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int, bias: Bool = true
  ) {
    add("\(name).weight", [outputs, inputs, kernel, kernel])
    if bias { add("\(name).bias", [outputs]) }
  }

  mutating func addLinear(_ name: String, _ inputs: Int, _ outputs: Int, bias: Bool = true) {
    add("\(name).weight", [outputs, inputs])
    if bias { add("\(name).bias", [outputs]) }
  }

  /// The weight and bias of a normalisation.
  mutating func addNorm(_ name: String, _ channels: Int) {
    add("\(name).weight", [channels])
    add("\(name).bias", [channels])
  }
}
