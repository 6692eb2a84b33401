import TestSupport
import Testing

@Suite("Libraries that the commands load")
struct LinkingTests {
  private static let engine = ["libdnnl", "libopenblas", "libgomp"]

  private func libraries(of command: String) throws -> String {
    let loaded = try shell("ldd '\(builtCommands)/\(command)'")
    #expect(loaded.status == 0, "\(loaded.errors)")
    return loaded.output
  }

  @Test(
    "Commands that only make or show shards load no tensor engine",
    arguments: ["prep-coco", "prep-atari", "prep-images", "shard-info"])
  func noEngine(command: String) throws {
    let loaded = try libraries(of: command)
    #expect(loaded.contains("libhdf5"))
    for library in Self.engine { #expect(!loaded.contains(library), "\(library)") }
  }

  @Test func trainingLoadsTheEngine() throws {
    #expect(try libraries(of: "train-gpt").contains("libopenblas"))
  }
}
