// One buffer of floats on a device.

/// One buffer of floats; belongs to a device and goes back to its pool when the last tensor lets go.
///
/// Memory is taken at the first use: what is never read, such as the first weights of a model that is
/// filled from a file, takes none.
final class Storage: @unchecked Sendable {
  let device: Device
  let count: Int
  /// Writes the contents into memory that has just been taken.
  private var fill: ((UnsafeMutablePointer<Float>) -> Void)?
  private var memory: UnsafeMutablePointer<Float>?
  /// The same values in fewer bits, once a matrix product has asked for them.
  var reduced = ReducedCopies()

  /// - Parameter fill: writes the contents at the first use; undefined contents without it.
  init(
    count: Int, on device: Device, filledBy fill: ((UnsafeMutablePointer<Float>) -> Void)? = nil
  ) {
    self.device = device
    self.count = count
    self.fill = fill
  }

  var pointer: UnsafeMutablePointer<Float> {
    if let memory { return memory }
    let memory = device.backend.pool.take(bytes: count * MemoryLayout<Float>.stride)
      .bindMemory(to: Float.self, capacity: max(count, 1))
    fill?(memory)
    (self.memory, fill) = (memory, nil)
    return memory
  }

  var isUnused: Bool { memory == nil }

  deinit {
    guard let memory else { return }
    device.backend.pool.put(memory, bytes: count * MemoryLayout<Float>.stride)
  }
}
