import Checkpoints
import Foundation
import Images
import Models
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite("What sample-gpt is given")
struct KnownPartsTests {
  private static let small = "--layers 1 --heads 2 --width 16 --batch-size 12 --quiet"

  /// An image in which every position has a colour of its own.
  private static func image(width: Int, height: Int) -> RGBImage {
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        pixels += [
          UInt8(x * 255 / width), UInt8(y * 255 / height), UInt8((x * 7 + y * 13) % 256),
        ]
      }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  private static func codes(of image: RGBImage, _ stage: FirstStage) -> [Int32] {
    let image = Tensor(
      pixels: image.pixels, count: 1, height: image.height, width: image.width)
    return stage.model.encode(.values(image)).elements
  }

  /// The kept codes are those of the image, whatever the seed; the others are drawn, and differ.
  @Test(arguments: [
    ("--half top", [0, 1, 2]), ("--half right", [2, 5]), ("--mask mask.png", [0, 4]),
  ])
  func partsOfImagesAreKept(option: String, kept: [Int]) throws {
    let stage = try GPTCommandTests.Stage()
    let folder = stage.folder
    // 12×8 pixels are 3×2 codes; the other image is scaled to cover them, and its sides are cut.
    let exact = Self.image(width: 12, height: 8)
    let large = Self.image(width: 50, height: 24)
    try exact.writePNG(to: folder("exact.png"))
    try large.writePNG(to: folder("large.png"))
    var mask = RGBImage(width: 30, height: 20, filledWith: .black)
    for cell in [0, 4] {
      mask.fill(
        PixelRect(x: cell % 3 * 10, y: cell / 3 * 10, width: 10, height: 10), with: .white)
    }
    try mask.writePNG(to: folder("mask.png"))
    let draw = "sample-gpt --gpt G --from-image exact.png large.png \(option) --count 8 --quiet"
    let outcome = try shell(
      """
      train-gpt train.h5 --out G \(Self.small) --steps 1 > /dev/null &&
      \(draw) --codes-out a.h5 --out A && \(draw) --seed 1 --codes-out b.h5 --out B
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let vqgan = try FirstStage.load(folder("vqgan"))
    let given = [
      Self.codes(of: exact, vqgan),
      Self.codes(of: large.fitted(width: 12, height: 8, mode: .crop), vqgan),
    ]
    let (a, b) = (try CodeShardReader(folder("a.h5")), try CodeShardReader(folder("b.h5")))
    #expect(a.count == 8 && b.count == 8)
    var (asGiven, asOther, drawn) = (0, 0, 0)
    for row in 0..<8 {
      let (first, second) = (try a.codes(row), try b.codes(row))
      for cell in 0..<6 {
        let source = given[row % 2][cell]
        if kept.contains(cell) {
          #expect(first[cell] == source && second[cell] == source, "row \(row), cell \(cell)")
        } else {
          drawn += 1
          asGiven += first[cell] == source ? 1 : 0
          asOther += first[cell] == second[cell] ? 1 : 0
        }
      }
    }
    // A model that has learnt nothing draws one of 64 codes.
    #expect(asGiven < drawn / 4, "\(asGiven) of \(drawn)")
    #expect(asOther < drawn / 4, "\(asOther) of \(drawn)")
    // The first row of the sheet shows what was given, six times as large.
    let sheet = try ImageDecoder.decode(contentsOf: folder("A/grid.png"))
    let (left, top) = (BitmapFont.width(of: "given") + 6, BitmapFont.lineHeight + 4)
    #expect(
      sheet.cropped(x: left, y: top, width: 72, height: 48)
        == exact.resized(width: 72, height: 48, filter: .nearest))
  }

  /// A mask is scaled and cut as its image is; what is given whole needs no draw; a row does not
  /// hang on the count.
  @Test func masksLieOverImagesAndRowsStay() throws {
    let stage = try GPTCommandTests.Stage()
    let folder = stage.folder
    // Of 100×24 pixels the middle 36×24 are 3×2 codes; the first column of codes begins at pixel
    // 30.
    let wide = Self.image(width: 100, height: 24)
    try wide.writePNG(to: folder("wide.png"))
    var mask = RGBImage(width: 100, height: 24, filledWith: .black)
    mask.fill(PixelRect(x: 30, y: 0, width: 13, height: 24), with: .white)
    try mask.writePNG(to: folder("mask.png"))
    try RGBImage(width: 5, height: 5, filledWith: .white).writePNG(to: folder("white.png"))
    let draw = "sample-gpt --gpt G --quiet"
    let rows = "--from-codes train.h5 --half top"
    let outcome = try shell(
      """
      train-gpt train.h5 --out G \(Self.small) --steps 1 > /dev/null &&
      \(draw) --from-image wide.png --mask mask.png --count 8 --codes-out a.h5 --out A &&
      \(draw) --from-image wide.png --mask white.png --count 2 --codes-out w.h5 --out W \
        --animate w.png &&
      \(draw) \(rows) --count 6 --codes-out b.h5 --out B &&
      \(draw) \(rows) --first 4 --count 1 --codes-out c.h5 --out C
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let source = Self.codes(
      of: wide.fitted(width: 12, height: 8, mode: .crop), try FirstStage.load(folder("vqgan")))
    let drawn = try CodeShardReader(folder("a.h5"))
    var others = 0
    for row in 0..<8 {
      let codes = try drawn.codes(row)
      #expect(codes[0] == source[0] && codes[3] == source[3], "row \(row)")
      others += [1, 2, 4, 5].count { codes[$0] == source[$0] }
    }
    #expect(others < 8)
    #expect(try CodeShardReader(folder("w.h5")).codes(1) == source)
    #expect(
      try CodeShardReader(folder("b.h5")).codes(4) == CodeShardReader(folder("c.h5")).codes(0))
    for mistake in [
      "--temperature 1,1", "--stuff-numbers", "--from-codes train.h5",
    ] {
      #expect(try shell("\(draw) \(mistake) --out X", in: folder).status == 64, "\(mistake)")
    }
  }

