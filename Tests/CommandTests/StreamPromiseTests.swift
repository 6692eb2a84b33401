// Promises of the README that every command keeps, held against one command of each family.
import Foundation
import TestSupport
import Testing

@Suite("Signals and streams of all commands")
struct StreamPromiseTests {
  /// A stop is no progress: `--quiet` does not leave it out.
  @Test(arguments: [
    (
      "\(Workplace.gpt) --out long --steps 1000000", "long/metrics.csv",
      "is saved, and --resume goes on from it"
    ),
    (
      "\(Workplace.vqgan) --out long --steps 1000000 --log-every 1", "long/metrics.csv",
      "is saved, and --resume goes on from it"
    ),
    (
      "sample-gpt --gpt run --count 100000 --batch-size 2 --out long --quiet",
      "long/sample-00000.png", "finished images stay"
    ),
    (
      "sample-gpt --gpt run --count 100000 --batch-size 2 --shard-size 2 --shards-out long --quiet",
      "long/manifest.json", "the same command continues at the first missing shard"
    ),
  ])
  func aStopIsToldAlsoToTheQuiet(command: String, sign: String, rest: String) throws {
    let place = try Workplace()
    let outcome = try shell(
      """
      \(command) > lines & pid=$!
      for i in $(seq 600); do [ -s \(sign) ] && break; sleep 0.05; done
      kill -TERM $pid; wait $pid
      """, in: place.folder)
    // A shell ignores SIGINT for what it starts in the background; SIGTERM comes through.
    #expect(outcome.status == 143, "\(outcome.status) \(outcome.errors)")
    let line = outcome.errors.split(separator: "\n").first ?? ""  // the shell's own may follow
    #expect(line.hasPrefix("stopped by SIGTERM; ") && line.hasSuffix(rest), "\(outcome.errors)")
  }

  /// Commands that end too soon for the one above: they are stopped in the middle.
  @Test(
    arguments: [
      ("reconstruct images.h5 --vqgan vqgan --out R", "finished images stay"),
      (
        "codebook-report train.h5 --vqgan vqgan --out R",
        "finished files stay: usage.png, codebook.json"
      ),
      ("codebook-report train.h5 --out R", "finished files stay: usage.png, codebook.json"),
      (
        "decode-dataset train.h5 --vqgan vqgan --batch-size 1 --images --out R",
        "the same command continues at the first missing image"
      ),
      (
        "encode-dataset images.h5 --vqgan vqgan --batch-size 1 --out R",
        "the same command continues at the first missing shard"
      ),
      (
        "prep-images photos --size 8 --shard-size 1 --out R",
        "the same command continues at the first missing shard"
      ),
      // Often enough the same rows that the signal comes before the last.
      (
        "shard-export $(yes images.h5 | head -n 60) --out R",
        "the same command continues at the first missing image"
      ),
      ("evaluate photos photos --paired", nil),
      ("convert-checkpoint vqgan --to taming --out R", nil),
    ] as [(String, String?)])
  func aStopOfAShortCommandIsToldToo(command: String, rest: String?) throws {
    let place = try Workplace()
    try makeFaults(in: place.folder)
    let (call, path) =
      switch command.prefix(4) {
      case "eval": ("open", "photos/7.png")
      case "conv": ("open", "vqgan/model.safetensors")
      default: ("fsync", "\"\"")
      }
    let outcome = try shell(
      stoppedFunction + """
        stopped \(call) \(path) 1 \(command) --quiet
        kill -TERM $pid; kill -CONT $pid; wait $pid; echo $?; tail -n 1 errors
        """, in: place.folder)
    #expect(
      outcome.output == "143\nstopped by SIGTERM\(rest.map { "; \($0)" } ?? "")\n", "\(outcome)")
  }

  /// While a list is awaited: the folder that was made for results goes again.
  @Test(arguments: [
    "reconstruct - --vqgan vqgan", "sample-gpt --gpt -", "score - --gpt run", "codebook-report -",
    "dream --world - --from-codes train.h5", "play --world -", "prep-images - --size 8",
    "train-vqgan - --preset tiny", "train-gpt -", "train-world -",
    "encode-dataset - --vqgan vqgan", "decode-dataset - --vqgan vqgan", "shard-export -",
  ])
  func aStopBeforeTheWorkIsToldToo(command: String) throws {
    let place = try Workplace()
    let outcome = try shell(
      """
      mkfifo list; sleep 100 > list & writer=$!
      \(command) --out a/b < list 2> errors & pid=$!
      for i in $(seq 600); do grep -q '^waiting for paths' errors && break; sleep 0.05; done
      kill -TERM $pid; wait $pid; echo $?; kill $writer; tail -n 1 errors; ls -d a
      """, in: place.folder)
    #expect(outcome.output == "143\nstopped by SIGTERM; nothing was saved\n", "\(outcome)")
  }

  @Test(arguments: [
    ("vqgan/model.safetensors", "reconstruct images.h5 --vqgan vqgan"),
    ("vqgan/model.safetensors", "encode-dataset images.h5 --vqgan vqgan"),
    ("step-000001/model.safetensors", "sample-gpt --gpt run --count 1"),
    ("step-000001/model.safetensors", "score train.h5 --gpt run"),
  ])
  func aStopWhileWeightsLoadIsToldToo(weights: String, command: String) throws {
    let place = try Workplace()
    try makeFaults(in: place.folder)
    let outcome = try shell(
      stoppedFunction + """
        stopped open \(weights) 0 \(command) --out a/b --quiet
        kill -TERM $pid; kill -CONT $pid; wait $pid; echo $?; cat errors; ls -d a
        """, in: place.folder)
    #expect(outcome.output == "143\nstopped by SIGTERM; nothing was saved\n", "\(outcome)")
  }

  @Test(arguments: [
    "shard-info images.h5 train.h5", "prep-images photos --size 8 --shard-size 2 --out P --quiet",
    "encode-dataset images.h5 --vqgan vqgan --out C --quiet",
    "codebook-report train.h5 --out R --quiet", "\(Workplace.gpt) --out G --steps 1",
    "\(Workplace.vqgan) --out V --steps 1", "sample-gpt --gpt run --count 1 --out S --quiet",
    "reconstruct images.h5 --vqgan vqgan --count 1 --out X --quiet",
    "convert-checkpoint vqgan --to taming --out v.ckpt --quiet",
    "decode-dataset train.h5 --vqgan vqgan --out D --quiet",
    "decode-dataset train.h5 --vqgan vqgan --images --out D --quiet",
    "shard-export images.h5 --out E --quiet",
    "evaluate photos photos --paired --metrics psnr --quiet",
  ])
  func resultsThatNobodyGetsAreAnErrorOrAQuietEnd(command: String) throws {
    let place = try Workplace()
    let outcome = try shell(
      """
      \(command) > /dev/full; echo full $?
      rm -rf P C R G V S X D E v.ckpt
      { sleep 0.1; \(command); echo left $? >&2; } | true
      """, in: place.folder)
    #expect(outcome.output == "full 74\n", "\(outcome.errors)")
    #expect(outcome.errors.contains("standard output: write failed (No space left on device)"))
    #expect(outcome.errors.hasSuffix("\nleft 141\n"), "\(outcome.errors)")
    let lines = outcome.errors.split(separator: "\n").filter { !$0.hasPrefix("warning: ") }
    #expect(lines.count == 2, "\(outcome.errors)")
  }
}
