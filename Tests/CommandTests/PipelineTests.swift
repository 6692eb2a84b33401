import Foundation
import Images
import Shards
import TestSupport
import Testing

/// `Datasets/montezuma` of this repository.
private let montezuma = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../../Datasets/montezuma").standardized.path

/// Makes image shards `S/revenge-0000[01].h5` of 32×32 pixels and a barely trained VQGAN `V` of 8×8
/// codes.
private let prepared = """
  prep-atari '\(montezuma)' --size 32 --limit 24 --shard-size 16 --out S --quiet &&
  train-vqgan S/*.h5 --preset tiny --steps 2 --batch-size 2 --threads 1 --out V --quiet >/dev/null
  """

@Suite("The commands as a pipeline")
struct PipelineTests {
  @Test func framesBecomeSamples() throws {
    let folder = try TemporaryFolder()
    let ready = try shell(prepared, in: folder)
    #expect(ready.status == 0, "\(ready.errors)")
    #expect(ready.output == "S/revenge-00000.h5\nS/revenge-00001.h5\n")

    // As the manual writes it: every command finds its input on stdin.
    let outcome = try shell(
      """
      prep-atari '\(montezuma)' --size 32 --limit 24 --shard-size 16 --out S |
      encode-dataset --vqgan V --out C |
      train-gpt --layers 1 --heads 2 --width 16 --steps 2 --batch-size 4 --threads 1 --out G |
      sample-gpt --count 3 --out images
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 4)
    #expect(lines.last == "images/grid.png")
    for line in lines.dropLast() {
      let image = try ImageDecoder.decode(contentsOf: folder(line))
      #expect((image.width, image.height) == (32, 32))
    }

    let codes = try CodeShardSet(["C/revenge-00000.h5", "C/revenge-00001.h5"].map { folder($0) })
    let images = try ImageShardSet(["S/revenge-00000.h5", "S/revenge-00001.h5"].map { folder($0) })
    #expect((codes.count, codes.grid.height, codes.grid.width) == (24, 8, 8))
    #expect(codes.grid.codebookSize == 64)
    #expect(try codes.names == images.names)
    #expect(codes.labelNames == images.labelNames)
    #expect(try codes.labels("trajectory") == images.labels("trajectory"))

    // The same again changes nothing and says the same.
    let again = try shell(
      """
      sha256sum C/*.h5 > sums
      encode-dataset S/*.h5 --vqgan V --out C && sha256sum --check --quiet sums
      """, in: folder)
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.output == "C/revenge-00000.h5\nC/revenge-00001.h5\n")
    #expect(again.errors.contains("24 by an earlier run"))
    try reports(in: folder)
    try decoding(in: folder)
    try refusals(in: folder)
  }

  /// `decode-dataset` behind `sample-gpt`, to shards and, continued, to PNGs.
  private func decoding(in folder: TemporaryFolder) throws {
    let piped = try shell(
      """
      sample-gpt --gpt G --count 3 --shard-size 2 --shards-out D --quiet |
      decode-dataset --vqgan V --out DS --quiet --json
      """, in: folder)
    #expect(piped.status == 0, "\(piped.errors)")
    #expect(piped.output.split(separator: "\n").count == 2)
    #expect(piped.output.contains(#""path":"DS/samples-00000.h5","rows":2"#), "\(piped.output)")
    #expect(try ImageShardSet([folder("DS/samples-00000.h5")]).header.split == "samples")

    let images = "decode-dataset D --vqgan V --images --out DI"
    let first = try shell(images, in: folder)
    #expect(first.status == 0, "\(first.errors)")
    #expect(
      first.output
        == "DI/samples-00000-00000.png\nDI/samples-00000-00001.png\nDI/samples-00001-00000.png\n")
    let again = try shell("rm DI/samples-00000-00001.png && \(images)", in: folder)
    #expect(again.output == first.output)
    #expect(again.errors.contains("2 by an earlier run"), "\(again.errors)")
  }

  /// `reconstruct` and `codebook-report` on what the pipeline has left.
  private func reports(in folder: TemporaryFolder) throws {
    let images = try shell("reconstruct S --vqgan V --count 5 --out R --quiet", in: folder)
    #expect(images.status == 0, "\(images.errors)")
    let paths = images.output.split(separator: "\n").map(String.init)
    #expect(paths.count == 6)
    #expect(paths.last == "R/sheet.png")
    for path in paths { _ = try ImageDecoder.decode(contentsOf: folder(path)) }

    let metrics = try shell(
      "reconstruct \(paths[0]) S/revenge-00000.h5 --vqgan V --count 2 --out R2 --json", in: folder)
    #expect(metrics.status == 0, "\(metrics.errors)")
    let object = try jsonObject(metrics.output)
    #expect(object["pictures"] as? Int == 3)
    #expect(object["n_embed"] as? Int == 64)
    for key in ["psnr", "ssim", "mae", "codes_used"] {
      #expect(object[key] as? Double != nil, "\(key)")
    }

    let odd = try shell(
      "reconstruct R/sheet.png --vqgan V --size 20x12 --out R3 --json --per-image", in: folder)
    #expect(odd.status == 0, "\(odd.errors)")
    #expect(odd.errors.contains("scaled and cut to 20×12"))
    #expect(odd.output.split(separator: "\n").count == 2)

    let report = try shell("codebook-report C --vqgan V --out B --quiet", in: folder)
    #expect(report.status == 0, "\(report.errors)")
    #expect(report.output == "B/usage.png\nB/codebook.json\nB/codebook.png\n")
    let short = try shell("codebook-report C --json", in: folder)
    #expect(short.output.contains(#""codes":1536"#), "\(short.output)")
  }

  /// What is refused, with which exit code and an empty standard output.
  private func refusals(in folder: TemporaryFolder) throws {
    let other = try shell(
      "train-vqgan S --preset tiny --steps 1 --batch-size 1 --seed 9 --threads 1 --out V2 --quiet",
      in: folder)
    #expect(other.status == 0, "\(other.errors)")
    let cases: [(script: String, status: Int32, says: String)] = [
      ("encode-dataset nowhere.h5 --vqgan V --out X", 66, "nowhere.h5"),
      ("decode-dataset S --vqgan V --out X", 65, "vqgan-codes"),
      ("decode-dataset C --vqgan V2 --out X", 65, "fingerprint"),
      ("decode-dataset D --vqgan V --out DI", 64, "format"),
      ("true | decode-dataset --vqgan V --out X", 66, "standard input"),
      ("flock DS/.lock decode-dataset D --vqgan V --out DS", 75, "DS"),
      ("encode-dataset S --vqgan nowhere --out X", 66, "nowhere"),
      ("encode-dataset C --vqgan V --out X", 65, "vqgan-images"),
      ("encode-dataset S --vqgan V2 --out C", 64, "codes_fingerprint"),
      ("encode-dataset S --vqgan V --out S", 64, "S"),
      ("encode-dataset S --vqgan V --out X --batch-size 0", 64, "--batch-size"),
      ("encode-dataset S --out X", 64, "--vqgan"),
      ("encode-dataset S --vqgan V --out S/revenge-00000.h5/X", 73, "revenge-00000.h5"),
      ("true | encode-dataset --vqgan V --out X", 66, "standard input"),
      ("flock C/.lock encode-dataset S --vqgan V --out C", 75, "C"),
      ("encode-dataset S --vqgan V --out C >/dev/full", 74, "standard output"),
      ("codebook-report S", 65, "vqgan-codes"),
      ("codebook-report C --vqgan V2 --out X", 65, "fingerprint"),
      ("codebook-report C --vqgan V", 64, "--out"),
      ("reconstruct S --vqgan V --size 30 --out X", 64, "multiples of 4"),
      ("reconstruct C --vqgan V --out X", 65, "vqgan-images"),
      ("reconstruct S --vqgan V --count 0 --out X", 64, "--count"),
      ("reconstruct S --vqgan nowhere --count 1 --out R", 73, "R: holds 0000-"),
      ("codebook-report nowhere --out B", 73, "B: holds codebook.json"),
      ("sample-gpt --gpt nowhere --out images", 73, "images: holds grid.png"),
      ("sample-gpt --gpt nowhere --out X --codes-out C/revenge-00000.h5", 73, "exists already"),
      ("sample-gpt --gpt nowhere --out X --codes-out S/revenge-00000.h5", 73, "exists already"),
      ("sample-gpt --gpt nowhere --out X --codes-out nowhere/c.h5", 73, "nowhere/c.h5"),
      ("train-gpt S --out X", 65, "vqgan-codes"),
      ("train-gpt nowhere --out X", 66, "nowhere"),
      ("train-gpt C --out G", 73, "G"),
      ("sample-gpt --gpt nowhere --out X", 66, "nowhere"),
      ("sample-gpt --gpt G --vqgan V2 --out X", 65, "fingerprint"),
    ]
    for (script, status, says) in cases {
      let outcome = try shell(script, in: folder)
      #expect(outcome.status == status, "\(script): \(outcome.errors)")
      #expect(outcome.errors.contains(says), "\(script): \(outcome.errors)")
      #expect(outcome.output == "", "\(script)")
    }
  }
}
