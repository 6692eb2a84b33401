// Actions read back from pairs of images.
import Foundation
import Metrics
import TestSupport
import Testing
import Training

@Suite struct ActionReaderTests {
  private static let data = RingGame.data(rows: 2000)

  private static func readers(of data: WorldData) throws -> ActionReaders? {
    try ActionReaders(of: data, height: 2, width: 2, seed: 1) {}
  }

  /// The recorded pairs, each changed as `change` has it.
  private static func pairs(_ change: (ActionPair) -> [Int32]) -> [ActionPair] {
    data.pieces.flatMap { $0.dropLast() }.map { row in
      let pair = data.pair(row)
      return ActionPair(row: row, before: pair.before, after: change(pair), action: pair.action)
    }
  }

  /// In the ring game two images tell the action, so every held-out pair is read.
  ///
  /// A dream of the same images is as good. One in which nothing happens always seems to be the
  /// action that stays.
  @Test func pairsThatTellTheirActionAreAllRead() throws {
    let readers = try #require(try Self.readers(of: Self.data))
    #expect(readers.actions == [0, 1, 2])
    let perfect = ActionReadBack(Self.pairs(\.after), of: Self.data, by: readers)
    #expect(perfect.recorded.macroF1 == 1 && perfect.recorded.accuracy == 1)
    #expect(perfect.recorded.total == Self.pairs(\.after).count)
    #expect(perfect.dreamt == perfect.recorded)
    let still = ActionReadBack(Self.pairs(\.before), of: Self.data, by: readers)
    #expect(still.dreamt == still.copy)
    #expect(still.copy.counts.allSatisfy { $0[0] == 0 && $0[2] == 0 }, "\(still.copy.counts)")
    #expect(still.copy.macroF1 < 0.25)
  }

  /// A dream that goes the other way is read as the other action.
  @Test func aDreamThatDisobeysIsFound() throws {
    let readers = try #require(try Self.readers(of: Self.data))
    let mirrored = Self.pairs { pair in
      RingGame.image((Int(pair.before[0]) + 8 - Int(pair.action) + 1) % 8)
    }.filter { $0.after[0] != 7 && $0.action != 1 }
    let table = readers.table(of: mirrored)
    #expect(table.counts[0][0] + table.counts[2][2] < table.total / 10, "\(table.counts)")
    #expect(table.counts[0][2] + table.counts[2][0] > table.total * 8 / 10, "\(table.counts)")
  }

  /// Nobody can tell apart what looks the same: half is right, and F1 says so.
  @Test func actionsWithoutEffectAreNotToldApart() throws {
    var random = SeededGenerator(seed: 3)
    let actions = (0..<800).map { _ in Int32.random(in: 0..<2, using: &random) }
    let data = WorldData(
      codes: CodeTable((0..<800).flatMap { RingGame.image($0 % 8) }, rowLength: 4, codebookSize: 8),
      actions: actions, rewards: Array(repeating: 1, count: 800),
      ends: Array(repeating: 0, count: 800), frames: (0..<800).map { (trajectory: 1, frame: $0) },
      segment: 4)
    let readers = try #require(try Self.readers(of: data))
    let table = readers.table(of: (0..<799).map { data.pair($0) })
    #expect((0.4..<0.6).contains(table.accuracy), "\(table.accuracy)")
    #expect(table.macroF1 < 0.6)
  }

  @Test func tooFewPairsTeachNothing() throws {
    let data = WorldData(
      codes: CodeTable([0, 0, 1, 3, 1, 1, 2, 3], rowLength: 4, codebookSize: 8), actions: [2, 0],
      rewards: [1, 1], ends: [0, 0], frames: [(trajectory: 1, frame: 0), (1, 1)], segment: 2)
    #expect(try Self.readers(of: data) == nil)
  }

  @Test func whatWasReadIsEncoded() throws {
    let readers = try #require(try Self.readers(of: Self.data))
    let pairs = Array(Self.pairs(\.after).prefix(50))
    let read = ActionReadBack(pairs, of: Self.data, by: readers)
    let card = try jsonObject(String(decoding: try JSONEncoder().encode(read), as: UTF8.self))
    #expect(card["pairs"] as? Int == 50)
    #expect(card["macro_f1"] as? Double == 1 && card["accuracy_recorded"] as? Double == 1)
    let actions = try #require(card["actions"] as? [[String: Any]])
    #expect(actions.reduce(0) { $0 + ($1["pairs"] as? Int ?? 0) } == 50)
    #expect(actions.allSatisfy { $0["f1"] as? Double == 1 && $0["f1_recorded"] as? Double == 1 })
  }
}
