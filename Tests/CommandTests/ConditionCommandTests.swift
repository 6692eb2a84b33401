import Checkpoints
import Foundation
import Images
import Models
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite("Conditions and ways of sampling as commands")
struct ConditionCommandTests {
  private static let small = "--layers 1 --heads 2 --width 16 --batch-size 4 --quiet"

  /// The folder of `GPTCommandTests`, whose rows have a column `room` of 0, 1, 2 in turns, and a
  /// GPT `G` that knows it.
  private func labelled() throws -> GPTCommandTests.Stage {
    let stage = try GPTCommandTests.Stage()
    try codeShard(
      stage.folder("rooms.h5"), rows: 12, grid: (2, 3), fingerprint: stage.fingerprint,
      vqgan: stage.folder("vqgan"),
      labels: [
        ("room", .int32((0..<12).map { Int32($0 % 3) })),
        ("weight", .float32((0..<12).map { Float($0) })),
      ]
    ) { row in ((0..<6).map { Int32((row % 3 * 20 + $0) % 64) }, nil) }
    return stage
  }

  @Test func labelsAreLearntAndDrawn() throws {
    let stage = try labelled()
    let trained = try shell(
      """
      train-gpt rooms.h5 --out G \(Self.small) --condition label:room --condition-dropout 0.2 \
        --ema 0.9 --clip 1 --dropout 0 --learning-rate 0.02 --steps 80 --batch-size 12 &&
      sample-gpt --gpt G --label 2,0 --greedy --guidance 1.5 --codes-out drawn.h5 --out P --quiet
      """, in: stage.folder)
    #expect(trained.status == 0, "\(trained.errors)")
    let description = try RunFolder.decode(
      GPTDescription.self, from: "\(RunFolder(stage.folder("G")).lastCheckpoint())/model.json")
    let label = LabelCondition(vocabulary: 3, column: "room")
    #expect(description.condition == GPTCondition(.label(label), nullToken: 3))
    #expect(
      FileManager.default.fileExists(
        atPath: "\(try RunFolder(stage.folder("G")).lastCheckpoint())/ema.safetensors"))
    let drawn = try CodeShardReader(stage.folder("drawn.h5"))
    #expect(try drawn.contents.labels("room") == .int32([2, 0]))
    #expect(try drawn.codes(0) == [40, 41, 42, 43, 44, 45])
    #expect(try drawn.codes(1) == [0, 1, 2, 3, 4, 5])

