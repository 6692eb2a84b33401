import Foundation
import Images
import Models
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite("Depth maps as commands")
struct DepthCommandTests {
  private static let small = "--layers 1 --heads 2 --width 16 --batch-size 4 --quiet"

  /// Folders `in` and `depth` of 12 images of 24×16 pixels and their maps, which rise to the right,
  /// and `in/map.png`, an image without a map.
  private func images() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["in/deep", "depth/deep"] {
      try FileManager.default.createDirectory(
        atPath: folder(name), withIntermediateDirectories: true)
    }
    for number in 0..<12 {
      let name = "\(number % 3 == 0 ? "deep/" : "")\(10 + number)"
      let depth = LabelMap(
        width: 24, height: 16,
        values: (0..<24 * 16).map { UInt8($0 % 24 * (number % 4 + 1) + $0 / 24 * (number % 3)) })
      try depth.writePNG(to: folder("depth/\(name).png"))
      try RGBImage(
        width: 24, height: 16, pixels: depth.values.flatMap { [$0, 255 - $0, UInt8(number)] }
      ).writePNG(to: folder("in/\(name).jpg"))
    }
    try RGBImage(width: 24, height: 16, filledWith: .black).writePNG(to: folder("in/map.png"))
    return folder
  }

  @Test func depthMapsAreConditions() throws {
    let folder = try images()
    let outcome = try shell(
      """
      prep-images in --depth depth --size 16 --out S --quiet > /dev/null &&
      train-vqgan S --input depth --preset tiny --steps 120 --batch-size 8 --warmup 5 --crop 16 \
        --flip --disc-start 115 --learning-rate 2e-3 --validation S --out D --quiet > /dev/null &&
      train-vqgan S --preset tiny --steps 3 --batch-size 4 --out V --quiet > /dev/null &&
      encode-dataset S --vqgan V --condition-vqgan D --out C --quiet > /dev/null &&
      train-gpt C --condition codes --out G \(Self.small) --steps 3 > /dev/null &&
      sample-gpt --gpt G --depth S --count 12 --greedy --batch-size 1 --codes-out rows.h5 --out P \
        --quiet > /dev/null &&
      sample-gpt --gpt G --depth depth/deep/13.png --greedy --codes-out file.h5 --out F --quiet &&
      sample-gpt --gpt G --depth depth/deep/13.png --size 32x20 --out W --quiet > /dev/null &&
      shard-info S --verify --preview sheet.png --count 4 --quiet
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let skipped = try String(contentsOfFile: folder("S/skipped.jsonl"), encoding: .utf8)
    #expect(skipped.contains("map.png") && skipped.split(separator: "\n").count == 1, "\(skipped)")

    // The middle of the image, in numbers of the whole image's range: the map is of its size, so
    // nothing is scaled.
    let reader = try ImageShardReader(folder("S/images-00000.h5"))
    #expect(reader.header.maps == [.depth] && reader.count == 12)
    #expect(reader.header.preprocessing.contains(#""depth_filter":"bilinear""#))
    let names = try reader.contents.names
    let row = try #require(names.firstIndex(of: "deep/13.jpg"))
    let whole = try ImageDecoder.decodeDepth(contentsOf: folder("depth/deep/13.png")).stored
    let middle = (0..<16).flatMap { y in whole[y * 24 + 4..<y * 24 + 20] }
    #expect(try reader.row(row, .depth) == .words(middle))

    // The model of one channel has learnt something, with its discriminator in the last steps.
    let stage = try FirstStage.load(folder("D"))
    #expect((stage.config.inChannels, stage.config.outChannels) == (1, 1))
    let metrics = try String(contentsOfFile: folder("D/metrics.csv"), encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    let column = try #require(metrics[0].firstIndex(of: "val/psnr"))
    let psnr = try #require(metrics.dropFirst().compactMap { Double($0[column]) }.max())
    #expect(psnr > 12, "\(psnr)")  // the mean of every map alone has 11
    #expect(FileManager.default.fileExists(atPath: folder("D/pictures/step-000120.png")))

    // What stands in the code shard is what that VQGAN says of the map, and what sample-gpt makes
    // of the file.
    let codes = try CodeShardReader(folder("C/images-00000.h5"))
    #expect(codes.header.condition?.input == "depth")
    #expect(codes.header.condition?.grid.fingerprint == stage.fingerprint)
    let input = VQGANInput(.words(middle), of: .depth, count: 1, height: 16, width: 16)
    #expect(try codes.conditionCodes(row) == stage.model.encode(input).elements)
    let (rows, file) = (
      try CodeShardReader(folder("rows.h5")), try CodeShardReader(folder("file.h5"))
    )
    // Samples take the rows of a shard far apart, not in their order.
    let sample = try #require((0..<12).first { SpreadRows(12)[$0] == row })
    #expect(try rows.contents.names[sample] == "sample-\(String(format: "%05d", sample))")
    #expect(try file.codes(0) == rows.codes(sample))
    #expect(outcome.output.hasPrefix("F/sample-00000.png\n"))
    let wide = try ImageDecoder.decode(contentsOf: folder("W/sample-00000.png"))
    #expect((wide.width, wide.height) == (32, 20))
    // Two panels of 128 pixels: grey is in the right one alone.
    let sheet = try ImageDecoder.decode(contentsOf: folder("sheet.png"))
    let grey = { (x: Int) in
      let pixel = sheet[x, 64]
      return pixel.red == pixel.green && pixel.green == pixel.blue
    }
    #expect(grey(130 + 100) && !grey(100))
  }

  @Test func mapsOfCOCOLieBesideItsFolders() throws {
    let folder = try images()
    let outcome = try shell(
      """
      mkdir -p coco/train2017 D/train2017 && cp in/11.jpg coco/train2017/1.jpg &&
        cp depth/11.png D/train2017/1.png &&
      cp in/11.jpg coco/train2017/2.jpg && cp \(TestSupport.Fixture.path("depth/floats.png")) \
        D/train2017/2.png &&
      prep-coco coco --depth D --size 16 --out S
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("read 2, written 1, skipped 1"), "\(outcome.errors)")
    #expect(outcome.errors.contains("D/train2017/2.png: 11x7 pixels, expected 24x16"))
    let reader = try ImageShardReader(folder("S/coco-00000.h5"))
    #expect(reader.count == 1)
    let depths = try reader.row(0, .depth).littleEndian
    #expect(depths.indices.contains { $0 % 2 == 1 && depths[$0] > 156 })
  }

  @Test(
    "Mistakes lead to their exit codes",
    arguments: [
      ("prep-images list.txt --depth depth --out X", 64, "--depth needs a folder"),
      ("prep-images in --depth nowhere --out X", 66, "nowhere"),
      ("prep-images in --depth depth --size 16 --out S --quiet", 64, "--depth"),
      (
        """
        cp -r depth other && prep-images in --depth depth --size 16 --out T --quiet > /dev/null &&
        prep-images in --depth other --size 16 --out T --quiet
        """, 64, "--depth"
      ),
      ("train-vqgan S --input depth --preset tiny --steps 1 --out X --quiet", 65, "no depth maps"),
      ("sample-gpt --gpt G --depth a.png --segmentation b.png --out P", 64, "exclude each other"),
    ])
  func mistakes(command: String, status: Int32, message: String) throws {
    let folder = try images()
    let outcome = try shell(
      """
      prep-images in --size 16 --out S --quiet > /dev/null && echo in/10.jpg > list.txt &&
      \(command)
      """, in: folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }
}
