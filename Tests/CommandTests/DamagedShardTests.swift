import Foundation
import TestSupport
import Testing

/// Shards that kill libhdf5, and folders that are not whole, in every command that opens shards.
@Suite("Damaged shards as input of commands")
struct DamagedShardTests {
  private let stage: GPTCommandTests.Stage
  private let environment: [String: String]

  init() throws {
    stage = try GPTCommandTests.Stage()
    environment = [
      "D": Fixture.path("damaged-shards"),
      "M": URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Datasets/montezuma").standardized.path,
    ]
  }

  private func run(_ script: String, seconds: Int = 120) throws -> ShellOutcome {
    try shell(script, in: stage.folder, environment: environment, seconds: seconds)
  }

  @Test(
    arguments: [
      "shard-info @", "shard-info @ --verify", "shard-info @ --preview x.png",
      "encode-dataset @ --vqgan vqgan --out codes", "reconstruct @ --vqgan vqgan --out seen",
      "codebook-report @ --out report", "train-vqgan @ --preset tiny --steps 1 --out v",
      "train-gpt @ --steps 1 --out g", "train-gpt train.h5 --validation @ --steps 1 --out g",
      "sample-gpt --gpt gpt --count 1 --from-codes @ --half top --out images",
      "sample-gpt --gpt gpt --count 1 --from-image @ --half top --out images",
      "train-vqgan whole.h5 --validation @ --preset tiny --steps 1 --out v",
      "train-vqgan @ --input segmentation --preset tiny --steps 1 --out v",
      "encode-dataset @ --vqgan vqgan --condition-vqgan vqgan --out codes",
      "score @ --gpt gpt", "score train.h5 @ --gpt gpt --out scores",
      "decode-dataset @ --vqgan vqgan --out images",
      "decode-dataset @ --vqgan vqgan --images --out p",
      "shard-export @ --out e",
      "evaluate @ whole.h5 --paired", "evaluate whole.h5 @ --vqgan vqgan --paired",
      "evaluate train.h5 train.h5 --vqgan vqgan --copies @",
    ])
  func deadlyShards(command: String) throws {
    if command.contains("--gpt gpt") {
      let made = try run(
        "train-gpt train.h5 --layers 1 --heads 2 --width 16 --steps 1 --out gpt --quiet")
      #expect(made.status == 0, "\(made.errors)")
    }
    try imageShard(stage.folder("whole.h5"), rows: 2) { _ in [UInt8](repeating: 7, count: 768) }
    for name in ["hang-two-bytes", "crash-one-bit-2205", "sector-zeroed-coco-90112"] {
      let line = command.replacing("@", with: "$D/\(name).h5")
      let outcome = try run("\(line) --quiet", seconds: 20)
      #expect(outcome.status == 65, "\(line): \(outcome.status) \(outcome.errors)")
      #expect("\(outcome.output)\(outcome.errors)".contains("\(name).h5: "), "\(outcome.errors)")
    }
  }

  @Test func silentDamageIsFound() throws {
    for command in [
      "shard-info --verify", "encode-dataset --vqgan vqgan --out C",
      "reconstruct --vqgan vqgan --out R",
      "train-vqgan --preset tiny --steps 1 --out V", "evaluate --paired $D/silent-zeroed-id.h5",
    ] {
      let numbers = try run("\(command) $D/silent-zeroed-id.h5 --quiet")
      #expect(numbers.status == 65, "\(command): \(numbers.errors)")
    }
    for command in ["train-gpt --steps 1 --out g", "decode-dataset --vqgan vqgan --out d"] {
      let split = try run("\(command) $D/silent-split-bit.h5 --quiet")
      #expect(split.status == 65)
      #expect(split.errors.contains("attribute `split` is \"walidation\""), "\(split.errors)")
    }
  }

