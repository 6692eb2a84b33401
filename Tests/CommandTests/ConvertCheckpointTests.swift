import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite("convert-checkpoint as a command")
struct ConvertCheckpointTests {
  private let folder: TemporaryFolder
  private let environment: [String: String]

  init() throws {
    folder = try TemporaryFolder()
    environment = ["F": URL(fileURLWithPath: Fixture.path("x")).deletingLastPathComponent().path]
  }

  private func run(_ script: String) throws -> ShellOutcome {
    try shell(script, in: folder, environment: environment)
  }

  @Test func convertedModelsDrawImages() throws {
    let outcome = try run(
      """
      set -e
      convert-checkpoint $F/vqgan-tiny.ckpt --out vqgan --quiet
      convert-checkpoint $F/gpt-tiny.ckpt --heads 4 --vqgan vqgan --grid 2x3 --out gpt --quiet
      sample-gpt --gpt gpt --count 2 --out images --quiet
      convert-checkpoint gpt --to taming --out whole.ckpt --quiet
      mkdir configs checkpoints
      mv whole.ckpt checkpoints
      cat > configs/2021-project.yaml <<'YAML'
      model:
        target: taming.models.cond_transformer.Net2NetTransformer
        params:
          transformer_config: {params: {n_head: 4}}
          cond_stage_config: __is_unconditional__
      YAML
      sample-gpt --gpt checkpoints/whole.ckpt --vqgan $F/vqgan-tiny.ckpt --count 1 --out others \
        --quiet
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.output
        == [
          "vqgan", "gpt", "images/sample-00000.png", "images/sample-00001.png",
          "images/grid.png", "whole.ckpt", "others/sample-00000.png", "others/grid.png", "",
        ].joined(separator: "\n"))
    #expect(outcome.errors.hasPrefix("warning: whole.ckpt: the loss of the first stage"))
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  @Test func trainingStartsFromACheckpointOfTheReference() throws {
    let montezuma = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Datasets/montezuma").standardized.path
    let outcome = try run(
      """
      set -e
      prep-atari '\(montezuma)' --size 32 --limit 4 --out shards --quiet
      train-vqgan shards --preset f16 --init-from $F/vqgan-tiny.ckpt \
        --perceptual $F/vqgan-tiny.ckpt --disc-start 0 --steps 1 --batch-size 2 \
        --learning-rate 1e-12 --out run --quiet
      convert-checkpoint run --to taming --perceptual $F/vqgan-tiny.ckpt --out back.ckpt
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors == "")
    // A step that moves nothing but the statistics of the discriminator's norms.
    let original = try PyTorchFile(Fixture.path("vqgan-tiny.ckpt"))
    let back = try PyTorchFile(folder("back.ckpt"))
    #expect(back.names == original.names)
    #expect(back.notes["global_step"] == "1")
    for name in original.names where !name.contains("running_") && !name.hasSuffix("_tracked") {
      let expected = try original.floats(of: name)
      #expect(Distance(try back.floats(of: name), expected).largest < 1e-6, "\(name)")
    }
  }

  @Test func partsOfATransformer() throws {
    let outcome = try run(
      """
      set -e
      convert-checkpoint $F/vqgan-tiny.ckpt --out vqgan --quiet
      convert-checkpoint $F/gpt-tiny.ckpt --heads 4 --vqgan vqgan --out gpt --quiet
      convert-checkpoint gpt --to taming --out whole.ckpt --quiet
      convert-checkpoint whole.ckpt --extract first-stage --out first --quiet
      convert-checkpoint whole.ckpt --extract transformer --heads 4 --out alone --quiet
      ls first alone
      convert-checkpoint whole.ckpt --extract cond-stage --out second
      """)
    #expect(outcome.status == 65)
    #expect(outcome.errors.contains("its condition stage"), "\(outcome.errors)")
    #expect(outcome.output.contains("first:\nmodel.json\nmodel.safetensors\n"))
    #expect(!FileManager.default.fileExists(atPath: folder("second")))
  }

