// The order in which training reads its rows: a pure function of seed, epoch and number of rows, so
// that the position in the data is two integers.
import TensorCore

/// A position in the endless sequence of epochs.
package struct DataPosition: Codable, Equatable, Sendable {
  /// Counts from 0.
  package var epoch: Int
  /// Rows of this epoch that were handed out.
  package var row: Int

  package init(epoch: Int = 0, row: Int = 0) {
    self.epoch = epoch
    self.row = row
  }
}

/// The rows of every epoch in the order in which they are read.
package struct EpochOrder: Sendable {
  /// Rows of one epoch; at least 1.
  package let count: Int
  package let seed: UInt64
  /// `false` reads the rows as they are stored.
  package let isShuffled: Bool
  /// The order of the epoch that was asked for last.
  private var recent: (epoch: Int, rows: [Int])?

  package init(count: Int, seed: UInt64, shuffled: Bool = true) {
    precondition(count > 0, "an epoch of \(count) rows")
    self.count = count
    self.seed = seed
    isShuffled = shuffled
  }

  /// A permutation of `0..<count`.
  package func rows(ofEpoch epoch: Int) -> [Int] {
    guard isShuffled else { return Array(0..<count) }
    var random = RandomSource(seed: seed).stream("epoch order").stream(epoch)
    return random.permutation(count)
  }

  /// The next `batchSize` rows from `position` on, which moves behind them; a batch may reach into
  /// the next epoch, or over several where it is larger than an epoch.
  package mutating func next(_ batchSize: Int, from position: inout DataPosition) -> [Int] {
    var batch: [Int] = []
    batch.reserveCapacity(batchSize)
    while batch.count < batchSize {
      if position.row >= count { position = DataPosition(epoch: position.epoch + 1) }
      let rows = cachedRows(ofEpoch: position.epoch)
      let taken = min(batchSize - batch.count, count - position.row)
      batch += rows[position.row..<position.row + taken]
      position.row += taken
    }
    return batch
  }

  private mutating func cachedRows(ofEpoch epoch: Int) -> [Int] {
    if let recent, recent.epoch == epoch { return recent.rows }
    let rows = rows(ofEpoch: epoch)
    recent = (epoch, rows)
    return rows
  }
}
