// An operation with the shapes on which it is tested.
import TensorCore

/// How the elements of a test's input are drawn.
enum Elements: Sendable {
  case normal
  /// At least 0.1 away from 0, where some functions have a kink.
  case awayFromZero
  /// Multiples of 0.05 plus an offset in random order, so that no two elements are near each other.
  case distinct(offset: Float)

  func tensor(_ shape: Shape, seed: UInt64, on device: Device) -> Tensor {
    var random = RandomSource(seed: seed)
    switch self {
    case .normal: return random.normal(shape, on: device)
    case .awayFromZero:
      let elements = random.normal(shape, on: device).elements().map { $0 + ($0 < 0 ? -0.1 : 0.1) }
      return Tensor(elements, shape: shape, on: device)
    case .distinct(let offset):
      let elements = random.permutation(shape.count).map {
        0.05 * Float($0 - shape.count / 2) + offset
      }
      return Tensor(elements, shape: shape, on: device)
    }
  }
}

/// One operation on inputs of given shapes.
struct OperationCase: Sendable, CustomStringConvertible {
  let name: String
  let inputs: [(shape: Shape, elements: Elements)]
  /// Of the difference quotient.
  let step: Float
  let apply: @Sendable ([Tensor]) -> Tensor

  init(
    _ name: String, _ shapes: [Shape], _ elements: [Elements] = [], step: Float = 1e-2,
    _ apply: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.name = name
    inputs = shapes.enumerated().map { index, shape in
      (shape, index < elements.count ? elements[index] : .normal)
    }
    self.step = step
    self.apply = apply
  }

  var description: String {
    "\(name) \(inputs.map(\.shape.description).joined(separator: " "))"
  }

  /// The inputs, drawn with a fixed seed each.
  func tensors(on device: Device) -> [(name: String, tensor: Tensor)] {
    inputs.enumerated().map { index, input in
      (
        "input \(index)",
        input.elements.tensor(input.shape, seed: UInt64(index) + 1, on: device)
      )
    }
  }

  /// The output and the gradient of every input, for a fixed random seed gradient.
  func results(on device: Device) -> [(name: String, elements: [Float])] {
    let leaves = tensors(on: device).map { $0.tensor.trainable() }
    let output = apply(leaves)
    var random = RandomSource(seed: 5)
    let gradients = backward([(output, random.normal(output.shape, on: device))])
    return [("output", output.elements())]
      + leaves.enumerated().map { index, leaf in
        ("gradient of input \(index)", gradients[leaf]?.elements() ?? [])
      }
  }
}

/// The largest difference of two lists, relative to the largest value of the second; infinite where
/// they cannot be compared.
func relativeDifference(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  let scale = max(b.reduce(0) { max($0, abs($1)) }, 1e-3)
  return zip(a, b).reduce(0) { largest, pair in
    let difference = abs(pair.0 - pair.1) / scale
    return difference.isNaN ? .infinity : max(largest, difference)
  }
}
