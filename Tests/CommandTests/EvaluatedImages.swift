// What the tests of evaluate share.
import Foundation
import Images
import TestSupport
import Testing

/// Folders of small images: `a` and `b` with three, those of `b` 9 levels brighter, and `few` with
/// one.
struct EvaluatedImages {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for (name, shift, count) in [("a", 0, 3), ("b", 9, 3), ("few", 0, 1)] {
      try makeFolder(name)
      for index in 0..<count { try write("\(name)/\(index).png", seed: index, shift: shift) }
    }
  }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: folder(name), withIntermediateDirectories: true)
  }

  /// Writes an image that its seed decides, `shift` levels brighter.
  func write(
    _ name: String, width: Int = 16, height: Int = 12, seed: Int, shift: Int = 0
  ) throws {
    try RGBImage(
      width: width, height: height,
      pixels: (0..<width * height * 3).map { UInt8(($0 * (7 + seed)) % 200 + shift) }
    ).writePNG(to: folder(name))
  }

  /// Lines of a script that make image shards `S` of `a`, and a VQGAN `V` of these.
  static let vqgan = """
    prep-images a --out S --quiet --size 32 >/dev/null
    train-vqgan S --preset tiny --steps 1 --batch-size 1 --threads 1 --out V --quiet >/dev/null
    """

  /// What `evaluate` prints with --json.
  func report(_ arguments: String) throws -> [String: Any] {
    let outcome = try shell("evaluate \(arguments) --json --quiet", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try jsonObject(outcome.output)
  }

  /// Expects `evaluate` to end with a status and an error that holds `words`, and to print nothing.
  func expectRefusal(_ arguments: String, status: Int32 = 65, _ words: String) throws {
    let outcome = try shell(
      "evaluate \(arguments) --quiet", in: folder,
      environment: ["FIXTURES": Fixture.path("metrics")])
    #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
    #expect(outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
    #expect(outcome.output.isEmpty, "\(arguments)")
  }
}
