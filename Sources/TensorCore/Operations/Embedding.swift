// Tables of vectors: token embeddings, codebooks.

extension Tensor {
  /// Rows of this table `[K, D]` by index: `[…, D]` for indices `[…]` in `0..<K`.
  package func gathered(at indices: IndexTensor) -> Tensor {
    let (rows, width) = (shape[0], shape[1])
    precondition(indices.isWithin(0..<Int32(rows)), "an index outside 0..<\(rows)")
    let y = Tensor(uninitialized: Shape(indices.shape.extents + [width]), on: device)
    backend.gatherRows(self, indices, into: y)
    return record(y, [self]) { dy, _ in
      let dtable = Tensor(uninitialized: [rows, width], on: dy.device)
      dy.backend.fill(dtable, with: 0)
      dy.backend.scatterAddRows(dy, indices, into: dtable)
      return [dtable]
    }
  }

  /// The nearest row of `codebook` `[K, D]` for every row of this tensor `[M, D]`; the lowest index
  /// wins a tie.
  ///
  /// - Returns: indices `[M]` and squared distances `[M]`.
  /// - Complexity: one matrix product; `[M, K]` is held in pieces.
  /// - Source: van den Oord et al. 2017, §3.1, eq. 1–2.
  package func nearestRows(in codebook: Tensor) -> (indices: IndexTensor, distances: Tensor) {
    precondition(
      rank == 2 && codebook.rank == 2 && shape[1] == codebook.shape[1],
      "\(shape), \(codebook.shape)")
    let indices = IndexTensor(uninitialized: [shape[0]], on: device)
    let distances = Tensor(uninitialized: [shape[0]], on: device)
    backend.nearestCodes(self, codebook, into: indices, distances: distances)
    return (indices, distances)
  }

  /// Sums of the rows of this tensor `[M, D]` that share an index, `[rows, D]`; not recorded.
  package func scatteredSums(at indices: IndexTensor, rows: Int) -> Tensor {
    let sums = Tensor(uninitialized: [rows, shape[1]], on: device)
    backend.fill(sums, with: 0)
    backend.scatterAddRows(self, indices, into: sums)
    return sums
  }

  /// These sums `[K, D]` by counts `[K]` with Laplace smoothing: entries of a moving-average
  /// codebook; not recorded.
  ///
  /// - Source: van den Oord et al. 2017, eq. 8.
  package func smoothedMeans(counts: Tensor, eps: Float) -> Tensor {
    let means = Tensor(uninitializedLike: self)
    backend.smoothedMeans(self, counts: counts, eps: eps, into: means)
    return means
  }
}

extension IndexTensor {
  /// How often each of `0..<k` occurs, `[k]`, on a device.
  package func counts(of k: Int, on device: Device) -> Tensor {
    Tensor(repeating: 1, shape: [count, 1], on: device).scatteredSums(at: self, rows: k)
      .reshaped([k])
  }
}
