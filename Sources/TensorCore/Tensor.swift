// The tensor: a value with a shape, a buffer and, when gradients are wanted, its position in the
// graph.

/// A float tensor on a device.
///
/// A value: what one copy does is never seen by another. Memory is shared between copies until one
/// is changed.
package struct Tensor: @unchecked Sendable {
  package let shape: Shape
  package let layout: Layout
  var storage: Storage
  /// Where it stands in the graph of operations; `nil` for constants.
  var node: Node?

  init(shape: Shape, layout: Layout, storage: Storage, node: Node? = nil) {
    self.shape = shape
    self.layout = layout
    self.storage = storage
    self.node = node
  }

  /// A tensor with undefined contents, to be filled by a kernel.
  init(uninitialized shape: Shape, layout: Layout = .plain, on device: Device) {
    self.init(
      shape: shape, layout: layout,
      storage: device.backend.makeStorage(
        count: device.backend.storedCount(shape, in: layout)))
  }

  /// A tensor whose contents are written at its first use; until then it takes no memory.
  init(
    _ shape: Shape, layout: Layout = .plain, on device: Device,
    filledBy fill: @escaping (Tensor) -> Void
  ) {
    self.init(uninitialized: shape, layout: layout, on: device)
    storage.fill = { fill(Tensor(shape: shape, layout: layout, storage: $0)) }
  }

  /// A tensor like `other` in shape, layout and device, with undefined contents.
  init(uninitializedLike other: Tensor) {
    self.init(uninitialized: other.shape, layout: other.layout, on: other.device)
  }

  /// A row-major tensor with the given elements.
  package init(_ elements: [Float], shape: Shape, on device: Device = .default) {
    precondition(elements.count == shape.count, "\(elements.count) elements for shape \(shape)")
    self.init(uninitialized: shape, on: device)
    elements.withUnsafeBytes { backend.upload($0, into: storage) }
  }

  /// A tensor filled with one value.
  package init(repeating value: Float, shape: Shape, on device: Device = .default) {
    self.init(shape, on: device) { $0.backend.fill($0, with: value) }
  }

  /// A scalar.
  package init(_ value: Float, on device: Device = .default) {
    self.init([value], shape: [], on: device)
  }

  package var device: Device { storage.device }
  package var count: Int { shape.count }

  /// Whether operations on this tensor are recorded for gradients.
  package var isTracked: Bool { node != nil }

  /// The elements in row-major order.
  package func elements() -> [Float] { withElements { Array($0) } }

  /// The value of a tensor with one element.
  package func item() -> Float {
    precondition(count == 1, "item() of shape \(shape)")
    return withElements { $0[0] }
  }

  /// Reads the row-major elements, without a copy where the layout is plain and the device is the
  /// processor.
  package func withElements<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows
    -> Result
  {
    let plain = withoutGradients { self.plain() }
    return try backend.withHostBytes(of: plain.storage) {
      try body(UnsafeBufferPointer(rebasing: $0.assumingMemoryBound(to: Float.self)[..<count]))
    }
  }

  // MARK: What operations and backends use

  var backend: any Backend { storage.device.backend }
  /// Floats in the buffer, padding included.
  var stored: Int { storage.count }

  /// Makes the storage this tensor's own, for changing it in place: copied first if another tensor
  /// shares it.
  mutating func makeUnique() {
    guard !isKnownUniquelyReferenced(&storage) else { return storage.willChange() }
    let copy = backend.makeStorage(count: storage.count)
    backend.copy(storage, into: copy)
    storage = copy
  }
}

extension Tensor {
  /// A zero tensor with the shape, layout and device of `other`.
  package init(zerosLike other: Tensor) {
    self.init(uninitializedLike: other)
    backend.fill(self, with: 0)
  }

  /// This tensor's elements on another device.
  package func moved(to device: Device) -> Tensor {
    if device == self.device { return self }
    let plain = withoutGradients { self.plain() }
    let result = Tensor(uninitialized: shape, on: device)
    backend.withHostBytes(of: plain.storage) { device.backend.upload($0, into: result.storage) }
    return result.in(layout)
  }
}
