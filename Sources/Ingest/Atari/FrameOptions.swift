import ArgumentParser

/// Which frames of which recordings are read.
package struct FrameOptions: ParsableArguments, Sendable {
  @Option(help: ArgumentHelp("The game's folder name.", valueName: "name"))
  package var game = "revenge"

  @Option(help: ArgumentHelp("Only these recordings, such as 10,12,20-30.", valueName: "ids"))
  package var trajectories: TrajectoryList?

  @Option(
    help: ArgumentHelp(
      "Recordings for validation: whole ones, in shards NAME-validation-….", valueName: "ids"))
  package var holdout: TrajectoryList?

  @Option(help: ArgumentHelp("Only every K-th frame.", valueName: "K"))
  package var every = 1

  @Option(
    help: ArgumentHelp(
      "Images of rooms, 1-name.png and so on: the number of the one that a frame is most like becomes its label room, 0 for none.",
      valueName: "folder"))
  package var rooms: String?

  @Flag(
    name: .customLong("drop-duplicates"),
    help: "Leave out frames that look exactly like the one before.")
  package var dropsDuplicates = false

  @Flag(
    name: .customLong("follow-symlinks"),
    help: "Read images and texts through links that point out of the folder.")
  package var followsLinks = false

  @Option(help: ArgumentHelp("At most this many rows of each split.", valueName: "count"))
  package var limit: Int?

  package init() {}

  package func validate() throws {
    guard every >= 1 else { throw ValidationError("--every must be 1 or more, got \(every).") }
    if let limit, limit < 1 {
      throw ValidationError("--limit must be 1 or more, got \(limit).")
    }
  }

  /// Recordings of either list that came from a range: the corpus need not have them.
  var mayBeMissing: Set<Int> {
    (trajectories?.inRanges ?? []).union(holdout?.inRanges ?? [])
  }

  func note(in record: inout IngestRecord, rooms: RoomTemplates?) {
    record.note("--game", game, as: "game")
    record.note("--trajectories", trajectories.map(\.description) ?? "all")
    record.note("--holdout", holdout.map(\.description) ?? "none")
    record.note("--every", every, as: "every")
    if let rooms { record.note("--rooms", rooms.digest) }
    record.note("--drop-duplicates", dropsDuplicates, as: "drop_duplicates")
    record.note("--limit", limit.map(String.init) ?? "none")
  }
}

/// Numbers of recordings, as a list with ranges.
package struct TrajectoryList: ExpressibleByArgument, Equatable, Sendable {
  /// Ascending, each once.
  let ids: [Int]
  /// Those that a range names: ids that no recording has are passed over.
  let inRanges: Set<Int>

  var description: String { ids.map(String.init).joined(separator: ",") }

  /// Reads `10,12,20-30`.
  package init?(argument: String) {
    var ids: Set<Int> = []
    var inRanges: Set<Int> = []
    var single: Set<Int> = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Self.id($0) }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
        first <= last, last - first < 100_000
      else { return nil }
      ids.formUnion(first...last)
      if ends.count == 2 { inRanges.formUnion(first...last) } else { single.insert(first) }
    }
    self.ids = ids.sorted()
    self.inRanges = inRanges.subtracting(single)
  }

  private static func id(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }), let id = Int32(text)
    else { return nil }
    return Int(id)
  }
}
