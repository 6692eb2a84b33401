import Foundation
import Shards
import TestSupport
import Testing
import Training

@Suite("train-vqgan --freeze, and what its codes are good for")
struct FreezeCommandTests {
  private let folder: TemporaryFolder
  private let montezuma = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Datasets/montezuma").standardized.path

  init() throws {
    folder = try TemporaryFolder()
    let ready = try run(
      """
      set -e
      prep-atari $M --size 32 --limit 8 --quiet --out S > shards
      train-vqgan S --preset tiny --steps 2 --batch-size 2 --ema 0.9 --out V --quiet > /dev/null
      encode-dataset S --vqgan V --out C --quiet > codes
      \(Self.tune) --freeze encoder,codebook --out T > /dev/null
      \(Self.tune) --freeze decoder --out E > /dev/null
      """)
    try #require(ready.status == 0, "\(ready.errors)")
  }

  private static let tune =
    "train-vqgan S --init-from V --preset tiny --steps 3 --batch-size 2 --learning-rate 0.01 "
    + "--quiet"

  private func run(_ script: String) throws -> ShellOutcome {
    try shell(script, in: folder, environment: ["M": montezuma], seconds: 600)
  }

  private func stage(_ run: String) throws -> VQGANFingerprints {
    try FirstStage.load(folder(run)).fingerprints
  }

  @Test func codesOutliveTheirDecoder() throws {
    let (first, tuned, other) = (try stage("V"), try stage("T"), try stage("E"))
    #expect(first.codes == tuned.codes && first.decoder != tuned.decoder)
    #expect(first.codes != other.codes && first.decoder == other.decoder)
    let outcome = try run(
      """
      set -e
      decode-dataset C --vqgan V --out DV --quiet
      decode-dataset C --vqgan T --out DT --quiet
      codebook-report C --vqgan T --out B --quiet
      train-gpt C --layers 1 --heads 2 --width 16 --steps 2 --batch-size 4 --out G --quiet
      sample-gpt --gpt G --count 1 --out I --quiet
      sample-gpt --gpt G --vqgan T --count 1 --out J --quiet
      sample-gpt --gpt G --vqgan V --count 3 --shard-size 1 --shards-out D --quiet
      rm D/samples-00001.h5
      sample-gpt --gpt G --vqgan T --count 3 --shard-size 1 --shards-out D --quiet
      decode-dataset D --vqgan T --images --out DI --quiet
      encode-dataset S --vqgan T --out C --quiet
      sha256sum C/*.h5 > sums
      rm -rf C; encode-dataset S --vqgan T --out C --quiet
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let images = try ["DV", "DT"].map {
      try ImageShardReader(folder("\($0)/revenge-00000.h5")).pixels(0)
    }
    #expect(images[0] != images[1])
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: folder("I/grid.png")))
        != Data(contentsOf: URL(fileURLWithPath: folder("J/grid.png"))))
    // The tuned VQGAN makes the same codes.
    let codes = try CodeShardReader(folder("C/revenge-00000.h5")).codes(0)
    #expect(codes.count == 64)
  }

  @Test func whatDoesNotFitIsRefused() throws {
    for (name, path) in [("old.h5", folder("V")), ("lost.h5", "")] {
      try codeShard(
        folder(name), rows: 4, grid: (8, 8), fingerprint: try stage("V").vqgan, vqgan: path
      ) { row in ((0..<64).map { Int32(($0 * 5 + row) % 64) }, nil) }
    }
    let small = "--layers 1 --heads 2 --width 16 --steps 2 --batch-size 4 --quiet"
    let ready = try run(
      """
      set -e
      train-gpt C \(small) --out G
      train-gpt old.h5 \(small) --out H
      train-gpt old.h5 C \(small) --out K
      train-gpt lost.h5 \(small) --out L
      decode-dataset old.h5 --vqgan V --out O --quiet
      decode-dataset old.h5 --vqgan T --out OT --quiet
      decode-dataset lost.h5 --vqgan V --out OL --quiet
      sample-gpt --gpt H --vqgan T --count 1 --out IT --quiet
      sample-gpt --gpt L --vqgan V --count 1 --out IL --quiet
      decode-dataset C --vqgan V --out DV --quiet
      codebook-report old.h5 --vqgan V --out B --quiet
      sample-gpt --gpt H --vqgan V --count 1 --out I --quiet
      sample-gpt --gpt H --count 1 --out J --quiet
      """)
    try #require(ready.status == 0, "\(ready.errors)")
    let cases: [(script: String, status: Int32, says: String)] = [
      ("decode-dataset C --vqgan E --out X", 65, "codes_fingerprint"),
      ("codebook-report C --vqgan E --out X", 65, "codes_fingerprint"),
      ("sample-gpt --gpt G --vqgan E --out X", 65, "codes_fingerprint"),
      ("encode-dataset S --vqgan E --out C", 64, "codes_fingerprint"),
      ("decode-dataset C --vqgan T --out DV", 64, "decoder_fingerprint"),
      ("decode-dataset old.h5 --vqgan E --out X", 65, "codes_fingerprint"),
      ("decode-dataset lost.h5 --vqgan T --out X", 65, "vqgan_fingerprint"),
      ("sample-gpt --gpt L --vqgan T --out X", 65, "vqgan_fingerprint"),
      ("train-vqgan S --freeze codec --init-from V --out X", 64, "codec"),
      (
        "train-vqgan S --freeze codec --init-from V --out X", 64,
        "encoder, codebook, decoder, discriminator"
      ), ("decode-dataset C --vqgan E --out X", 65, "another encoder or codebook"),
      ("train-vqgan S --freeze encoder --out X", 64, "--init-from"),
      ("train-vqgan S --ramp -1 --out X", 64, "--ramp"),
      (
        "train-vqgan S --init-from V --freeze encoder,codebook,decoder,discriminator --out X", 64,
        "every part"
      ),
      (
        "train-vqgan S --init-from V --freeze discriminator --set objective.discriminator.ndf=8 "
          + "--out X", 65, "no discriminator"
      ),
      ("train-vqgan --out T --resume --freeze decoder", 64, "objective.freeze"),
    ]
    for (script, status, says) in cases {
      let outcome = try run(script)
      #expect(outcome.status == status, "\(script): \(outcome.errors)")
      #expect(outcome.errors.contains(says), "\(script): \(outcome.errors)")
    }
  }

  /// Every new term together, stopped and resumed, with its columns.
  @Test func addedTermsHaveTheirColumns() throws {
    let outcome = try run(
      """
      train-vqgan S --preset tiny --steps 4 --batch-size 2 --disc-start 1 --ramp 2 --log-every 1 \
        --set objective.lecam_weight=0.01 --set objective.worst_weight=0.1 \
        --set objective.gen_loss=non_saturating --set objective.discriminator.normalization=group \
        --out A --quiet &&
      train-vqgan --out A --resume --steps 5 --quiet && head -1 A/metrics.csv &&
        head -1 V/metrics.csv
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n")
    try #require(lines.count == 4)
    #expect(lines[2].contains("train/worst_loss,train/lecam_loss"))
    #expect(!lines[3].contains("worst_loss") && !lines[3].contains("lecam_loss"))
    #expect(try FirstStageFile.open(folder("A")).discriminator?.normalization == .group)
    let export = try run("convert-checkpoint A --to taming --out a.ckpt")
    #expect(export.status == 0 && export.errors.contains("group norms"), "\(export.errors)")
  }
}