  @Test func tokenizersOfOtherFamilies() throws {
    let outcome = try run(
      """
      set -e
      T=$F/tokenizers
      for model in llamagen-vq16.pt open-magvit2.ckpt diffusers-ldm-f4 diffusers-amused; do
        convert-checkpoint $T/$model --out ${model%.*}-vqgan
        reconstruct $F/images/rgb-8.png --vqgan $T/$model --out seen-$model --json --quiet
        reconstruct $F/images/rgb-8.png --vqgan ${model%.*}-vqgan --out again-$model --json --quiet
        cmp seen-$model/0000-*.png again-$model/0000-*.png
      done
      convert-checkpoint $T/ibq-16384.ckpt --quantizer ibq --out by-word --quiet
      convert-checkpoint $T/ibq-16384.ckpt --project $T/ibq-16384.yaml --out by-project --quiet
      cmp by-word/model.safetensors by-project/model.safetensors
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    for title in ["LlamaGen VQGAN, f = 2", "Open-MAGVIT2 VQGAN", "diffusers VQGAN"] {
      #expect(outcome.errors.contains(title), "\(outcome.errors)")
    }
  }

  /// A converted folder whose weights are not those of its description, or are whole numbers.
  @Test(arguments: [
    ("decoder.conv_in.weight", "turned", "of another shape: decoder.conv_in.weight ["),
    ("quantize.embedding.weight", "half", "of another shape: quantize.embedding.weight ["),
    ("encoder.more", "more", "1 unexpected: encoder.more"),
    ("encoder.conv_in.bias", "integers", "of integers instead of floats: encoder.conv_in.bias I64"),
  ])
  func aFolderThatDoesNotFitGoesNowhere(name: String, kind: String, message: String) throws {
    let made = try run("convert-checkpoint $F/vqgan-tiny.ckpt --out vqgan --quiet")
    #expect(made.status == 0, "\(made.errors)")
    let path = folder("vqgan/model.safetensors")
    try FileManager.default.moveItem(atPath: path, toPath: folder("whole"))
    let file = try SafetensorsFile(folder("whole"))
    var entries = try file.names.filter { $0 != name }.map { try file.entry(of: $0, as: $0) }
    let shape = kind == "more" ? [2] : try file.shape(of: name)
    let count = shape.reduce(1, *)
    let entry =
      switch kind {
      case "turned":
        SafetensorsEntry(
          name, shape: shape.reversed(), floats: [Float](repeating: 1, count: count))
      case "half":
        SafetensorsEntry(
          name, shape: [shape[0] / 2] + shape.dropFirst(),
          floats: [Float](repeating: 1, count: count / 2))
      case "integers":
        SafetensorsEntry(name, shape: shape, integers: [Int](repeating: 1, count: count))
      default: SafetensorsEntry(name, shape: shape, floats: [1, 2])
      }
    entries.append(entry)
    try SafetensorsWriter.write(entries, to: path)
    for command in [
      "convert-checkpoint vqgan --to taming --out v.ckpt --quiet",
      "reconstruct $F/images/rgb-8.png --vqgan vqgan --out seen --quiet",
    ] {
      let outcome = try run(command)
      #expect(outcome.status == 65, "\(outcome)")
      #expect(outcome.output == "")
      #expect(
        outcome.errors.contains(": vqgan/model.safetensors: not the weights of this model; ")
          && outcome.errors.contains(message), "\(outcome.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder("v.ckpt")))
  }

  /// A pickle that would make a file where Python loads it.
  @Test func codeIsReportedAndNotRun() throws {
    var stream = try Fixture.data("lpips-vgg.pth")
    let object = try #require(stream.firstRange(of: Data("ccollections\n".utf8)))
    stream.insert(
      contentsOf: Data("cposix\nsystem\nU\u{c}touch canary".utf8) + [0x85] + Data("R".utf8),
      at: object.lowerBound)
    try stream.write(to: URL(fileURLWithPath: folder("evil.pth")))
    let outcome = try run(
      """
      convert-checkpoint evil.pth --out x --verbose
      echo $?
      convert-checkpoint $F/vqgan-tiny.ckpt --ignore loss. --out vqgan --quiet
      ls
      """)
    for command in [
      "reconstruct $F/images/rgb-8.png --vqgan evil.pth --out a",
      "encode-dataset x.h5 --vqgan evil.pth --out b", "sample-gpt --gpt evil.pth --out c",
      "convert-checkpoint $F/gpt-tiny.ckpt --heads 4 --vqgan evil.pth --out d",
      "convert-checkpoint vqgan --to taming --perceptual evil.pth --out e",
    ] {
      let outcome = try run(command)
      #expect(outcome.status == 65, "\(command): \(outcome.errors)")
      let told = outcome.errors.split(separator: "\n").filter { $0.contains("posix.system") }
      #expect(told.count == 1, "\(command): \(outcome.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder("canary")))
    #expect(outcome.errors.contains("evil.pth: names posix.system"), "\(outcome.errors)")
    #expect(outcome.errors.contains("do not load this file with Python"))
    #expect(outcome.output == "65\nvqgan\nevil.pth\nvqgan\n")
  }

  @Test(
    "Mistakes lead to their exit codes and leave nothing",
    arguments: [
      ("convert-checkpoint nowhere.ckpt --out x", 66, "nowhere.ckpt"),
      ("convert-checkpoint $F/gpt-tiny.json --out x", 65, "an unknown format"),
      ("convert-checkpoint $F/gpt-tiny.ckpt --out x", 65, "--heads"),
      ("convert-checkpoint $F/gpt-tiny.ckpt --heads 4 --out x", 65, "--vqgan"),
      ("convert-checkpoint $F/gpt-tiny.ckpt --heads 5 --vqgan $F/vqgan-tiny.ckpt --out x", 64, "5"),
      (
        "convert-checkpoint $F/gpt-tiny.ckpt --heads 4 --vqgan $F/vqgan-tiny.ckpt --grid 9x9 "
          + "--out x",
        65, "81 codes"
      ),
      ("convert-checkpoint $F/gpt-tiny.ckpt --grid 9 --out x", 64, "--grid"),
      ("convert-checkpoint $F/lpips-vgg.pth --out x", 65, "VGG16"),
      ("convert-checkpoint $F/pytorch-views.pt --out x", 65, "no known model"),
      (
        "convert-checkpoint $F/vqgan-tiny.ckpt --ignore quantize. --out x", 65, "quantize.embedding"
      ),
      ("convert-checkpoint $F/vqgan-tiny.ckpt --extract transformer --out x", 65, "a VQGAN"),
      ("convert-checkpoint $F/vqgan-tiny.ckpt --perceptual a --out x", 64, "--perceptual"),
      ("convert-checkpoint $F/vqgan-tiny.ckpt --project nowhere.yaml --out x", 66, "nowhere.yaml"),
      ("convert-checkpoint $F/vqgan-tiny.ckpt --to taming --heads 3 --out x", 64, "--heads"),
      ("convert-checkpoint $F/vqgan-tiny.ckpt --out no/such/folder", 73, "no/such/folder"),
      ("convert-checkpoint $F/tokenizers/ibq-16384.ckpt --out x", 65, "--quantizer ibq"),
      ("convert-checkpoint $F/tokenizers/ibq-16384.ckpt --quantizer fsq --out x", 64, "fsq"),
      ("convert-checkpoint $F/vqgan-tiny.ckpt --to taming --quantizer ibq --out x", 64, "writing"),
      (
        "convert-checkpoint $F/tokenizers/llamagen-vq16.pt --quantizer ibq --out x", 65, "LlamaGen"
      ),
      (
        "convert-checkpoint $F/tokenizers/diffusers-ldm-f4 --ignore encoder.conv_out --out x", 65,
        "encoder.conv_out"
      ),
      (
        "touch here; convert-checkpoint $F/vqgan-tiny.ckpt --out here; s=$?; rm here; exit $s", 73,
        "here"
      ),
    ])
  func exitCodes(command: String, status: Int32, message: String) throws {
    let outcome = try run(command)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.output == "")
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }
}
