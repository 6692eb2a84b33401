import Checkpoints
import Foundation
import Images
import Models
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite("train-gpt and sample-gpt as commands")
struct GPTCommandTests {
  /// A folder with the checkpoint of an untrained VQGAN of 64 codes at f = 4, and shards of grids
  /// of 2×3 of its codes.
  struct Stage {
    let folder: TemporaryFolder
    let fingerprint: String

    init() throws {
      folder = try TemporaryFolder()
      var random = RandomSource(seed: 1)
      let model = VQGAN(.tiny, using: &random)
      fingerprint = model.fingerprint
      try FileManager.default.createDirectory(
        atPath: folder("vqgan"), withIntermediateDirectories: false)
      try RunFolder.write(model.config, to: folder("vqgan/model.json"))
      try SafetensorsWriter.write(
        ModelFiles.entries(model), to: folder("vqgan/model.safetensors"))
      try write("train.h5", rows: 12)
      try write("held-out.h5", rows: 3, split: "validation")
      try write("other.h5", rows: 3, fingerprint: "f00d")
    }

    func write(
      _ name: String, rows: Int, split: String = "train", fingerprint: String? = nil
    ) throws {
      try codeShard(
        folder(name), rows: rows, grid: (2, 3), fingerprint: fingerprint ?? self.fingerprint,
        vqgan: folder("vqgan"), split: split
      ) { row in ((0..<6).map { Int32((row + $0 * 7) % 64) }, nil) }
    }
  }

  private static let small = "--layers 1 --heads 2 --width 16 --batch-size 4 --log-every 1"

  @Test func trainedModelsArePipedIntoImages() throws {
    let stage = try Stage()
    let pipeline = try shell(
      """
      ls train.h5 held-out.h5 | train-gpt --out run \(Self.small) --steps 3 --quiet \
      | sample-gpt --count 5 --batch-size 2 --top-k 9 --out images --codes-out drawn.h5 --quiet
      """, in: stage.folder)
    #expect(pipeline.status == 0, "\(pipeline.errors)")
    #expect(pipeline.errors == "")
    let paths = (0..<5).map { "images/sample-0000\($0).png" } + ["images/grid.png"]
    #expect(pipeline.output == paths.map { $0 + "\n" }.joined())
    let image = try ImageDecoder.decode(contentsOf: stage.folder(paths[0]))
    #expect((image.width, image.height) == (12, 8))

    let config = try RunFolder(stage.folder("run")).config(GPTRunConfig.self)
    #expect(config.shards == [stage.folder("train.h5")])
    #expect(config.validation == [stage.folder("held-out.h5")])
    #expect(config.codes.fingerprint == stage.fingerprint)
    let drawn = try CodeShardReader(stage.folder("drawn.h5"))
    #expect(drawn.count == 5)
    #expect(drawn.header.grid.fingerprint == stage.fingerprint)

    // The same seed draws the same images, however many at once.
    let again = try shell(
      """
      sample-gpt --gpt run --vqgan vqgan --count 5 --top-k 9 --out again --quiet > again.txt
      for i in 0 1 2 3 4; do cmp images/sample-0000$i.png again/sample-0000$i.png || exit 1; done
      """, in: stage.folder)
    #expect(again.status == 0, "\(again.output)\(again.errors)")
  }

