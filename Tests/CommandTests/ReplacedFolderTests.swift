// Folders that are removed, moved or replaced while a command that works in them is stopped.
import DurableFiles
import Foundation
import Images
import TestSupport
import Testing

@Suite("Folders that are gone")
struct ReplacedFolderTests {
  /// The folder of `GPTCommandTests.Stage`, with images, codes, photos and a GPT.
  private static func place() throws -> TemporaryFolder {
    let folder = try GPTCommandTests.Stage().folder
    try imageShard(folder("images.h5"), rows: 6) { row in
      (0..<768).map { UInt8(($0 + row * 31) % 256) }
    }
    try DurableFile.createFolder(folder("photos"))
    for number in 0..<6 {
      try RGBImage(width: 9, height: 9, filledWith: .grey(UInt8(number)))
        .writePNG(to: folder("photos/\(number).png"))
    }
    try makeFaults(in: folder)
    return folder
  }

  private static let gpt =
    "train-gpt train.h5 --layers 1 --heads 2 --width 16 --batch-size 4 --steps 1 --out gpt --quiet"

  /// Each with how many times it has synced something when it is stopped: before its first file has
  /// its name, and later.
  private static let commands: [(command: String, moments: [Int])] = [
    (
      "train-gpt train.h5 --layers 1 --heads 2 --width 16 --batch-size 4 --steps 3 --log-every 1 "
        + "--checkpoint-every 1 --threads 1 --out R", [0, 3, 6, 10, 14, 17, 30]
    ),
    (
      "train-vqgan images.h5 --preset tiny --batch-size 2 --steps 2 --log-every 1 --image-every 1 "
        + "--checkpoint-every 1 --threads 1 --out R", [0, 4, 5, 12, 18, 24]
    ),
    ("prep-images photos --size 8 --shard-size 2 --threads 1 --out R", [0, 2, 4, 8]),
    ("encode-dataset images.h5 --vqgan vqgan --threads 1 --out R", [0, 2, 4]),
    ("decode-dataset train.h5 --vqgan vqgan --threads 1 --out R", [0, 2, 4]),
    ("decode-dataset train.h5 --vqgan vqgan --images --threads 1 --out R", [0, 3]),
    ("sample-gpt --gpt gpt --count 4 --shard-size 2 --threads 1 --shards-out R", [0, 2, 4, 8]),
    ("sample-gpt --gpt gpt --count 3 --threads 1 --out R", [0, 3]),
    ("shard-export images.h5 --threads 1 --out R", [0, 3, 8]),
    ("reconstruct images.h5 --vqgan vqgan --threads 1 --out R", [0, 3]),
    ("codebook-report train.h5 --vqgan vqgan --threads 1 --out R", [0, 2]),
    ("score train.h5 --gpt gpt --vqgan vqgan --threads 1 --out R", [0, 2]),
  ]

  /// Those that put one thing into a folder, P, that is not their own, and the call that stops
  /// them.
  private static let singles: [(command: String, call: String, moments: [Int])] = [
    (
      "convert-checkpoint \(Fixture.path("vqgan-tiny.ckpt")) --out P/V", "fsync \"\"", [0, 2, 4, 6]
    ),
    ("convert-checkpoint vqgan --to taming --out P/vqgan.ckpt", "fsync \"\"", [0]),
    (
      "convert-checkpoint gpt --vqgan vqgan --to taming --out P/gpt.ckpt", "fsync \"\"", [0]
    ),
    (
      "evaluate images.h5 images.h5 --vqgan vqgan --features latents --metrics fid --threads 1 "
        + "--save-statistics P/S.npz", "fsync \"\"", [0]
    ),
    ("sample-gpt --gpt gpt --count 1 --out I --codes-out P/c.h5", "open P/c.h5.tmp", [1, 3]),
    ("shard-info train.h5 --preview P/x.png", "fsync \"\"", [0]),
  ]

  private static func prepare(_ command: String, in folder: TemporaryFolder) throws {
    guard command.contains(" gpt ") else { return }
    let made = try shell(gpt, in: folder)
    #expect(made.status == 0, "\(made.errors)")
  }

