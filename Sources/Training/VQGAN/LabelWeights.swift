// Weights of labels against their frequency, so that rare ones count.
import Foundation
import RowMaps
import Shards

extension ShardSet where Reader == ImageShardReader {
  /// The exponent of frequencies in the weights of a new run.
  package static var standardBalance: Float { 0.5 }

  /// A weight for each label, its frequency in the maps of all rows to the power of -`balance`, so
  /// scaled that their mean over all pixels is 1.
  ///
  /// What is rarer than one pixel in ten thousand counts as such: a label that is hardly ever there
  /// does not decide the loss.
  ///
  /// - Parameters: map: of labels; labels: how many there are; balance: 0 weighs all alike.
  /// - Throws: `ShardError`, `EncodingError.label`.
  package func labelWeights(of map: RowMap, labels: Int, balance: Float) throws -> [Float] {
    var counts = [Int](repeating: 0, count: labels)
    for index in 0..<count {
      guard case .bytes(let values) = try row(index, map, labels: labels) else {
        preconditionFailure("\(map) of 16 bits")
      }
      for label in values { counts[Int(label)] += 1 }
    }
    let total = Double(max(counts.reduce(0, +), 1))
    let frequencies = counts.map { Double($0) / total }
    let weights = frequencies.map { pow(max($0, 1e-4), -Double(balance)) }
    let mean = zip(frequencies, weights).reduce(0) { $0 + $1.0 * $1.1 }
    return weights.map { Float($0 / mean) }
  }
}
