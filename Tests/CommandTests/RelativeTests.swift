// Relatives of the cases of Docs/Reliability.md: other inputs and conditions of the same kinds.
import DurableFiles
import Foundation
import Images
import TestSupport
import Testing
import Training

@Suite("Relatives of the cases")
struct RelativeTests {
  private static let gpt = Workplace.gpt
  private static let vqgan = Workplace.vqgan

  /// A VQGAN, codes, image shards, photos and `faults.so`.
  private static func place() throws -> TemporaryFolder {
    let folder = try GPTCommandTests.Stage().folder
    try makeFaults(in: folder)
    try imageShard(folder("images.h5"), rows: 4) { row in
      (0..<768).map { UInt8(($0 * 3 + row * 40) % 256) }
    }
    try DurableFile.createFolder(folder("photos"))
    for number in 0..<6 {
      try RGBImage(width: 9, height: 9, filledWith: .grey(UInt8(number * 40)))
        .writePNG(to: folder("photos/\(number).png"))
    }
    return folder
  }

  // MARK: Case 16

  /// At every resume that changes the rates to come, and at none that leaves them.
  @Test(arguments: [gpt, vqgan])
  func everyChangeOfAScheduleIsTold(train: String) throws {
    let folder = try Self.place()
    let command = train.prefix { $0 != " " }
    let outcome = try shell(
      """
      \(train) --schedule cosine --warmup 0 --out R --steps 4 > lines || exit 1
      for options in "--steps 8" "--steps 12" "--steps 14 --schedule-steps 12"; do
        \(command) --out R --resume $options > lines 2> errors || exit 2
        grep -c 'the learning rate is' errors
        grep -o 'from step [0-9]* on the learning rate' errors
      done
      exit 0
      """, in: folder)
    #expect(
      outcome.output == """
        1
        from step 4 on the learning rate
        1
        from step 8 on the learning rate
        0

        """, "\(outcome)")
  }

  // MARK: Case 31

  /// An old checkpoint of a VQGAN, and one that is the best no more.
  @Test(arguments: [
    (vqgan, ""), (vqgan, "--validation images.h5 --keep-best"),
  ])
  func halfACheckpointOfAVQGANNeverHasItsFinalName(train: String, options: String) throws {
    let folder = try Self.place()
    let outcome = try shell(
      """
      \(train) \(options) --out R --steps 1 --keep-checkpoints 1 > lines || exit 1
      LD_PRELOAD=$PWD/faults.so FAULT_CALL=unlink FAULT_PATH=step-000001 FAULT_ERRNO=kill \
      train-vqgan --out R --resume --no-keep-best --steps 2 --quiet > lines; echo status $?
      train-vqgan --out R --resume --steps 3 --quiet > lines; echo status $?
      """, in: folder)
    #expect(outcome.output == "status 137\nstatus 0\n", "\(outcome)")
    #expect(
      DurableFile.names(in: folder("R/checkpoints")) == ["last", "step-000003"], "\(outcome)")
  }

  /// The shards of a run in which no image could be read: a death between two that are removed does
  /// not make the rest somebody else's.
  @Test(arguments: [0, 1, 2])
  func emptyShardsThatAreLeftAreRemoved(after: Int) throws {
    let folder = try Self.place()
    let outcome = try shell(
      """
      mkdir bad; for i in 1 2 3; do echo no > bad/$i.png; done
      command="prep-images bad --size 8 --shard-size 1 --threads 1 --max-errors 100% --quiet \
        --out B"
      LD_PRELOAD=$PWD/faults.so FAULT_CALL=unlink FAULT_PATH=.h5 FAULT_AFTER=\(after) \
        FAULT_TIMES=1 FAULT_ERRNO=kill $command; echo status $?
      ls B/*.h5 | wc -l
      $command; echo status $?
      ls B | grep -c h5
      exit 0
      """, in: folder)
    #expect(
      outcome.output == "status 137\n\(3 - after)\nstatus 65\n0\n", "\(outcome)")
  }

  // MARK: Case 33

  /// Files that are links, of a run and of a folder of shards: where they lead nothing is written.
  @Test(arguments: [
    "R/metrics.csv", "R/config.json", "R/.lock", "R/checkpoints/step-000001/pinned",
    "S/manifest.json", "S/skipped.jsonl", "S/images-00000.h5", "S/.lock", "I/grid.png", "I/.lock",
  ])
  func whatALinkLeadsToStaysAsItIs(link: String) throws {
    let folder = try Self.place()
    let command =
      switch link.first {
      case "R": "train-gpt --out R --resume --steps 2 --quiet"
      case "S": "prep-images photos --size 8 --threads 1 --quiet --out S"
      default: "sample-gpt --gpt R --count 1 --quiet --out I"
      }
    let outcome = try shell(
      """
      \(Self.gpt) --out R --steps 1 > lines || exit 1
      prep-images photos --size 8 --threads 1 --quiet --out S > lines || exit 2
      mkdir elsewhere; mkdir -p I
      [ ! -e \(link) ] || mv \(link) elsewhere/file
      [ -e elsewhere/file ] || echo mine > elsewhere/file
      cp elsewhere/file before
      ln -s $PWD/elsewhere/file \(link)
      \(command) > lines
      echo $?; cmp before elsewhere/file && ls elsewhere
      """, in: folder)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 2, "\(outcome)")
    #expect(["0", "65", "73"].contains(lines[0]), "\(outcome)")
    #expect(lines[1] == "file", "\(outcome)")
  }

  // MARK: Case 35

  /// Other things than address space that a process may have too little of.
  ///
  /// Nobody waits for a thread that there is not.
  @Test(arguments: [
    "prep-images photos --size 8 --jobs 3 --out X",
    "encode-dataset images.h5 --vqgan vqgan --threads 3 --out X",
    "decode-dataset train.h5 --vqgan vqgan --threads 3 --out X",
    "sample-gpt --gpt gpt --count 2 --threads 3 --out X",
    "reconstruct images.h5 --vqgan vqgan --threads 3 --out X",
    "evaluate photos photos --paired --threads 3",
    "\(vqgan) --threads 3 --steps 2 --out X", "\(gpt) --threads 3 --steps 2 --out X",
  ])
  func fewThreadsAreEnoughOrAnError(command: String) throws {
    let folder = try Self.place()
    let command = command.replacingOccurrences(
      of: "--threads 1 --quiet --threads 3", with: "--threads 3")
    let outcome = try shell(
      """
      \(Self.gpt) --out gpt --steps 1 > lines || exit 1
      for threads in 0 1 2 3 5; do
        rm -rf X
        LD_PRELOAD=$PWD/faults.so FAULT_CALL=pthread_create FAULT_AFTER=$threads \
          FAULT_ERRNO=\(EAGAIN) timeout 60 \(command) --quiet > lines; echo $?
      done
      """, in: folder, environment: ["SWIFT_BACKTRACE": "enable=no"], seconds: 400)
    // The first is the one that waits for signals.
    #expect(outcome.output == "71\n0\n0\n0\n0\n", "\(outcome)")
  }

  @Test(arguments: [
    "prep-images photos --size 8 --jobs 3 --out X",
    "encode-dataset images.h5 --vqgan vqgan --threads 3 --out X",
    "decode-dataset train.h5 --vqgan vqgan --images --out X",
    "sample-gpt --gpt gpt --count 1 --out X", "evaluate photos photos --paired",
    "\(gpt) --steps 1 --out X",
  ])
  func fewDescriptorsAreEnoughOrAnError(command: String) throws {
    let folder = try Self.place()
    let outcome = try shell(
      """
      \(Self.gpt) --out gpt --steps 1 > lines || exit 1
      for limit in 7 8 9 10 12 14 16 24; do
        rm -rf X
        status=0; (ulimit -n $limit; exec timeout 60 \(command) --quiet) > lines 2> errors ||
          status=$?
        case $status in
        0) ;;
        74) grep -q 'Too many open files' errors || { cat errors; exit 2; } ;;
        71|127) ;;
        *) echo "$limit: $status"; cat errors; exit 3 ;;
        esac
      done
      [ $status = 0 ]
      """, in: folder, environment: ["SWIFT_BACKTRACE": "enable=no"], seconds: 600)
    #expect(outcome.status == 0, "\(outcome)")
  }

  // MARK: Case 37

  /// Too many files of all processes together are told as those of one.
  @Test(arguments: [
    ("prep-images photos --size 8 --out R", "R/manifest.json"),
    ("encode-dataset images.h5 --vqgan vqgan --out R", "model.safetensors"),
    ("shard-info train.h5 --verify", "train.h5"), ("evaluate photos photos --paired", "photos/3"),
  ])
  func aFullTableOfFilesIsTold(command: String, path: String) throws {
    let folder = try Self.place()
    let outcome = try shell(
      """
      LD_PRELOAD=$PWD/faults.so FAULT_CALL=open FAULT_PATH=\(path) FAULT_ERRNO=\(ENFILE) \
      \(command) --quiet
      """, in: folder)
    #expect(outcome.status == 74, "\(outcome)")
    #expect(outcome.errors.contains("Too many open files in system"), "\(outcome)")
  }
}
