// Promises of the README that every command keeps, held against one command of each family.
import TestSupport
import Testing

@Suite("Runs that go on, and checkpoints in use")
struct ResumePromiseTests {
  private static let runs = [
    ("\(Workplace.gpt) --out R", "train-gpt", "train.h5"),
    ("\(Workplace.vqgan) --out R", "train-vqgan", "images.h5"),
  ]

  /// A run whose shard holds other rows than when it began is refused; with the old ones
  /// it goes on.
  private func expectRefusal(
    ofChanged shard: String, after train: String, command: String, _ problem: String
  ) throws {
    let place = try Workplace()
    let begun = try shell("\(train) --steps 1 && cp \(shard) kept.h5", in: place.folder)
    #expect(begun.status == 0, "\(begun.errors)")
    if command == "train-vqgan" {
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
    #expect(outcome.errors == "\(command): R: \(problem); a resumed run keeps its data\n")
  }

  @Test(arguments: runs)
  func aRunGoesOnWithItsDataAlone(train: String, command: String, shard: String) throws {
    try expectRefusal(
      ofChanged: shard, after: train, command: command,
      "shards: the shards hold other rows than those that the run was trained on")
  }

  @Test(arguments: runs)
  func aRunGoesOnWithItsValidationAlone(train: String, command: String, shard: String) throws {
    try expectRefusal(
      ofChanged: "val.h5", after: "cp \(shard) val.h5 && \(train) --validation val.h5",
      command: command,
      "validation: the shards hold other rows than those that the run was validated on")
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
}
