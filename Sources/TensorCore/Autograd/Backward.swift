// The backward pass: gradients of tracked tensors, whole or towards chosen tensors only.

/// Gradients by tensor.
package struct Gradients {
  private var byNode: [ObjectIdentifier: Tensor] = [:]

  package init() {}

  /// The gradient of a tracked tensor; `nil` where none reached it.
  package subscript(tensor: Tensor) -> Tensor? {
    get { tensor.node.flatMap { byNode[ObjectIdentifier($0)] } }
    set {
      guard let node = tensor.node else { return }
      byNode[ObjectIdentifier(node)] = newValue
    }
  }

  fileprivate subscript(node: Node) -> Tensor? {
    get { byNode[ObjectIdentifier(node)] }
    set { byNode[ObjectIdentifier(node)] = newValue }
  }

  fileprivate mutating func add(_ gradient: Tensor, to node: Node) {
    guard let present = byNode.removeValue(forKey: ObjectIdentifier(node)) else {
      byNode[ObjectIdentifier(node)] = gradient
      return
    }
    byNode[ObjectIdentifier(node)] = accumulated(consume present, gradient)
  }

  /// Adds another set of gradients, for accumulation over several batches.
  package mutating func add(_ other: Gradients) {
    for (key, gradient) in other.byNode {
      if let present = byNode.removeValue(forKey: key) {
        byNode[key] = accumulated(consume present, gradient)
      } else {
        byNode[key] = gradient
      }
    }
  }

  /// Multiplies every gradient: 1/k after k accumulated batches.
  package mutating func scale(by factor: Float) {
    change { $0.backend.apply(.affine(scale: factor, offset: 0), $0, into: $0) }
  }

  /// Multiplies every gradient by a scalar of the device.
  package mutating func scale(by factor: Tensor) {
    change { $0.backend.scale($0, by: factor, over: 1, into: $0) }
  }

  private mutating func change(_ body: (Tensor) -> Void) {
    for key in Array(byNode.keys) {
      guard var gradient = byNode.removeValue(forKey: key) else { continue }
      gradient.makeUnique()
      body(gradient)
      byNode[key] = gradient
    }
  }
}

/// `sum + gradient`, in the memory of `sum` when nobody else holds it.
private func accumulated(_ sum: consuming Tensor, _ gradient: Tensor) -> Tensor {
  precondition(
    sum.layout == gradient.layout && sum.shape == gradient.shape, "gradients differ in form")
  var sum = sum
  sum.makeUnique()
  sum.backend.accumulate(gradient, into: sum)
  return sum
}

/// Gradients of `Σ ⟨seed, output⟩`.
///
/// - Parameters:
///   - outputs: tracked tensors with the gradient that flows into each; a scalar loss takes seed 1.
///   - targets: if given, only the operations between the outputs and these tensors run, and
///     gradients are returned for these alone; else for every leaf.
///   - keepingGraph: `true` leaves the graph whole for another pass; `false` frees every activation
///     as the pass consumes it.
package func backward(
  _ outputs: [(tensor: Tensor, seed: Tensor)], towards targets: [Tensor]? = nil,
  keepingGraph: Bool = false
) -> Gradients {
  withoutGradients {
    let targetNodes = targets.map { Set($0.compactMap(\.node).map(ObjectIdentifier.init)) }
    var nodes = reachable(from: outputs.compactMap(\.tensor.node), stoppingAt: targetNodes)
    nodes.sort { $0.order < $1.order }

    // A node matters if a target can be reached from it; inputs stand before their users.
    var matters: Set<ObjectIdentifier> = []
    for node in nodes {
      let id = ObjectIdentifier(node)
      // A whole pass through a released operation would lose the gradients behind it.
      let isTarget = targetNodes.map { $0.contains(id) } ?? (node.isLeaf || node.isReleased)
      if isTarget
        || node.inputs.contains(where: {
          $0.map { matters.contains(ObjectIdentifier($0)) } ?? false
        })
      {
        matters.insert(id)
      }
    }

    var pending = Gradients()
    var results = Gradients()
    for (tensor, seed) in outputs {
      guard let node = tensor.node else { continue }
      pending.add(seed.in(tensor.layout), to: node)
    }
    while let node = nodes.popLast() {
      let id = ObjectIdentifier(node)
      guard let gradient = pending[node] else { continue }
      pending[node] = nil
      if targetNodes.map({ $0.contains(id) }) ?? node.isLeaf {
        results[node] = gradient
        if targetNodes != nil
          && !node.inputs.contains(where: {
            $0.map { matters.contains(ObjectIdentifier($0)) } ?? false
          })
        {
          continue
        }
      }
      guard matters.contains(id), !node.isLeaf else { continue }
      guard let derivative = node.derivative else {
        preconditionFailure("backward pass through a graph that an earlier pass released")
      }
      let inputs = node.inputs
      let wanted = inputs.map { $0.map { matters.contains(ObjectIdentifier($0)) } ?? false }
      let gradients = derivative(gradient, wanted)
      if !keepingGraph { node.release() }
      for (index, input) in inputs.enumerated() where wanted[index] {
        guard let input, let gradient = gradients[index] else { continue }
        pending.add(gradient, to: input)
      }
    }
    return results
  }
}

/// Gradients of a scalar.
package func backward(
  _ loss: Tensor, towards targets: [Tensor]? = nil, keepingGraph: Bool = false
) -> Gradients {
  precondition(loss.count == 1, "backward of a tensor of shape \(loss.shape) needs a seed")
  let one = Tensor(repeating: 1, shape: loss.shape, on: loss.device)
  return backward([(loss, one)], towards: targets, keepingGraph: keepingGraph)
}

/// Every node behind `roots`.
private func reachable(from roots: [Node], stoppingAt targets: Set<ObjectIdentifier>?) -> [Node] {
  var seen: Set<ObjectIdentifier> = []
  var found: [Node] = []
  var stack = roots
  while let node = stack.popLast() {
    guard seen.insert(ObjectIdentifier(node)).inserted else { continue }
    found.append(node)
    stack.append(contentsOf: node.inputs.compactMap { $0 })
  }
  return found
}
