// What a world model says of a state: the next code, the reward, the end.
import NN
import TensorCore

/// A linear layer, or as in IRIS a linear layer as wide as the model, ReLU, and another one.
package struct WorldHead: Layer {
  package var hidden: Linear?  // [C, C]
  package var output: Linear  // [classes, C]

  init(
    of config: WorldConfig, classes: Int, bias: Bool, using random: inout RandomSource,
    on device: Device
  ) {
    hidden =
      config.headsHaveHiddenLayer
      ? Linear(config.width, config.width, using: &random, on: device) : nil
    output = Linear(config.width, classes, bias: bias, using: &random, on: device)
  }

  /// States `[…, C]` to logits `[…, classes]`.
  package func callAsFunction(_ states: Tensor) -> Tensor {
    output(hidden.map { $0(states).activated(.relu) } ?? states)
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    let prefix = hidden == nil ? "" : "2."
    try hidden?.visitParameters { try visit("0." + $0, &$1) }
    try output.visitParameters { try visit(prefix + $0, &$1) }
  }
}
