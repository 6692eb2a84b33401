import Foundation
import TestSupport
import Testing

/// Which of two sets of weights commands take.
@Suite("Averages and plain weights")
struct WeightChoiceTests {
  private let stage: GPTCommandTests.Stage
  private let montezuma = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Datasets/montezuma").standardized.path

  init() throws { stage = try GPTCommandTests.Stage() }

  private func run(_ script: String) throws -> ShellOutcome {
    try shell(script, in: stage.folder, environment: ["M": montezuma], seconds: 600)
  }

  /// A run whose averages are far from its weights, and what the commands take of it.
  @Test func exportsAndTrainingsFollowOneRule() throws {
    let outcome = try run(
      """
      set -e
      prep-atari $M --size 16 --limit 8 --quiet --out S > shards
      train-vqgan S --preset tiny --steps 4 --batch-size 4 --learning-rate 0.01 --ema 0.9 --out V \
        --quiet > /dev/null
      print() {
        rm -rf C; encode-dataset S --vqgan $1 --out C --quiet > /dev/null
        shard-info C | sed -n 's/.*vqgan_fingerprint = //p' | head -1
      }
      convert-checkpoint V --to taming --out ema.ckpt --quiet > /dev/null 2>&1
      convert-checkpoint V --to taming --weights plain --out plain.ckpt --quiet > /dev/null 2>&1
      start="--preset tiny --steps 1 --learning-rate 1e-30 --quiet"
      train-vqgan S $start --init-from V --out W > /dev/null
      train-vqgan S $start --init-from V --init-weights plain --out P > /dev/null
      print V; print ema.ckpt; print W; print plain.ckpt; print P
      """)
    let prints = outcome.output.split(separator: "\n")
    try #require(outcome.status == 0 && prints.count == 5, "\(outcome.errors)\(outcome.output)")
    #expect(prints[0] == prints[1] && prints[0] == prints[2], "the averages: \(prints)")
    #expect(prints[3] == prints[4] && prints[0] != prints[3], "the plain weights: \(prints)")
  }

  /// The GPT of an export is averaged, and so is its VQGAN.
  @Test func exportsOfGPTsToo() throws {
    let outcome = try run(
      """
      set -e
      prep-atari $M --size 16 --limit 8 --quiet --out S > shards
      train-vqgan S --preset tiny --steps 4 --batch-size 4 --learning-rate 0.01 --ema 0.9 --out V \
        --quiet > /dev/null
      encode-dataset S --vqgan V --out C --quiet > /dev/null
      small="--layers 1 --heads 2 --width 16 --steps 3 --batch-size 4 --quiet"
      train-gpt C $small --ema 0.9 --learning-rate 0.01 --out G > /dev/null
      convert-checkpoint G --to taming --out gpt.ckpt --quiet > /dev/null 2>&1
      convert-checkpoint gpt.ckpt --extract first-stage --out first --quiet > /dev/null
      rm -rf C; encode-dataset S --vqgan first --out C --quiet > /dev/null
      shard-info C | sed -n 's/.*vqgan_fingerprint = //p' | head -1
      rm -rf C; encode-dataset S --vqgan V --out C --quiet > /dev/null
      shard-info C | sed -n 's/.*vqgan_fingerprint = //p' | head -1
      for w in ema plain; do
        train-gpt C $small --steps 1 --learning-rate 1e-30 --init-from G --init-weights $w \
          --out $w > /dev/null
      done
      cmp G/checkpoints/last/ema.safetensors ema/checkpoints/last/model.safetensors
      cmp G/checkpoints/last/model.safetensors plain/checkpoints/last/model.safetensors
      """)
    let prints = outcome.output.split(separator: "\n")
    #expect(outcome.status == 0, "\(outcome.errors)\(outcome.output)")
    #expect(prints.count == 2 && prints[0] == prints[1], "\(prints)")
  }

  @Test(
    "Descriptions of 17 MB are refused before they are parsed",
    arguments: [
      ("vqgan/model.json", "encode-dataset train.h5 --vqgan vqgan --out C"),
      ("run/config.json", "train-vqgan --out run --resume"),
      ("big.json", "train-vqgan S --config big.json --out new"),
    ])
  func largeDescriptions(file: String, command: String) throws {
    let outcome = try run(
      """
      prep-atari $M --size 16 --limit 2 --quiet --out S > /dev/null
      mkdir run
      { printf '{"kind":"'; head -c 17000000 /dev/zero | tr '\\0' a; printf '"}'; } > \(file)
      \(command) --quiet
      """)
    #expect(outcome.status == 65, "\(outcome.errors)")
    #expect(outcome.errors.contains("\(file): 17000011 bytes"), "\(outcome.errors)")
  }

  /// Files that inputs name are opened as those that the user names: what is no regular file is
  /// refused, and waited for by nobody.
  @Test(arguments: ["pipe", "/dev/zero", "/etc/passwd"])
  func namedFilesAreOnlyRead(target: String) throws {
    let outcome = try run(
      """
      mkfifo pipe
      train-gpt train.h5 --layers 1 --heads 2 --width 16 --steps 1 --out gpt --quiet > /dev/null
      sed -i "s,$PWD/vqgan,\(target)," gpt/checkpoints/last/model.json
      timeout 10 sample-gpt --gpt gpt --count 1 --out images --quiet
      """)
    #expect([65, 66].contains(outcome.status), "\(outcome.status) \(outcome.errors)")
  }
}
