// Numbers that a name and a count decide, as `Tools/metrics_fixture.py` makes them.
import NN
import TensorCore

/// Random numbers without a state: number `index` of a name is a hash of both.
package struct CountedNumbers {
  private let seed: UInt64

  package init(_ name: String) {
    // FNV-1a.
    seed = name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  /// The number at `index` of the sequence of SplitMix64.
  package func bits(_ index: Int) -> UInt64 {
    var random = SeededGenerator(seed: seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
    return random.next()
  }

  /// In 0..<1, of 24 bits.
  package func unit(_ index: Int) -> Double { Double(bits(index) >> 40) * 0x1p-24 }

  /// Pixels `[height, width, 3]`: slopes with noise on them.
  package func pixels(width: Int, height: Int) -> [UInt8] {
    (0..<width * height * 3).map { index in
      let (x, y) = (index / 3 % width, index / 3 / width)
      return UInt8(((x * 3 + y * 5 + index % 3 * 40) & 255 + Int(bits(index) >> 56)) >> 1)
    }
  }

  /// The value of a weight, by what its name and shape say of it: activations neither vanish nor
  /// explode.
  package static func weights(_ name: String, _ shape: Shape) -> [Float] {
    let numbers = CountedNumbers(name)
    let inputs = shape.count / max(shape[0], 1)
    let reach = (6 / Double(inputs)).squareRoot()
    let isScale = shape.rank == 1 && (name.hasSuffix("weight") || name.hasSuffix("running_var"))
    return (0..<shape.count).map { index in
      let unit = numbers.unit(index)
      if name.hasPrefix("lin") { return Float(unit / 8) }
      if shape.rank == 1 { return Float(isScale ? 0.5 + unit : (unit - 0.5) / 5) }
      return Float((2 * unit - 1) * reach)
    }
  }
}

extension Layer {
  /// The model with weights that their names decide.
  package func withCountedWeights() -> Self {
    var model = self
    model.visitParameters { name, tensor in
      tensor = Tensor(
        CountedNumbers.weights(name, tensor.shape), shape: tensor.shape, on: tensor.device)
    }
    return model
  }
}
