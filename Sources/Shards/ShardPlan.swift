import Checksums
import DurableFiles

/// Which samples go into which file, fixed before any of them is written.
///
/// A run that was cut short and is started again with the same inputs and options makes the same
/// plan, and continues.
package struct ShardPlan: Equatable, Sendable {
  package let shards: [PlannedShard]
  /// Rows that one sample becomes unless it is skipped.
  package let rowsPerSample: Int
  /// All that decides about the bytes of the shards, the inputs included, by name.
  package let options: [String: String]
  /// The options of earlier versions in their place; nil for none.
  ///
  /// A folder that was begun with these goes on with them.
  private let formerOptions: [String: String]?

  /// - Parameters:
  ///   - shards: the files, in order.
  ///   - inputs: all that is read.
  ///   - options: the values of the command's options that change what is written.
  ///   - former: those of earlier versions, where they were others.
  package init(
    shards: [PlannedShard], inputs: [PlannedInput], options: [String: String],
    former: [String: String]? = nil, rowsPerSample: Int = 1
  ) {
    self.rowsPerSample = rowsPerSample
    precondition(Set(shards.map(\.name)).count == shards.count, "two shards of one name")
    self.shards = shards
    let inputs = ["inputs": Self.fingerprint(of: inputs)]
    self.options = options.merging(inputs) { _, new in new }
    formerOptions = former?.merging(inputs) { _, new in new }
  }

  private init(_ plan: ShardPlan, options: [String: String]) {
    (shards, rowsPerSample) = (plan.shards, plan.rowsPerSample)
    (self.options, formerOptions) = (options, nil)
  }

  /// This plan by the options that a folder was begun with: the former ones, where it has these.
  package func begun(with found: [String: String]?) -> ShardPlan {
    guard let formerOptions, let found, Set(found.keys) == Set(formerOptions.keys) else {
      return self
    }
    return ShardPlan(self, options: formerOptions)
  }

  /// SHA-256 of the files' names and samples and of every option.
  package var hash: String {
    var text = ""
    for shard in shards {
      text += "\(shard.name)\t\(shard.samples.lowerBound)\t\(shard.samples.upperBound)\n"
    }
    for (name, value) in options.sorted(by: { $0.key < $1.key }) { text += "\(name)\t\(value)\n" }
    return Array(text.utf8).withUnsafeBytes { sha256Hex($0) }
  }

  /// How many inputs there are, and the SHA-256 of their names and sizes.
  private static func fingerprint(of inputs: [PlannedInput]) -> String {
    var hash = SHA256()
    for input in inputs {
      // A name cannot hold a zero byte.
      Array("\(input.name)\0\(input.bytes)\0".utf8).withUnsafeBytes { hash.update($0) }
    }
    return "\(inputs.count) files \(hexadecimal(hash.finalize()))"
  }
}

/// One file of a plan.
package struct PlannedShard: Equatable, Sendable {
  /// The file's name in the output folder.
  package let name: String
  /// The samples that it holds unless they are skipped, as positions in the sorted list of all
  /// samples.
  package let samples: Range<Int>

  package init(name: String, samples: Range<Int>) {
    self.name = name
    self.samples = samples
  }

  /// Cuts samples into shards named `<series>-00000.h5` and so on, without gaps.
  ///
  /// - Parameters:
  ///   - series: what the names start with, for example "revenge-train".
  ///   - samples: the samples of the series.
  ///   - size: samples of every shard but the last.
  package static func cut(series: String, samples: Range<Int>, size: Int) -> [PlannedShard] {
    precondition(size > 0, "\(size) samples a shard")
    let starts = stride(from: samples.lowerBound, to: samples.upperBound, by: size)
    return starts.enumerated().map { number, start in
      PlannedShard(
        name: "\(series)-\(number.padded(5)).h5",
        samples: start..<min(start + size, samples.upperBound))
    }
  }
}

/// Something that a plan reads.
package struct PlannedInput: Equatable, Sendable {
  /// The file's name; of shards and trajectories with a checksum of what they hold.
  package let name: String
  package let bytes: Int

  package init(name: String, bytes: Int) {
    self.name = name
    self.bytes = bytes
  }
}
