// Tables of what is and what is said, and quantiles, against numbers by hand.
import Metrics
import Testing

@Suite struct ConfusionTests {
  /// Of class 0 six, four of them right; of class 1 two, one right; of class 2 none, said once.
  private static let table = ConfusionTable([[4, 1, 1], [1, 1, 0], [0, 0, 0]])

  @Test func scoresOfClasses() {
    let table = Self.table
    #expect(table.total == 8)
    #expect(table.accuracy == 5.0 / 8)
    #expect(table.occurrences(of: 0) == 6)
    #expect(table.precision(of: 0) == 4.0 / 5 && table.recall(of: 0) == 4.0 / 6)
    #expect(table.f1(of: 0) == 8.0 / 11)
    #expect(table.precision(of: 1) == 1.0 / 2 && table.recall(of: 1) == 1.0 / 2)
    #expect(table.recall(of: 2) == nil, "it does not occur")
    #expect(table.precision(of: 2) == 0 && table.f1(of: 2) == 0)
    #expect(abs(table.macroF1 - (8.0 / 11 + 0.5) / 2) < 1e-12, "of the classes that occur")
  }

  @Test func whatIsNeitherThereNorSaidHasNoScores() {
    var table = ConfusionTable(classes: 2)
    #expect(table.accuracy == 0 && table.macroF1 == 0)
    table.add(true: 0, said: 0)
    #expect(table.counts == [[1, 0], [0, 0]])
    #expect(table.f1(of: 0) == 1 && table.macroF1 == 1)
    #expect(table.precision(of: 1) == nil && table.f1(of: 1) == nil)
  }

  @Test(
    arguments: [
      (0, 1), (0.1, 1.4), (0.25, 2), (0.5, 3), (0.9, 4.6), (1, 5),
    ] as [(Double, Double)])
  func quantilesLieBetweenRanks(fraction: Double, expected: Double) {
    #expect(abs([3.0, 1, 5, 4, 2].quantile(fraction) - expected) < 1e-12)
    #expect([7.0].quantile(fraction) == 7)
  }
}
