// Reuse of buffers: a training step repeats its shapes, so after the first step hardly anything is
// asked of the system.
import Platform
import Synchronization

/// Buffers by size class, kept for reuse when a storage is released.
package final class MemoryPool: Sendable {
  /// What the pool holds, in bytes, and how often it went to the system.
  package struct Statistics: Sendable, Equatable {
    /// Bytes in use by living tensors.
    package var used = 0
    /// The most bytes that were in use at once.
    package var peak = 0
    /// Bytes taken from the system, in use or free.
    package var reserved = 0
    /// Bytes handed out since the start.
    package var taken = 0
    /// Calls of the system allocator.
    package var systemAllocations = 0
  }

  private struct State {
    var free: [Int: [UInt]] = [:]
    var statistics = Statistics()

    /// Takes out free buffers, first of the class that has most, so that what is reserved stays
    /// near the most that was in use at once.
    ///
    /// - Parameter size: bytes that are about to be reserved.
    mutating func removeSurplus(for size: Int) -> [UInt] {
      var surplus: [UInt] = []
      let limit = max(MemoryPool.leastLimit, statistics.peak / 20 * 23)
      while statistics.reserved + size > limit,
        let (most, _) = free.max(by: { $0.key * $0.value.count < $1.key * $1.value.count }),
        let address = free[most]?.popLast()
      {
        surplus.append(address)
        statistics.reserved -= most
      }
      return surplus
    }
  }

  /// Below so many bytes nothing is given back: what is kept costs no one anything.
  private static let leastLimit = 256 << 20

  private let state = Mutex(State())
  private let allocate: @Sendable (Int) -> UnsafeMutableRawPointer?
  private let free: @Sendable (UnsafeMutableRawPointer) -> Void

  /// - Parameters: allocate, free: the device's own.
  init(
    allocate: @escaping @Sendable (Int) -> UnsafeMutableRawPointer?,
    free: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
  ) {
    self.allocate = allocate
    self.free = free
  }

  /// Sizes rounded up so that at most an eighth of a buffer is wasted; 64 bytes at least.
  static func sizeClass(_ bytes: Int) -> Int {
    guard bytes > 512 else { return max(64, (bytes + 63) / 64 * 64) }
    let step = 1 << (Int.bitWidth - bytes.leadingZeroBitCount - 4)
    return (bytes + step - 1) / step * step
  }

  func take(bytes: Int) -> UnsafeMutableRawPointer {
    let size = Self.sizeClass(bytes)
    let (address, surplus) = state.withLock { state -> (UInt?, [UInt]) in
      state.statistics.used += size
      state.statistics.taken += size
      state.statistics.peak = max(state.statistics.peak, state.statistics.used)
      if let address = state.free[size]?.popLast() { return (address, []) }
      let surplus = state.removeSurplus(for: size)
      state.statistics.reserved += size
      state.statistics.systemAllocations += 1
      return (nil, surplus)
    }
    release(surplus)
    if let address, let pointer = UnsafeMutableRawPointer(bitPattern: address) { return pointer }
    guard let fresh = allocate(size) else {
      let report = Self.outOfMemory.withLock { $0 }
      report(
        "out of memory: \(size >> 20) MiB wanted, \(statistics.reserved >> 20) MiB in tensors already; "
          + "take smaller batches or images")
    }
    return fresh
  }

  /// Reports that there is no more memory, and ends the process: nothing above could go on without
  /// its tensor.
  package static let outOfMemory = Mutex<@Sendable (_ message: String) -> Never>(printAndExit)

  @Sendable private static func printAndExit(_ message: String) -> Never {
    let bytes = Array((message + "\n").utf8)
    _ = write(2, bytes, bytes.count)
    _exit(71)
  }

  func put(_ pointer: UnsafeMutableRawPointer, bytes: Int) {
    let size = Self.sizeClass(bytes)
    state.withLock { state in
      state.statistics.used -= size
      state.free[size, default: []].append(UInt(bitPattern: pointer))
    }
  }

  /// Gives the free buffers back to the system, for example between training and sampling.
  package func releaseFree() {
    let addresses = state.withLock { state -> [UInt] in
      let addresses = state.free.values.flatMap { $0 }
      state.statistics.reserved -= state.free.reduce(0) { $0 + $1.key * $1.value.count }
      state.free = [:]
      return addresses
    }
    release(addresses)
  }

  private func release(_ addresses: [UInt]) {
    for address in addresses { UnsafeMutableRawPointer(bitPattern: address).map(free) }
  }

  package var statistics: Statistics { state.withLock { $0.statistics } }

  /// Starts a new peak from what is in use now.
  package func resetPeak() { state.withLock { $0.statistics.peak = $0.statistics.used } }
}