  /// The second run has the folder for itself, and the first ends with 73.
  @Test(arguments: commands)
  func nothingIsWrittenIntoTheFolderOfAnotherRun(command: String, moments: [Int]) throws {
    let folder = try Self.place()
    try Self.prepare(command, in: folder)
    for moment in moments {
      let outcome = try shell(
        stoppedFunction + """
          rm -rf R
          stopped fsync "" \(moment) \(command) --quiet
          rm -r R
          \(command) --quiet > others || exit 91
          contents R > before
          kill -CONT $pid; wait $pid; echo $?
          contents R | diff before - && [ -e R/.lock ] && echo whole
          ls -A R | grep -c tmp-; cat errors
          """, in: folder)
      let lines = outcome.output.split(separator: "\n").map(String.init)
      #expect(lines.prefix(3) == ["73", "whole", "0"], "\(moment): \(outcome)")
      #expect(
        lines.count == 4 && lines[3].contains("R: not the folder any more"), "\(moment): \(outcome)"
      )
    }
  }

  /// Nothing is made again at the path, and nothing gets a name in the folder that was moved.
  @Test(arguments: commands)
  func aFolderThatIsMovedIsToldAndNotMadeAgain(command: String, moments: [Int]) throws {
    let folder = try Self.place()
    try Self.prepare(command, in: folder)
    let outcome = try shell(
      stoppedFunction + """
        stopped fsync "" \(moments[1]) \(command) --quiet
        mv R moved
        kill -CONT $pid; wait $pid; echo $?
        [ -e R ] || echo gone
        cat errors
        """, in: folder)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.prefix(2) == ["73", "gone"], "\(outcome)")
    #expect(lines.count == 3 && lines[2].contains("R: not the folder any more"), "\(outcome)")
  }

  /// The checkpoints and images of another run that take the place of its own stay as they are.
  @Test(
    arguments: [
      (commands[0].command, "checkpoints", [3, 6, 10, 14, 17]),
      (commands[1].command, "checkpoints", [3, 12]), (commands[1].command, "pictures", [3, 12]),
    ], ["ln -s ../B/@ R/@", "cp -r B/@ R/@"])
  func whatBelongsToAnotherRunIsLeftAlone(
    run: (command: String, part: String, moments: [Int]), replace: String
  ) throws {
    let folder = try Self.place()
    let other = run.command.replacing("--out R", with: "--seed 1 --out B")
    let made = try shell("\(other) --quiet", in: folder)
    #expect(made.status == 0, "\(made.errors)")
    for moment in run.moments {
      let outcome = try shell(
        stoppedFunction + """
          rm -rf R moved
          stopped fsync "" \(moment) \(run.command) --quiet
          if [ -e R/\(run.part) ]; then mv R/\(run.part) moved; fi
          \(replace.replacing("@", with: run.part))
          find B R/\(run.part)/ | sort > names; contents B > before; contents R/\(run.part) > there
          kill -CONT $pid; wait $pid; echo $?
          find B R/\(run.part)/ | sort | diff names - && contents B | diff before - && \
            contents R/\(run.part) | diff there - && echo untouched
          cat errors
          """, in: folder)
      let lines = outcome.output.split(separator: "\n").map(String.init)
      #expect(lines.prefix(2) == ["73", "untouched"], "\(moment): \(outcome)")
      #expect(
        lines.count == 3 && lines[2].contains("R/\(run.part): not the folder any more"),
        "\(moment): \(outcome)")
    }
  }

  /// Nothing gets a name in the folder that is there now, and what was begun goes from the one that
  /// was moved.
  @Test(arguments: singles)
  func aFolderOfOthersThatIsReplacedStaysAsItIs(
    command: String, call: String, moments: [Int]
  ) throws {
    let folder = try Self.place()
    try Self.prepare(command, in: folder)
    for moment in moments {
      let outcome = try shell(
        stoppedFunction + """
          rm -rf P moved I; mkdir P
          stopped \(call) \(moment) \(command)
          mv P moved; mkdir P
          kill -CONT $pid; wait $pid; echo $?
          find P moved | sort; grep -c 'P: not the folder any more' errors
          """, in: folder)
      #expect(outcome.output == "73\nP\nmoved\n1\n", "\(moment): \(outcome)")
    }
  }

  /// The link to the last checkpoint is not said to be what is wrong.
  @Test func aLinkThatCannotBeMadeInAMovedFolder() throws {
    let folder = try Self.place()
    let outcome = try shell(
      stoppedFunction + """
        stopped symlink last 0 \(Self.commands[0].command) --quiet
        mv R moved
        kill -CONT $pid; wait $pid; echo $?; cat errors
        """, in: folder)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 2, "\(outcome)")
    #expect(lines[0] == "73" && lines[1].contains("R: not the folder any more"), "\(outcome)")
  }

  /// The folder is still the one that was locked.
  @Test func aLinkToTheMovedFolderIsTheFolder() throws {
    let folder = try Self.place()
    let command = Self.commands[0].command
    let outcome = try shell(
      stoppedFunction + """
        stopped fsync "" 10 \(command) --quiet
        mv R moved; ln -s moved R
        kill -CONT $pid; wait $pid && cat errors && ls moved/checkpoints
        """, in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output == "last\nstep-000001\nstep-000002\nstep-000003\n", "\(outcome)")
  }

  /// Somebody took the lock for a leftover: one that nobody has replaced disturbs nobody, and a
  /// second run ends the first.
  @Test func aLockThatIsRemovedIsNoticedWhereASecondRunBegins() throws {
    let folder = try Self.place()
    let command = Self.commands[2].command
    let outcome = try shell(
      stoppedFunction + """
        stopped fsync "" 4 \(command) --quiet
        rm R/.lock; kill -CONT $pid; wait $pid; echo $?
        rm -r R; stopped fsync "" 4 \(command) --quiet
        rm R/.lock; \(command) --quiet > others; echo $?
        contents R > before; kill -CONT $pid; wait $pid; echo $?
        contents R | diff before - && echo whole
        """, in: folder)
    #expect(outcome.output == "0\n0\n73\nwhole\n", "\(outcome)")
  }

  /// What an encoding needs is marked once the folder is its own: not by one that is refused.
  @Test func aRefusedRunPinsNothing() throws {
    let folder = try Self.place()
    let outcome = try shell(
      stoppedFunction + """
        set -e
        train-vqgan images.h5 --preset tiny --batch-size 2 --steps 1 --threads 1 --out V --quiet \
          > lines
        mkdir C; printf mine > C/images.h5
        ! encode-dataset images.h5 --vqgan V --out C --quiet 2> refused
        ls V/checkpoints/last/pinned || echo free
        rm C/images.h5
        stopped fsync "" 0 encode-dataset images.h5 --vqgan vqgan --out C --quiet
        status=0; encode-dataset images.h5 --vqgan V --out C --quiet 2> busy || status=$?
        echo $status
        ls V/checkpoints/last/pinned || echo free
        kill -CONT $pid; wait $pid
        encode-dataset images.h5 --vqgan V --out D --quiet
        cat V/checkpoints/last/pinned
        """, in: folder)
    #expect(
      outcome.output == "free\n75\nfree\nD/images.h5\ncodes in \(folder("D"))\n", "\(outcome)")
  }
}
