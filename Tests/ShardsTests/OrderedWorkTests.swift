import Shards
import Synchronization
import Testing

@Suite struct OrderedWorkTests {
  private struct Failure: Error, Equatable { let index: Int }

  @Test(arguments: [1, 2, 5])
  func resultsComeInOrder(threads: Int) throws {
    var seen: [Int] = []
    try inOrder(count: 100, threads: threads) { index in
      // Uneven work, so that later results are ready first.
      (0..<(index % 7) * 1000).reduce(index) { sum, _ in sum }
    } consume: { index, value in
      #expect(index == value)
      seen.append(value)
    }
    #expect(seen == Array(0..<100))
  }

  @Test(arguments: [1, 3])
  func theFirstErrorWins(threads: Int) {
    var consumed = 0
    #expect(throws: Failure(index: 30)) {
      try inOrder(count: 100, threads: threads) { index in
        if index % 10 == 0, index >= 30 { throw Failure(index: index) }
        return index
      } consume: { _, _ in
        consumed += 1
      }
    }
    #expect(consumed == 30)
  }

  /// A slow consumer bounds the work that is done ahead of it.
  @Test func workAheadIsBounded() throws {
    let produced = Mutex(0)
    try inOrder(count: 200, threads: 2) { index in
      produced.withLock { $0 = max($0, index) }
      return index
    } consume: { index, _ in
      #expect(produced.withLock { $0 } <= index + 8)
    }
  }

  @Test func anErrorOfTheConsumerEndsTheWork() {
    #expect(throws: Failure(index: 5)) {
      try inOrder(count: 1000, threads: 2) {
        $0
      } consume: { index, _ in
        if index == 5 { throw Failure(index: index) }
      }
    }
  }
}
