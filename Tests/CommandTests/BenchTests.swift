import Foundation
import TestSupport
import Testing

@Suite("bench as a command")
struct BenchTests {
  /// Every kernel runs, and is held against what the machine does at best.
  @Test func kernelsAreHeldAgainstCeilings() throws {
    let folder = try TemporaryFolder()
    let named = try shell("bench --list", in: folder)
    let names = named.output.split(separator: "\n").map { String($0.prefix { $0 != ":" }) }
    let kernels = names.filter { name in
      !["vqgan_", "gpt_", "world_"].contains { name.hasPrefix($0) }
    }
    let run = try shell(
      "bench --quiet --seconds 0.001 \(kernels.joined(separator: " "))", in: folder)
    #expect(run.status == 0, "\(run.errors)")
    let lines = try jsonLines(run.output)
    #expect(lines.compactMap { $0["name"] as? String } == kernels)
    for line in lines {
      let name = line["name"] as? String ?? ""
      #expect((line["median"] as? Double ?? 0) > 0, "\(name)")
      for measure in ["gflop_per_second", "gb_per_second"] where line[measure] != nil {
        #expect((line["ceiling_\(measure)"] as? Double ?? 0) > 0, "\(name)")
      }
      let isHeld = line["gflop_per_second"] != nil || line["gb_per_second"] != nil
      #expect(isHeld || name.hasPrefix("shard_"), "\(name)")
    }
  }
}
