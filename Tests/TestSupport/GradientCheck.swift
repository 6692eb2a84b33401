// Gradients compared with finite differences.
import NN
import TensorCore

/// A gradient that disagrees with the difference quotient.
package struct GradientMismatch: Error, CustomStringConvertible {
  let tensor: String
  let element: Int
  let found: Float
  let expected: Double
  let scale: Double

  package var description: String {
    "gradient of \(tensor)[\(element)] is \(found), central difference \(expected) "
      + "(largest of this tensor \(scale))"
  }
}

/// Throws if a gradient of `function` at `inputs` differs from central differences.
///
/// The output is weighted with fixed random numbers and summed in double precision. At most 48
/// elements of each tensor are tried, chosen by a fixed seed.
///
/// - Parameters:
///   - inputs: every tensor whose gradient is checked, by name, in any layout.
///   - step: by which an element is moved; large enough to stand above float32 rounding.
///   - tolerance: relative to the largest difference quotient of the tensor; what rounding explains
///     comes on top.
package func checkGradient(
  at inputs: [(name: String, tensor: Tensor)], step: Float = 1e-2, tolerance: Double = 1e-2,
  _ function: ([Tensor]) -> Tensor
) throws {
  let leaves = inputs.map { $0.tensor.detached().trainable() }
  let output = function(leaves)
  var random = RandomSource(seed: 11)
  let weights = random.normal(output.shape, on: output.device)
  let gradients = backward([(output, weights)])
  let weightElements = weights.elements()
  // What float32 rounding of the outputs leaves in a difference quotient.
  let sumOfSquares = zip(output.elements(), weightElements).reduce(0.0) {
    $0 + Double($1.0 * $1.1) * Double($1.0 * $1.1)
  }
  let rounding = 3e-7 * sumOfSquares.squareRoot() / Double(step)

  func weighted(_ tensors: [Tensor]) -> Double {
    withoutGradients {
      zip(function(tensors).elements(), weightElements).reduce(0) {
        $0 + Double($1.0) * Double($1.1)
      }
    }
  }

  for (index, (name, tensor)) in inputs.enumerated() {
    let elements = tensor.elements()
    let found = gradients[leaves[index]]?.elements() ?? Array(repeating: 0, count: elements.count)
    let tried = random.permutation(elements.count).prefix(48)
    var expected: [(element: Int, slope: Double)] = []
    for element in tried {
      func moved(by distance: Float) -> Double {
        var changed = elements
        changed[element] += distance
        var tensors = leaves
        tensors[index] = Tensor(changed, shape: tensor.shape, on: tensor.device).in(tensor.layout)
        return weighted(tensors)
      }
      let distance = Double((elements[element] + step) - (elements[element] - step))
      expected.append((element, (moved(by: step) - moved(by: -step)) / distance))
    }
    let scale = expected.map { abs($0.slope) }.max() ?? 0
    for (element, slope) in expected {
      let difference = abs(Double(found[element]) - slope)
      // Written so that NaN fails.
      guard difference <= tolerance * scale + rounding else {
        throw GradientMismatch(
          tensor: name, element: element, found: found[element], expected: slope, scale: scale)
      }
    }
  }
}

/// Throws if a gradient of a layer's parameters or of its input differs from central differences.
///
/// - Parameters:
///   - x: the input, checked too.
///   - forward: calls the layer.
package func checkGradient<Checked: Layer>(
  of layer: Checked, at x: Tensor, step: Float = 1e-2, tolerance: Double = 1e-2,
  _ forward: (inout Checked, Tensor) -> Tensor
) throws {
  let parameters = layer.namedTensors.filter(\.tensor.isTracked)
  try checkGradient(at: parameters + [("input", x)], step: step, tolerance: tolerance) { tensors in
    var copy = layer
    var index = 0
    copy.visitParameters { _, tensor in
      guard tensor.isTracked else { return }
      tensor = tensors[index]
      index += 1
    }
    return forward(&copy, tensors[index])
  }
}
