// Promises of the README that every command keeps, held against one command of each family.
import Checkpoints
import DurableFiles
import Foundation
import Images
import TensorCore
import TestSupport
import Testing
import Training

/// What commands need: image shards, codes, a VQGAN, a GPT `run`, and a folder of images.
private struct Workplace {
  let stage: GPTCommandTests.Stage
  var folder: TemporaryFolder { stage.folder }

  init() throws {
    stage = try GPTCommandTests.Stage()
    try Self.images(folder("images.h5"), brightness: 1)
    try DurableFile.createFolder(folder("photos"))
    for number in 0..<40 {
      try RGBImage(width: 9, height: 9, filledWith: .grey(UInt8(number)))
        .writePNG(to: folder("photos/\(number).png"))
    }
    let made = try shell("\(Self.gpt) --out run --steps 1", in: folder)
    #expect(made.status == 0, "\(made.errors)")
  }

  static let gpt =
    "train-gpt train.h5 --layers 1 --heads 2 --width 16 --batch-size 4 --threads 1 --quiet"
  static let vqgan = "train-vqgan images.h5 --preset tiny --batch-size 2 --threads 1 --quiet"

  static func images(_ path: String, brightness: Int) throws {
    try imageShard(path, rows: 6) { row in
      (0..<768).map { UInt8(($0 * brightness + row * 31) % 256) }
    }
  }
}

@Suite("Promises that all commands keep")
struct PromiseTests {
  // MARK: Signals and streams

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
      ("codebook-report train.h5 --vqgan vqgan --out R", nil),
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

  // MARK: File systems

  @Test(arguments: [
    ("P", "prep-images photos --size 8 --out P --quiet"),
    ("C", "encode-dataset images.h5 --vqgan vqgan --out C --quiet"),
    ("S", "sample-gpt --gpt run --count 2 --shards-out S --quiet"),
    ("I", "sample-gpt --gpt run --count 2 --out I --quiet"),
    ("V", "\(Workplace.vqgan) --out V --steps 1"),
    ("D", "decode-dataset train.h5 --vqgan vqgan --out D --quiet"),
    ("D", "decode-dataset train.h5 --vqgan vqgan --images --out D --quiet"),
    ("E", "shard-export images.h5 --out E --quiet"),
  ])
  func aFolderWithoutLocksIsWarnedOf(folder: String, command: String) throws {
    let place = try Workplace()
    try makeFaults(in: place.folder)
    let outcome = try shell(
      "LD_PRELOAD=$PWD/faults.so FAULT_CALL=flock FAULT_ERRNO=\(ENOLCK) \(command)",
      in: place.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.errors
        == "warning: \(folder): its file system has no locks; see to it that no other process works in it\n"
    )
  }

  // MARK: Memory

  /// The address space of a process ends before, at and behind what it needs: it never waits for
  /// memory that does not come.
  @Test(arguments: [250, 300, 400, 500, 600, 1000])
  func littleAddressSpaceIsEnoughOrAnError(mebibytes: Int) throws {
    let place = try Workplace()
    for command in [
      "\(Workplace.gpt) --threads 3 --out G --steps 2", "sample-gpt --gpt run --count 1 --out S",
      "prep-images photos --size 8 --jobs 3 --out P",
      "decode-dataset train.h5 --vqgan vqgan --threads 3 --out D",
      "evaluate photos photos --paired --threads 3",
    ] {
      let outcome = try shell(
        "ulimit -v \(mebibytes << 10); \(command) --quiet", in: place.folder,
        environment: ["SWIFT_BACKTRACE": "enable=no"], seconds: 60)
      // 127: no room for the program itself.
      #expect([0, 71, 74, 127].contains(outcome.status), "\(command): \(outcome)")
      if mebibytes == 1000 { #expect(outcome.status == 0, "\(command): \(outcome)") }
    }
  }

  @Test(arguments: [
    ("run/config.json", "train-gpt --out run --resume --steps 2"),
    ("run/config.json", "sample-gpt --gpt run --count 1 --out S"),
    ("run/checkpoints/step-000001/model.json", "sample-gpt --gpt run --count 1 --out S"),
    ("run/checkpoints/step-000001/state.json", "train-gpt --out run --resume --steps 2"),
    ("vqgan/model.json", "reconstruct images.h5 --vqgan vqgan --out X"),
    ("vqgan/model.json", "decode-dataset train.h5 --vqgan vqgan --out X"),
    ("vqgan/model.json", "evaluate train.h5 train.h5 --vqgan vqgan --paired"),
    ("c.json", "train-vqgan images.h5 --config c.json --steps 1 --out V"),
    ("p.yaml", "convert-checkpoint vqgan/model.safetensors --project p.yaml --out W"),
  ])
  func textsOfAHundredMegabytesAreRefused(file: String, command: String) throws {
    let place = try Workplace()
    if file.contains("checkpoints") {  // or they are found before
      try removeChecksums(ofCheckpoint: place.folder("run/checkpoints/step-000001"))
    }
    let outcome = try shell(
      """
      [ -e \(file) ] || echo '{}' > \(file)
      head -c 100000000 /dev/zero | tr '\\0' ' ' >> \(file)
      ulimit -v 1000000; \(command) --quiet
      """, in: place.folder)
    #expect(outcome.status == 65, "\(outcome.errors)")
    #expect(outcome.errors.contains("\(file): 1000"), "\(outcome.errors)")
    #expect(outcome.errors.contains("are expected here"), "\(outcome.errors)")
  }

  // MARK: Resuming

  @Test(arguments: [
    ("\(Workplace.gpt) --out R", "train-gpt", "train.h5"),
    ("\(Workplace.vqgan) --out R", "train-vqgan", "images.h5"),
  ])
  func aRunGoesOnWithItsDataAlone(train: String, command: String, shard: String) throws {
    let place = try Workplace()
    let begun = try shell("\(train) --steps 1 && cp \(shard) kept.h5", in: place.folder)
    #expect(begun.status == 0, "\(begun.errors)")
    if shard == "images.h5" {
      try Workplace.images(place.folder(shard), brightness: 2)
    } else {
      try place.stage.write(shard, rows: 11)
    }
    let outcome = try shell(
      """
      \(command) --out R --resume --steps 2 --quiet; echo $?
      mv kept.h5 \(shard); \(command) --out R --resume --steps 2 --quiet
      """, in: place.folder)
    #expect(outcome.output == "64\nR\n", "\(outcome.errors)")
    #expect(
      outcome.errors
        == "\(command): R: shards: the shards hold other rows than those that the run was trained on; a resumed run keeps its data\n"
    )
  }

