// Tables of vectors: token embeddings, codebooks.

extension Tensor {
  /// Rows of this table `[K, D]` by index: `[…, D]` for indices `[…]` in `0..<K`.
  package func gathered(at indices: IndexTensor) -> Tensor {
    let (rows, width) = (shape[0], shape[1])
    precondition(
      indices.elements.allSatisfy { $0 >= 0 && $0 < rows }, "an index outside 0..<\(rows)")
    let m = indices.count
    let y = Tensor(uninitialized: Shape(indices.shape.extents + [width]), on: device)
    indices.elements.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      backend.gatherRows(pointer, base, y.pointer, m, width)
    }
    return record(y, [self]) { dy, _ in
      let dtable = Tensor(repeating: 0, shape: [rows, width], on: dy.device)
      indices.elements.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        dy.backend.scatterAddRows(dy.pointer, base, dtable.pointer, m, width, rows)
      }
      return [dtable]
    }
  }

  /// The nearest row of `codebook` `[K, D]` for every row of this tensor `[M, D]`; the lowest index wins a tie.
  ///
  /// - Returns: indices `[M]` and squared distances `[M]`.
  /// - Complexity: one matrix product; `[M, K]` is held in pieces.
  /// - Source: van den Oord et al. 2017, §3.1, eq. 1–2.
  package func nearestRows(in codebook: Tensor) -> (indices: IndexTensor, distances: [Float]) {
    precondition(
      rank == 2 && codebook.rank == 2 && shape[1] == codebook.shape[1],
      "\(shape), \(codebook.shape)")
    let (m, k, d) = (shape[0], codebook.shape[0], shape[1])
    let norms = Tensor(uninitialized: [k], on: device)
    backend.rowNorms(codebook.pointer, norms.pointer, k, d)
    let distances = Tensor(uninitialized: [m], on: device)
    let indices = [Int32](unsafeUninitializedCapacity: m) { buffer, filled in
      filled = m
      guard let base = buffer.baseAddress else { return }
      backend.nearestCodes(
        pointer, codebook.pointer, norms.pointer, base, distances.pointer, m, k, d)
    }
    return (IndexTensor(indices, shape: [m]), distances.elements())
  }
}

extension Tensor {
  /// Sums of the rows of this tensor `[M, D]` that share an index, `[rows, D]`; not recorded.
  package func scatteredSums(at indices: IndexTensor, rows: Int) -> Tensor {
    let sums = Tensor(repeating: 0, shape: [rows, shape[1]], on: device)
    indices.elements.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      backend.scatterAddRows(pointer, base, sums.pointer, shape[0], shape[1], rows)
    }
    return sums
  }
}
