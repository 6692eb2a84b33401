// Checkpoints that are not as they were written, in every command that reads them.
import DurableFiles
import Foundation
import TestSupport
import Testing
import Training

@Suite("Damaged checkpoints")
struct DamagedCheckpointTests {
  private let stage: GPTCommandTests.Stage
  private var folder: TemporaryFolder { stage.folder }

  /// A GPT `G` and a VQGAN `V` of two steps each, with averages and a checkpoint for each step.
  init() throws {
    stage = try GPTCommandTests.Stage()
    try imageShard(folder("images.h5"), rows: 6) { row in
      (0..<768).map { UInt8(($0 + row * 31) % 256) }
    }
    let made = try shell(
      """
      set -e
      train-gpt train.h5 --layers 1 --heads 2 --width 16 --batch-size 4 --ema 0.9 --steps 2 \
        --checkpoint-every 1 --log-every 1 --threads 1 --out G --quiet
      train-vqgan images.h5 --preset tiny --batch-size 2 --ema 0.9 --steps 2 --checkpoint-every 1 \
        --log-every 1 --threads 1 --out V --quiet
      """, in: folder)
    #expect(made.status == 0, "\(made.errors)")
  }

  /// Flips the lowest bit of the last byte but `back`.
  private func flip(_ file: String, back: Int = 0) throws {
    var bytes = try DurableFile.read(folder(file))
    bytes[bytes.count - 1 - back] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: folder(file)))
  }

  private func last(_ run: String) -> String { "\(run)/checkpoints/step-000002" }

  /// The file, both checksums, and the checkpoint that can be used instead; it can be.
  @Test(arguments: [
    ("G", "model.safetensors"), ("G", "optimizer.safetensors"), ("G", "ema.safetensors"),
    ("G", "model.json"), ("V", "model.safetensors"), ("V", "optimizer.safetensors"),
    ("V", "ema.safetensors"), ("V", "model.json"),
  ])
  func aFlippedBitIsFoundWhereARunGoesOn(run: String, file: String) throws {
    let path = "\(last(run))/\(file)"
    let command =
      "\(run == "G" ? "train-gpt" : "train-vqgan") --out \(run) --resume --steps 3 --quiet"
    let written = try shell("sha256sum \(path)", in: folder).output.prefix(64)
    try flip(path)
    let found = try shell("sha256sum \(path)", in: folder).output.prefix(64)
    let refused = try shell(command, in: folder)
    #expect(refused.status == 65, "\(refused.errors)")
    #expect(
      refused.errors.contains(
        "\(path): damaged: its SHA-256 is \(found), \(written) was written (state.json); "
          + "step-000001 is whole: move step-000002 away, and the run goes on from it"),
      "\(refused.errors)")
    let advised = try shell("mv \(last(run)) away; \(command); ls \(run)/checkpoints", in: folder)
    #expect(advised.status == 0, "\(advised.errors)")
    #expect(
      advised.output == "\(run)\nlast\nstep-000001\nstep-000002\nstep-000003\n", "\(advised.output)"
    )
  }

  /// Every digit of `state.json` counts: the next row, the random numbers, what is listed there.
  @Test(arguments: [
    (#""row" : 8"#, #""row" : 4"#), (#""seed" : 0"#, #""seed" : 1"#),
    (#""model.json" : ""#, #""model.json" : "0"#), (#""metrics_rows" : 2"#, #""metrics_rows" : 1"#),
    (#""sha256" : ""#, #""sha256" : "0"#), (#""sha256" : "#, #""data" : "#),
  ])
  func anyChangeOfTheStateIsFound(entry: String, changed: String) throws {
    let path = folder("\(last("G"))/state.json")
    let json = try String(contentsOfFile: path, encoding: .utf8)
    #expect(json.contains(entry), "\(json)")
    try json.replacing(entry, with: changed).write(toFile: path, atomically: false, encoding: .utf8)
    let outcome = try shell("train-gpt --out G --resume --steps 3 --quiet", in: folder)
    #expect(outcome.status == 65, "\(outcome.errors)")
    #expect(outcome.errors.contains("\(last("G"))/state.json: "), "\(outcome.errors)")
    #expect(outcome.errors.contains("step-000001 is whole"), "\(outcome.errors)")
  }

  /// The optimizers' states are nothing without the numbers of their updates.
  @Test func aChangedStateIsFoundBehindInitOptimizer() throws {
    let path = folder("\(last("V"))/state.json")
    let json = try String(contentsOfFile: path, encoding: .utf8)
    let changed = json.replacing(#""generator_updates" : "#, with: #""generator_updates" : 9"#)
    #expect(changed != json)
    try changed.write(toFile: path, atomically: false, encoding: .utf8)
    let outcome = try shell(
      "train-vqgan images.h5 --init-from V --init-optimizer --steps 1 --out X", in: folder)
    #expect(outcome.status == 65, "\(outcome.errors)")
    #expect(outcome.errors.contains("state.json: damaged"), "\(outcome.errors)")
  }

  @Test func withoutAnotherCheckpointNoneIsNamed() throws {
    try flip("\(last("G"))/model.safetensors")
    try flip("G/checkpoints/step-000001/optimizer.safetensors")
    let outcome = try shell("train-gpt --out G --resume --steps 3 --quiet", in: folder)
    #expect(outcome.status == 65 && outcome.errors.contains("was written"), "\(outcome.errors)")
    #expect(!outcome.errors.contains("is whole"), "\(outcome.errors)")
  }

  /// All other commands look at the files that they read, and at no others.
  @Test(arguments: [
    ("V", "ema.safetensors", "encode-dataset images.h5 --vqgan V --out X"),
    (
      "V", "ema.safetensors",
      "reconstruct images.h5 --vqgan V/checkpoints/last/ema.safetensors --out X"
    ),
    ("V", "model.safetensors", "reconstruct images.h5 --vqgan V/checkpoints/last --out X"),
    ("V", "ema.safetensors", "decode-dataset codes.h5 --vqgan V --out X"),
    ("V", "model.json", "evaluate images.h5 images.h5 --vqgan V --features latents --metrics fid"),
    ("V", "model.safetensors", "convert-checkpoint V --to taming --out X"),
    ("V", "ema.safetensors", "train-vqgan images.h5 --init-from V --steps 1 --out X"),
    (
      "V", "optimizer.safetensors",
      "train-vqgan images.h5 --init-from V --init-optimizer --steps 1 --out X"
    ),
    ("G", "ema.safetensors", "sample-gpt --gpt G --count 1 --out X"),
    ("G", "model.json", "sample-gpt --gpt G --count 1 --shards-out X"),
    (
      "G", "model.safetensors",
      "train-gpt train.h5 --init-from G --init-weights plain --steps 1 --out X"
    ),
    ("G", "ema.safetensors", "convert-checkpoint G --to taming --out X"),
  ])
  func aFlippedBitIsFoundByEveryCommand(run: String, file: String, command: String) throws {
    try flip("\(last(run))/\(file)")
    if command.contains("codes.h5") {
      let made = try shell(
        "encode-dataset images.h5 --vqgan V/checkpoints/step-000001 --out C --quiet "
          + "&& mv C/images.h5 codes.h5",
        in: folder)
      #expect(made.status == 0, "\(made.errors)")
    }
    let outcome = try shell("\(command) --quiet", in: folder)
    #expect(outcome.status == 65, "\(outcome.errors)")
    #expect(outcome.errors.contains("/\(file): damaged: its SHA-256 is "), "\(outcome.errors)")
    #expect(outcome.errors.contains("step-000001 is whole"), "\(outcome.errors)")
    #expect(!DurableFile.exists(folder("X/config.json")))
  }

  /// Links that have other names, lie elsewhere, and lead to links.
  @Test(arguments: [
    ("V", "model.safetensors", "reconstruct images.h5 --vqgan link --out X"),
    ("V", "ema.safetensors", "encode-dataset images.h5 --vqgan link --out X"),
    ("V", "model.safetensors", "train-vqgan images.h5 --init-from link --steps 1 --out X"),
    (
      "V", "optimizer.safetensors",
      "train-vqgan images.h5 --init-from link --init-optimizer --steps 1 --out X"
    ),
    ("V", "ema.safetensors", "reconstruct images.h5 --vqgan average --out X"),
    ("V", "ema.safetensors", "convert-checkpoint average --out X"),
    ("V", "model.safetensors", "convert-checkpoint link --to taming --out X"),
    ("V", "model.safetensors", "reconstruct images.h5 --vqgan parts --out X"),
    ("G", "ema.safetensors", "train-gpt train.h5 --init-from link --steps 1 --out X"),
    ("G", "model.safetensors", "sample-gpt --gpt parts --count 1 --out X"),
  ])
  func aFlippedBitIsFoundBehindLinks(run: String, file: String, command: String) throws {
    let made = try shell(
      """
      set -e
      mkdir elsewhere parts; cp \(last(run))/model.json parts/
      ln -s "$PWD/\(run)/checkpoints/last/model.safetensors" elsewhere/weights
      ln -s elsewhere/weights link
      ln -s ../link parts/model.safetensors
      ln -s \(last(run))/ema.safetensors average
      """, in: folder)
    #expect(made.status == 0, "\(made.errors)")
    try flip("\(last(run))/\(file)")
    let outcome = try shell("\(command) --quiet", in: folder)
    #expect(outcome.status == 65, "\(outcome.errors)")
    #expect(outcome.errors.contains("/\(file): damaged: its SHA-256 is "), "\(outcome.errors)")
    #expect(outcome.errors.contains("step-000001 is whole"), "\(outcome.errors)")
  }

  /// What a link leads to is read as if it had been named.
  @Test func aLinkToAFileOfACheckpointIsTheCheckpoint() throws {
    let outcome = try shell(
      """
      set -e
      ln -s V/checkpoints/last/model.safetensors link
      reconstruct images.h5 --vqgan V/checkpoints/last/model.safetensors --out X --quiet > lines
      reconstruct images.h5 --vqgan link --out Y --quiet > lines
      contents() { (cd $1; find . -name '*.png' | sort | xargs sha256sum); }
      contents X > x; contents Y | diff x - && [ -s x ] && echo equal
      """, in: folder)
    #expect(outcome.output == "equal\n", "\(outcome)")
  }

  @Test(arguments: [("G", "train-gpt"), ("V", "train-vqgan")])
  func aMissingStateNamesTheCheckpointBefore(run: String, command: String) throws {
    let state = "\(last(run))/state.json"
    let resume = "\(command) --out \(run) --resume --steps 3 --quiet"
    let outcome = try shell("rm \(state); \(resume); echo $?", in: folder)
    #expect(outcome.output == "65\n", "\(outcome)")
    #expect(
      outcome.errors
        == "\(command): \(state): missing; no run goes on without it; step-000001 is whole: move "
        + "step-000002 away, and the run goes on from it\n")
    let advised = try shell("mv \(last(run)) away; \(resume)", in: folder)
    #expect(advised.output == "\(run)\n", "\(advised)")
  }

  @Test(arguments: [
    (
      "V", "train-vqgan --out V --resume --steps 3",
      "damaged: the SHA-256 of its values is "
    ),
    ("V", "reconstruct images.h5 --vqgan V --out X", "damaged: no key \"files\""),
    ("G", "sample-gpt --gpt G --count 1 --out X", "damaged: no key \"files\""),
  ])
  func aStateWithoutItsListOfFilesIsDamaged(run: String, command: String, words: String) throws {
    let path = folder("\(last(run))/state.json")
    let json = try String(contentsOfFile: path, encoding: .utf8)
    let changed = json.replacing(try Regex(#"  "files" : \{\n(    .*\n)*  \},\n"#), with: "")
    #expect(changed != json)
    try changed.write(toFile: path, atomically: false, encoding: .utf8)
    let outcome = try shell("\(command) --quiet", in: folder)
    #expect(outcome.status == 65, "\(outcome.errors)")
    #expect(outcome.errors.contains("/state.json: \(words)"), "\(outcome.errors)")
    #expect(outcome.errors.contains("step-000001 is whole"), "\(outcome.errors)")
  }

  @Test(arguments: [
    ("rm @/model.json", "model.json: missing; "),
    ("rm @/ema.safetensors", "ema.safetensors: missing; "),
    ("cp vqgan/model.json @/", "model.json: damaged"),
    ("ln -sf ../../../vqgan/model.safetensors @/model.safetensors", "model.safetensors: damaged"),
  ])
  func missingAndExchangedFilesAreFound(change: String, words: String) throws {
    let outcome = try shell(
      """
      \(change.replacing("@", with: last("G")))
      train-gpt --out G --resume --steps 3 --quiet; echo $?
      \(change.hasPrefix("ln") ? "false" : "sample-gpt --gpt G --count 1 --out S --quiet"); echo $?
      """, in: folder)
    #expect(outcome.output == (change.hasPrefix("ln") ? "65\n1\n" : "65\n65\n"), "\(outcome)")
    #expect(outcome.errors.contains("\(last("G"))/\(words)"), "\(outcome.errors)")
  }

  /// The weights of averages that the run never had would be taken for use.
  @Test func averagesThatWereNotWrittenAreRefused() throws {
    let outcome = try shell(
      """
      train-gpt train.h5 --layers 1 --heads 2 --width 16 --batch-size 4 --steps 1 --out P --quiet
      cp \(last("G"))/ema.safetensors P/checkpoints/last/
      sample-gpt --gpt P --count 1 --out S --quiet
      """, in: folder)
    #expect(outcome.status == 65, "\(outcome)")
    #expect(outcome.errors.contains("ema.safetensors: not a file of this checkpoint"))
  }

  /// Earlier versions wrote no checksums; what they describe is still compared.
  @Test func checkpointsOfEarlierVersionsGoOn() throws {
    for run in ["G", "V"] { try removeChecksums(ofCheckpoint: folder(last(run))) }
    let outcome = try shell(
      """
      set -e
      cp -r G missing; rm missing/checkpoints/last/model.json
      cp -r G other; cp vqgan/model.json other/checkpoints/last/
      cp -r V another; sed -i 's/"ch" : [0-9]*/"ch" : 64/' another/checkpoints/last/model.json
      train-gpt --out G --resume --steps 3 --quiet
      train-vqgan --out V --resume --steps 3 --quiet
      sample-gpt --gpt G --count 1 --out S --quiet | tail -n 1
      set +e
      for run in missing other; do train-gpt --out $run --resume --steps 3 --quiet; echo $?; done
      train-vqgan --out another --resume --steps 3 --quiet; echo $?
      """, in: folder)
    #expect(outcome.output == "G\nV\nS/grid.png\n66\n65\n65\n", "\(outcome)")
    for words in [
      "missing/checkpoints/step-000002/model.json: ", "other/checkpoints/step-000002/model.json: ",
      "another/checkpoints/step-000002/model.json: another model than that of config.json",
    ] { #expect(outcome.errors.contains(words), "\(outcome.errors)") }
  }

  /// A checkpoint of another run with the same model.
  @Test func theSeedIsThatOfTheRun() throws {
    let outcome = try shell(
      """
      train-gpt train.h5 --layers 1 --heads 2 --width 16 --batch-size 4 --ema 0.9 --steps 2 \
        --seed 7 \
        --checkpoint-every 1 --threads 1 --out O --quiet > lines
      rm -r G/checkpoints; cp -r O/checkpoints G/
      train-gpt --out G --resume --steps 3 --quiet; echo $?; ls G/checkpoints
      """, in: folder)
    #expect(outcome.output == "65\nlast\nstep-000001\nstep-000002\n", "\(outcome)")
    #expect(
      outcome.errors.contains(
        "\(last("G"))/state.json: its seed is 7, that of config.json is 0"), "\(outcome.errors)")
  }

  // MARK: Rows of metrics

  /// Of a run that goes on: the row of step 9, its last one, is not due and does not count.
  @Test func rowsThatAreMissingAreNamed() throws {
    let outcome = try shell(
      """
      set -e
      small="\(Workplace.gpt)"
      $small --log-every 2 --steps 9 --out R
      cp -r R none; rm none/metrics.csv
      cp -r R more
      sed -i '/^4,/d; /^6,/d' R/metrics.csv
      train-gpt --out R --resume --steps 10 --quiet
      train-gpt --out none --resume --steps 10 --quiet
      train-gpt --out more --resume --steps 12 --log-every 1 --quiet
      train-gpt --out more --resume --steps 20 --log-every 5 --quiet
      cut -d, -f1 more/metrics.csv | tr '\\n' ' '
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(
      outcome.errors.split(separator: "\n") == [
        "warning: R/metrics.csv: 2 of 4 rows up to step 9 are missing, those of steps 4, 6; "
          + "the run goes on without them",
        "warning: none/metrics.csv: 4 of 4 rows up to step 9 are missing, those of steps "
          + "2, 4, 6, 8; the run goes on without them",
      ], "\(outcome.errors)")
    #expect(outcome.output.hasSuffix("step 2 4 6 8 9 10 11 12 15 20 "), "\(outcome.output)")
  }

  @Test func aValidationThatIsMissingIsNamed() throws {
    let outcome = try shell(
      """
      set -e
      train-vqgan images.h5 --validation images.h5 --preset tiny --batch-size 2 --log-every 1 \
        --steps 4 --checkpoint-every 2 --threads 1 --out R --quiet
      sed -i '/^2,,/d' R/metrics.csv
      train-vqgan --out R --resume --steps 5 --quiet
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(
      outcome.errors.contains("1 of 5 rows up to step 4 are missing, those of steps 2; "),
      "\(outcome.errors)")
  }

  // MARK: Links and configurations

  @Test(arguments: ["last", "best"], ["cp -rL R/checkpoints/step-000002", "echo x >"])
  func whereARunKeepsALinkNothingElseMayBe(name: String, make: String) throws {
    let outcome = try shell(
      """
      mv G R; rm -f R/checkpoints/\(name); \(make) R/checkpoints/\(name)
      find R | sort > before
      train-gpt --out R --resume --steps 3; echo $?
      find R | sort | diff before - && echo untouched
      rm -r R/checkpoints/\(name); train-gpt --out R --resume --steps 3 --quiet
      """, in: folder)
    #expect(outcome.output == "73\nuntouched\nR\n", "\(outcome)")
    #expect(
      outcome.errors
        == "train-gpt: R/checkpoints/\(name): a run keeps a link of this name, and this is none; "
        + "move it away\n")
  }

  @Test(arguments: [("G", "train-gpt"), ("V", "train-vqgan")])
  func aConfigurationThatIsGoneIsNamed(run: String, command: String) throws {
    let outcome = try shell("rm \(run)/config.json; \(command) --out \(run) --resume", in: folder)
    #expect(outcome.status == 66, "\(outcome)")
    #expect(outcome.errors.contains("\(run)/config.json: missing; "), "\(outcome.errors)")
    let nothing = try shell("\(command) --out nowhere --resume", in: folder)
    #expect(nothing.status == 66 && nothing.errors.contains("nowhere: no checkpoint"))
  }
}
