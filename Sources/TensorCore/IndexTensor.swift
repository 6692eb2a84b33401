// Integer tensors: codes, tokens, class labels.
import Synchronization

/// A row-major tensor of 32-bit integers: codebook indices, tokens, labels.
///
/// Made on the host or by an operation on a device; it goes to the other side when that side first
/// asks, and once.
package struct IndexTensor: Sendable, Equatable {
  package let shape: Shape
  private var contents: Contents

  package init(_ elements: [Int32], shape: Shape) {
    precondition(elements.count == shape.count, "\(elements.count) indices for shape \(shape)")
    self.init(shape: shape, contents: Contents(host: elements))
  }

  package init(_ elements: [Int], shape: Shape) {
    self.init(elements.map(Int32.init), shape: shape)
  }

  /// To be written by an operation.
  init(uninitialized shape: Shape, on device: Device) {
    self.init(
      shape: shape, contents: Contents(stored: device.backend.makeStorage(count: shape.count)))
  }

  private init(shape: Shape, contents: Contents) {
    self.shape = shape
    self.contents = contents
  }

  package static func == (a: IndexTensor, b: IndexTensor) -> Bool {
    a.shape == b.shape && a.elements == b.elements
  }

  package var elements: [Int32] {
    get { contents.elements(count) }
    _modify {
      var elements = contents.elements(count)
      contents = Contents(host: [])  // whose array is then nobody else's
      yield &elements
      precondition(elements.count == count, "\(elements.count) indices for shape \(shape)")
      contents = Contents(host: elements)
    }
  }

  package var count: Int { shape.count }

  /// The same indices under another shape of equal count.
  package func reshaped(_ shape: Shape) -> IndexTensor {
    precondition(shape.count == count, "\(self.shape) has not the elements of \(shape)")
    return IndexTensor(shape: shape, contents: contents)
  }

  /// Whether no index lies outside; what a device made is not read back for it.
  func isWithin(_ range: Range<Int32>) -> Bool {
    contents.hostElements?.allSatisfy { range.contains($0) } ?? true
  }

  func storage(on device: Device) -> Storage { contents.storage(on: device) }
}

/// The indices of a tensor and of its copies, on the host, on a device or on both.
private final class Contents: Sendable {
  private struct Copies {
    var host: [Int32]?
    var stored: Storage?

    /// The elements, read back if nobody has yet.
    mutating func read(_ count: Int) -> [Int32] {
      if let host { return host }
      guard let stored else { return [] }
      let elements = stored.device.backend.withHostBytes(of: stored) {
        Array($0.assumingMemoryBound(to: Int32.self)[..<count])
      }
      host = elements
      return elements
    }
  }

  private let copies: Mutex<Copies>

  init(host: [Int32]? = nil, stored: Storage? = nil) {
    copies = Mutex(Copies(host: host, stored: stored))
  }

  var hostElements: [Int32]? { copies.withLock { $0.host } }

  func elements(_ count: Int) -> [Int32] { copies.withLock { $0.read(count) } }

  func storage(on device: Device) -> Storage {
    copies.withLock { copies in
      if let stored = copies.stored, stored.device == device { return stored }
      let elements = copies.read(copies.stored?.count ?? 0)
      let stored = device.backend.makeStorage(count: elements.count)
      elements.withUnsafeBytes { device.backend.upload($0, into: stored) }
      copies.stored = stored
      return stored
    }
  }
}
