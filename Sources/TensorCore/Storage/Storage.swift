// One buffer of floats on a device.

/// One buffer of floats; belongs to a device and goes back to its pool when the last tensor lets go.
final class Storage: @unchecked Sendable {
  let device: Device
  let count: Int
  let pointer: UnsafeMutablePointer<Float>
  /// The same values in fewer bits, once a matrix product has asked for them.
  var reduced = ReducedCopies()

  /// A buffer with undefined contents.
  init(count: Int, on device: Device) {
    self.device = device
    self.count = count
    pointer = device.backend.pool.take(bytes: count * MemoryLayout<Float>.stride)
      .bindMemory(to: Float.self, capacity: max(count, 1))
  }

  deinit {
    device.backend.pool.put(pointer, bytes: count * MemoryLayout<Float>.stride)
  }
}
