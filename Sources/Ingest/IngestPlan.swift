import Shards

/// Everything that will be read and written, fixed before the first shard: which samples, in which order, in which shard.
///
/// Samples are numbered from 0, those of the training split first.
package protocol IngestPlan: Sendable {
  /// What a row carries beside its picture.
  associatedtype Labels: Sendable

  /// The files, and what a folder with earlier work must have been made from.
  var shards: ShardPlan { get }
  /// All samples.
  var sampleCount: Int { get }
  /// Samples of the training split.
  var trainingCount: Int { get }
  var compression: ShardCompression { get }
  /// Bytes of all rows before compression.
  var plainBytes: Int { get }
  /// One sentence for people: how much there is of what.
  var summary: String { get }
  /// Oddities of the input that cost nothing.
  var warnings: [String] { get }

  /// What a shard of a split says about itself.
  func header(of split: IngestSplit, toolVersion: String) -> ImageShardHeader

  /// Reads a sample and makes its rows; any thread may do it.
  func read(_ sample: Int, encoder: ImageRowEncoder) -> SampleOutcome<Labels>

  /// Gives the rows of a shard their labels.
  ///
  /// - Parameter labels: one for each row.
  func setLabels(_ labels: [Labels], of writer: ImageShardWriter)
}

extension IngestPlan {
  /// The split that a shard belongs to.
  package func split(of shard: PlannedShard) -> IngestSplit {
    shard.samples.lowerBound < trainingCount ? .train : .validation
  }

  /// Cuts the samples of both splits into shards.
  static func cut(
    name: String, training: Int, all: Int, shardSize: Int
  ) -> [PlannedShard] {
    PlannedShard.cut(
      series: IngestSplit.train.series(name), samples: 0..<training, size: shardSize)
      + PlannedShard.cut(
        series: IngestSplit.validation.series(name), samples: training..<all, size: shardSize)
  }
}

/// What became of one sample.
package enum SampleOutcome<Labels: Sendable>: Sendable {
  /// Its rows, `ShardPlan.rowsPerSample` of them; `faults` are parts of it that had to be left out.
  case rows([(row: EncodedImageRow, labels: Labels)], faults: [String])
  case skipped(SkippedSample)
}

/// Which rows a model may learn from.
package enum IngestSplit: String, Codable, CaseIterable, Sendable {
  case train, validation

  /// What the names of the shards begin with: `revenge`, `revenge-validation`.
  func series(_ name: String) -> String {
    switch self {
    case .train: name
    case .validation: "\(name)-validation"
    }
  }
}