    // Half of a row is kept, and three temperatures make a sheet with the same random numbers in
    // each column.
    let swept = try shell(
      """
      sample-gpt --gpt G --from-codes rooms.h5 --half left --temperature 0.5,1 --top-k 5 --count 3 \
        --codes-out half.h5 --animate moving.png --out H --quiet
      """, in: stage.folder)
    #expect(swept.status == 0, "\(swept.errors)")
    #expect(swept.output.contains("H/sample-00002-T0.5-k5.png\n"))
    let half = try CodeShardReader(stage.folder("half.h5"))
    #expect(half.count == 6)
    let given = try CodeShardReader(stage.folder("rooms.h5"))
    for row in 0..<6 {
      let (kept, source) = (try half.codes(row), try given.codes(row % 3 * 4))
      #expect(kept[0] == source[0] && kept[3] == source[3], "row \(row)")
    }
    let moving = try Data(contentsOf: URL(fileURLWithPath: stage.folder("moving.png")))
    #expect(
      moving.range(of: Data("acTL".utf8)) != nil && moving.range(of: Data("fdAT".utf8)) != nil)
    _ = try ImageDecoder.decode(contentsOf: stage.folder("moving.png"))
  }

  @Test func thousandsGoIntoShardsAndAreContinued() throws {
    let stage = try labelled()
    let command =
      "sample-gpt --gpt G --count 5 --shard-size 2 --batch-size 1 --shards-out S --quiet"
    let first = try shell(
      """
      train-gpt rooms.h5 --out G \(Self.small) --condition label:room --steps 2 && \(command) &&
      sha256sum S/*.h5 > sums && rm S/samples-00001.h5
      """, in: stage.folder)
    #expect(first.status == 0, "\(first.errors)")
    let again = try shell("\(command) && sha256sum --check --quiet sums", in: stage.folder)
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.output == (0..<3).map { "S/samples-0000\($0).h5\n" }.joined())
    let set = try CodeShardSet((0..<3).map { stage.folder("S/samples-0000\($0).h5") })
    #expect(set.count == 5)
    #expect(try set.labels("room") == .int32([0, 1, 2, 0, 1]))
    let other = try shell(command.replacing("--count", with: "--seed 3 --count"), in: stage.folder)
    #expect(other.status == 64, "\(other.errors)")
    // The image of a number is the same wherever it is drawn.
    let one = try shell(
      "sample-gpt --gpt G --first 3 --count 1 --codes-out one.h5 --out one --quiet",
      in: stage.folder)
    #expect(one.status == 0, "\(one.errors)")
    #expect(try CodeShardReader(stage.folder("one.h5")).codes(0) == set.codes(3))
  }

  @Test func largerAndSmallerImagesAndOrders() throws {
    let stage = try labelled()
    let trained = try shell(
      """
      train-gpt rooms.h5 --out G \(Self.small) --steps 2 --rotary &&
      train-gpt rooms.h5 --out O \(Self.small) --steps 2 --order spiral-in &&
      sample-gpt --gpt G --size 28x20 --seeds 7,9 --greedy --codes-out a.h5 --out A --quiet &&
      sample-gpt --gpt G --size 28x20 --seeds 7,9 --greedy --no-cache --codes-out b.h5 --out B \
        --quiet &&
      sample-gpt --gpt O --scale 0.5 --count 1 --out C --quiet
      """, in: stage.folder)
    #expect(trained.status == 0, "\(trained.errors)")
    let (a, b) = (
      try CodeShardReader(stage.folder("a.h5")), try CodeShardReader(stage.folder("b.h5"))
    )
    #expect((a.header.grid.height, a.header.grid.width) == (5, 7))
    for row in 0..<2 { #expect(try a.codes(row) == b.codes(row)) }
    let wide = try shell("sample-gpt --gpt O --scale 2 --count 1 --out D", in: stage.folder)
    #expect(wide.status == 64)
    #expect(wide.errors.contains("spiral-in"), "\(wide.errors)")
  }

  @Test(
    "Mistakes lead to their exit codes",
    arguments: [
      ("train-gpt rooms.h5 --out R --condition label:nothing", 65, "no column nothing"),
      ("train-gpt rooms.h5 --out R --condition label:weight", 65, "no integers"),
      ("train-gpt rooms.h5 --out R --condition codes", 65, "--condition-vqgan"),
      ("train-gpt rooms.h5 --out R --condition boxes", 65, "prep-coco --objects"),
      ("train-gpt rooms.h5 --out R --condition words", 64, "--condition"),
      ("train-gpt rooms.h5 --out R --condition-dropout 0.5", 64, "needs --condition"),
      (
        "train-gpt rooms.h5 --out R --condition none --condition-dropout 0.5", 64,
        "needs --condition"
      ),
      ("train-gpt rooms.h5 --out R --objects 2", 64, "needs --condition boxes or points"),
      (
        "train-gpt rooms.h5 --out R --condition label:room --objects 2", 64,
        "needs --condition boxes or points"
      ),
      (
        "train-gpt rooms.h5 --out R --condition boxes --objects 9223372036854775807", 64,
        "1 to 10000"
      ),
      ("train-gpt --out G --resume --order spiral-in", 64, "order of the run is \"raster\""),
      ("train-gpt rooms.h5 --out R --ema 1", 64, "--ema"),
      ("train-gpt rooms.h5 --out R --clip 0", 64, "--clip"),
      ("train-gpt rooms.h5 --out R --rotary --width 24 --heads 4", 64, "multiple of 4"),
      ("sample-gpt --gpt G --label 3 --out P", 64, "expected 0 to 2"),
      ("sample-gpt --gpt G --guidance 2 --out P", 64, "--condition-dropout"),
      ("sample-gpt --gpt G --segmentation x.png --out P", 64, "label room"),
      ("sample-gpt --gpt G --half top --out P", 64, "--from-image"),
      ("sample-gpt --gpt G --from-image x.png --out P", 64, "--half"),
      ("sample-gpt --gpt G --from-image x.png --half top --out P", 66, "x.png"),
      ("sample-gpt --gpt G --size 30 --out P", 64, "multiples of 4"),
      ("sample-gpt --gpt G --temperature 1,x --out P", 64, "--temperature"),
      ("sample-gpt --gpt G --window-step 2 --out P", 64, "--window-step"),
      ("sample-gpt --gpt G --shards-out S --out P", 64, "--shards-out"),
      (
        """
        mkdir S && echo mine > S/samples-00000.h5
        sample-gpt --gpt G --count 2 --shards-out S --quiet
        s=$?; [ "$(cat S/*.h5)" = mine ] || exit 99; exit $s
        """, 73, "S/samples-00000.h5: exists, but no manifest.json says how it was made"
      ),
      ("sample-gpt --gpt G", 64, "--out"),
    ])
  func mistakes(command: String, status: Int32, message: String) throws {
    let stage = try labelled()
    let outcome = try shell(
      """
      train-gpt rooms.h5 --out G \(Self.small) --condition label:room --steps 1 > /dev/null &&
        \(command)
      """, in: stage.folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.output == "")
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }

  /// 0 is a category in the one, and stands for no objects in the other.
  @Test func listsThatDifferInCategoryZeroAreNotLearntTogether() throws {
    let stage = try GPTCommandTests.Stage()
    for (name, first) in [("zero", Int32(0)), ("one", 1)] {
      try codeShard(
        stage.folder("\(name).h5"), rows: 4, grid: (2, 3), fingerprint: stage.fingerprint,
        labels: [("category", .int32([0, 1, 0, 1]))],
        categories: [first, first + 1].map { ShardCategory(id: $0, name: "", supercategory: "") }
      ) { _ in ([1, 2, 3, 4, 5, 6], nil) }
    }
    let label = "--condition label:category"
    for (command, isRefused) in [
      ("train-gpt zero.h5 one.h5 \(label)", true), ("train-gpt zero.h5 one.h5", false),
      ("train-gpt one.h5 --validation zero.h5 \(label)", true),
      ("train-gpt one.h5 --validation one.h5 \(label)", false),
    ] {
      let outcome = try shell(
        "rm -rf R; \(command) \(Self.small) --steps 1 --out R", in: stage.folder)
      #expect(outcome.status == (isRefused ? 65 : 0), "\(command): \(outcome.errors)")
      let zero = outcome.errors.contains("/zero.h5: /category is of a list with a category 0")
      let one = outcome.errors.contains("/one.h5 has 0 for an image without objects")
      #expect(zero == isRefused && one == isRefused, "\(command): \(outcome.errors)")
    }
  }

  /// Shards `S.h5` of 24 images of 16×16 pixels in two halves of one label each, with their maps
  /// and one object.
  private func maps(in folder: TemporaryFolder) throws {
    let maps: [[UInt8]] = (0..<24).map { (row: Int) -> [UInt8] in
      let labels = (UInt8(row % 4), UInt8(40 + row % 3))
      return (0..<256).map { (position: Int) -> UInt8 in
        position % 16 < 4 + row % 8 ? labels.0 : labels.1
      }
    }
    let objects: [[ShardObject]] = (0..<24).map { (row: Int) -> [ShardObject] in
      let width = Float(2 + row % 6)
      return [
        ShardObject(
          id: Int64(row), category: 7, x: 2, y: 3, width: width, height: 5, visible: 1,
          isCrowd: row % 2 == 1)
      ]
    }
    try imageShard(
      folder("S.h5"), rows: 24, compression: .auto, objects: objects,
      categories: [ShardCategory(id: 7, name: "box", supercategory: "")],
      maps: { [.segmentation: .bytes(maps[$0])] },
      pixels: { row in
        maps[row].flatMap { (label: UInt8) -> [UInt8] in [label &* 5, 255 - label, label ^ 85] }
      })
  }

  @Test func labelMapsAreConditions() throws {
    let folder = try TemporaryFolder()
    try maps(in: folder)
    let outcome = try shell(
      """
      train-vqgan S.h5 --input segmentation --preset tiny --steps 60 --batch-size 8 --warmup 5 \
        --learning-rate 2e-3 --validation S.h5 --out M --quiet > /dev/null 2>&1 &&
      train-vqgan S.h5 --preset tiny --steps 3 --batch-size 4 --ema 0.5 --clip 1 --out V --quiet \
        > /dev/null &&
      encode-dataset S.h5 --vqgan V --condition-vqgan M --out C --quiet > /dev/null &&
      train-gpt C --condition codes --condition-dropout 0.3 --unmasked 16 --out G \(Self.small) \
        --steps 3 > /dev/null &&
      sample-gpt --gpt G --segmentation S.h5 --guidance 2 --count 2 --out P --quiet &&
      sample-gpt --gpt G --segmentation S.h5 --size 32x20 --count 1 --out W --quiet
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let agreement = try #require(
      try RunFolder(folder("M")).metricsByColumn()
        .compactMap { $0["val/pixel_agreement"].flatMap { Double($0) } }.last)
    // The most frequent label alone would be right in a sixth of the positions.
    #expect(agreement > 0.22, "\(agreement)")
    #expect(FileManager.default.fileExists(atPath: folder("M/pictures/step-000060.png")))

    // What stands in the shard is what the second VQGAN says of the maps.
    let shard = try CodeShardReader(folder("C/S.h5"))
    #expect(shard.header.condition?.input == "segmentation")
    let stage = try FirstStage.load(folder("M"))
    #expect(shard.header.condition?.grid.fingerprint == stage.fingerprint)
    let reader = try ImageShardReader(folder("S.h5"))
    let input = VQGANInput(
      try reader.row(5, .segmentation), of: .segmentation, count: 1, height: 16, width: 16)
    let codes = stage.model.encode(input).elements
    #expect(try shard.conditionCodes(5) == codes)
    let wide = try ImageDecoder.decode(contentsOf: folder("W/sample-00000.png"))
    #expect((wide.width, wide.height) == (32, 20))

    // The averaged weights are those that encode.
    let checkpoint = try RunFolder(folder("V")).lastCheckpoint()
    let (used, plain) = (
      try SafetensorsFile("\(checkpoint)/ema.safetensors").floats(of: "decoder.conv_out.weight"),
      try SafetensorsFile("\(checkpoint)/model.safetensors").floats(of: "decoder.conv_out.weight")
    )
    #expect(used != plain)
    let loaded = try FirstStage.load(folder("V")).model.decoder.convOut.weight.elements()
    #expect(loaded == used)

    for (options, status, message) in [
      ("train-vqgan S.h5 --input depth --out X", 65, "no depth maps"),
      (
        "train-vqgan S.h5 --preset tiny --input segmentation --out X --set objective.disc_factor=1",
        64, "discriminator"
      ),
      ("encode-dataset S.h5 --vqgan M --out X", 65, "183 channels"),
      ("sample-gpt --gpt G --count 1 --out X", 64, "--segmentation"),
    ] {
      let refused = try shell(options, in: folder)
      #expect(refused.status == status, "\(options): \(refused.errors)")
      #expect(refused.errors.contains(message), "\(options): \(refused.errors)")
    }
  }

  @Test(arguments: ["boxes", "points", "coordinates"])
  func scenesAreConditions(kind: String) throws {
    let folder = try TemporaryFolder()
    try maps(in: folder)
    let drawing = kind == "coordinates" ? "--size 24x16" : "--from-codes C"
    let objects = kind == "coordinates" ? "" : "--objects 2"
    let outcome = try shell(
      """
      train-vqgan S.h5 --preset tiny --steps 1 --batch-size 2 --out V --quiet > /dev/null &&
      encode-dataset S.h5 --vqgan V --out C --quiet > /dev/null &&
      train-gpt C --condition \(kind) \(objects) --out G \(Self.small) --steps 2 > /dev/null &&
      sample-gpt --gpt G \(drawing) --count 2 --out P --quiet
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("P/sample-00001.png"))
    // Objects come with their image, in the order of the samples; the sheet stays last.
    #expect(outcome.output.contains("P/objects.png\nP/grid.png\n") == (kind != "coordinates"))
    if kind != "coordinates" {
      let plot = try ImageDecoder.decode(contentsOf: folder("P/objects.png"))
      #expect(plot.width > 2 * 256 && plot.height > 256)
      let blue = RGBColor(red: 31, green: 119, blue: 180)
      #expect((0..<plot.height).contains { y in (0..<plot.width).contains { plot[$0, y] == blue } })
    }
    let description = try RunFolder.decode(
      GPTDescription.self, from: "\(RunFolder(folder("G")).lastCheckpoint())/model.json")
    let length = ["boxes": 8, "points": 6, "coordinates": 16][kind]
    #expect(description.condition?.length == length)
    #expect(description.model.blockSize == (length ?? 0) + 15)
  }
}
