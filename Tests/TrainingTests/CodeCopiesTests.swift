// Copies of training grids among samples.
import Testing
import Training

@Suite("Copies of training grids") struct CodeCopiesTests {
  /// Two grids of 2×3 codes.
  private func training() -> CodeCopies {
    var copies = CodeCopies(height: 2, width: 3)
    copies.add([0, 1, 2, 3, 4, 5])
    copies.add([0, 1, 2, 6, 7, 8])
    return copies
  }

  @Test(
    arguments: [
      ([0, 1, 2, 6, 7, 8], NearestGrid(row: 1, distance: 0, blocks: 2, newBlocks: 0)),
      ([0, 1, 2, 3, 4, 9], NearestGrid(row: 0, distance: 1, blocks: 2, newBlocks: 1)),
      ([0, 1, 2, 9, 9, 9], NearestGrid(row: 0, distance: 3, blocks: 2, newBlocks: 2)),
      ([9, 9, 9, 9, 9, 9], NearestGrid(row: 0, distance: 6, blocks: 2, newBlocks: 2)),
      // A block of the training at another position is not new.
      ([1, 2, 9, 4, 5, 9], NearestGrid(row: 0, distance: 6, blocks: 2, newBlocks: 1)),
    ] as [([Int32], NearestGrid)])
  func theNearestGridIsFound(sample: [Int32], expected: NearestGrid) {
    #expect(training().nearest(to: sample) == expected)
  }

  @Test func theSummaryCountsCopiesAndNewBlocks() {
    let copies = training()
    let found = [[0, 1, 2, 9, 9, 9], [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 9]].map {
      copies.nearest(to: $0)
    }
    let summary = CopySummary(found, positions: 6)
    #expect(summary.samples == 3)
    #expect(summary.verbatim == 1.0 / 3)
    #expect(summary.newBlocks == 0.5)
    #expect(summary.quantiles == [0, 0, 1.0 / 6, 1.0 / 6, 0.5, 0.5, 0.5])
    #expect(CopySummary.closest(found, count: 2) == [1, 2])
  }

  @Test func aRowOfCodesHasNoBlocks() {
    var copies = CodeCopies(height: 1, width: 2)
    copies.add([1, 2])
    let found = copies.nearest(to: [1, 3])
    #expect(found == NearestGrid(row: 0, distance: 1, blocks: 0, newBlocks: 0))
    #expect(CopySummary([found], positions: 2).newBlocks == nil)
  }

  /// Positions of two codes: a block is new by any one of its eight, and two known codes that never
  /// stood at one position together make a new block, too.
  @Test(
    arguments: [
      ([1, 2, 3, 4, 5, 6, 7, 8], 0, 0), ([1, 2, 3, 4, 5, 6, 7, 9], 1, 1),
      ([1, 4, 3, 2, 5, 6, 7, 8], 2, 1), ([3, 4, 1, 2, 7, 8, 5, 6], 8, 1),
    ] as [([Int32], Int, Int)])
  func blocksOfPositionsWithSeveralCodes(sample: [Int32], distance: Int, new: Int) {
    var copies = CodeCopies(height: 2, width: 4, depth: 2)
    copies.add([1, 2, 3, 4, 5, 6, 7, 8])
    #expect(
      copies.nearest(to: sample)
        == NearestGrid(row: 0, distance: distance, blocks: 1, newBlocks: new))
    var single = CodeCopies(height: 2, width: 2, depth: 2)
    single.add([1, 2, 3, 4])
    #expect(single.nearest(to: [1, 2, 3, 4]).blocks == 0)
  }
}