  @Test(arguments: [
    ("\(Workplace.gpt) --out R", "train-gpt", "train.h5"),
    ("\(Workplace.vqgan) --out R", "train-vqgan", "images.h5"),
  ])
  func aRunGoesOnWithItsValidationAlone(train: String, command: String, shard: String) throws {
    let place = try Workplace()
    let begun = try shell(
      "cp \(shard) val.h5 && \(train) --validation val.h5 --steps 1", in: place.folder)
    #expect(begun.status == 0, "\(begun.errors)")
    if shard == "images.h5" {
      try Workplace.images(place.folder("val.h5"), brightness: 2)
    } else {
      try place.stage.write("val.h5", rows: 11)
    }
    let outcome = try shell(
      """
      \(command) --out R --resume --steps 2 --quiet; echo $?
      cp \(shard) val.h5; \(command) --out R --resume --steps 2 --quiet
      """, in: place.folder)
    #expect(outcome.output == "64\nR\n", "\(outcome.errors)")
    #expect(
      outcome.errors
        == "\(command): R: validation: the shards hold other rows than those that the run was validated on; a resumed run keeps its data\n"
    )
  }

  /// As of the codes' own VQGAN.
  @Test func theCheckpointOfConditionsStays() throws {
    let place = try Workplace()
    let outcome = try shell(
      """
      set -e
      \(Workplace.vqgan) --out V --steps 1 --keep-checkpoints 1
      encode-dataset images.h5 --vqgan vqgan --condition-vqgan V --out C --quiet
      for steps in 2 3; do train-vqgan --out V --resume --steps $steps --quiet; done
      ls V/checkpoints; cat V/checkpoints/step-000001/pinned
      """, in: place.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.output.hasSuffix("last\nstep-000001\nstep-000003\ncodes in \(place.folder("C"))\n"),
      "\(outcome.output)")
  }

  /// No `best` leads to a checkpoint that is gone.
  @Test func theBestGoesWithItsOption() throws {
    let place = try Workplace()
    let outcome = try shell(
      """
      set -e
      \(Workplace.vqgan) --validation images.h5 --keep-best --checkpoint-every 1 --out V --steps 3
      test -e V/checkpoints/best
      train-vqgan --out V --resume --no-keep-best --keep-checkpoints 1 --steps 4 --quiet
      ls V/checkpoints
      """, in: place.folder)
    #expect(outcome.output == "V\nV\nlast\nstep-000004\n", "\(outcome.output)\(outcome.errors)")
  }

  /// What marks a checkpoint as in use goes into its folder, never through a link, and waits for
  /// nobody.
  @Test(arguments: ["ln -s $PWD/other", "mkfifo", "mkdir"])
  func aMarkThatIsNoFileIsLeftAlone(make: String) throws {
    let place = try Workplace()
    let outcome = try shell(
      """
      set -e
      \(Workplace.vqgan) --out V --steps 1
      echo kept > other
      \(make) V/checkpoints/step-000001/pinned
      encode-dataset images.h5 --vqgan V --out C --quiet; cat other
      """, in: place.folder, seconds: 60)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.hasSuffix("kept\n"), "\(outcome.output)")
    #expect(outcome.errors.contains("cannot be marked as in use"), "\(outcome.errors)")
  }

  // MARK: Numbers

  /// Every command that reads a GPT's weights, its averages or the states of its optimizer.
  @Test(arguments: [
    ("model", "sample-gpt --gpt bad --count 1 --out S"),
    ("model", "train-gpt --out bad --resume --steps 3"),
    ("model", "train-gpt train.h5 --init-from bad --steps 1 --out T"),
    ("model", "convert-checkpoint bad --to taming --out g.ckpt"),
    ("ema", "sample-gpt --gpt bad --count 1 --out S"),
    ("ema", "train-gpt --out bad --resume --steps 3"),
    ("ema", "train-gpt train.h5 --init-from bad --steps 1 --out T"),
    ("ema", "convert-checkpoint bad --to taming --out g.ckpt"),
    ("optimizer", "train-gpt --out bad --resume --steps 3"),
    ("optimizer", "train-gpt train.h5 --init-from bad --init-optimizer --steps 1 --out T"),
  ])
  func aGPTsWeightsThatAreNotFiniteAreRefused(part: String, command: String) throws {
    let place = try Workplace()
    let made = try shell(
      "\(Workplace.gpt) \(part == "ema" ? "--ema 0.9" : "") --out bad --steps 2", in: place.folder)
    #expect(made.status == 0, "\(made.errors)")
    let checkpoint = try RunFolder(place.folder("bad")).lastCheckpoint()
    try removeChecksums(ofCheckpoint: checkpoint)  // or it ends before
    let path = "\(checkpoint)/\(part).safetensors"
    let file = try SafetensorsFile(path)
    let name = try #require(file.names.last { $0.contains("mlp") })
    try SafetensorsWriter.write(
      try file.names.map { tensor in
        var values = try file.floats(of: tensor)
        if tensor == name { values[1] = -.infinity }
        return SafetensorsEntry(tensor, shape: try file.shape(of: tensor), floats: values)
      }, to: path)
    let outcome = try shell("\(command) --quiet", in: place.folder)
    #expect(outcome.status == 65, "\(outcome.errors)")
    #expect(
      outcome.errors.contains("\(part).safetensors: \(name): holds values that are not finite"),
      "\(outcome.errors)")
    #expect(!DurableFile.exists(place.folder("g.ckpt")))
  }

  /// The largest weight is named, whatever it is that overflows first.
  @Test(arguments: [
    ("1e38", Workplace.gpt), ("1e38", Workplace.vqgan), ("1e19", Workplace.gpt),
    ("1e25", Workplace.vqgan),
  ])
  func theTensorOfALossThatIsNotFiniteIsNamed(rate: String, train: String) throws {
    let place = try Workplace()
    let outcome = try shell(
      "\(train) --out N --steps 9 --learning-rate \(rate) --warmup 0 --schedule constant",
      in: place.folder)
    #expect(outcome.status == 65, "\(outcome)")
    let names =
      #/(the largest (weight|value) is [0-9.e+-]+, of|the gradient of|N: step .:) [a-z_0-9.]+/#
    #expect(try names.firstMatch(in: outcome.errors) != nil, "\(outcome.errors)")
  }

  /// A loss that overflows because of the weights ends a training that skips steps, too: they are
  /// not saved, and the message's advice can be followed.
  @Test(arguments: [
    ("1e38", Workplace.gpt, "sample-gpt --gpt good --count 1"),
    ("1e19", Workplace.gpt, "sample-gpt --gpt good --count 1"),
    ("1e38", Workplace.vqgan, "reconstruct images.h5 --vqgan good --count 1"),
    ("1e12", Workplace.vqgan, "reconstruct images.h5 --vqgan good --count 1"),
  ])
  func aLossThatIsNotFiniteStopsTheTraining(rate: String, train: String, use: String) throws {
    let place = try Workplace()
    let outcome = try shell(
      """
      large="--steps 4 --learning-rate \(rate) --warmup 0 --schedule constant"
      for options in "--checkpoint-every 1" "" "--on-nonfinite skip"; do
        \(train) --out N $large $options; echo $?; ls N/checkpoints; rm -r N
      done
      \(train) --out good --steps 2 --learning-rate 1e-4 > path &&
        \(use) --out S --quiet > paths
      """, in: place.folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output == "65\n65\n65\n", "\(outcome)")
    let lines = outcome.errors.split(separator: "\n")
    #expect(lines.count == 3, "\(outcome.errors)")
    for line in lines {
      #expect(
        line.hasSuffix(
          "is not finite; there is no checkpoint to go on from: begin a new run with a lower "
            + "--learning-rate"), "\(line)")
    }
  }
}
