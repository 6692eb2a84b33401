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

  /// The origin is read back; a file that tells only a part of it tells nothing.
  @Test func originIsKept() throws {
    let folder = try TemporaryFolder()
    let made = StatisticsFile(
      mean: [1, 2], covariance: [1, 0.5, 0.5, 2],
      origin: StatisticsOrigin(resize: "clean", weights: "a1b2", count: 70_000, tool: "ours 1.0"))
    try made.write(to: folder("s.npz"))
    #expect(try StatisticsFile(folder("s.npz")) == made)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: folder("s.npz")))
    var renamed = bytes
    while let place = renamed.range(of: Data("tool.npy".utf8)) {
      renamed.replaceSubrange(place, with: Data("took.npy".utf8))
    }
    try renamed.write(to: URL(fileURLWithPath: folder("s.npz")))
    #expect(try StatisticsFile(folder("s.npz")) == stored)
  }

  /// Numbers of another byte order are named, a value that is no origin is passed over.
  @Test func arraysOfOtherPrograms() throws {
    let folder = try TemporaryFolder()
    func array(_ type: String, _ shape: String, _ body: [UInt8]) -> [UInt8] {
      let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }\n"
      return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
        + Array(header.utf8) + body
    }
    let one: [UInt8] = [0, 0, 0x80, 0x3f]
    func read(_ type: String) throws -> StatisticsFile {
      let archive = PyTorchBytes.archive([
        .init(name: "mu.npy", bytes: array(type, "(1,)", one)),
        .init(name: "sigma.npy", bytes: array(type, "(1, 1)", one)),
        .init(name: "count.npy", bytes: array("<i4", "()", [1, 0, 0, 0])),
        .init(name: "tool.npy", bytes: array("|S2", "()", [0x61, 0x62])),
        .init(name: "resize.npy", bytes: array("<U1", "(2,)", one + one)),
        .init(name: "weights_sha256.npy", bytes: Array("none".utf8)),
      ])
      return try StatisticsFile(try PyTorchBytes.file(archive, in: folder))
    }
    #expect(try read("<f4") == StatisticsFile(mean: [1], covariance: [1]))
    let error = #expect(throws: NumPyFileError.self) { try read(">f4") }
    #expect(error?.problem == "elements of type >f4, expected little-endian floats, <f8 or <f4")
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
