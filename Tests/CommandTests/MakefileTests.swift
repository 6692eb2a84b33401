import Foundation
import TestSupport
import Testing
import Training

/// The Makefile's experiments with stand-ins for the commands, which note their arguments in `log`.
private struct Workshop {
  let folder: TemporaryFolder
  private static let makefile = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Makefile").standardized.path

  init() throws {
    folder = try TemporaryFolder()
    let standIn = """
      #!/bin/sh
      echo "${0##*/} $*" >> log
      while [ $# -gt 0 ]; do [ "$1" != --out ] || out=$2; shift; done
      mkdir -p "$out"
      case ${0##*/} in
      train-*) touch "$out/config.json" ;;
      *) touch "$out/manifest.json" "$out/a-validation-00000.h5" ;;
      esac
      [ ! -e "$out.txt" ] || [ -s "$out.txt" ] || echo "early: $out.txt" >> log
      [ ! -e "fail-${0##*/}" ] || exit 74
      echo "$out/a.h5"

      """
    for name in [
      "prep-atari", "prep-coco", "train-vqgan", "reconstruct", "encode-dataset", "codebook-report",
      "train-gpt", "sample-gpt", "train-world", "dream",
    ] {
      try FileManager.default.createDirectory(
        atPath: folder("bin"), withIntermediateDirectories: true)
      try Data(standIn.utf8).write(to: URL(fileURLWithPath: folder("bin/\(name)")))
    }
    _ = try shell("chmod +x bin/*; mkdir -p coco/annotations", in: folder)
  }

  /// The commands that a call of make ran, in their order.
  func make(_ arguments: String, in run: String = "demo", status: Int32 = 0) throws -> [String] {
    let outcome = try shell(
      """
      rm -f log; sleep 0.02; touch log
      unset MAKEFLAGS MAKELEVEL MFLAGS  # those of the make that runs the tests
      make -s -f '\(Self.makefile)' BIN=bin COCO=coco runs/\(run)/images.txt \(arguments)
      status=$?; cat log; exit $status
      """, in: folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    return outcome.output.split(separator: "\n").map(String.init)
  }
}

private func names(_ commands: [String]) -> [String] {
  commands.map { String($0.prefix { $0 != " " }) }
}

@Suite("The experiments of the Makefile")
struct MakefileTests {
  private static let fromVQGAN = [
    "train-vqgan", "reconstruct", "encode-dataset", "codebook-report", "encode-dataset",
    "train-gpt", "sample-gpt",
  ]

  @Test func whatHasNotChangedIsNotDoneAgain() throws {
    let shop = try Workshop()
    let first = try shop.make("")
    #expect(names(first) == ["prep-atari"] + Self.fromVQGAN)
    #expect(
      first[0] == "prep-atari Datasets/montezuma --size 104 --holdout 30,32 --out runs/demo/shards")
    #expect(first[1].contains("--preset small") && first[1].hasSuffix("--steps 4500"))
    #expect(try shop.make("") == [])
  }

  @Test func aChangedOptionIsFollowedByAllThatDependsOnIt() throws {
    let shop = try Workshop()
    _ = try shop.make("")
    for change in ["DEMO_SIZE=64", "DEMO_SIZE=64 DATA=frames"] {
      let commands = try shop.make(change)
      #expect(names(commands) == ["prep-atari"] + Self.fromVQGAN, "\(change)")
      #expect(!commands.contains { $0.contains("--resume") }, "\(commands)")
      #expect(try shop.make(change) == [])
    }
    // What was trained on the other frames is kept aside.
    let runs = try FileManager.default.contentsOfDirectory(atPath: shop.folder("runs/demo"))
    #expect(runs.contains { $0.hasPrefix("vqgan.2") } && runs.contains { $0.hasPrefix("gpt.2") })
  }

