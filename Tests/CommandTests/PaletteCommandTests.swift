import Foundation
import Images
import RowMaps
import Shards
import TestSupport
import Testing
import Training

@Suite("Palettes as commands")
struct PaletteCommandTests {
  private static let tiny = "--preset tiny --batch-size 2 --quiet"

  /// A folder `in` of 8 images of 16×16 pixels in four colours, of which each has three or four.
  private func images() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder("in"), withIntermediateDirectories: true)
    for number in 0..<8 {
      var image = RGBImage(width: 16, height: 16, filledWith: .black)
      for x in 0..<16 {
        for y in 10..<16 { image[x, y] = RGBColor(red: 66, green: 158, blue: 130) }
      }
      for x in number..<number + 3 { image[x, 6] = RGBColor(red: 200, green: 72, blue: 72) }
      if number % 2 == 0 { image[number, 0] = .white }
      try image.writePNG(to: folder("in/\(number).png"))
    }
    return folder
  }

  /// The colours of all PNGs of a folder whose names begin with these letters.
  private func colors(_ folder: String, _ prefix: String) throws -> Set<UInt32> {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasPrefix(prefix) && $0.hasSuffix(".png") }
    #expect(!names.isEmpty, "\(folder)/\(prefix)")
    return try names.reduce(into: []) {
      $0.formUnion(
        Palette.colors(of: try ImageDecoder.decode(contentsOf: "\(folder)/\($1)").pixels))
    }
  }

  @Test func allCommandsSpeakTheColoursOfThePalette() throws {
    let folder = try images()
    let outcome = try shell(
      """
      set -e
      prep-images in --palette --size 16 --holdout 25 --out S --quiet > /dev/null
      shard-info S --verify --quiet > /dev/null
      train-vqgan S --input palette \(Self.tiny) --steps 7 --out V > /dev/null
      train-vqgan --out V --resume --steps 9 --quiet > /dev/null
      encode-dataset S/images-0*.h5 --vqgan V --out C --quiet > /dev/null
      decode-dataset C --vqgan V --images --out D --quiet > /dev/null
      codebook-report C --vqgan V --out B --quiet > /dev/null
      train-gpt C --layers 1 --heads 2 --width 16 --batch-size 4 --steps 3 --quiet --out G \
        > /dev/null
      sample-gpt --gpt G --count 2 --out P --quiet > /dev/null
      sample-gpt --gpt G --from-image in/1.png --half top --count 2 --out H --quiet > /dev/null
      reconstruct S in/0.png --vqgan V --count 3 --out R --quiet > /dev/null
      reconstruct in/2.png --vqgan V --size 32 --out E --quiet
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let palette = try ImageShardReader(folder("S/images-00000.h5")).header.palette
    #expect(palette.map { "\($0)" } == "000000,429e82,c84848,ffffff")
    let config = try RunFolder(folder("V")).config(VQGANRunConfig.self)
    #expect(config.model.palette == palette && config.model.inChannels == 4)
    #expect(config.objective.labelWeights.count == 4 && config.objective.discFactor == 0)
    #expect(config.objective.labelWeights[3] > config.objective.labelWeights[0])
    let header = try String(contentsOfFile: folder("V/metrics.csv"), encoding: .utf8)
      .prefix { $0 != "\n" }
    #expect(header.hasSuffix("val/codes_used,val/exact,val/rare_iou"), "\(header)")
    let known: Set<UInt32> = [0, 0x429E82, 0xC84848, 0xFFFFFF]
    for (place, prefix) in [("D", "images"), ("P", "sample-"), ("H", "sample-"), ("E", "0")] {
      #expect(try colors(folder(place), prefix).isSubset(of: known), "\(place)")
    }
  }

  /// A codebook of tiles: images of them come back exactly, and codes are drawn as of any other.
  @Test func allCommandsTakeTiles() throws {
    let folder = try images()
    let outcome = try shell(
      """
      set -e
      prep-images in --palette --size 16 --out S --quiet > /dev/null
      train-vqgan S/*.h5 --preset tiles --steps 2 --batch-size 2 --quiet --out V > /dev/null
      train-vqgan --out V --resume --steps 3 --quiet > /dev/null
      encode-dataset S/images-0*.h5 --vqgan V --out C --quiet > /dev/null
      decode-dataset C --vqgan V --images --out D --quiet > /dev/null
      train-gpt C --layers 1 --heads 2 --width 16 --batch-size 4 --steps 3 --quiet --out G \
        > /dev/null
      sample-gpt --gpt G --count 2 --out P --quiet > /dev/null
      train-vqgan S/*.h5 --init-from V --steps 2 --batch-size 2 --quiet --out W > /dev/null
      encode-dataset S/images-0*.h5 --vqgan W --out C --quiet
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    for number in 0..<8 {
      let paths = ["in/\(number).png", "D/images-00000-0000\(number).png"]
      let images = try paths.map { try ImageDecoder.decode(contentsOf: folder($0)).pixels }
      #expect(images[0] == images[1], "\(number)")
    }
    for (command, words) in [
      ("train-vqgan S/*.h5 --preset tiles --crop 8 --out X", "tiles are of whole images"),
      ("train-vqgan S/*.h5 --preset tiles --quantizer fsq --out X", "entries are latents"),
      ("convert-checkpoint V --to taming --out X.ckpt", "a VQGAN of a palette"),
    ] {
      let outcome = try shell(command, in: folder)
      #expect(outcome.status != 0 && outcome.errors.contains(words), "\(outcome.errors)")
    }
  }

  @Test func whatHasNoPaletteIsRefused() throws {
    let folder = try images()
    var photo = RGBImage(width: 16, height: 16, filledWith: .black)
    for x in 0..<16 { for y in 0..<16 { photo[x, y] = .grey(UInt8(16 * y + x)) } }
    try FileManager.default.createDirectory(
      atPath: folder("photos"), withIntermediateDirectories: true)
    try photo.writePNG(to: folder("photos/many.png"))
    let made = try shell(
      """
      prep-images in --palette --size 16 --out S --quiet &&
        prep-images in --size 16 --out N --quiet &&
      train-vqgan S --input palette \(Self.tiny) --steps 1 --out V
      """, in: folder)
    #expect(made.status == 0, "\(made.errors)")
    for (command, status, words) in [
      (
        "prep-images photos --palette --size 16 --out X", 65,
        "many.png: has 256 colours, with the images before it 256; a palette has 32"
      ),
      ("prep-images in --palette --max-colors 3 --size 16 --out X", 65, "a palette has 3"),
      ("prep-images in --palette --max-colors 1 --out X", 64, "--max-colors"),
      ("prep-images in --palette --filter bicubic --out X", 64, "--palette needs nearest"),
      ("train-vqgan N/*.h5 --input palette \(Self.tiny) --out X", 65, "--palette of prep-atari"),
      ("train-vqgan S/*.h5 --color-balance 1 \(Self.tiny) --out X", 64, "--color-balance"),
      (
        "train-vqgan --resume --color-balance 1 --out V --quiet", 64,
        "a resumed run has its weights"
      ),
      (
        "reconstruct photos/many.png --vqgan V --out X", 65,
        "a pixel of the colour #010101, which is none of the 4"
      ),
      ("convert-checkpoint V --to taming --out X.ckpt", 65, "a VQGAN of a palette"),
    ] {
      let outcome = try shell(command, in: folder)
      #expect(outcome.status == status, "\(command): \(outcome.errors)")
      #expect(outcome.errors.contains(words), "\(command): \(outcome.errors)")
    }
  }

  @Test func paletteImagesLookAsTheyAreInPreviews() throws {
    let folder = try images()
    let outcome = try shell(
      """
      prep-images in --size 16 --out N --quiet &&
        prep-images in --palette --size 16 --out S --quiet &&
      shard-info N --preview n.png --quiet && shard-info S --preview s.png --quiet &&
        cmp n.png s.png
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }
}
