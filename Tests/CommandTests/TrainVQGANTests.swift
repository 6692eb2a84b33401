import Checkpoints
import DurableFiles
import Foundation
import Images
import Models
import Shards
import TestSupport
import Testing
import Training

@Suite("train-vqgan as a command")
struct TrainVQGANTests {
  /// A folder with 32×32 image shards: `train.h5` of 12 images, `held-out.h5` of 3 of the
  /// validation split.
  private static func stage() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (name, count, split) in [("train.h5", 12, "train"), ("held-out.h5", 3, "validation")] {
      try imageShard(folder(name), rows: count, height: 32, width: 32, split: split) { row in
        (0..<32 * 32 * 3).map { UInt8(truncatingIfNeeded: $0 / 96 * (row + 3) + $0) }
      }
    }
    return folder
  }

  private static let tiny = "--preset tiny --batch-size 2 --log-every 1 --quiet"

  @Test func theRunIsCompleteAndHeldOutImagesAreValidatedOn() throws {
    let folder = try Self.stage()
    let outcome = try shell(
      "ls *.h5 | train-vqgan --out run \(Self.tiny) --steps 3 --crop 16 --flip --accumulate 2",
      in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output == "run\n")
    #expect(outcome.errors == "")
    let run = RunFolder(folder("run"))
    let config = try run.config(VQGANRunConfig.self)
    #expect(config.shards == [folder("train.h5")])
    #expect(config.validation == [folder("held-out.h5")])
    #expect(config.preset == "tiny")
    #expect(config.augmentation == Augmentation(crop: 16, flips: true))
    let image = try ImageDecoder.decode(contentsOf: run.imagePath(step: 3))
    #expect(image.width > 2 * 16)
    let rows = try String(contentsOfFile: run.metricsPath, encoding: .utf8).split(separator: "\n")
    #expect(rows.count == 1 + 3 + 1, "a header, three steps, a validation")
  }

  @Test func signalsSaveAndTheRunGoesOnBitByBit() throws {
    let folder = try Self.stage()
    let stopped = try shell(
      """
      train-vqgan train.h5 --out run \(Self.tiny) --steps 1000000 --schedule constant --threads 1 \
        > out.txt &
      pid=$!
      for i in $(seq 300); do
        [ "$(wc -l < run/metrics.csv 2> /dev/null || echo 0)" -gt 2 ] && break
        sleep 0.1
      done
      train-vqgan train.h5 --out run --resume --quiet
      echo busy $? >> out.txt
      kill -TERM $pid
      wait $pid
      """, in: folder)
    #expect(stopped.status == 143, "\(stopped.errors)")
    #expect(try String(contentsOfFile: folder("out.txt"), encoding: .utf8) == "busy 75\n")
    #expect(stopped.errors.contains("another process"), "\(stopped.errors)")
    let last = try RunFolder(folder("run")).lastCheckpoint()
    let step = try RunFolder.decode(TrainingState.self, from: "\(last)/state.json").step
    #expect(step > 0)
    let resumed = try shell(
      """
      train-vqgan --out run --resume --steps \(step + 2) --quiet &&
      train-vqgan train.h5 --out whole \(Self.tiny) --steps \(step + 2) --schedule constant \
        --threads 1 &&
      cmp run/checkpoints/last/model.safetensors whole/checkpoints/last/model.safetensors
      """, in: folder)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.output == "run\nwhole\n")
  }

  @Test func aResumedRunKeepsItsOptions() throws {
    let folder = try Self.stage()
    let begun = try shell(
      "train-vqgan train.h5 --out run \(Self.tiny) --steps 2 --threads 1",
      in: folder)
    #expect(begun.status == 0, "\(begun.errors)")
    let stored = try RunFolder(folder("run")).config(VQGANRunConfig.self)
    for (options, key) in [
      ("--batch-size 4", "batch_size"), ("--seed 5", "seed"), ("--learning-rate 1", "peak"),
      ("--preset f16", "preset"), ("--set model.n_embed=128", "model.n_embed"),
      ("--disc-start 7", "disc_start"), ("--no-shuffle", "shuffles"), ("--flip", "flips"),
      ("held-out.h5", "shards"), ("--validation held-out.h5", "validation"),
      ("--perceptual lpips", "perceptual"), ("--config run/config.json", "--config"),
      ("--steps 1", "at step 2"),
    ] {
      let refused = try shell("train-vqgan \(options) --out run --resume", in: folder)
      #expect(refused.status == 64, "\(options): \(refused.errors)")
      #expect(refused.errors.contains(key), "\(options): \(refused.errors)")
      #expect(refused.output == "")
    }
    #expect(try RunFolder(folder("run")).config(VQGANRunConfig.self) == stored)

    // The same options again, other steps: the number of threads is that of the run.
    let again = try shell(
      "train-vqgan train.h5 --out run \(Self.tiny) --resume --steps 4", in: folder)
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.errors == "")
    let continued = try RunFolder(folder("run")).config(VQGANRunConfig.self)
    #expect((continued.steps, continued.threads) == (4, 1))
  }

  @Test func reconstructionsAreEvaluated() throws {
    let folder = try Self.stage()
    try imageShard(folder("one.h5"), rows: 1, height: 32, width: 32) { _ in
      [UInt8](repeating: 7, count: 32 * 32 * 3)
    }
    let trunk = PerceptualTrunk(.squeeze).withCountedWeights()
    for (name, prefix) in [("base", "features."), ("heads", "lin")] {
      try SafetensorsWriter.write(
        ModelFiles.entries(trunk).filter { $0.name.hasPrefix(prefix) },
        to: folder("\(name).safetensors"))
    }
    let lpips = "--lpips base.safetensors --lpips heads.safetensors"
    let outcome = try shell(
      """
      train-vqgan train.h5 --validation held-out.h5 --out run \(Self.tiny) --steps 5 \
        --evaluate-every 2 \(lpips) && tail -1 run/metrics.csv && head -1 run/metrics.csv
      train-vqgan --out run --resume --steps 6 --evaluate-every 2 \(lpips) --quiet
      train-vqgan train.h5 --validation held-out.h5 --out alone \(Self.tiny) --steps 1 \
        --evaluate-every 1 --features none \(lpips) && head -1 alone/metrics.csv
      """, in: folder)
    #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 6)
    #expect(
      lines[2].hasSuffix("val/codes_used,val/fd_latents,val/kd_latents,val/mind,val/lpips_squeeze"))
    let values = lines[1].split(separator: ",", omittingEmptySubsequences: false).suffix(4)
    #expect(values.allSatisfy { (Double($0) ?? -1).isFinite && Double($0) != nil }, "\(lines[1])")
    #expect(lines[5].hasSuffix("val/codes_used,val/lpips_squeeze"))
    for (options, status, words) in [
      ("--validation held-out.h5 --features latents", 64, "need --evaluate-every"),
      ("--evaluate-every 2", 64, "--validation"), ("--evaluate-every 0", 64, "--evaluate-every"),
      ("--evaluate-every 2 --validation one.h5", 65, "1 image, it needs at least 2"),
      ("--evaluate-every 2 --evaluate-count 1 --validation held-out.h5", 64, "images is 1"),
      ("--evaluate-every 2 --features vgg --validation held-out.h5", 64, "inception=FILE"),
      ("--evaluate-every 2 --features none --validation held-out.h5", 64, "no lpips"),
      ("--evaluate-every 2 --features lite0=nowhere --validation held-out.h5", 66, "nowhere"),
      (
        "--evaluate-every 2 --features lite0=base.safetensors --validation held-out.h5", 65, "_conv"
      ),
      ("--evaluate-every 2 --crop 16 \(lpips) --validation held-out.h5", 65, "25 pixels"),
      ("--evaluate-every 2 --input segmentation --validation held-out.h5", 64, "segmentation"),
    ] as [(String, Int32, String)] {
      let refused = try shell("train-vqgan train.h5 --out x \(Self.tiny) \(options)", in: folder)
      #expect(refused.status == status, "\(options): \(refused.errors)")
      #expect(refused.errors.contains(words), "\(options): \(refused.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder("x")), "\(options)")
    }
    let other = try shell("train-vqgan --out run --resume --evaluate-every 3", in: folder)
    #expect(other.status == 64 && other.errors.contains("evaluation.every"), "\(other.errors)")
  }

  @Test func anyNumberOfThreadsGivesTheSameBytes() throws {
    let folder = try Self.stage()
    let outcome = try shell(
      """
      train-vqgan train.h5 --out run \(Self.tiny) --steps 2 --threads 1
      train-vqgan --out run --resume --steps 4 --threads 3 --quiet
      train-vqgan train.h5 --out whole \(Self.tiny) --steps 4 --threads 2
      cmp run/checkpoints/last/model.safetensors whole/checkpoints/last/model.safetensors
      """, in: folder)
    #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")
  }

  @Test(
    "Mistakes lead to their exit codes and leave nothing",
    arguments: [
      ("nowhere.h5", 66, "nowhere.h5"),
      ("text.h5", 65, "text.h5"),
      ("train.h5 --validation nowhere.h5", 66, "nowhere.h5"),
      ("train.h5 --preset huge", 64, "f16, small, palette, tiles, tiny"),
      ("train.h5 --steps 0", 64, "--steps"),
      ("train.h5 --batch-size 1000000000", 64, "--batch-size"),
      ("train.h5 --preset f16 --batch-size 65536", 64, "GiB"),
      ("train.h5 --learning-rate nan", 64, "--learning-rate"),
      ("train.h5 --crop 9999", 65, "--crop 9999"),
      ("train.h5 --preset small --crop 20", 65, "multiples of 8"),
      ("train.h5 --perceptual nowhere", 66, "nowhere"),
      ("train.h5 --init-from nowhere", 66, "nowhere: no checkpoint"),
      ("train.h5 --config nowhere", 66, "nowhere"),
      ("train.h5 --config text.h5", 65, "text.h5: not JSON"),
      ("train.h5 --config gpt.json", 65, "kind \"gpt\", expected \"vqgan\""),
      ("train.h5 --set steps", 64, "key=value"),
      ("train.h5 --set stepz=4", 64, "no such key"),
      ("train.h5 --set model.quantizer.sign=normalized", 64, "no such key"),
      ("train.h5 --set model.quantizer.signs=odd", 64, "it is now the default"),
      ("train.h5 --set model.quantizer.signs=open_magvit2", 64, "signs are for the kind lfq"),
      ("train.h5 --set steps=abc", 64, "it is now 10000"),
      ("train.h5 --set batch_size=0", 64, "batch_size is 0"),
      ("train.h5 --set keep_checkpoints=0", 64, "keep_checkpoints is 0"),
      ("train.h5 --set learning_rate.warmup=-4", 64, "warmup is -4"),
      ("train.h5 --set log_every=0", 64, "log_every is 0"),
      ("train.h5 --set learning_rate.peak=-1", 64, "learning_rate.peak is -1"),
      ("train.h5 --set model.in_channels=5", 64, "in_channels is 5"),
      ("train.h5 --set model.n_embed=4000000000", 64, "n_embed"),
      ("train.h5 --set model.ch=48", 64, "multiple of 32"),
      ("train.h5 --set model.quantizer.decay=1", 64, "decay is 1"),
      ("train.h5 --set objective.adam_beta1=1", 64, "adam_beta1 is 1"),
      ("train.h5 --set objective.l1_weight=-1", 64, "l1_weight is -1"),
      ("train.h5 --set objective.discriminator.n_layers=9", 65, "n_layers 9"),
      ("train.h5 --resume", 66, "no checkpoint"),
    ])
  func exitCodes(options: String, status: Int32, message: String) throws {
    let folder = try Self.stage()
    try DurableFile.write(Array("text".utf8), to: folder("text.h5"))
    try DurableFile.write(Array(#"{"kind": "gpt"}"#.utf8), to: folder("gpt.json"))
    let outcome = try shell("train-vqgan \(options) --out run", in: folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.output == "")
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(!DurableFile.exists(folder("run/config.json")))
  }

  @Test func aConfigurationEditedByHandIsCheckedWhenResumed() throws {
    let folder = try Self.stage()
    let begun = "train-vqgan train.h5 --out run \(Self.tiny) --steps 1"
    #expect(try shell(begun, in: folder).status == 0)
    let again = try shell(begun, in: folder)
    #expect(again.status == 73)
    #expect(again.errors.contains("--resume"), "\(again.errors)")
    let outcome = try shell(
      "sed -i 's/\"batch_size\" : 2/\"batch_size\" : 0/' run/config.json && "
        + "train-vqgan --out run --resume",
      in: folder)
    #expect(outcome.status == 65)
    #expect(outcome.errors.contains("run/config.json: batch_size is 0"), "\(outcome.errors)")
  }
}
