// The extents of a tensor.

/// The extents of a tensor, outermost first: `[N, C, H, W]` for activations; `[]` is a scalar.
package struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  package let extents: [Int]

  package init(_ extents: [Int]) {
    precondition(extents.allSatisfy { $0 >= 0 }, "a shape has no negative extents: \(extents)")
    self.extents = extents
  }

  package init(arrayLiteral elements: Int...) { self.init(elements) }

  package var rank: Int { extents.count }

  /// Number of elements.
  package var count: Int { extents.reduce(1, *) }

  /// The extent of an axis; negative axes count from the end.
  package subscript(axis: Int) -> Int { extents[axis < 0 ? axis + extents.count : axis] }

  package var description: String { "\(extents)" }
}
