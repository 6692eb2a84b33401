// Lengths and directions of latent vectors, and gradients in place of those of jumps.
import TensorCore

extension Tensor {
  /// The scalar products of the rows of two tensors `[M, D]`, `[M, 1]`.
  private func rowProducts(with other: Tensor) -> Tensor {
    (self * other).linear(Tensor(repeating: 1, shape: [1, shape[1]], on: device), bias: nil)
  }

  /// The rows of `[M, D]`, each times its own constant of `[M, 1]`.
  private func rowsScaled(by factors: Tensor) -> Tensor {
    self * factors.matmul(Tensor(repeating: 1, shape: [1, shape[1]], on: device))
  }

  /// 1 over the length of each row, `[M, 1]`, a constant; lengths below 1e-12 count as that.
  private func inverseLengths() -> Tensor {
    withoutGradients {
      let x = detached()
      return x.rowProducts(with: x).squareRoot().clamped(to: 1e-12...(.infinity)).reciprocal()
    }
  }

  /// The rows of `[M, D]` with length 1.
  func unitRows() -> Tensor {
    let inverse = inverseLengths()
    let unit = withoutGradients { detached().rowsScaled(by: inverse) }
    guard isTracked else { return unit }
    // d(z/‖z‖) = (dz - u (u · dz)) / ‖z‖, a linear map with constants that is zero at z itself.
    let tangent = (self - unit.rowsScaled(by: rowProducts(with: unit))).rowsScaled(by: inverse)
    return unit + (tangent - tangent.detached())
  }

  /// `values`, which rows `[M, D]` jump to; the gradient passes straight through to these.
  ///
  /// - Parameter slopes: by which the gradient is multiplied, elementwise; 1 if left out.
  func replaced(by values: Tensor, slopes: Tensor? = nil) -> Tensor {
    let own = slopes.map { self * $0.detached() } ?? self
    return values.detached() + (own - own.detached())
  }

  /// `entries` in place of these rows `[M, D]`; their gradient is rotated and scaled as the entry
  /// is to its row.
  ///
  /// For a row e and its entry q the result is `‖q‖/‖e‖ · R e` with the constant rotation
  /// `R = I - 2rrᵀ + 2q̂êᵀ`, `r = (ê + q̂) / ‖ê + q̂‖`.
  /// - Source: Fifty et al. 2024, *Restructuring vector quantization with the rotation trick*,
  ///   §4.2.
  func rotated(onto entries: Tensor) -> Tensor {
    let (scale, from, to, middle) = withoutGradients {
      let (e, q) = (detached(), entries.detached())
      let (from, to) = (e.unitRows(), q.unitRows())
      let scale = e.inverseLengths() * q.rowProducts(with: q).squareRoot()
      return (scale, from, to, (from + to).unitRows())
    }
    let rotated =
      self - (2 as Float) * middle.rowsScaled(by: rowProducts(with: middle))
      + (2 as Float) * to.rowsScaled(by: rowProducts(with: from))
    return rotated.rowsScaled(by: scale).exactly(entries)
  }

  /// This tensor's gradient with the values that it has but for rounding.
  private func exactly(_ values: Tensor) -> Tensor { replaced(by: values) }
}
