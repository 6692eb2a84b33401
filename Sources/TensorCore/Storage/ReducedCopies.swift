// Factors of matrix products in fewer bits, made once and kept beside the values that they stand for.

/// Values in 16 or 8 bits, beside the storage that they were made of; gone when its contents change.
///
/// Filled by the one thread that issues all computation.
struct ReducedCopies {
  /// Rows of 8-bit integers, each with one scale.
  struct Bytes {
    let columns: Int
    let values, scales: Storage
  }

  /// Two values to a float's place.
  fileprivate var bfloat16: Storage?
  fileprivate var bytes: Bytes?
}

extension Tensor {
  /// The values rounded to bfloat16, in the order in which they are stored.
  var bfloat16: Storage {
    if let present = storage.reduced.bfloat16 { return present }
    let rounded = Storage(count: (stored + 1) / 2, on: device)
    backend.roundToBfloat16(pointer, rounded.pointer, stored)
    storage.reduced.bfloat16 = rounded
    return rounded
  }

  /// The rows of a matrix as 8-bit integers.
  var int8: ReducedCopies.Bytes {
    let (rows, columns) = (shape[0], shape[1])
    if let present = storage.reduced.bytes, present.columns == columns { return present }
    let bytes = ReducedCopies.Bytes(
      columns: columns, values: Storage(count: (stored + 3) / 4, on: device),
      scales: Storage(count: rows, on: device))
    backend.quantizeRows(pointer, bytes.values.pointer, bytes.scales.pointer, rows, columns)
    storage.reduced.bytes = bytes
    return bytes
  }
}
