// Integer tensors: codes, tokens, class labels.

/// A row-major tensor of 32-bit integers: codebook indices, tokens, labels.
package struct IndexTensor: Sendable, Equatable {
  package let shape: Shape
  package var elements: [Int32]

  package init(_ elements: [Int32], shape: Shape) {
    precondition(elements.count == shape.count, "\(elements.count) indices for shape \(shape)")
    self.elements = elements
    self.shape = shape
  }

  package init(_ elements: [Int], shape: Shape) {
    self.init(elements.map(Int32.init), shape: shape)
  }

  package var count: Int { elements.count }

  /// The same indices under another shape of equal count.
  package func reshaped(_ shape: Shape) -> IndexTensor { IndexTensor(elements, shape: shape) }
}
