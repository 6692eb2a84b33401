// One buffer of floats on a device.

/// One buffer of floats; belongs to a device and goes back to its pool when the last tensor lets go.
///
/// The memory is taken when it is first asked for: a storage that nobody writes costs nothing.
final class Storage: @unchecked Sendable {
  let device: Device
  let count: Int
  private var memory: UnsafeMutablePointer<Float>?
  /// The same values in fewer bits, once a matrix product has asked for them.
  var reduced = ReducedCopies()

  /// A buffer with undefined contents.
  init(count: Int, on device: Device) {
    self.device = device
    self.count = count
  }

  /// Whether there are contents, so far as anything was written.
  var hasMemory: Bool { memory != nil }

  var pointer: UnsafeMutablePointer<Float> {
    if let memory { return memory }
    let taken = device.backend.pool.take(bytes: count * MemoryLayout<Float>.stride)
      .bindMemory(to: Float.self, capacity: max(count, 1))
    memory = taken
    return taken
  }

  deinit {
    if let memory { device.backend.pool.put(memory, bytes: count * MemoryLayout<Float>.stride) }
  }
}