  @Test func foldersThatAreNotWhole() throws {
    let outcome = try run(
      """
      prep-atari $M --size 16 --limit 20 --shard-size 5 --quiet --out S > /dev/null || exit 1
      try() { "$@" --quiet > out 2> err; echo $? $(cat out err); }
      cp -r S swapped; mv swapped/revenge-00000.h5 x
      mv swapped/revenge-00001.h5 swapped/revenge-00000.h5
      mv x swapped/revenge-00001.h5; try shard-info --verify swapped
      cp -r S missing; rm missing/revenge-00002.h5; try shard-info --verify missing
      try encode-dataset missing --vqgan vqgan --out C
      cp -r S part; rm part/revenge-0000[23].h5
      python3 -c 'import json; m = json.load(open("part/manifest.json")); del m["shards"][2:]; \
        json.dump(m, open("part/manifest.json", "w"))'
      try encode-dataset part --vqgan vqgan --out C
      try train-vqgan part --preset tiny --steps 1 --out V
      try reconstruct part --vqgan vqgan --out R
      try evaluate part S --paired
      try evaluate S part --paired
      try train-vqgan S --validation part --preset tiny --steps 1 --out V
      try shard-info --verify part
      try shard-info --verify part --partial
      try encode-dataset part --partial --vqgan vqgan --out C
      """)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    let unfinished = "part: only 2 of 4 planned shards are finished"
    try #require(lines.count == 12, "\(outcome.output)\(outcome.errors)")
    for (line, words) in zip(
      lines,
      [
        "revenge-00000.h5: holds what revenge-00001.h5 is to hold",
        "missing/revenge-00002.h5: no such file", "missing/revenge-00002.h5: no such file",
        unfinished, unfinished, unfinished, unfinished, unfinished, unfinished, unfinished,
      ])
    {
      #expect(line.hasPrefix("65 ") || line.hasPrefix("66 "), "\(line)")
      #expect(line.contains(words), "\(line)")
    }
    #expect(lines[10].hasPrefix("0 ") && lines[11].hasPrefix("0 "), "\(lines[10]) \(lines[11])")
  }

  /// Those of code shards, in the commands that read them.
  @Test func foldersOfCodesThatAreNotWhole() throws {
    let outcome = try run(
      """
      prep-atari $M --size 16 --limit 20 --shard-size 10 --quiet --out S > /dev/null || exit 1
      encode-dataset S --vqgan vqgan --quiet --out C > /dev/null || exit 2
      try() { "$@" --quiet > out 2> err; echo $? $(cat out err); }
      cp -r C missing; rm missing/revenge-00001.h5
      cp -r C part; rm part/revenge-00001.h5
      python3 -c 'import json; m = json.load(open("part/manifest.json")); del m["shards"][1:]; \
        json.dump(m, open("part/manifest.json", "w"))'
      for folder in missing part; do
        try decode-dataset $folder --vqgan vqgan --out D
        try evaluate $folder C --vqgan vqgan --paired
        try evaluate C C --vqgan vqgan --copies $folder
      done
      try decode-dataset part --partial --vqgan vqgan --out D
      """)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 7, "\(outcome.output)\(outcome.errors)")
    for line in lines[..<3] {
      #expect(line.hasPrefix("66 ") && line.contains("missing/revenge-00001"))
    }
    for line in lines[3..<6] {
      #expect(
        line.hasPrefix("65 ") && line.contains("part: only 1 of 2 planned shards are finished"),
        "\(line)")
    }
    #expect(lines[6].hasPrefix("0 "), "\(lines[6])")
  }

  @Test("A manifest that names files elsewhere has them neither read nor removed")
  func manifestsStayInTheirFolder() throws {
    let outcome = try run(
      """
      prep-atari $M --size 16 --limit 5 --quiet --out S > /dev/null || exit 1
      cp train.h5 keep.h5
      sed -i 's,"name" : "revenge-00000.h5","name" : "../keep.h5",' S/manifest.json
      shard-info --verify S; echo $?; prep-atari $M --size 16 --limit 5 --quiet --out S; echo $?
      ls keep.h5
      """)
    #expect(outcome.output.contains("the name of a shard is \"../keep.h5\""), "\(outcome.output)")
    #expect(outcome.output.hasSuffix("65\nkeep.h5\n"), "\(outcome.output)")
  }
}