  @Test func moreStepsGoOnWithTheSameRun() throws {
    let shop = try Workshop()
    _ = try shop.make("")
    let vqgan = try shop.make("DEMO_VQGAN_STEPS=6000")
    #expect(names(vqgan) == Self.fromVQGAN)
    #expect(vqgan[0] == "train-vqgan --out runs/demo/vqgan --resume --steps 6000")
    // Other codes: the GPT starts anew.
    #expect(vqgan[5].hasPrefix("train-gpt --out runs/demo/gpt --batch-size 4"), "\(vqgan)")
    #expect(!vqgan[5].contains("--resume"))
    let gpt = try shop.make("DEMO_VQGAN_STEPS=6000 DEMO_GPT_STEPS=3000")
    #expect(
      gpt == [
        "train-gpt --out runs/demo/gpt --resume --steps 3000",
        "sample-gpt --gpt runs/demo/gpt --vqgan runs/demo/vqgan --count 16 --top-p 0.95 "
          + "--out runs/demo/samples",
      ])
  }

  @Test func whatWasCutShortGoesOn() throws {
    let shop = try Workshop()
    for (index, name) in ["prep-atari", "train-vqgan", "train-gpt"].enumerated() {
      _ = try shell("rm -f fail-*; touch fail-\(name)", in: shop.folder)
      let failed = try shop.make("", status: 2)
      #expect(names(failed).last == name)
      #expect(failed.contains { $0.contains("--resume") } == (index > 1), "\(failed)")
    }
    _ = try shell("rm -f fail-*", in: shop.folder)
    let last = try shop.make("")
    #expect(last[0] == "train-gpt --out runs/demo/gpt --resume --steps 2400")
    let aside = try FileManager.default.contentsOfDirectory(atPath: shop.folder("runs/demo"))
    #expect(!aside.contains { $0.hasPrefix("vqgan.2") }, "\(aside)")
  }

  /// Native frames, and a world model of recordings, both of tiles.
  @Test func montezumaAndTheDreamAreOfTiles() throws {
    let shop = try Workshop()
    let frames = try shop.make("", in: "montezuma")
    #expect(names(frames) == ["prep-atari"] + Self.fromVQGAN)
    #expect(frames[0].contains("--palette --holdout 30,32") && !frames[0].contains("--size"))
    #expect(frames[1].contains("--preset tiles --validation") && frames[1].hasSuffix("--steps 100"))

    _ = try shell(
      """
      mkdir -p .venv/bin Tests
      touch Tests/requirements.txt; touch .venv/ready; touch .venv/atari
      printf '#!/bin/sh\necho "record $*" >> log\n' > .venv/bin/python; chmod +x .venv/bin/python
      """, in: shop.folder)
    let more = "runs/dream/card.txt runs/dream/reconstructions.txt"
    let dream = try shop.make(more).filter { !$0.contains("runs/demo") }
    #expect(dream.filter { $0.hasPrefix("record ") }.count == 2)
    #expect(
      names(dream.filter { !$0.hasPrefix("record ") }) == [
        "prep-atari", "train-vqgan", "encode-dataset", "encode-dataset", "train-world", "dream",
        "dream", "reconstruct",
      ], "\(dream)")
    #expect(dream.contains { $0.hasPrefix("train-world --out runs/dream/world --keep-best") })
    #expect(dream.contains { $0.contains("--known runs/dream/codes --evaluate") })
    #expect(try shop.make(more) == [])
    let longer = try shop.make("\(more) DREAM_WORLD_STEPS=9000")
    #expect(names(longer) == ["train-world", "dream", "dream"])
    #expect(longer[0] == "train-world --out runs/dream/world --resume --steps 9000")
  }

  @Test func cocoTakesAMarginAndNewAnnotations() throws {
    let shop = try Workshop()
    let options = "SIZE=64 PRESET=tiny STEPS=5"
    let plain = try shop.make(options, in: "coco-tiny-64")
    #expect(names(plain) == ["prep-coco"] + Self.fromVQGAN)
    #expect(!plain.contains { $0.contains("--margin") || $0.contains("--crop") })
    let wide = try shop.make("\(options) MARGIN=8", in: "coco-tiny-64")
    #expect(names(wide) == ["prep-coco"] + Self.fromVQGAN)
    #expect(
      wide[0]
        == "prep-coco coco --size 64 --margin 8 --holdout 10 --out runs/coco-tiny-64/wide")
    #expect(wide[1].contains("--crop 64") && wide[1].contains("/shards/a-validation-00000.h5"))
    #expect(try shop.make("\(options) MARGIN=8", in: "coco-tiny-64") == [])

    _ = try shell(
      "sleep 0.02; touch coco/annotations/captions_train2017.json; mkdir coco/val2017",
      in: shop.folder)
    let other = try shop.make("\(options) MARGIN=8", in: "coco-tiny-64")
    #expect(names(other) == ["prep-coco", "prep-coco"] + Self.fromVQGAN)
    #expect(other.contains { $0.contains("--split both --out runs/coco-tiny-64/shards") })
    #expect(other.contains { $0.contains("--split train --out runs/coco-tiny-64/wide") })
  }

  @Test func labelMapsAreEncodedAndConditionTheGPT() throws {
    let shop = try Workshop()
    let run = "coco-tiny-64-annotations"
    let options = "SIZE=64 PRESET=tiny STEPS=5 SEGMENTATION=annotations"
    let commands = try shop.make(options, in: run)
    #expect(
      names(commands).sorted() == (["prep-coco", "train-vqgan"] + Self.fromVQGAN).sorted(),
      "\(commands)")
    #expect(commands[0].contains("--segmentation annotations"))
    #expect(commands.contains { $0.contains("--input segmentation --preset tiny") })
    let encoded = commands.filter { $0.hasPrefix("encode-dataset") }
    #expect(encoded.allSatisfy { $0.contains("--condition-vqgan runs/\(run)/segmentation") })
    #expect(commands.contains { $0.hasPrefix("train-gpt") && $0.contains("--condition codes") })
    #expect(
      commands.last { $0.hasPrefix("sample-gpt") }?.contains("--temperature 0.5,1,2 --top-k 100")
        == true)
    #expect(try shop.make(options, in: run) == [])
  }

  @Test func halvesAndLargerImagesFollowTheGPT() throws {
    let shop = try Workshop()
    let more = "runs/demo/half.txt runs/demo/larger.txt HALF=left"
    let commands = try shop.make(more).filter { $0.hasPrefix("sample-gpt") }
    #expect(commands.count == 3)
    #expect(
      commands.contains { $0.contains("--count 8 --half left --temperature 0.5,1,2 --top-k 100") })
    #expect(commands.contains { $0.contains("--scale 2 --count 4 --top-k 100") })
    #expect(try shop.make(more) == [])
    // Other ways of sampling: the same GPT, other images.
    let other = try shop.make("\(more) TEMPERATURES=1")
    #expect(other.count == 1 && other[0].contains("--half left --temperature 1 --top-k 100"))
  }

  @Test func halvesAndLargerImagesAreDrawnFromLabelMaps() throws {
    let shop = try Workshop()
    let run = "coco-tiny-64-annotations"
    let more = "runs/\(run)/half.txt runs/\(run)/larger.txt"
    let commands = try shop.make(
      "\(more) SIZE=64 PRESET=tiny STEPS=5 SEGMENTATION=annotations", in: run
    ).filter { $0.hasPrefix("sample-gpt") }
    #expect(commands.count == 3)
    for command in commands {
      #expect(
        command.contains("--segmentation runs/\(run)/shards/a-validation-00000.h5"), "\(command)")
    }
    let plain = try shop.make(
      "runs/coco-tiny-64/half.txt runs/coco-tiny-64/larger.txt SIZE=64 PRESET=tiny STEPS=5",
      in: "coco-tiny-64")
    #expect(!plain.contains { $0.contains("--segmentation") }, "\(plain)")
  }

  /// The commands themselves take the options that the Makefile gives to their stand-ins; the model
  /// is made small.
  @Test func theCommandsTakeTheOptions() throws {
    let shop = try Workshop()
    let run = "coco-f16-256-annotations"
    _ = try shop.make("PRESET=f16 SEGMENTATION=annotations", in: run)
    try writeMapShard(shop.folder("S.h5"), side: 32, labels: [182, 182])
    let small =
      "--set model.ch=32 --set model.embed_dim=32 --set model.z_channels=32 --batch-size 1 "
      + "--steps 1 --quiet"
    let outcome = try shell(
      """
      set -e
      cd runs/\(run)
      train-vqgan ../../S.h5 $(cat vqgan.options) \(small) --out V
      train-vqgan ../../S.h5 $(cat segmentation.options) \(small) --out M
      encode-dataset ../../S.h5 --vqgan V --condition-vqgan M --out C --quiet
      train-gpt C $(cat gpt.options) --layers 1 --heads 2 --width 16 --batch-size 1 --steps 1 \
        --quiet --out G
      """, in: shop.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let config = try RunFolder(shop.folder("runs/\(run)/V")).config(VQGANRunConfig.self)
    #expect(config.preset == "f16" && config.model.nEmbed == 8192)
    #expect(config.augmentation.flips)
  }
}
