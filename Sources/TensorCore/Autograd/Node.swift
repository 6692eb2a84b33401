// Reverse-mode differentiation, define by run: each recorded operation is a node that knows its
// inputs' nodes and how to pass a gradient back to them.
import Synchronization

/// One recorded operation, or a leaf (a trainable parameter, a detached activation).
final class Node: @unchecked Sendable {
  /// Gradients of the inputs from the gradient of the output; asked only for the inputs marked
  /// `true`.
  typealias Derivative = (_ gradient: Tensor, _ wanted: [Bool]) -> [Tensor?]

  private static let counter = Atomic<UInt64>(0)

  /// Grows with time: an operation stands after everything that it read.
  let order: UInt64
  private(set) var inputs: [Node?]
  private(set) var derivative: Derivative?
  /// Made as a leaf; an operation does not become one by being released.
  let isLeaf: Bool

  init(inputs: [Node?] = [], derivative: Derivative? = nil) {
    order = Self.counter.add(1, ordering: .relaxed).newValue
    isLeaf = derivative == nil
    self.inputs = inputs
    self.derivative = derivative
  }

  /// Whether a backward pass has consumed this operation.
  var isReleased: Bool { !isLeaf && derivative == nil }

  /// Lets go of saved activations and of the graph behind; a second backward pass through here is a
  /// mistake.
  func release() {
    derivative = nil
    inputs = []
  }

  deinit {
    // A graph is a long chain: take it apart in a loop, not by recursion.
    var pending = inputs.compactMap { $0 }
    inputs = []
    derivative = nil
    while !pending.isEmpty {
      let last = pending.count - 1
      var behind: [Node?] = []
      // Asked of the array's own reference: any other variable would be a second one.
      if isKnownUniquelyReferenced(&pending[last]) {
        swap(&behind, &pending[last].inputs)
        pending[last].derivative = nil
      }
      pending.removeLast()
      pending.append(contentsOf: behind.compactMap { $0 })
    }
  }
}

/// Whether operations are recorded; a task-local value, so that one thread's sampling does not
/// touch another's training.
package enum GradientMode {
  @TaskLocal package static var isRecording = true
}

/// Runs `body` without recording operations: nothing is saved for a backward pass.
package func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
  guard GradientMode.isRecording else { return try body() }
  return try GradientMode.$isRecording.withValue(false, operation: body)
}

/// Gives `output` its position in the graph if any input is tracked.
func record(
  _ output: Tensor, _ inputs: [Tensor],
  _ derivative: @escaping Node.Derivative
) -> Tensor {
  guard GradientMode.isRecording, inputs.contains(where: { $0.node != nil }) else { return output }
  var output = output
  output.node = Node(inputs: inputs.map(\.node), derivative: derivative)
  return output
}

extension Tensor {
  /// This tensor as a leaf whose gradient is wanted: a trainable parameter, or the border of a
  /// partial backward pass.
  package func trainable() -> Tensor {
    Tensor(shape: shape, layout: layout, storage: storage, node: Node())
  }

  /// The same values, constant to the graph (stop-gradient).
  package func detached() -> Tensor { Tensor(shape: shape, layout: layout, storage: storage) }
}
