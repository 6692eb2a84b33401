// `--estimate` of the trainings, held against short runs.
import DurableFiles
import Foundation
import Shards
import TestSupport
import Testing
import Training

@Suite("What --estimate says of a training")
struct EstimateTests {
  /// What `--json` writes.
  private struct Estimate: Decodable {
    struct Phase: Decodable {
      let firstStep, steps, measuredSteps: Int
      let stepsPerSecond: Double
    }

    let steps: Int
    let phases: [Phase]
    let stepsPerSecond, seconds, secondsPerCheckpoint: Double
    let validations, evaluations, images: Int?
    let secondsPerValidation, secondsPerEvaluation, secondsPerImage: Double?
    let checkpoints, keptCheckpoints, checkpointBytes, runBytes, peakMemoryBytes: Int

    init(_ line: Substring) throws {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      self = try decoder.decode(Self.self, from: Data(line.utf8))
    }
  }

  /// The images of `TrainVQGANTests`, the codes of `GPTCommandTests` and the games of
  /// `WorldCommandTests`, and an empty folder for temporary files.
  private static func stage() throws -> TemporaryFolder {
    let folder = try WorldCommandTests.Stage().folder
    for (name, count, split) in [("many.h5", 12, "train"), ("few.h5", 3, "validation")] {
      try imageShard(folder(name), rows: count, height: 32, width: 32, split: split) { row in
        (0..<32 * 32 * 3).map { UInt8(truncatingIfNeeded: $0 / 96 * (row + 3) + $0) }
      }
    }
    try DurableFile.createFolder(folder("temporary"))
    return folder
  }

  private static let vqgan = """
    train-vqgan many.h5 few.h5 --preset tiny --batch-size 2 --accumulate 2 --ema 0.9 --steps 12 \
    --disc-start 5 --checkpoint-every 5 --evaluate-every 6 --log-every 1 --out images
    """
  private static let small = "--layers 1 --heads 2 --width 16 --batch-size 4 --log-every 1"
  private static let gpt = """
    train-gpt train.h5 held-out.h5 \(small) --steps 7 --validate-every 2 --checkpoint-every 3 \
    --keep-checkpoints 2 --out gpt
    """
  private static let world = """
    train-world games.h5 held.h5 \(small) --context 2 --steps 3 --out world
    """

  /// The three probes take their half minute side by side.
  @Test func anEstimateIsThatOfTheRun() throws {
    let folder = try Self.stage()
    let commands = [Self.vqgan, Self.gpt, Self.world]
    let estimated = try shell(
      commands.enumerated().map { "\($1) --estimate --json > \($0).json 2> \($0).txt &\n" }
        .joined() + "wait; cat 0.json 1.json 2.json; ls -d images gpt world; ls -A temporary",
      in: folder, environment: ["TMPDIR": folder("temporary")])
    let lines = estimated.output.split(separator: "\n")
    try #require(lines.count == 3, "no folder is made: \(estimated)")
    let estimates = try lines.map(Estimate.init)
    #expect(try String(contentsOfFile: folder("0.txt"), encoding: .utf8).contains("parameters"))
    #expect(estimates.map(\.steps) == [12, 7, 3])
    #expect(estimates[0].phases.map(\.firstStep) == [0, 5])
    #expect(estimates[0].phases.map(\.steps) == [5, 7])
    #expect(estimates[1].phases.map(\.steps) == [7])
    #expect(estimates.map(\.checkpoints) == [3, 3, 1])
    #expect(estimates.map(\.keptCheckpoints) == [3, 2, 1])
    #expect(estimates.map(\.validations) == [3, 4, 1])
    #expect(estimates.map(\.evaluations) == [2, nil, nil])
    #expect(estimates.map(\.images) == [1, nil, nil])

    let made = try shell(commands.map { "\($0) --quiet" }.joined(separator: " &&\n"), in: folder)
    #expect(made.status == 0, "\(made.errors)")
    for (name, estimate) in zip(["images", "gpt", "world"], estimates) {
      #expect(estimate.phases.allSatisfy { $0.measuredSteps >= 3 && $0.stepsPerSecond > 0 })
      let steps = estimate.phases.reduce(0) { $0 + Double($1.steps) / $1.stepsPerSecond }
      #expect(abs(Double(estimate.steps) / estimate.stepsPerSecond - steps) < 1e-6 * steps)
      #expect(estimate.seconds > steps && estimate.seconds.isFinite, "\(name)")
      #expect((1 << 20...1 << 36).contains(estimate.peakMemoryBytes), "\(name)")
      let run = RunFolder(folder(name))
      let checkpoint = try Self.bytes(in: try run.lastCheckpoint())
      #expect(abs(Double(estimate.checkpointBytes - checkpoint)) < 0.05 * Double(checkpoint))
      #expect(run.steps().count == estimate.keptCheckpoints, "\(name)")
      let all = try Self.bytes(in: run.path)
      #expect(abs(Double(estimate.runBytes - all)) < 0.1 * Double(all), "\(name): \(all)")
    }
  }

  /// Bytes of all files in a folder and those below it, links left out.
  private static func bytes(in folder: String) throws -> Int {
    try DurableFile.list(folder).reduce(0) { sum, name in
      let path = "\(folder)/\(name)"
      if DurableFile.isLink(path) { return sum }
      return sum
        + (DurableFile.isFolder(path) ? try bytes(in: path) : DurableFile.byteCount(of: path) ?? 0)
    }
  }

  @Test func aStoppedEstimateLeavesNothing() throws {
    let folder = try Self.stage()
    let stopped = try shell(
      """
      \(Self.gpt) --estimate > out.txt 2> errors.txt &
      pid=$!
      for i in $(seq 200); do grep -q measuring errors.txt && break; sleep 0.1; done
      sleep 0.5; kill -TERM $pid; wait $pid; echo $?
      cat out.txt; ls -d gpt; ls -A temporary; tail -1 errors.txt
      """, in: folder, environment: ["TMPDIR": folder("temporary")])
    #expect(stopped.output == "143\nstopped by SIGTERM\n", "\(stopped)")
  }

  @Test func anEstimateIsOfANewRun() throws {
    let folder = try Self.stage()
    let outcome = try shell(
      """
      \(Self.gpt) --quiet > /dev/null; find gpt | sort > before
      train-gpt --out gpt --resume --estimate; echo $?
      \(Self.gpt) --estimate; echo $?
      find gpt | sort | cmp - before && echo untouched
      """, in: folder)
    #expect(outcome.output == "64\n73\nuntouched\n", "\(outcome)")
    #expect(outcome.errors.contains("--estimate and --resume"), "\(outcome.errors)")
  }
}
