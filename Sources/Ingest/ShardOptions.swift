import ArgumentParser
import Shards

/// How rows are packed into files.
package struct ShardOptions: ParsableArguments, Sendable {
  @Option(
    help: ArgumentHelp(
      "First part of the file names; named after the input if left out.", valueName: "name"))
  package var name: String?

  @Option(help: ArgumentHelp("Rows of a shard.", valueName: "count"))
  package var shardSize = 2048

  @Option(
    help: ArgumentHelp("auto, none, or a level from 1 (fast) to 12 (small).", valueName: "how"))
  package var compression = ShardCompression.auto

  package init() {}

  package func validate() throws {
    guard (1...10_000_000).contains(shardSize) else {
      throw ValidationError("--shard-size must be in 1...10000000, got \(shardSize).")
    }
    guard let name else { return }
    guard !name.isEmpty, !name.hasPrefix("."), name.utf8.count <= 200,
      !name.unicodeScalars.contains(where: { $0 == "/" || $0.value < 0x20 })
    else {
      throw ValidationError(
        "--name must be usable as the beginning of a file name, got \"\(name)\".")
    }
  }

  func note(in record: inout IngestRecord, name: String) {
    record.note("--name", name)
    record.note("--shard-size", shardSize)
    record.note("--compression", "\(compression)")
  }
}

extension ShardCompression: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
  public var defaultValueDescription: String { description }
}
