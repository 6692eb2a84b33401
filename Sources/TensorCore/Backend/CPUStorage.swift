// Memory of the processor; only its backend looks here.
import CKernels

/// A buffer from the pool.
final class CPUStorage: Storage, @unchecked Sendable {
  private let pool: MemoryPool
  private var taken: UnsafeMutableRawPointer?
  /// The same values in fewer bits, once a matrix product has asked for them.
  fileprivate var reduced = ReducedCopies()

  init(count: Int, on device: Device, from pool: MemoryPool) {
    self.pool = pool
    super.init(count: count, on: device)
  }

  override var isUnused: Bool { taken == nil }

  override func willChange() { reduced = ReducedCopies() }

  var buffer: UnsafeMutableRawPointer {
    if let taken { return taken }
    let fresh = pool.take(bytes: count * 4)
    taken = fresh
    if let fill {
      self.fill = nil
      fill(self)
    }
    return fresh
  }

  deinit { if let taken { pool.put(taken, bytes: count * 4) } }
}

extension Storage {
  var memory: UnsafeMutableRawPointer { unsafeDowncast(self, to: CPUStorage.self).buffer }
  var floats: UnsafeMutablePointer<Float> { memory.assumingMemoryBound(to: Float.self) }
  var integers: UnsafeMutablePointer<Int32> { memory.assumingMemoryBound(to: Int32.self) }
  var bf16: UnsafeMutablePointer<UInt16> { memory.assumingMemoryBound(to: UInt16.self) }
  var signedBytes: UnsafeMutablePointer<Int8> { memory.assumingMemoryBound(to: Int8.self) }
  var bytes: UnsafeMutablePointer<UInt8> { memory.assumingMemoryBound(to: UInt8.self) }
}

extension Tensor {
  var floats: UnsafeMutablePointer<Float> { storage.floats }
}

extension Columns {
  var floats: UnsafeMutablePointer<Float> { tensor.floats + first }
}

/// Values in 16 or 8 bits, beside the storage that they were made of; gone when its contents
/// change.
///
/// Filled by the one thread that issues all computation.
private struct ReducedCopies {
  /// Two values to a word.
  var bfloat16: Storage?
  var bytes: ReducedRows?
}

/// Rows of 8-bit integers, each with one scale.
struct ReducedRows {
  let columns: Int
  let values, scales: Storage
}

extension CPUBackend {
  /// The values rounded to bfloat16, in the order in which they are stored.
  func bfloat16(of x: Tensor) -> Storage {
    let storage = unsafeDowncast(x.storage, to: CPUStorage.self)
    if let present = storage.reduced.bfloat16 { return present }
    let rounded = makeStorage(count: (x.stored + 1) / 2)
    timed("round to bfloat16", floats: 3 * x.stored / 2) {
      ck_round_to_bfloat16(x.floats, rounded.bf16, x.stored)
    }
    storage.reduced.bfloat16 = rounded
    return rounded
  }

  /// The rows of a matrix as 8-bit integers.
  func int8(of x: Tensor) -> ReducedRows {
    let storage = unsafeDowncast(x.storage, to: CPUStorage.self)
    let (rows, columns) = (x.shape[0], x.shape[1])
    if let present = storage.reduced.bytes, present.columns == columns { return present }
    let reduced = ReducedRows(
      columns: columns, values: makeStorage(count: (x.stored + 3) / 4),
      scales: makeStorage(count: rows))
    timed("quantize rows", floats: 5 * rows * columns / 4) {
      ck_quantize_rows(
        x.floats, reduced.values.signedBytes, reduced.scales.floats, rows, columns)
    }
    storage.reduced.bytes = reduced
    return reduced
  }
}
