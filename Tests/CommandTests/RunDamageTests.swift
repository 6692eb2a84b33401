// Runs on file systems that lack something, and with weights or folders that are not sound.
import Checkpoints
import DurableFiles
import Foundation
import Images
import Models
import TensorCore
import TestSupport
import Testing
import Training

@Suite("Runs that meet damage")
struct RunDamageTests {
  private static let small = Workplace.gpt

  // MARK: File systems

  /// EPERM is what Linux says for FAT, ENOSYS and EOPNOTSUPP are those of FUSE and of network
  /// disks.
  @Test(arguments: [EPERM, ENOSYS, EOPNOTSUPP])
  func aFileSystemWithoutLinksIsEnough(code: Int32) throws {
    let stage = try GPTCommandTests.Stage()
    try makeFaults(in: stage.folder)
    let outcome = try shell(
      """
      export LD_PRELOAD=$PWD/faults.so FAULT_CALL=symlink FAULT_ERRNO=\(code)
      \(Self.small) --out run --steps 3 --checkpoint-every 1 --keep-checkpoints 2 &&
      train-gpt --out run --resume --steps 5 --quiet &&
        sample-gpt --gpt run --count 1 --out S --quiet
      """, in: stage.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors == "")
    #expect(
      DurableFile.names(in: stage.folder("run/checkpoints")) == ["step-000004", "step-000005"])
  }

  /// A link from before, on a copy of the run, must not outlive the checkpoint that it points to.
  @Test func anOldLinkGoesWhereNoNewOneCanBeMade() throws {
    let stage = try GPTCommandTests.Stage()
    try makeFaults(in: stage.folder)
    let outcome = try shell(
      """
      \(Self.small) --out run --steps 2
      export LD_PRELOAD=$PWD/faults.so FAULT_CALL=symlink FAULT_ERRNO=\(EPERM)
      train-gpt --out run --resume --steps 3 --quiet
      train-gpt --out run --resume --steps 4 --quiet
      """, in: stage.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(RunFolder(stage.folder("run")).steps() == [2, 3, 4])
    #expect(!DurableFile.exists(stage.folder("run/checkpoints/last")))
  }

  @Test(arguments: [ENOLCK, ENOSYS, EOPNOTSUPP])
  func aFileSystemWithoutLocksIsWarnedOf(code: Int32) throws {
    let stage = try GPTCommandTests.Stage()
    try makeFaults(in: stage.folder)
    let outcome = try shell(
      "LD_PRELOAD=$PWD/faults.so FAULT_CALL=flock FAULT_ERRNO=\(code) "
        + "\(Self.small) --out run --steps 1", in: stage.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.errors
        == "warning: run: its file system has no locks; see to it that no other process works in "
        + "it\n"
    )
  }

  /// Every `open` that the run makes is interrupted once, or the system has no descriptor left.
  @Test func anInterruptedOpenIsRepeatedAndTooManyFilesAreTold() throws {
    let stage = try GPTCommandTests.Stage()
    try makeFaults(in: stage.folder)
    for path in ["run/config.json", "run/.lock", "run/checkpoints", "state.json", "train.h5"] {
      let outcome = try shell(
        """
        rm -rf run
        LD_PRELOAD=$PWD/faults.so FAULT_CALL=open FAULT_PATH=\(path) FAULT_ERRNO=\(EINTR) \
          FAULT_TIMES=1 \(Self.small) --out run --steps 1
        """, in: stage.folder)
      #expect(outcome.status == 0, "\(path): \(outcome.errors)")
    }
    for path in ["run/config.json", "run/.lock", "train.h5"] {
      let outcome = try shell(
        """
        rm -rf run
        LD_PRELOAD=$PWD/faults.so FAULT_CALL=open FAULT_PATH=\(path) FAULT_ERRNO=\(EMFILE) \
        \(Self.small) --out run --steps 1
        """, in: stage.folder)
      #expect(outcome.status == 74, "\(path): \(outcome.errors)")
      #expect(outcome.errors.contains("Too many open files"), "\(path): \(outcome.errors)")
    }
  }

  /// Case 37, in the commands that train nothing.
  @Test(arguments: [
    ("prep-images photos --size 8 --out R", ["R/.lock", "R/manifest.json"]),
    (
      "encode-dataset images.h5 --vqgan vqgan --out R",
      ["images.h5", "model.json", "R/.lock"]
    ),
    ("decode-dataset train.h5 --vqgan vqgan --out R", ["train.h5", "model.json", "R/.lock"]),
    (
      "decode-dataset train.h5 --vqgan vqgan --images --out R",
      ["R/decoding", "R/train-00003"]
    ),
    ("shard-export images.h5 --out R", ["images.h5", "R/export", "R/images/0", "R/rows.jsonl"]),
    ("reconstruct images.h5 --vqgan vqgan --out R", ["images.h5", "R/sheet.png"]),
    ("evaluate photos photos --paired", ["photos/3.png"]),
    ("shard-info train.h5 --verify", ["train.h5"]),
  ])
  func aFailingOpenOfAnyCommandIsRepeatedOrTold(command: String, paths: [String]) throws {
    let folder = try GPTCommandTests.Stage().folder
    try makeFaults(in: folder)
    try imageShard(folder("images.h5"), rows: 2) { row in [UInt8](repeating: UInt8(row), count: 768)
    }
    try DurableFile.createFolder(folder("photos"))
    for number in 0..<6 {
      try RGBImage(width: 9, height: 9, filledWith: .white)
        .writePNG(to: folder("photos/\(number).png"))
    }
    for path in paths {
      let faults = "rm -rf R; LD_PRELOAD=$PWD/faults.so FAULT_CALL=open FAULT_PATH=\(path)"
      let repeated = try shell(
        "\(faults) FAULT_ERRNO=\(EINTR) FAULT_TIMES=1 \(command)", in: folder)
      #expect(repeated.status == 0, "\(path): \(repeated.errors)")
      let told = try shell("\(faults) FAULT_ERRNO=\(EMFILE) \(command) --quiet", in: folder)
      #expect(told.status == 74, "\(path): \(told)")
      #expect(told.errors.contains("Too many open files"), "\(path): \(told.errors)")
    }
  }

  /// Case 37: at once, without a backtrace, and what was finished stays.
  @Test(arguments: [
    "\(small) --out R --steps 9 --checkpoint-every 1 --log-every 1",
    "encode-dataset images.h5 --vqgan vqgan --batch-size 1 --out R --quiet",
    "sample-gpt --gpt G --count 8 --shard-size 2 --shards-out R --quiet",
  ])
  func sigquitEndsACommandAtOnce(command: String) throws {
    let folder = try GPTCommandTests.Stage().folder
    try makeFaults(in: folder)
    try imageShard(folder("images.h5"), rows: 2) { row in [UInt8](repeating: UInt8(row), count: 768)
    }
    let again = command.contains("--steps") ? "train-gpt --out R --resume --quiet" : command
    let outcome = try shell(
      stoppedFunction + """
        \(Self.small) --out G --steps 1 > lines || exit 1
        ulimit -c 0
        stopped fsync "" 5 \(command)
        kill -QUIT $pid; kill -CONT $pid; wait $pid; echo $?; cat lines errors
        \(again) > others; echo $?
        """, in: folder,
      environment: ["SWIFT_BACKTRACE": "enable=yes,color=no,interactive=no"])
    #expect(outcome.output == "131\n0\n", "\(outcome)")
  }

  // MARK: Removing

  /// An old checkpoint that cannot be removed, or whose removal is the end of the process, is under
  /// a temporary name by then.
  @Test(arguments: ["\(EIO)", "\(EACCES)", "kill"], ["unlink", "rmdir"])
  func halfACheckpointNeverHasItsFinalName(fault: String, call: String) throws {
    let stage = try GPTCommandTests.Stage()
    try makeFaults(in: stage.folder)
    let outcome = try shell(
      """
      \(Self.small) --out run --steps 1 --keep-checkpoints 1 > lines
      LD_PRELOAD=$PWD/faults.so FAULT_CALL=\(call) FAULT_PATH=step-000001 FAULT_ERRNO=\(fault) \
      train-gpt --out run --resume --steps 2 --quiet > lines; echo status $?
      """, in: stage.folder)
    #expect(outcome.output == (fault == "kill" ? "status 137\n" : "status 0\n"))
    let checkpoints = stage.folder("run/checkpoints")
    #expect(RunFolder(stage.folder("run")).steps() == [2])
    let rest = DurableFile.names(in: checkpoints).filter { $0.contains(".tmp-") }
    #expect(rest.count == 1 && rest[0].hasPrefix("step-000001.tmp-"), "\(rest)")
    // The next run sweeps up.
    let swept = try shell("train-gpt --out run --resume --steps 3 --quiet", in: stage.folder)
    #expect(swept.status == 0, "\(swept.errors)")
    #expect(DurableFile.names(in: checkpoints) == ["last", "step-000003"])
  }

  /// What somebody has put where a checkpoint is to be stays, and is told before any step; what was
  /// put into an old one keeps that, and one warning tells of it.
  @Test(arguments: ["step-000022/notes.txt", "step-000022/model.json/mine", "step-000022"])
  func whatIsNoCheckpointIsNotReplaced(name: String) throws {
    let stage = try GPTCommandTests.Stage()
    let outcome = try shell(
      """
      \(Self.small) --out run --steps 2 > lines
      case \(name) in */*) mkdir -p run/checkpoints/$(dirname \(name)) ;; esac
      echo mine > run/checkpoints/\(name)
      find run -type f | sort | xargs sha256sum > before
      train-gpt --out run --resume --steps 22 --quiet; echo status $?
      find run -type f | sort | xargs sha256sum | diff before - && echo untouched
      mv run/checkpoints/step-000022 .
      echo mine > run/checkpoints/step-000002/notes.txt
      train-gpt --out run --resume --steps 22 --checkpoint-every 5 --keep-checkpoints 1 --quiet
      ls run/checkpoints; cat run/checkpoints/step-000002/notes.txt
      """, in: stage.folder)
    #expect(
      outcome.output == """
        status 73
        untouched
        run
        last
        step-000002
        step-000022
        mine

        """, "\(outcome)")
    let errors = outcome.errors.split(separator: "\n").map(String.init)
    try #require(errors.count == 2, "\(errors)")
    #expect(errors[0].hasPrefix("train-gpt: run/checkpoints/step-000022"), "\(errors)")
    #expect(errors[0].contains(": none of a run's files, "), "\(errors)")
    #expect(
      errors[1]
        == "warning: run/checkpoints/step-000002/notes.txt: none of a run's files; the old "
        + "checkpoint stays, for it would go too")
  }

  // MARK: Links

  /// What it is, and not always "a link".
  @Test(arguments: ["checkpoints", "pictures"])
  func aRunWhoseFolderIsAFileIsRefused(name: String) throws {
    let stage = try GPTCommandTests.Stage()
    let outcome = try shell(
      """
      \(Self.small) --out run --steps 1 > lines
      rm -rf run/\(name); echo mine > run/\(name)
      train-gpt --out run --resume --steps 3 --quiet; echo status $?; cat run/\(name)
      mkdir new; echo mine > new/\(name)
      \(Self.small) --out new --steps 1; echo status $?; cat new/\(name)
      """, in: stage.folder)
    #expect(outcome.output == "status 73\nmine\nstatus 73\nmine\n", "\(outcome)")
    for run in ["run", "new"] {
      #expect(
        outcome.errors.contains("\(run)/\(name): a file, and a run keeps a folder of this name"),
        "\(outcome.errors)")
    }
  }

  @Test(arguments: ["checkpoints", "pictures"])
  func aRunWhoseFolderIsALinkIsRefused(name: String) throws {
    let stage = try GPTCommandTests.Stage()
    let outcome = try shell(
      """
      \(Self.small) --out run --steps 1 --keep-checkpoints 1 > lines
      mkdir -p elsewhere run/\(name); cp -r run/\(name)/. elsewhere; find elsewhere | sort > before
      rm -r run/\(name); ln -s ../elsewhere run/\(name)
      train-gpt --out run --resume --steps 3 --quiet; echo status $?
      find elsewhere | sort | diff before - && echo untouched
      mkdir new; ln -s ../elsewhere new/\(name)
      \(Self.small) --out new --steps 1; echo status $?
      find elsewhere | sort | diff before - && echo untouched
      """, in: stage.folder)
    #expect(outcome.output == "status 73\nuntouched\nstatus 73\nuntouched\n")
    #expect(outcome.errors.contains("run/\(name): a link; a run writes only in its own folder"))
  }

  // MARK: Numbers

  @Test func aLearningRateThatBreaksTheWeightsLeavesNoCheckpoint() throws {
    let stage = try GPTCommandTests.Stage()
    let outcome = try shell(
      "\(Self.small) --out run --steps 1 --learning-rate 3e38 --warmup 0 --schedule constant",
      in: stage.folder)
    #expect(outcome.status == 65)
    #expect(outcome.errors.contains("run: step 1: "), "\(outcome.errors)")
    #expect(outcome.errors.contains("is not finite; there is no checkpoint to go on from"))
    #expect(RunFolder(stage.folder("run")).steps() == [])
  }

  /// Every command that reads weights.
  @Test(arguments: [
    "encode-dataset images.h5 --vqgan bad --out C", "reconstruct images.h5 --vqgan bad --out R",
    "train-vqgan images.h5 --init-from bad --out T --steps 1",
    "convert-checkpoint bad --to taming --out v.ckpt",
    "convert-checkpoint bad/model.safetensors --out converted",
    "codebook-report held-out.h5 --vqgan bad --out report",
    "sample-gpt --gpt run --vqgan bad --count 1 --out S",
  ])
  func weightsThatAreNotFiniteAreRefused(command: String) throws {
    let stage = try GPTCommandTests.Stage()
    try imageShard(stage.folder("images.h5"), rows: 2, height: 32, width: 32) { row in
      (0..<3072).map { UInt8(($0 + row) % 256) }
    }
    let file = try SafetensorsFile(stage.folder("vqgan/model.safetensors"))
    let name = "decoder.conv_in.weight"
    try FileManager.default.copyItem(atPath: stage.folder("vqgan"), toPath: stage.folder("bad"))
    try SafetensorsWriter.write(
      try file.names.map { tensor in
        var values = try file.floats(of: tensor)
        if tensor == name { values[3] = .nan }
        return SafetensorsEntry(tensor, shape: try file.shape(of: tensor), floats: values)
      }, to: stage.folder("bad/model.safetensors"))
    let outcome = try shell(
      """
      \(Self.small) --out run --steps 1 > lines
      \(command) --quiet
      """, in: stage.folder)
    #expect(outcome.status == 65, "\(outcome.errors)")
    #expect(
      outcome.errors.contains("bad/model.safetensors: \(name): holds values that are not finite"),
      "\(outcome.errors)")
    for made in ["converted", "v.ckpt", "C/images.h5"] {
      #expect(!DurableFile.exists(stage.folder(made)))
    }
  }

  // MARK: Schedules and pins

  @Test func aLongerScheduleIsToldWithBothRates() throws {
    let stage = try GPTCommandTests.Stage()
    let loud = Self.small.replacingOccurrences(of: " --quiet", with: "")
    let outcome = try shell(
      """
      \(loud) --out run --steps 20 --warmup 0 --learning-rate 1e-3 --log-every 1 2> /dev/null
      cp -r run kept
      train-gpt --out run --resume --steps 40 > lines || exit 1
      train-gpt --out kept --resume --steps 40 --schedule-steps 20 2> quiet || exit 2
      ! grep "learning rate" quiet || exit 3
      cut -d, -f1,5 kept/metrics.csv | tail -n 1
      """, in: stage.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.errors.contains(
        "from step 20 on the learning rate is 0.000505 instead of 1e-05: the schedule ends at step "
          + "40; --schedule-steps 20 leaves it as it was"), "\(outcome.errors)")
    #expect(outcome.output.hasSuffix("40,1e-05\n"), "\(outcome.output)")
  }

  /// Of a VQGAN, of a schedule that is made shorter, and of one that was given its end.
  @Test(arguments: [
    ("--schedule cosine", "--steps 40", "is 0.000505 instead of 1e-05", "--schedule-steps 20"),
    (
      "--schedule cosine --schedule-steps 40", "--steps 40 --schedule-steps 25",
      "instead of 0.000505", "--schedule-steps 40"
    ),
  ])
  func anotherScheduleIsTold(
    begun: String, resumed: String, rates: String, advice: String
  ) throws {
    let folder = try TemporaryFolder()
    try imageShard(folder("a.h5"), rows: 2) { row in [UInt8](repeating: UInt8(row), count: 768) }
    let outcome = try shell(
      """
      train-vqgan a.h5 --preset tiny --batch-size 1 --steps 20 --warmup 0 --learning-rate 1e-3 \
        --threads 1 \(begun) --out run --quiet && train-vqgan --out run --resume \(resumed)
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("from step 20 on the learning rate is "), "\(outcome.errors)")
    #expect(outcome.errors.contains("\(rates): the schedule ends at step "), "\(outcome.errors)")
    #expect(outcome.errors.contains("\(advice) leaves it as it was"), "\(outcome.errors)")
  }

  /// Where the rate stays as it was there is nothing to tell.
  @Test(arguments: [
    "--schedule constant --warmup 0", "--schedule constant --warmup 30",
    "--schedule cosine --warmup 0 --schedule-steps 20", "--schedule cosine --warmup 30",
  ])
  func aScheduleThatStaysIsNotTold(options: String) throws {
    let stage = try GPTCommandTests.Stage()
    let outcome = try shell(
      "\(Self.small) --out run --steps 20 \(options) && train-gpt --out run --resume --steps 40",
      in: stage.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(!outcome.errors.contains("learning rate"), "\(outcome.errors)")
  }

  @Test func theCheckpointOfCodesStays() throws {
    let folder = try TemporaryFolder()
    try imageShard(folder("a.h5"), rows: 4, height: 32, width: 32) { row in
      (0..<3072).map { UInt8(($0 * 3 + row * 40) % 256) }
    }
    let outcome = try shell(
      """
      set -e
      train-vqgan a.h5 --out V --preset tiny --batch-size 2 --steps 1 --keep-checkpoints 1 --quiet
      encode-dataset a.h5 --vqgan V/checkpoints/last --out C --quiet
      train-gpt C --out G --layers 1 --heads 2 --width 16 --batch-size 2 --steps 1 --quiet
      train-vqgan --out V --resume --steps 2 --quiet
      train-vqgan --out V --resume --steps 3 --quiet
      ls V/checkpoints; cat V/checkpoints/step-000001/pinned
      sample-gpt --gpt G --count 1 --out S --quiet
      rm -r V/checkpoints/step-000001
      sample-gpt --gpt G --count 1 --out S2 --quiet
      """, in: folder)
    #expect(outcome.status == 66)
    #expect(outcome.output.contains("last\nstep-000001\nstep-000003\n"), "\(outcome.output)")
    #expect(outcome.output.contains("codes in \(folder("C"))\n"))
    #expect(outcome.output.contains("S/grid.png"))
    #expect(
      outcome.errors.contains("V/checkpoints/step-000001: is gone")
        && outcome.errors.contains("--vqgan"), "\(outcome.errors)")
  }
}
