import Testing
import Training

@Suite struct EpochOrderTests {
  @Test(arguments: [1, 2, 7, 100])
  func everyEpochHoldsEveryRowOnce(count: Int) {
    let order = EpochOrder(count: count, seed: 3)
    for epoch in 0..<4 {
      #expect(order.rows(ofEpoch: epoch).sorted() == Array(0..<count))
    }
  }

  @Test func orderDependsOnSeedAndEpochAlone() {
    let order = EpochOrder(count: 50, seed: 3)
    #expect(order.rows(ofEpoch: 2) == EpochOrder(count: 50, seed: 3).rows(ofEpoch: 2))
    #expect(order.rows(ofEpoch: 2) != order.rows(ofEpoch: 1))
    #expect(order.rows(ofEpoch: 2) != EpochOrder(count: 50, seed: 4).rows(ofEpoch: 2))
  }

  @Test func unshuffledRowsComeAsStored() {
    var order = EpochOrder(count: 3, seed: 3, shuffled: false)
    var position = DataPosition()
    #expect(order.next(2, from: &position) == [0, 1])
    #expect(order.next(2, from: &position) == [2, 0])
    #expect(position == DataPosition(epoch: 1, row: 1))
    #expect(order.next(7, from: &position) == [1, 2, 0, 1, 2, 0, 1])
    #expect(position == DataPosition(epoch: 3, row: 2))
  }

  @Test(arguments: [1, 3, 5, 11])
  func batchesCutTheSequenceWithoutGaps(size: Int) {
    let count = 5
    let plan = EpochOrder(count: count, seed: 9)
    let expected = (0..<12).flatMap { plan.rows(ofEpoch: $0) }
    var order = plan
    var position = DataPosition()
    var found: [Int] = []
    while found.count + size <= expected.count { found += order.next(size, from: &position) }
    #expect(found == Array(expected.prefix(found.count)))
  }

  @Test func aPositionAloneContinues() {
    var order = EpochOrder(count: 7, seed: 1)
    var position = DataPosition()
    for _ in 0..<4 { _ = order.next(3, from: &position) }
    var later = EpochOrder(count: 7, seed: 1)
    var laterPosition = position
    #expect(order.next(9, from: &position) == later.next(9, from: &laterPosition))
  }
}
