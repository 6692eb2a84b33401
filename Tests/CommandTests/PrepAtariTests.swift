import Foundation
import Shards
import TestSupport
import Testing

/// `Datasets/montezuma` of this repository.
private let montezuma = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../../Datasets/montezuma").standardized.path

@Suite("prep-atari as a command")
struct PrepAtariTests {
  @Test func onlyTrainingShardsGoToStandardOutput() throws {
    let folder = try TemporaryFolder()
    let command =
      "prep-atari '\(montezuma)' --size 16x20 --limit 30 --shard-size 20 --holdout 30,32 --out S"
    let first = try shell(command, in: folder)
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output == "S/revenge-00000.h5\nS/revenge-00001.h5\n")
    #expect(first.errors.contains("validation shard: S/revenge-validation-00001.h5"))
    let validation = try ImageShardReader(folder("S/revenge-validation-00000.h5"))
    #expect(
      try validation.contents.labels("trajectory").integers == Array(repeating: 30, count: 20))
    #expect((validation.header.width, validation.header.height) == (16, 20))

    let again = try shell(command + " --json --quiet", in: folder)
    #expect(again.status == 0)
    #expect(again.errors == "")
    #expect(
      again.output.split(separator: "\n").last
        == #"{"path":"S/revenge-validation-00001.h5","rows":10,"split":"validation","version":1}"#)
    let other = try shell(command + " --fit pad", in: folder)
    #expect(other.status == 64)
    #expect(other.output == "")
    #expect(other.errors.contains("S: made with --fit = stretch, asked for pad"))
  }

  @Test(
    "Mistakes lead to their exit codes and an empty standard output",
    arguments: [
      ("--size 0", 64), ("--size 1e3", 64), ("--size 9x", 64), ("--every 0", 64), ("--stack 0", 64),
      ("--size 4096 --stack 2", 64), ("--limit 0", 64), ("--shard-size 0", 64), ("--name a/b", 64),
      ("--compression 13", 64), ("--max-errors 101%", 64), ("--threads 0", 64),
      ("--holdout 9-1", 64),
      ("--holdout 10,", 64), ("--fit squeeze", 64), ("--no-such-option", 64),
      ("--trajectories 10 --holdout 12", 64), ("--holdout 11", 66), ("--holdout 11,30-32", 66),
      ("--holdout 1-9", 65), ("--game qbert", 66),
      ("--trajectories 30 --stack 8 --every 100", 65),
    ])
  func exitCodes(options: String, status: Int32) throws {
    let folder = try TemporaryFolder()
    let outcome = try shell("prep-atari '\(montezuma)' --out S \(options)", in: folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.output == "")
    #expect(!outcome.errors.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: folder("S/manifest.json")))
  }

  /// Nothing is left to continue.
  @Test func aStopWhilePlanningPromisesNothing() throws {
    let folder = try TemporaryFolder()
    try makeFaults(in: folder)
    let outcome = try shell(
      stoppedFunction + """
        stopped opendir trajectories 0 prep-atari '\(montezuma)' --size 16 --out S --quiet
        kill -TERM $pid; kill -CONT $pid; wait $pid; echo $?; cat errors; ls -d S
        """, in: folder)
    #expect(outcome.output == "143\nstopped by SIGTERM\n", "\(outcome)")
  }

  @Test func rangesPassOverWhatIsNotThere() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell(
      """
      prep-atari '\(montezuma)' --size 16 --limit 5 --trajectories 9-20 --holdout 12-19 \
        --out S -q &&
      prep-atari '\(montezuma)' --size 16 --limit 5 --trajectories 10,12,20 --holdout 12 \
        --out T -q &&
      cmp S/revenge-00000.h5 T/revenge-00000.h5 &&
      cmp S/revenge-validation-00000.h5 T/revenge-validation-00000.h5
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test func foldersThatCannotBeReadOrMade() throws {
    let folder = try TemporaryFolder()
    #expect(try shell("prep-atari nowhere --out S", in: folder).status == 66)
    #expect(try shell("prep-atari . --out S", in: folder).status == 66)
    #expect(
      try shell("touch file; prep-atari '\(montezuma)' --limit 1 --out file/S", in: folder).status
        == 73)
    #expect(
      try shell("prep-atari '\(montezuma)' --limit 1 --out S >/dev/full", in: folder).status == 74)
  }

  @Test func aDryRunWritesNothing() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell("prep-atari '\(montezuma)' --holdout 12 --out S --dry-run", in: folder)
    #expect(outcome.status == 0)
    #expect(outcome.output == "")
    #expect(outcome.errors.contains("4798 samples for training, 864 for validation; 4 shards"))
    #expect(!FileManager.default.fileExists(atPath: folder("S")))
  }

  @Test func aStoppedRunIsContinued() throws {
    let folder = try TemporaryFolder()
    let command =
      "prep-atari '\(montezuma)' --size 512 --limit 200 --shard-size 40 --compression 9 --quiet"
    let stopped = try shell(
      """
      \(command) --out S & pid=$!
      while [ ! -e S/manifest.json ]; do sleep 0.02; done
      kill -TERM $pid; wait $pid
      """, in: folder)
    #expect(stopped.status == 143, "\(stopped.errors)")
    #expect(stopped.output == "")
    let continued = try shell(
      "\(command) --out S && \(command) --out whole --threads 1 >/dev/null && "
        + "cmp S/manifest.json whole/manifest.json && cd S && sha256sum *.h5 > ../sums && "
        + "cd ../whole && sha256sum --check --quiet ../sums && ls -a | grep -c tmp-", in: folder)
    #expect(continued.output == (0..<5).map { "S/revenge-0000\($0).h5\n" }.joined() + "0\n")
  }
}
