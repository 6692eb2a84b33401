import Foundation
import Images
import Shards
import TestSupport
import Testing

private let montezuma = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../../Datasets/montezuma").standardized.path

@Suite("Kinds of codebooks, from images to samples")
struct CodebookCommandTests {
  @Test(
    arguments: [
      ("--quantizer fsq --levels 5,4,3", 60, 8, 1), ("--quantizer fsq --codes 256", 240, 8, 1),
      ("--quantizer fsq --codes 64000", 64_000, 8, 1),
      ("--quantizer lfq --codes 64", 64, 8, 1), ("--cosine --codes 32", 32, 8, 1),
      ("--quantizer simvq --quantizer-gradient rotation", 64, 8, 1),
      ("--quantizer moving_average --codes 16 --depth 2 --quantizer-dropout 0.2", 16, 16, 2),
      ("--quantizer fsq --levels 5,4,3 --depth 2 --quantizer-dropout 0.2", 60, 16, 2),
      ("--quantizer lfq --codes 64 --depth 3", 64, 24, 3),
      ("--cosine --codes 16 --depth 2", 16, 16, 2),
    ] as [(String, Int, Int, Int)])
  func imagesBecomeSamples(options: String, codes: Int, width: Int, depth: Int) throws {
    let folder = try TemporaryFolder()
    let outcome = try shell(
      """
      prep-atari '\(montezuma)' --size 32 --limit 12 --shard-size 16 --out S --quiet > s.txt &&
      train-vqgan S/*.h5 --preset tiny \(options) --steps 3 --batch-size 2 --threads 1 --out V \
        --quiet > v.txt &&
      encode-dataset S/*.h5 --vqgan V --out C --quiet > c.txt &&
      codebook-report C/*.h5 \(codes > 1000 ? "" : "--vqgan V") --out report --quiet > r.txt &&
      train-gpt C/*.h5 --layers 1 --heads 2 --width 16 --steps 2 --batch-size 4 --threads 1 \
        --out G --quiet > g.txt &&
      sample-gpt --gpt G --count 2 --out whole --codes-out drawn.h5 --quiet > w.txt &&
      sample-gpt --gpt G --count 2 --size 48x40 --out larger --animate moving.png --quiet > l.txt &&
      sample-gpt --gpt G --from-codes C --half left --count 1 --codes-out half.h5 --out half --quiet
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let shard = try CodeShardReader(folder("C/revenge-00000.h5"))
    #expect(shard.header.grid.codebookSize == codes)
    #expect((shard.header.grid.height, shard.header.grid.width) == (8, width))
    #expect(shard.header.grid.depth == depth)
    let drawn = try CodeShardReader(folder("drawn.h5"))
    #expect(drawn.header.grid == shard.header.grid)
    let image = try ImageDecoder.decode(contentsOf: folder("larger/sample-00000.png"))
    #expect((image.width, image.height) == (48, 40))
    // The left half of whole positions is that of the row.
    let completed = try CodeShardReader(folder("half.h5")).codes(0)
    let rows = try (0..<shard.count).map { try shard.codes($0) }
    #expect(
      rows.contains { row in
        (0..<8).allSatisfy { y in
          (0..<width / 2).allSatisfy { row[y * width + $0] == completed[y * width + $0] }
        }
      })
  }

  @Test(
    arguments: [
      ("--levels 2,3", 64, "levels"), ("--levels 1,5", 64, "1 to 20 levels, each 3 to 256"),
      ("--levels 256,256,256,256,256,256,256,256", 64, "64 bits"),
      ("--quantizer fsq --codes 77", 64, "--levels"),
      ("--quantizer lfq --codes 77", 64, "power of two"), ("--depth 9", 64, "--depth"),
      (
        "--quantizer ibq --depth 2", 64,
        "--depth goes with --quantizer gradient, moving_average, fsq, lfq or simvq, not ibq: "
      ),
      ("--set model.quantizer.kind=ibq --depth 2", 64, "longer than the latent"),
      ("--quantizer gumbel --depth 2", 64, "gumbel samples its entry"),
      ("--quantizer fsq --codes 256 --depth 7", 64, "finer than float32"),
      (
        "--quantizer gumbel --quantizer-gradient rotation", 64,
        "--quantizer-gradient rotation goes with --quantizer gradient, moving_average or "
          + "simvq, not "
      ),
      (
        "--quantizer fsq --cosine --codes 256", 64,
        "--cosine goes with --quantizer gradient or moving_average, not fsq."
      ),
      ("--quantizer fsq --cosine", 64, "--cosine goes with"),
      ("--levels 8,5 --cosine", 64, "--cosine goes with"),
      ("--quantizer lfq --levels 8,5", 64, "--levels is for --quantizer fsq, not lfq."),
      ("--quantizer-dropout 0.2", 64, "--quantizer-dropout 0.2 goes with --depth 2 or more."),
    ] as [(String, Int32, String)])
  func impossibleCodebooksAreExplained(options: String, status: Int32, message: String) throws {
    let folder = try TemporaryFolder()
    try imageShard(folder("a.h5"), rows: 2, height: 16, width: 16) { _ in
      [UInt8](repeating: 7, count: 16 * 16 * 3)
    }
    let outcome = try shell(
      "train-vqgan a.h5 --preset tiny \(options) --steps 1 --out V --quiet", in: folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }
}
