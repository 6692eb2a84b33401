// Squares of pixels as channels of one position, and back.
import TensorCore

extension Tensor {
  /// `[N, p²C, H, W]` to `[N, C, pH, pW]`: channel `(pi + j) C + c` becomes channel c of row i and
  /// column j in each square of p×p positions.
  package func channelsToPositions(_ p: Int) -> Tensor {
    if p == 1 { return self }
    let (n, c, h, w) = (shape[0], shape[1] / (p * p), shape[2], shape[3])
    // [N, H, W, i, j·C] to [N, H, i, W, j·C] by two transpositions of matrices.
    return rows().reshaped([n * h, w, p * p * c]).transposed()
      .reshaped([n * h * p, p * c, w]).transposed()
      .reshaped([n, p * h * p * w, c]).image(height: p * h, width: p * w)
  }

  /// `[N, C, pH, pW]` to `[N, p²C, H, W]`, the inverse of `channelsToPositions`.
  package func positionsToChannels(_ p: Int) -> Tensor {
    if p == 1 { return self }
    let (n, c, h, w) = (shape[0], shape[1], shape[2] / p, shape[3] / p)
    return rows().reshaped([n * h * p, w, p * c]).transposed()
      .reshaped([n * h, p * p * c, w]).transposed()
      .reshaped([n, h * w, p * p * c]).image(height: h, width: w)
  }
}

extension IndexTensor {
  /// Labels `[N, pH, pW]` as p² of each position, `[N, p², H, W]`: what `positionsToChannels`
  /// makes of one-hot channels has a one for each of them.
  ///
  /// - Parameter count: of the labels; that of row i and column j in a square has `(pi + j) count`
  ///   added.
  func patches(_ p: Int, of count: Int) -> IndexTensor {
    let (n, h, w) = (shape[0], shape[1] / p, shape[2] / p)
    var labels: [Int32] = []
    labels.reserveCapacity(elements.count)
    for image in 0..<n {
      for part in 0..<p * p {
        for row in 0..<h {
          let start = ((image * h + row) * p + part / p) * w * p + part % p
          for column in 0..<w { labels.append(elements[start + column * p] + Int32(part * count)) }
        }
      }
    }
    return IndexTensor(labels, shape: [n, p * p, h, w])
  }
}
