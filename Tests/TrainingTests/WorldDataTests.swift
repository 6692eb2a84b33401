import Models
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct WorldDataTests {
  /// Rows of one code with their frames; rewards and ends as given.
  private func data(
    _ frames: [(trajectory: Int, frame: Int)], ends: [Int32]? = nil, segment: Int = 3
  ) -> WorldData {
    let count = frames.count
    return WorldData(
      codes: CodeTable((0..<Int32(count)).map { $0 }, rowLength: 1, codebookSize: 64),
      actions: (0..<Int32(count)).map { $0 % 4 }, rewards: Array(repeating: 1, count: count),
      ends: ends ?? Array(repeating: 0, count: count), frames: frames, segment: segment)
  }

  @Test func sequencesAreCutWhereRowsDoNotFollowEachOther() {
    let frames = [(1, 0), (1, 4), (1, 8), (1, 16), (1, 20), (2, 24), (2, 28), (2, 27), (2, 31)]
      .map { (trajectory: $0.0, frame: $0.1) }
    let cut = data(frames, ends: [0, 1, 0, 0, 0, 0, 0, 0, 0])
    #expect(cut.stride == 4)
    // Behind an end, at a gap, at another recording, and backwards.
    #expect(cut.pieces == [0..<2, 2..<3, 3..<5, 5..<7, 7..<9])
    #expect(cut.count == 4, "a sequence begins at every row that another follows")
    #expect(cut.hasRow(1, behind: 3) && !cut.hasRow(2, behind: 3) && !cut.hasRow(-1, behind: 3))
  }

  @Test func startsHaveRoomOnBothSides() throws {
    let one = data((0..<20).map { (trajectory: 7, frame: $0) })
    #expect(try one.starts(100, before: 3, behind: 10, in: "c") == Array(3..<10))
    #expect(try one.starts(2, before: 3, behind: 10, in: "c") == [3, 6])
    #expect(throws: WorldDataError.tooShort(path: "c", longest: 20, wanted: 24)) {
      try one.starts(1, before: 3, behind: 20, in: "c")
    }
  }

  @Test func identityTellsRowsApart() {
    let frames = (0..<6).map { (trajectory: 1, frame: $0) }
    let same = data(frames)
    #expect(data(frames).identity == same.identity)
    #expect(data(frames, ends: [0, 0, 1, 0, 0, 0]).identity != same.identity)
    var apart = frames
    for row in 3..<6 { apart[row].frame += 5 }
    #expect(data(apart).identity != same.identity)
  }

  // MARK: Shards

  private static func shard(
    _ path: String, actions: [UInt8] = [0, 1, 2, 3], frames: [Int64] = [0, 1, 2, 3],
    reward: ShardColumn = .int64([0, -50, 100, 0]), leavingOut: String? = nil
  ) throws {
    let labels: [(String, ShardColumn)] = [
      ("action", .uint8(actions)), ("reward", reward),
      ("terminal", .bool([false, false, false, true])), ("trajectory", .int64([5, 5, 5, 5])),
      ("frame", .int64(frames)),
    ]
    try codeShard(
      path, rows: 4, grid: (1, 2), codebook: 8, fingerprint: "f",
      labels: labels.filter { $0.0 != leavingOut }
    ) { ([Int32($0), Int32($0) + 1], nil) }
  }

  private static func read(_ path: String, actionsBelow limit: Int? = nil) throws -> WorldData {
    try WorldData(try CodeShardSet([path]), segment: 8, actionsBelow: limit) {}
  }

  @Test func rowsOfShardsBecomeSteps() throws {
    let folder = try TemporaryFolder()
    try Self.shard(folder("c.h5"))
    let data = try Self.read(folder("c.h5"))
    #expect(data.pieces == [0..<4])
    #expect(data.actions == [0, 1, 2, 3])
    #expect(data.rewards == [1, 0, 2, 1], "classes by the sign")
    #expect(data.ends == [0, 0, 0, 1])
    let sequence = data.sequence(1..<3)
    #expect(sequence.codes == [1, 2, 2, 3])
    #expect(sequence.actions == [1, 2])
    #expect(try WorldData.actionCount(of: try CodeShardSet([folder("c.h5")])) == 4)
  }

  @Test(arguments: ["action", "reward", "terminal", "trajectory", "frame"])
  func aMissingColumnIsNamed(column: String) throws {
    let folder = try TemporaryFolder()
    try Self.shard(folder("c.h5"), leavingOut: column)
    let error = #expect(throws: WorldDataError.self) { try Self.read(folder("c.h5")) }
    #expect(error?.description.contains("no column \(column); there are ") == true)
  }

  @Test func columnsThatCannotBeUsedAreErrors() throws {
    let folder = try TemporaryFolder()
    let path = folder("c.h5")
    try Self.shard(path, reward: .float32([0, 0.5, 0, 0]))
    #expect(throws: WorldDataError.notWhole(path: path, column: "reward")) { try Self.read(path) }
    let other = folder("d.h5")
    try Self.shard(other, actions: [0, 1, 9, 3])
    #expect(
      throws: WorldDataError.value(
        path: other, column: "action", row: 2, found: 9, expected: "0 to 3")
    ) { try Self.read(other, actionsBelow: 4) }
    let apart = folder("e.h5")
    try Self.shard(apart, frames: [9, 7, 5, 3])
    #expect(throws: WorldDataError.nothingFollows(path: apart, rows: 4)) { try Self.read(apart) }
  }
}
