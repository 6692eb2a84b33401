import Foundation
import Images
import Shards
import TestSupport
import Testing
import Training

@Suite("train-world and dream as commands")
struct WorldCommandTests {
  /// The VQGAN of `GPTCommandTests`, and two recordings of 20 steps each of 2×3 of its codes,
  /// with their images.
  struct Stage {
    let stage: GPTCommandTests.Stage
    var folder: TemporaryFolder { stage.folder }

    init() throws {
      stage = try GPTCommandTests.Stage()
      for (name, split) in [("games.h5", "train"), ("held.h5", "validation")] {
        try codeShard(
          folder(name), rows: 40, grid: (2, 3), fingerprint: stage.fingerprint,
          vqgan: folder("vqgan"), split: split, labels: Self.labels
        ) { row in ((0..<6).map { Int32((row + $0 * 7) % 64) }, nil) }
      }
      try imageShard(folder("images.h5"), rows: 40, height: 8, width: 12, labels: Self.labels) {
        row in (0..<288).map { UInt8(($0 + row) % 256) }
      }
    }

    static let labels: [(String, ShardColumn)] = [
      ("action", .uint8((0..<40).map { UInt8($0 % 4) })),
      ("reward", .int64((0..<40).map { $0 % 5 == 0 ? 100 : 0 })),
      ("terminal", .bool((0..<40).map { $0 % 20 == 19 })),
      ("trajectory", .int64((0..<40).map { Int64($0 / 20) })),
      ("frame", .int64((0..<40).map { Int64($0 % 20) })),
    ]
  }

  static let train = """
    train-world games.h5 held.h5 --layers 1 --heads 2 --width 16 --context 2 --batch-size 4 \
    --log-every 1 --quiet
    """

  @Test func aTrainingIsDreamtOnFrom() throws {
    let place = try Stage()
    let outcome = try shell(
      """
      \(Self.train) --out run --steps 3 |
      dream --from-codes held.h5 --images images.h5 --steps 5 --count 2 --out dreams --quiet
      dream --world run --from-codes games.h5 --steps 5 --count 2 --batch-size 1 --threads 1 \
        --actions hold:RIGHT --out right --quiet > right.txt
      dream --world run --from-codes games.h5 --steps 5 --count 2 --batch-size 2 --threads 2 \
        --actions hold:3 --out again --quiet > again.txt
      cmp right/dream-0001.png again/dream-0001.png
      """, in: place.folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.errors == "")
    let images = ["dream-0000.png", "sheet-0000.png", "dream-0001.png", "sheet-0001.png"]
    #expect(outcome.output.hasPrefix(images.map { "dreams/\($0)\n" }.joined()))
    let config = try RunFolder(place.folder("run")).config(WorldRunConfig.self)
    #expect(config.shards == [place.folder("games.h5")])
    #expect(config.validation == [place.folder("held.h5")])
    #expect((config.model.actions, config.model.context, config.segment) == (18, 2, 4))
    let image = try ImageDecoder.decode(contentsOf: place.folder("right/dream-0000.png"))
    #expect((image.width, image.height) == (12, 8))
    // The recording and the dream, 14 times as large, below their names.
    let both = try ImageDecoder.decode(contentsOf: place.folder("dreams/dream-0000.png"))
    #expect(both.width == 342 && both.height > 8 * 14, "\(both.width)×\(both.height)")
  }

  @Test func irisIsTrainedAndDreamtWith() throws {
    let place = try Stage()
    let outcome = try shell(
      """
      train-world games.h5 held.h5 --preset iris --layers 1 --heads 2 --width 16 --context 3 \
        --batch-size 2 --log-every 1 --steps 2 --out run --quiet |
      dream --from-codes held.h5 --steps 7 --count 1 --out dreams --quiet
      train-world --out run --resume --preset small --steps 3 --quiet; echo $?
      train-world games.h5 --init-from run --batch-size 2 --steps 1 --out more --quiet
      """, in: place.folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(
      outcome.output == "dreams/dream-0000.png\ndreams/sheet-0000.png\n64\nmore\n", "\(outcome)")
    #expect(outcome.errors.contains("preset of the run is"), "\(outcome.errors)")
    for (run, batch) in [("run", 2), ("more", 2)] {
      let config = try RunFolder(place.folder(run)).config(WorldRunConfig.self)
      #expect(config.model.positions == .learned && config.model.mask == .causal)
      #expect(config.predictsFirst && config.adamBeta2 == 0.999 && config.clip == 10)
      #expect(config.model.attentionDropout == 0.1 && config.noise == 0)
      #expect((config.segment, config.batchSize, config.sampling) == (3, batch, .episodes))
    }
  }

  /// IRIS' own file: what is not read is told, and what comes of it is read.
  @Test func agentsOfIRISBecomeWorldModels() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell(
      """
      convert-checkpoint \(Fixture.path("iris/last.pt")) --out iris &&
      convert-checkpoint \(Fixture.path("iris/last.pt")) --extract first-stage --out tokenizer -q
      convert-checkpoint \(Fixture.path("iris/last.pt")) --extract cond-stage --out x -q; echo $?
      cmp iris/first-stage/model.safetensors tokenizer/model.safetensors && echo same
      """, in: folder)
    #expect(outcome.output == "iris\ntokenizer\n65\nsame\n", "\(outcome)")
    #expect(outcome.errors.contains("actor_critic.* is left out, 1 tensors"), "\(outcome.errors)")
    #expect(outcome.errors.contains("tokenizer.lpips.* is left out"), "\(outcome.errors)")
    let stage = try WorldStage.load(folder("iris"))
    #expect(stage.codes.vqgan.hasSuffix("/iris/first-stage"), "\(stage.codes.vqgan)")
  }

