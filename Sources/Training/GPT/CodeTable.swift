// The codes of a whole data set in memory.
import Checksums
import Foundation
import Models
import Shards
import TensorCore

/// Rows of codes, two bytes each (four above 65,536 codebook entries).
///
/// The codes of COCO's training images at f = 16 take 61 MB.
package struct CodeTable: Sendable {
  private enum Store {
    case small([UInt16])
    case large([Int32])
  }

  /// Codes of one row, h·w.
  package let rowLength: Int
  /// Rows.
  package let count: Int
  /// Every code is in `0..<codebookSize`.
  package let codebookSize: Int
  private let store: Store

  /// - Parameter rows: codes in `0..<codebookSize`, `[count · rowLength]`.
  package init(_ rows: [Int32], rowLength: Int, codebookSize: Int) {
    precondition(
      rowLength > 0 && rows.count % rowLength == 0, "\(rows.count) codes in rows of \(rowLength)")
    self.rowLength = rowLength
    self.codebookSize = codebookSize
    count = rows.count / rowLength
    store = codebookSize <= 1 << 16 ? .small(rows.map { UInt16($0) }) : .large(rows)
  }

  /// Reads every row of the shards.
  ///
  /// - Parameters:
  ///   - order: in which the codes of a row are kept.
  ///   - progress: called after each row.
  package init(
    _ shards: CodeShardSet, order: TokenOrder = .raster, progress: () throws -> Void
  ) throws {
    let cells = order.cells(of: shards.grid.size)
    var rows: [Int32] = []
    rows.reserveCapacity(shards.count * shards.grid.count)
    for row in 0..<shards.count {
      let codes = try shards.codes(row)
      rows += cells.map { codes[$0] }
      try progress()
    }
    self.init(rows, rowLength: shards.grid.count, codebookSize: shards.grid.codebookSize)
  }

  /// The given rows, `[rows.count, rowLength]`.
  package func codes(_ rows: [Int]) -> IndexTensor {
    var codes: [Int32] = []
    codes.reserveCapacity(rows.count * rowLength)
    for row in rows {
      let range = row * rowLength..<(row + 1) * rowLength
      switch store {
      case .small(let all): codes += all[range].lazy.map { Int32($0) }
      case .large(let all): codes += all[range]
      }
    }
    return IndexTensor(codes, shape: [rows.count, rowLength])
  }

  /// Takes all rows into a digest.
  func add(to hash: inout SHA256) {
    switch store {
    case .small(let all): all.withUnsafeBytes { hash.update($0) }
    case .large(let all): all.withUnsafeBytes { hash.update($0) }
    }
  }

  /// The entropy of a code that knows nothing of its neighbours, in nats: what a model must stay
  /// below to have learnt anything but frequencies.
  package var unigramEntropy: Double {
    var counts = [Int](repeating: 0, count: codebookSize)
    switch store {
    case .small(let all): for code in all { counts[Int(code)] += 1 }
    case .large(let all): for code in all { counts[Int(code)] += 1 }
    }
    return counts.map(Double.init).entropy * log(2)
  }
}
