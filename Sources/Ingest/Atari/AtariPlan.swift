import Corpora
import Images
import Shards

/// Everything that will be read and written, fixed before the first shard: which samples, in which order, in which shard.
package struct AtariPlan: IngestPlan {
  package let options: AtariIngestOptions
  /// The root of the corpus, out of which no picture is read.
  let folder: PictureFolder
  package let episodes: [PlannedEpisode]
  /// All samples, those of the training split first; recordings ascending, frames ascending.
  package let samples: [AtariSample]
  /// The files, and what a folder with earlier work must have been made from.
  package let shards: ShardPlan
  /// Samples of the training split.
  package let trainingCount: Int
  /// Frames left out because they equal the one before.
  package let duplicates: Int
  /// Oddities of the corpus that cost nothing.
  package let warnings: [String]

  /// Samples that are known to be bad before a picture is read.
  package var badSamples: Int { samples.count { $0.states == nil } }

  package var sampleCount: Int { samples.count }

  package var compression: ShardCompression { options.compression }

  package var plainBytes: Int {
    (samples.count - badSamples) * options.recipe.storedWidth * options.recipe.storedHeight * 3
  }

  package var summary: String {
    let recipe = options.recipe
    return "\(episodes.count) recordings, \(trainingCount) samples for training, "
      + "\(samples.count - trainingCount) for validation; "
      + "\(shards.shards.count) shard\(shards.shards.count == 1 ? "" : "s") of "
      + "\(recipe.storedWidth)x\(recipe.storedHeight) pictures"
      + (duplicates > 0 ? "; \(duplicates) duplicate frames left out" : "")
  }

  package func header(of split: IngestSplit, toolVersion: String) -> ImageShardHeader {
    ImageShardHeader(
      height: options.recipe.storedHeight, width: options.recipe.storedWidth,
      source: "atari-grand-challenge/\(options.game)", split: split.rawValue,
      preprocessing: AtariPreprocessing(options).json, toolVersion: toolVersion)
  }

  package func read(_ sample: Int, encoder: ImageRowEncoder) -> SampleOutcome<AtariLabels> {
    AtariSampleReader(plan: self, encoder: encoder).read(samples[sample])
  }

  package func setLabels(_ labels: [AtariLabels], of writer: ImageShardWriter) {
    for (name, column) in labels.columns { writer.setLabels(name, column) }
  }
}

/// A recording and the frames of it that are used.
package struct PlannedEpisode: Sendable {
  package let episode: AtariEpisode
  /// Indices into `episode.transitions` of the frames that are left after `--every` and `--drop-duplicates`.
  package let kept: [Int]
  /// Size of the recording's pictures, that of its first readable one; a picture of another size is skipped.
  package let width: Int
  package let height: Int
}

/// What becomes one row of a shard: one game state, or several that become one picture.
package enum AtariSample: Equatable, Sendable {
  /// States that can be read.
  case states(AtariStates)
  /// Something of the recording that is no row, and why; `name` is what the row would have had.
  case bad(name: String, reason: String)

  /// The states, or `nil` for a bad sample.
  package var states: AtariStates? {
    guard case .states(let states) = self else { return nil }
    return states
  }
}

/// Successive states of one recording that become one picture.
package struct AtariStates: Equatable, Sendable {
  /// Index into the plan's episodes.
  package let episode: Int
  /// The states' places in the episode's `kept`.
  package let places: Range<Int>
  /// Index into the episode's transitions of the first row that belongs to the next sample.
  package let end: Int
}

extension AtariPlan {
  /// The files of the states, relative to the root of the corpus, the oldest first.
  package func pictureNames(of states: AtariStates) -> [String] {
    let planned = episodes[states.episode]
    return states.places.map { place in
      planned.episode.pictureName(of: planned.episode.transitions[planned.kept[place]])
    }
  }

  /// The labels of a row.
  ///
  /// Rewards of rows that are not stored themselves count for the stored row before them.
  package func labels(of states: AtariStates) -> AtariLabels {
    let planned = episodes[states.episode]
    let rows = planned.episode.transitions
    let first = planned.kept[states.places.lowerBound]
    let last = rows[planned.kept[states.places.upperBound - 1]]
    var reward = 0
    var terminal = false
    for row in rows[first..<states.end] {
      reward = reward.addingReportingOverflow(row.reward).partialValue
      terminal = terminal || row.terminal
    }
    return AtariLabels(
      trajectory: planned.episode.id, frame: last.frame, action: last.action, reward: reward,
      score: last.score, terminal: terminal)
  }
}