  /// The checkpoints of another run that take the place of its own stay as they are.
  @Test func theCheckpointsOfAnotherRunAreLeftAlone() throws {
    let place = try Stage()
    try makeFaults(in: place.folder)
    let outcome = try shell(
      stoppedFunction + """
        \(Self.train) --out B --steps 1 > /dev/null; find B | sort > before
        stopped fsync "" 10 \(Self.train) --checkpoint-every 1 --steps 3 --out R
        mv R/checkpoints moved; ln -s ../B/checkpoints R/checkpoints
        kill -CONT $pid; wait $pid; echo $?
        find B | sort | diff before - && echo untouched; cat errors
        """, in: place.folder)
    #expect(outcome.output.hasPrefix("73\nuntouched\n"), "\(outcome)")
    #expect(outcome.output.contains("R/checkpoints: not the folder any more"), "\(outcome)")
  }

  @Test func videoOnStandardOutputStandsAlone() throws {
    let place = try Stage()
    let outcome = try shell(
      """
      \(Self.train) --out run --steps 1 > /dev/null &&
      dream --world run --from-codes games.h5 --steps 3 --count 1 --y4m - --out dreams --quiet \
        > video.y4m && head -c 9 video.y4m && grep -ac FRAME video.y4m
      """, in: place.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output == "YUV4MPEG24\n", "\(outcome.output)")
  }

  @Test(arguments: [("", ""), ("--out D", "; finished files stay")])
  func aPlayerThatPausesHoldsUpNoSignal(out: String, rest: String) throws {
    let place = try Stage()
    let outcome = try shell(
      """
      \(Self.train) --out run --steps 1 > /dev/null; mkfifo video
      dream --world run --from-codes games.h5 --steps 60 --count 8 --actions random --y4m - \
        \(out) --quiet > video 2> errors & pid=$!
      exec 3< video; head -c 9 <&3; echo
      kill -TERM $pid; wait $pid; echo $?; cat errors
      """, in: place.folder)
    #expect(outcome.output == "YUV4MPEG2\n143\nstopped by SIGTERM\(rest)\n", "\(outcome)")
  }

  @Test func resultsThatNobodyGetsAreErrors() throws {
    let place = try Stage()
    let dream = "dream --world run --from-codes games.h5 --steps 2 --count 1 --quiet"
    let outcome = try shell(
      """
      \(Self.train) --out run --steps 1 > /dev/full; echo $?
      \(dream) --out D > /dev/full; echo $?
      \(dream) --y4m - > /dev/full; echo $?
      \(dream) --evaluate --starts 2 > /dev/full; echo $?
      \(dream) --out D; echo $?
      """, in: place.folder)
    #expect(outcome.output == "74\n74\n74\n74\n73\n", "\(outcome.errors)")
    #expect(outcome.errors.contains("D: holds "))
  }

