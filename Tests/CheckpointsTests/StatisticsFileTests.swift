import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite struct StatisticsFileTests {
  private let stored = StatisticsFile(mean: [1, 2], covariance: [1, 0.5, 0.5, 2])

  @Test func readsWhatNumPyWrites() throws {
    #expect(try StatisticsFile(Fixture.path("metrics/statistics.npz")) == stored)
  }

  /// pytorch-fid and clean-fid write `numpy.savez_compressed`.
  @Test func readsWhatNumPyCompresses() throws {
    let path = Fixture.path("metrics/statistics-compressed.npz")
    #expect(try StatisticsFile(path) == stored)
    let folder = try TemporaryFolder()
    var bytes = try Fixture.data("metrics/statistics-compressed.npz")
    for index in stride(from: 40, to: bytes.count, by: 7) {
      bytes[index] ^= 0x10
      try bytes.write(to: URL(fileURLWithPath: folder("s.npz")))
      let found = try? StatisticsFile(folder("s.npz"))
      #expect(found == nil || found == stored, "byte \(index)")
      bytes[index] ^= 0x10
    }
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
      StatisticsFile(mean: [1, 2], covariance: [-1, 0.5, 0.5, 2]),
      StatisticsFile(mean: [1, 2], covariance: [1, 0.5, -0.5, 2]),
      // Eigenvalues 3 and -1, then 1 and -1e-5, with sound diagonals.
      StatisticsFile(mean: [1, 2], covariance: [1, 2, 2, 1]),
      StatisticsFile(mean: [1, 2], covariance: [0.5, 0.50001, 0.50001, 0.5]),
    ] {
      try bad.write(to: folder("s.npz"))
      #expect(throws: (any Error).self) { try StatisticsFile(folder("s.npz")) }
    }
  }

  /// Covariances of low rank, of float32, of nothing but zeros.
  @Test func rounding() throws {
    let folder = try TemporaryFolder()
    let covariances: [[Double]] = [
      [1, 1, 1, 1], [1, 1 + 1e-7, 1 + 1e-7, 1], [0, 0, 0, 0], [1e-300, 0, 0, 0],
    ]
    for covariance in covariances {
      let sound = StatisticsFile(mean: [1, 2], covariance: covariance)
      try sound.write(to: folder("s.npz"))
      #expect(try StatisticsFile(folder("s.npz")) == sound, "\(covariance)")
    }
  }
}