  @Test func signalsSaveAndTheRunGoesOn() throws {
    let stage = try Stage()
    let stopped = try shell(
      """
      train-gpt train.h5 --out run \(Self.small) --steps 1000000 --quiet > out.txt &
      pid=$!
      for i in $(seq 200); do
        [ "$(wc -l < run/metrics.csv 2> /dev/null || echo 0)" -gt 3 ] && break
        sleep 0.1
      done
      kill -TERM $pid
      wait $pid
      """, in: stage.folder)
    #expect(stopped.status == 143, "\(stopped.errors)")
    #expect(try String(contentsOfFile: stage.folder("out.txt"), encoding: .utf8) == "")
    let checkpoint = try RunFolder(stage.folder("run")).lastCheckpoint()
    let state = try RunFolder.decode(TrainingState.self, from: "\(checkpoint)/state.json")
    #expect(state.step > 0)
    let resumed = try shell(
      "train-gpt --out run --resume --steps \(state.step + 2) --quiet", in: stage.folder)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.output == "run\n")
  }

  @Test(
    "Mistakes lead to their exit codes and an empty standard output",
    arguments: [
      ("train-gpt train.h5 other.h5 --out run", 65, "vqgan_fingerprint"),
      ("train-gpt train.h5 --validation other.h5 --out run", 65, "vqgan_fingerprint"),
      ("train-gpt vqgan/model.json --out run", 65, "vqgan/model.json"),
      ("train-gpt nowhere.h5 --out run", 66, "nowhere.h5"),
      ("train-gpt --out run < /dev/null", 66, "standard input"),
      ("train-gpt --out run --resume", 66, "run"),
      ("train-gpt train.h5 --out run --heads 3", 64, "3 heads do not divide a width of 256"),
      ("train-gpt train.h5 --out run --dropout 1", 64, "--dropout"),
      ("train-gpt train.h5 --out run --pkeep 0", 64, "--pkeep"),
      ("train-gpt train.h5 --out run --learning-rate nan", 64, "--learning-rate"),
      ("sample-gpt --gpt nowhere --out images --codes-out images/grid.png", 64, ".h5"),
      ("sample-gpt --gpt nowhere --out images --count 99999999999", 64, "1...10000000"),
      ("train-gpt train.h5 --out run --steps 0", 64, "--steps"),
      ("train-gpt train.h5 --out run --batch-size 60000 --layers 4000 --width 60000", 64, "GiB"),
      ("train-gpt train.h5 --out run --batch-size 1000000000", 64, "--batch-size"),
      ("train-gpt train.h5 --out train.h5/run --steps 1", 73, "train.h5"),
      ("sample-gpt --out images < /dev/null", 66, "standard input"),
      ("ls train.h5 other.h5 | sample-gpt --out images", 65, "2 paths"),
      ("sample-gpt --gpt nowhere --out images", 66, "nowhere"),
      ("sample-gpt --gpt nowhere --out images --temperature 0", 64, "--greedy"),
      ("sample-gpt --gpt nowhere --out images --top-p 1.5", 64, "--top-p"),
      ("sample-gpt --gpt nowhere --out images --top-k 0", 64, "--top-k"),
    ])
  func exitCodes(command: String, status: Int32, message: String) throws {
    let stage = try Stage()
    let outcome = try shell(command, in: stage.folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.output == "")
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }

  @Test func aResumedRunKeepsItsOptions() throws {
    let stage = try Stage()
    let begun = try shell(
      "train-gpt train.h5 --out run \(Self.small) --steps 2 --threads 1 --quiet", in: stage.folder)
    #expect(begun.status == 0, "\(begun.errors)")
    for (options, key) in [
      ("--layers 2", "n_layer"), ("--dropout 0.5", "embd_pdrop"), ("--pkeep 0.5", "pkeep"),
      ("--batch-size 5", "batch_size"), ("--seed 5", "seed"), ("other.h5", "shards"),
      ("--validation held-out.h5", "validation"), ("--steps 1", "at step 2"),
    ] {
      let refused = try shell("train-gpt \(options) --out run --resume", in: stage.folder)
      #expect(refused.status == 64, "\(options): \(refused.errors)")
      #expect(refused.errors.contains(key), "\(options): \(refused.errors)")
    }
    let again = try shell(
      "train-gpt train.h5 --out run \(Self.small) --resume --steps 3 --quiet", in: stage.folder)
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.errors == "")
    let config = try RunFolder(stage.folder("run")).config(GPTRunConfig.self)
    #expect((config.steps, config.threads) == (3, 1))
    let header = try String(contentsOfFile: stage.folder("run/metrics.csv"), encoding: .utf8)
      .prefix { $0 != "\n" }
    #expect(header.contains("val/unigram_entropy"))
    let wrong = try shell("reconstruct x.png --vqgan run --out o", in: stage.folder)
    #expect(wrong.status == 65)
    #expect(wrong.errors.contains("kind \"gpt\", expected \"vqgan\""), "\(wrong.errors)")
  }

  @Test func repeatedShardsAreToldAndBatchesThatDoNotFitRefused() throws {
    let stage = try Stage()
    let twice = try shell(
      "train-gpt train.h5 train.h5 --validation train.h5 --out run \(Self.small) --steps 1 --quiet",
      in: stage.folder)
    #expect(twice.status == 0)
    #expect(twice.errors.contains("given twice"), "\(twice.errors)")
    #expect(twice.errors.contains("validated on"), "\(twice.errors)")
    // Keys and values of 10,000,000 samples: 2 · 6 positions · 40 layers · 64 channels, over a
    // tebibyte.
    let wide = try shell(
      """
      train-gpt train.h5 --out deep --layers 40 --heads 2 --width 64 --steps 1 --batch-size 1 \
        --quiet &&
      sample-gpt --gpt deep --count 10000000 --batch-size 10000000 --out images
      """, in: stage.folder)
    #expect(wide.status == 64, "\(wide.errors)")
    #expect(wide.errors.contains("GiB"), "\(wide.errors)")
  }

  @Test func runsAreNotOverwrittenAndCodesKeepTheirVQGAN() throws {
    let stage = try Stage()
    let train = "train-gpt other.h5 --out run \(Self.small) --steps 1 --quiet"
    #expect(try shell(train, in: stage.folder).status == 0)
    let again = try shell(train, in: stage.folder)
    #expect(again.status == 73)
    #expect(again.errors.contains("--resume"), "\(again.errors)")
    let sampled = try shell("sample-gpt --gpt run --out images", in: stage.folder)
    #expect(sampled.status == 65)
    #expect(sampled.errors.contains("f00d"), "\(sampled.errors)")
    #expect(sampled.output == "")
  }
}
