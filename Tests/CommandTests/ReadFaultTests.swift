// A disk that fails when something of ours is read: what Tests/fault-test.py has found, each with
// its relatives.
import DurableFiles
import Foundation
import Images
import TestSupport
import Testing
import Training

@Suite("A disk that fails when it is read")
struct ReadFaultTests {
  private static let prep = "prep-images photos --size 32 --shard-size 2 --quiet --threads 1 --out"

  private func photos() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try makeFaults(in: folder)
    try DurableFile.createFolder(folder("photos"))
    for number in 1...3 {
      try RGBImage(width: 40, height: 32, filledWith: .grey(UInt8(number * 50)))
        .writePNG(to: folder("photos/\(number).png"))
    }
    return folder
  }

  /// Every read of the shard that is checked: none made the shard another one, or its writer say
  /// that an input is damaged.
  @Test func aShardThatDoesNotComeBackIsNotPublished() throws {
    let folder = try photos()
    let outcome = try shell(
      """
      \(Self.prep) whole > lines || exit 90
      export LD_PRELOAD=$PWD/faults.so FAULT_CALL=pread FAULT_PATH=.h5.tmp- FAULT_ERRNO=\(EIO) \
        FAULT_TIMES=1
      number=0
      while :; do
        rm -rf S; status=0
        FAULT_AFTER=$number \(Self.prep) S > lines 2> errors || status=$?
        [ $status != 0 ] || break
        [ $status = 74 ] || { echo "read $number: $status"; cat errors; exit 91; }
        grep -q '^prep-images: S/images-0000[01].h5: the shard cannot be written: ' errors ||
          exit 92
        ! ls -a S | grep tmp- || exit 93
        for shard in S/*.h5; do [ ! -e $shard ] || cmp $shard whole/${shard##*/} || exit 94; done
        number=$((number + 1))
      done
      diff -r whole S || exit 95
      echo "$number reads"
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    #expect(Int(outcome.output.prefix { $0.isNumber }) ?? 0 > 20, "\(outcome.output)")
  }

  /// libhdf5 repeats reads and writes that are interrupted, but not the opening of a file.
  @Test(arguments: [EINTR, EMFILE, EIO])
  func theOpeningOfAShard(code: Int32) throws {
    let folder = try photos()
    let fault = "LD_PRELOAD=$PWD/faults.so FAULT_CALL=open FAULT_ERRNO=\(code) FAULT_TIMES=1"
    // By libhdf5, whose first try to make a file may fail, and of the plain bytes.
    for (command, path, after) in [
      ("\(Self.prep) S", "S/images-00000.h5.tmp-", 1),
      ("\(Self.prep) S", "S/images-00001.h5.tmp-", 1), ("shard-info whole", "00000.h5", 0),
      ("shard-info whole", "00000.h5", 1),
    ] {
      let outcome = try shell(
        """
        rm -rf S whole; \(Self.prep) whole > lines
        FAULT_PATH=\(path) FAULT_AFTER=\(after) \(fault) \(command) > lines
        """, in: folder)
      #expect(outcome.status == (code == EINTR ? 0 : 74), "\(command), \(path): \(outcome.errors)")
      #expect(!outcome.errors.contains("make one with"), "\(outcome.errors)")
    }
  }

  /// Also those of the folders that are synced, checked and swept.
  @Test func aListingThatIsInterruptedIsRepeated() throws {
    let stage = try GPTCommandTests.Stage()
    try makeFaults(in: stage.folder)
    for after in 0..<12 {
      let outcome = try shell(
        """
        rm -rf run
        LD_PRELOAD=$PWD/faults.so FAULT_CALL=opendir FAULT_ERRNO=\(EINTR) FAULT_TIMES=1 \
          FAULT_AFTER=\(after) \(Workplace.gpt) --out run --steps 2 --checkpoint-every 1 \
          --keep-checkpoints 1
        """, in: stage.folder)
      #expect(outcome.status == 0 && outcome.errors == "", "\(after): \(outcome.errors)")
      #expect(
        DurableFile.names(in: stage.folder("run/checkpoints")) == ["last", "step-000002"],
        "\(after)")
    }
  }

  /// What cannot be listed is not empty: results in it would be overwritten, a run begun anew.
  @Test func aFolderThatCannotBeListed() throws {
    let stage = try GPTCommandTests.Stage()
    try makeFaults(in: stage.folder)
    let fault = "LD_PRELOAD=$PWD/faults.so FAULT_CALL=opendir FAULT_ERRNO=\(EIO)"
    let outcome = try shell(
      """
      \(Workplace.gpt) --out run --steps 2 --checkpoint-every 1 > lines
      sample-gpt --gpt run --count 1 --out images --quiet > lines
      sha256sum images/* > sums
      FAULT_PATH=images \(fault) sample-gpt --gpt run --count 1 --seed 9 --out images; echo $?
      sha256sum --quiet -c sums
      FAULT_PATH=checkpoints \(fault) train-gpt --out run --resume --steps 3; echo $?
      rm run/checkpoints/last
      FAULT_PATH=checkpoints \(fault) train-gpt --out run --resume --steps 3; echo $?
      FAULT_PATH=checkpoints \(fault) sample-gpt --gpt run --count 1 --out other; echo $?
      ls run/checkpoints
      """, in: stage.folder)
    // What is unfinished stays where it cannot be listed.
    let kept = "74\n74\n74\n74\nstep-000001\nstep-000002\n"
    #expect(outcome.output.hasPrefix(kept), "\(outcome.output)\(outcome.errors)")
    #expect(!outcome.output.contains("step-000003\n"), "\(outcome.output)")
    #expect(outcome.errors.contains("images: open failed (Input/output error)"))
    #expect(outcome.errors.contains("run/checkpoints: open failed (Input/output error)"))
  }
}

@Suite("Runs that ended behind their last checkpoint")
struct SettledRunTests {
  private static let small = Workplace.gpt

  /// The save of the last step fails, or is killed, when the checkpoint stands but its links and
  /// the old ones are not seen to: resuming the run, which has no step to go, does it.
  @Test(arguments: [
    ("symlink", "last", "\(EIO)"), ("symlink", "last", "kill"), ("symlink", "best", "\(EIO)"),
    ("symlink", "best", "kill"), ("unlink", "step-000002", "\(EIO)"),
    ("unlink", "step-000002", "kill"), ("rmdir", "step-000002", "kill"),
  ])
  func resumingDoesTheRest(call: String, path: String, fault: String) throws {
    let stage = try GPTCommandTests.Stage()
    try makeFaults(in: stage.folder)
    let options =
      "\(Self.small) --validation held-out.h5 --keep-best --keep-checkpoints 1 --validate-every 1"
    let outcome = try shell(
      """
      \(options) --out whole --steps 2 > lines
      train-gpt --out whole --resume --steps 3 --quiet > lines
      \(options) --out run --steps 2 > lines
      LD_PRELOAD=$PWD/faults.so FAULT_CALL=\(call) FAULT_PATH=\(path) FAULT_ERRNO=\(fault) \
        FAULT_TIMES=1 train-gpt --out run --resume --steps 3 --quiet > lines
      train-gpt --out run --resume --steps 3 --quiet && diff -r whole/checkpoints run/checkpoints
      """, in: stage.folder)
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.output == "run\n")
  }

  /// A user who pointed `last` back keeps the later checkpoints.
  @Test func whatLastWasPointedBackToStays() throws {
    let stage = try GPTCommandTests.Stage()
    let outcome = try shell(
      """
      \(Self.small) --out run --steps 3 --checkpoint-every 1 > lines
      ln -sfn step-000001 run/checkpoints/last
      train-gpt --out run --resume --steps 1 --keep-checkpoints 1 --quiet > lines
      ls run/checkpoints; readlink run/checkpoints/last
      """, in: stage.folder)
    #expect(
      outcome.output == "last\nstep-000001\nstep-000002\nstep-000003\nstep-000001\n",
      "\(outcome.output)\(outcome.errors)")
  }

  /// Not "there is a run already; continue it with --resume".
  @Test func aRunAtWorkIsBusyForANewOneToo() throws {
    let stage = try GPTCommandTests.Stage()
    let outcome = try shell(
      """
      \(Self.small) --out run --steps 1 > lines
      flock run/.lock \(Self.small) --out run --steps 1; echo $?
      flock run/.lock train-gpt --out run --resume --steps 2 --quiet; echo $?
      \(Self.small) --out run --steps 1; echo $?
      """, in: stage.folder)
    #expect(outcome.output == "75\n75\n73\n", "\(outcome.errors)")
  }
}
