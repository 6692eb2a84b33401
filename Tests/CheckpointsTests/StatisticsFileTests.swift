import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite struct StatisticsFileTests {
  private let stored = StatisticsFile(mean: [1, 2], covariance: [1, 0.5, 0.5, 2])

  @Test func readsWhatNumPyWrites() throws {
    #expect(try StatisticsFile(Fixture.path("metrics/statistics.npz")) == stored)
  }

  @Test func readsWhatItWrites() throws {
    let folder = try TemporaryFolder()
    try stored.write(to: folder("s.npz"))
    #expect(try StatisticsFile(folder("s.npz")) == stored)
  }

  @Test func refusesOtherArrays() throws {
    let folder = try TemporaryFolder()
    for bad in [
      StatisticsFile(mean: [1, 2, 3], covariance: [1, 0.5, 0.5, 2]),
      StatisticsFile(mean: [1, .nan], covariance: [1, 0.5, 0.5, 2]),
    ] {
      try bad.write(to: folder("s.npz"))
      #expect(throws: (any Error).self) { try StatisticsFile(folder("s.npz")) }
    }
  }
}