  /// Two maps of two areas each; the numbers of shards, 0 for none.
  private static func map(_ number: Int) -> LabelMap {
    LabelMap(
      width: 16, height: 16,
      values: (0..<256).map { (position: Int) -> UInt8 in
        let isLeft = position % 16 < 8
        return number == 0 ? (isLeft ? 3 : 0) : (position < 128 ? 181 : 90)
      })
  }

  /// Maps in COCO-Stuff's numbers lead to the images that maps in the numbers of shards lead to.
  @Test func stuffNumbersAreOneLess() throws {
    let stage = try GPTCommandTests.Stage()
    let folder = stage.folder
    // A VQGAN of label maps, and codes that hang on it: row r of the training is of map r mod 2.
    var config = VQGANConfig.tiny
    (config.inChannels, config.outChannels) = (183, 183)
    var random = RandomSource(seed: 8)
    let model = VQGAN(config, using: &random)
    try FileManager.default.createDirectory(
      atPath: folder("maps"), withIntermediateDirectories: false)
    try RunFolder.write(model.config, to: folder("maps/model.json"))
    try SafetensorsWriter.write(ModelFiles.entries(model), to: folder("maps/model.safetensors"))
    let labels = try FirstStage.load(folder("maps"))
    let conditions = (0..<2).map { number in
      labels.model.encode(
        .labels(IndexTensor(Self.map(number).values.map { Int32($0) }, shape: [1, 16, 16]))
      ).elements
    }
    try #require(conditions[0] != conditions[1])
    let rows: [[Int32]] = (0..<2).map { (number: Int) -> [Int32] in
      (0..<16).map { (position: Int) -> Int32 in Int32((number * 33 + position * 2) % 64) }
    }
    try codeShard(
      folder("pairs.h5"), rows: 12, grid: (4, 4), fingerprint: stage.fingerprint,
      vqgan: folder("vqgan"), downsampling: 4,
      condition: ConditionCodes(
        input: "segmentation", grid: labels.codes(ofHeight: 16, width: 16))
    ) { row in (rows[row % 2], conditions[row % 2]) }
    for number in 0..<2 {
      var map = Self.map(number)
      try map.writePNG(to: folder("shard-\(number).png"))
      map.values = map.values.map { $0 &- 1 }
      try map.writePNG(to: folder("stuff-\(number).png"))
    }
    let draw = "sample-gpt --gpt G --greedy --quiet --segmentation"
    let outcome = try shell(
      """
      train-gpt pairs.h5 --condition codes --out G \(Self.small) --dropout 0 --learning-rate 0.02 \
        --steps 80 > /dev/null &&
      \(draw) shard-0.png shard-1.png --codes-out a.h5 --out A > /dev/null &&
      \(draw) stuff-0.png stuff-1.png --stuff-numbers --codes-out b.h5 --out B > /dev/null &&
      cmp A/grid.png B/grid.png
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    for name in ["a.h5", "b.h5"] {
      let drawn = try CodeShardReader(folder(name))
      for row in 0..<2 { #expect(try drawn.codes(row) == rows[row], "\(name), row \(row)") }
    }
    // Case 20: a label has one colour, in sheets and in previews.
    try imageShard(
      folder("maps.h5"), rows: 2, maps: { [.segmentation: .bytes(Self.map($0).values)] }
    ) { _ in [UInt8](repeating: 77, count: 16 * 16 * 3) }
    let preview = try shell("shard-info maps.h5 --preview preview.png", in: folder)
    #expect(preview.status == 0, "\(preview.errors)")
    for sheet in ["A/grid.png", "preview.png"] {
      let image = try ImageDecoder.decode(contentsOf: folder(sheet))
      var colors: Set<RGBColor> = []
      for y in 0..<image.height { for x in 0..<image.width { colors.insert(image[x, y]) } }
      for label in [0, 3, 90, 181] {
        #expect(colors.contains(RGBColor(label: label)), "\(label) in \(sheet)")
      }
    }
    // Without the flag 255 is a label that the model does not know.
    let refused = try shell("\(draw) stuff-0.png --out X", in: folder)
    #expect(refused.status == 65)
    #expect(refused.errors.contains("label 255"), "\(refused.errors)")
    let other = try shell(
      "\(draw) stuff-1.png --out Y > /dev/null; ! cmp -s Y/grid.png A/grid.png", in: folder)
    #expect(other.status == 0)
  }
}
