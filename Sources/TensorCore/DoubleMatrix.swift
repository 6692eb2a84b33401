// Matrices of doubles on the host, for statistics.
import CKernels

/// A row-major matrix of doubles; its products run on the calling thread's workers.
package struct DoubleMatrix: Sendable, Equatable {
  package let rows: Int
  package let columns: Int
  package var elements: [Double]

  package init(_ elements: [Double], rows: Int, columns: Int) {
    precondition(elements.count == rows * columns, "\(elements.count) elements, \(rows)×\(columns)")
    self.rows = rows
    self.columns = columns
    self.elements = elements
  }

  package init(zeros rows: Int, _ columns: Int) {
    self.init(Array(repeating: 0, count: rows * columns), rows: rows, columns: columns)
  }

  package subscript(row: Int, column: Int) -> Double {
    get { elements[row * columns + column] }
    set { elements[row * columns + column] = newValue }
  }

  package var diagonal: [Double] { (0..<min(rows, columns)).map { self[$0, $0] } }
  package var trace: Double { diagonal.reduce(0, +) }

  /// `self · otherᵀ`; equal rows give equal elements, to the bit.
  package func timesTransposed(_ other: DoubleMatrix) -> DoubleMatrix {
    precondition(columns == other.columns, "rows of \(columns) and of \(other.columns)")
    var product = DoubleMatrix(zeros: rows, other.rows)
    product.elements.withUnsafeMutableBufferPointer { c in
      elements.withUnsafeBufferPointer { a in
        other.elements.withUnsafeBufferPointer { b in
          ck_row_products(
            a.baseAddress, b.baseAddress, c.baseAddress, rows, other.rows, columns, 0)
        }
      }
    }
    return product
  }

  /// The sum of `x·xᵀ` over the columns `x` of a matrix, added to this one.
  mutating func addProductWithItself(of other: DoubleMatrix) {
    elements.withUnsafeMutableBufferPointer { c in
      other.elements.withUnsafeBufferPointer { a in
        ck_row_products(
          a.baseAddress, a.baseAddress, c.baseAddress, rows, rows, other.columns, 1)
      }
    }
  }

  /// The eigenvalues of a symmetric matrix, in no order; nil where they cannot be found, as for
  /// elements that are not finite.
  ///
  /// - Complexity: 4/3 · rows³ operations.
  package func symmetricEigenvalues() -> [Double]? {
    precondition(rows == columns, "eigenvalues of \(rows)×\(columns)")
    guard elements.allSatisfy(\.isFinite) else { return nil }
    var values = [Double](repeating: 0, count: rows)
    var copy = elements
    var work = [Double](repeating: 0, count: 5 * rows)
    let found = copy.withUnsafeMutableBufferPointer { a in
      values.withUnsafeMutableBufferPointer { v in
        work.withUnsafeMutableBufferPointer { w in
          ck_symmetric_eigenvalues(a.baseAddress, v.baseAddress, w.baseAddress, rows)
        }
      }
    }
    return found == 1 ? values : nil
  }

  /// `Lᵀ` with `self = L·Lᵀ` of a positive semidefinite matrix; as many rows as its rank.
  package func semidefiniteFactor() -> DoubleMatrix {
    precondition(rows == columns, "a factor of \(rows)×\(columns)")
    var factor = [Double](repeating: 0, count: rows * rows)
    var rest = [Double](repeating: 0, count: rows)
    let tolerance = Double(rows) * 0x1p-52 * (diagonal.max() ?? 0)
    let rank = elements.withUnsafeBufferPointer { a in
      factor.withUnsafeMutableBufferPointer { f in
        rest.withUnsafeMutableBufferPointer { d in
          ck_pivoted_cholesky(a.baseAddress, f.baseAddress, d.baseAddress, rows, tolerance)
        }
      }
    }
    return DoubleMatrix(Array(factor[..<(rank * rows)]), rows: rank, columns: rows)
  }
}

extension DoubleMatrix {
  /// The means of the columns of row-major floats `[rows, columns]`.
  package static func columnMeans(of x: [Float], rows: Int, columns: Int) -> [Double] {
    var sums = [Double](repeating: 0, count: columns)
    ck_double_column_sums(x, &sums, rows, columns)
    return sums.map { $0 / Double(rows) }
  }

  /// Row-major floats less the means of their columns.
  package init(_ x: [Float], rows: Int, columns: Int, lessMeans means: [Double]) {
    self.init(zeros: rows, columns)
    ck_centred_rows(x, means, &elements, rows, columns, 0)
  }

  /// The sums of products of deviations, `[columns, columns]`, of row-major floats.
  package static func scatter(
    of x: [Float], rows: Int, columns: Int, means: [Double]
  ) -> DoubleMatrix {
    var sums = DoubleMatrix(zeros: columns, columns)
    let chunk = 2048
    for start in stride(from: 0, to: rows, by: chunk) {
      let count = min(chunk, rows - start)
      var part = DoubleMatrix(zeros: columns, count)
      x.withUnsafeBufferPointer { x in
        ck_centred_rows(
          x.baseAddress.map { $0 + start * columns }, means, &part.elements, count, columns, 1)
      }
      sums.addProductWithItself(of: part)
    }
    return sums
  }

  /// The sum of `(element / scale + 1)³`.
  package func polynomialKernelSum(scale: Double) -> Double {
    ck_polynomial_kernel_sum(elements, elements.count, 1 / scale)
  }
}