  @Test func theReportCardIsOneObject() throws {
    let place = try Stage()
    let outcome = try shell(
      """
      \(Self.train) --out run --steps 2 > /dev/null &&
      dream --world run --from-codes held.h5 --images images.h5 --evaluate --steps 8 --starts 6 \
        --json --quiet && dream --world run --from-codes held.h5 --evaluate --steps 2 --quiet
      """, in: place.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let card = try jsonObject(outcome.output.prefix { $0 != "\n" })
    #expect(card["reference"] as? String == "images")
    #expect(card["starts"] as? Int == 6)
    let horizons = try #require(card["horizons"] as? [[String: Any]])
    #expect(horizons.compactMap { $0["step"] as? Int } == [1, 2, 4, 8])
    #expect(horizons.allSatisfy { $0["psnr_ceiling"] as? Double != nil })
    let rewards = try #require(card["rewards"] as? [[Int]])
    let ends = try #require(card["ends"] as? [[Int]])
    #expect(rewards.joined().reduce(0, +) == ends.joined().reduce(0, +))
    #expect(outcome.output.contains("beside their reconstructions"))
  }

  @Test func signalsSaveAndTheRunGoesOn() throws {
    let place = try Stage()
    let stopped = try shell(
      """
      \(Self.train) --out run --steps 1000000 > out.txt & pid=$!
      for i in $(seq 600); do [ -s run/metrics.csv ] && break; sleep 0.05; done
      kill -TERM $pid; wait $pid
      """, in: place.folder)
    #expect(stopped.status == 143, "\(stopped.errors)")
    let checkpoint = try RunFolder(place.folder("run")).lastCheckpoint()
    let state = try RunFolder.decode(TrainingState.self, from: "\(checkpoint)/state.json")
    let resumed = try shell(
      "train-world --out run --resume --steps \(state.step + 2) --quiet", in: place.folder)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.output == "run\n")
  }

  /// A grid that is far larger than that of the codes costs nothing before it is compared.
  @Test func anotherGridIsRefusedAtOnce() throws {
    let place = try Stage()
    let made = try shell("\(Self.train) --out run --steps 1 > made.txt", in: place.folder)
    #expect(made.status == 0, "\(made.errors)")
    let checkpoint = try RunFolder(place.folder("run")).lastCheckpoint()
    try removeChecksums(ofCheckpoint: checkpoint)
    let path = "\(checkpoint)/model.json"
    var description = try RunFolder.decode(WorldDescription.self, from: path)
    (description.model.gridHeight, description.model.gridWidth) = (4096, 4096)
    description.codes = CodeGrid(
      height: 4096, width: 4096, codebookSize: 64, fingerprint: place.stage.fingerprint,
      vqgan: place.folder("vqgan"))
    try RunFolder.write(description, to: path)
    let outcome = try shell(
      "dream --world run --from-codes games.h5 --steps 1 --count 1 --out x --quiet",
      in: place.folder, seconds: 20)
    #expect(outcome.status == 65, "\(outcome)")
    #expect(outcome.errors.contains("grid is 2×3"), "\(outcome.errors)")
  }

  @Test func weightsThatCannotBeComputedWithAreNotSaved() throws {
    let place = try Stage()
    let outcome = try shell(
      """
      \(Self.train) --out run --steps 9 --checkpoint-every 1 --learning-rate 1e38 --warmup 0
      echo $?; ls run/checkpoints
      """, in: place.folder)
    #expect(outcome.output == "65\n", "\(outcome)")
    #expect(outcome.errors.contains("is not finite; there is no checkpoint to go on from"))
  }

  @Test(
    "Mistakes lead to their exit codes and an empty standard output",
    arguments: [
      ("train-world train.h5 --out x", 65, "no column action"),
      ("train-world games.h5 --out x --heads 5", 64, "n_embd / n_head is 192 / 5"),
      ("train-world games.h5 --out x --noise 1", 64, "--noise"),
      ("train-world games.h5 --out x --mask causal", 64, "mask is causal"),
      ("train-world games.h5 --out x --preset big", 64, "--preset"),
      ("train-world games.h5 --out x --preset iris --segment 21", 64, "segment is 21"),
      ("train-world games.h5 --out x --segment 1", 64, "--segment"),
      ("train-world games.h5 --out x --sampling rows", 64, "--sampling"),
      ("train-world nowhere.h5 --out x", 66, "nowhere.h5"),
      ("train-world --out run --resume --context 3", 64, "model.context of the run is 2"),
      ("dream --world run --from-codes games.h5 --steps 30 --out x", 64, "fewer --steps"),
      ("dream --world run --from-codes games.h5 --actions hold:JUMP --out x", 64, "--actions"),
      ("dream --world run --from-codes games.h5 --actions hold:18 --out x", 64, "knows 0 to 17"),
      ("dream --world run --from-codes games.h5", 64, "Missing --out"),
      ("dream --world vqgan --from-codes games.h5 --out x", 65, "model.json"),
      ("dream --world run --from-codes other.h5 --out x", 65, "vqgan_fingerprint"),
      ("dream --world nowhere --from-codes games.h5 --out x", 66, "nowhere"),
    ] as [(String, Int32, String)])
  func mistakesAreNamed(command: String, status: Int32, words: String) throws {
    let place = try Stage()
    let made = try shell("\(Self.train) --out run --steps 1 > made.txt", in: place.folder)
    #expect(made.status == 0, "\(made.errors)")
    let outcome = try shell("\(command) --quiet", in: place.folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
    #expect(outcome.output == "")
  }
}
