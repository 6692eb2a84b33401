import Foundation
import Images
import Shards
import TestSupport
import Testing

/// `Datasets/montezuma` of this repository, as a folder of images.
private let screens = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../../Datasets/montezuma/screens/revenge/32").standardized.path

@Suite("prep-images and prep-coco as commands")
struct PrepImagesTests {
  /// A folder in COCO's layout with three images, two captions and one object.
  private func coco() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["train2017", "annotations"] {
      try FileManager.default.createDirectory(
        atPath: folder("coco/\(name)"), withIntermediateDirectories: true)
    }
    for id in 1...3 {
      try RGBImage(width: 40, height: 30, filledWith: .grey(UInt8(id * 60)))
        .writePNG(to: folder("coco/train2017/\(id).jpg"))
    }
    let images = (1...3).map {
      #"{"id":\#($0),"file_name":"\#($0).jpg","width":40,"height":30}"#
    }.joined(separator: ",")
    for (kind, rest) in [
      (
        "captions",
        #"[{"id":1,"image_id":2,"caption":"A grey wall."},{"id":2,"image_id":2,"caption":"Grey."}]"#
      ),
      (
        "instances",
        #"[{"id":5,"image_id":1,"category_id":17,"iscrowd":0,"area":100,"bbox":[10,10,10,10],"#
          + #""segmentation":[[10,10,20,10,20,20,10,20]]}],"#
          + #""categories":[{"id":17,"name":"cat","supercategory":"animal"}]"#
      ),
    ] {
      try Data(#"{"images":[\#(images)],"annotations":\#(rest)}"#.utf8)
        .write(to: URL(fileURLWithPath: folder("coco/annotations/\(kind)_train2017.json")))
    }
    return folder
  }

  @Test func cocoBecomesShardsAndAPreview() throws {
    let folder = try coco()
    let outcome = try shell(
      "prep-coco coco --size 16 --segmentation annotations --captions --objects --holdout 34 "
        + "--out S",
      in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output == "S/coco-00000.h5\n")
    #expect(outcome.errors.contains("validation shard: S/coco-validation-00000.h5"))
    #expect(outcome.errors.contains("stuff_train2017.json; label maps hold things only"))
    #expect(outcome.errors.contains("read 3, written 3, skipped 0"))

    let preview = try shell(
      "shard-info S --verify --preview sheet.png --quiet | tail -1", in: folder)
    #expect(preview.output == "sheet.png\n", "\(preview.errors)")
    let sheet = try ImageDecoder.decode(contentsOf: folder("sheet.png"))
    // Two panels of 128 pixels side by side, and the spot and the mask in the colour of cats.
    #expect(sheet.width > 256)
    let cat = RGBColor(red: 255, green: 0, blue: 0)
    let colors = Set(
      (0..<sheet.height * sheet.width).map { sheet[$0 % sheet.width, $0 / sheet.width] })
    #expect(colors.count > 4 && !colors.contains(cat))
  }

  @Test func aDryRunTellsAndWritesNothing() throws {
    let folder = try coco()
    let outcome = try shell("prep-coco coco --size 16 --crops 4 --out S --dry-run", in: folder)
    #expect(outcome.status == 0 && outcome.output == "")
    #expect(outcome.errors.contains("3 images for training, 0 for validation; 1 shard of 16x16"))
    #expect(outcome.errors.contains("MB free"))
    #expect(!FileManager.default.fileExists(atPath: folder("S")))
  }

  @Test func anImageIsNoList() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell("prep-images '\(screens)/1.png' --size 16 --out S", in: folder)
    #expect(outcome.status == 65)
    #expect(outcome.errors.contains("1.png: a PNG image, expected a folder"), "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder("S")))
    // A text of paths may begin with the letters of a signature.
    let list = try shell(
      "mkdir BMW && cp '\(screens)/1.png' BMW && echo BMW/1.png > list && "
        + "prep-images list --size 16 --out S",
      in: folder)
    #expect(list.output == "S/images-00000.h5\n", "\(list.errors)")
  }

  @Test func aRunWithoutARowLeavesNoShardAndTheFolderTakesOtherOptions() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell(
      """
      mkdir in; for i in 1 2 3; do echo text > in/$i.jpg; done
      prep-images in --size 16 --max-errors 100% --shard-size 2 --out S; echo $?
      ls S; wc -l < S/skipped.jsonl
      cp '\(screens)/1.png' in
      prep-images in --size 24 --max-errors 3 --out S
      """, in: folder)
    #expect(
      outcome.output == "65\nmanifest.json\nskipped.jsonl\n3\nS/images-00000.h5\n",
      "\(outcome.errors)")
  }

  /// Even images shrink and noise does not; the first shard decides.
  @Test(arguments: [true, false])
  func autoCompressesAllShardsOrNone(evenFirst: Bool) throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder("in"), withIntermediateDirectories: true)
    for number in 0..<6 {
      var image = RGBImage(width: 32, height: 32, filledWith: .grey(UInt8(number)))
      if (number < 2) != evenFirst {
        var state = UInt32(number + 1)
        for position in 0..<32 * 32 {
          state = state &* 1_664_525 &+ 1_013_904_223
          image[position % 32, position / 32] = RGBColor(
            red: UInt8(state >> 24), green: UInt8(state >> 16 & 255), blue: UInt8(state >> 8 & 255))
        }
      }
      try image.writePNG(to: folder("in/\(number).png"))
    }
    let command = "prep-images in --size 32 --shard-size 2 --quiet --out"
    let outcome = try shell(
      """
      set -e
      \(command) A > /dev/null
      cp -r A B; rm B/images-00001.h5; \(command) B > /dev/null; diff -r -x .lock A B
      for i in 0 1 2; do wc -c < A/images-0000$i.h5; done
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)\(outcome.output)")
    let sizes = outcome.output.split(separator: "\n").compactMap { Int($0) }
    #expect(sizes.count == 3)
    let manifest = try #require(try ShardManifest.read(in: folder("A")))
    #expect(manifest.compressesImages == evenFirst)
    // Chunks that are not compressed have their size, whatever is in them.
    if !evenFirst { #expect(Set(sizes).count == 1) }
    #expect((sizes[0] < sizes[2]) == evenFirst)
  }

  @Test func listsComeFromFilesAndPipes() throws {
    let folder = try TemporaryFolder()
    let find = "find '\(screens)' -name '1?.png' | sort"
    let outcome = try shell(
      """
      \(find) | prep-images - --size 16 --out A --quiet && \(find) > list.txt && \
      prep-images list.txt --size 16 --out B --quiet --json &&
        cmp A/images-00000.h5 B/images-00000.h5 &&
      prep-images '\(screens)' --size 16 --limit 5 --out C --quiet
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.output == """
        A/images-00000.h5
        {"path":"B/images-00000.h5","rows":10,"split":"train","version":1}
        C/images-00000.h5

        """)
    #expect(outcome.errors == "")
  }

  @Test(
    "Mistakes lead to their exit codes and an empty standard output",
    arguments: [
      ("prep-images in --size 0", 64), ("prep-images in --margin -1", 64),
      ("prep-images in --crops 1e3", 64), ("prep-images in --percent 0", 64),
      ("prep-images in --percent nan", 64), ("prep-images in --holdout 100", 64),
      ("prep-images in --filter best", 64), ("prep-images in --limit 0", 64),
      ("prep-images nowhere", 66), ("prep-images empty", 65), ("prep-images in --holdout 1", 65),
      ("prep-images list-of-nothing", 65), ("prep-coco coco --split test", 64),
      ("prep-coco coco --segmentation best", 64), ("prep-coco coco --categories ,", 64),
      ("prep-coco coco --categories unicorn", 64), ("prep-coco coco --split val", 66),
      ("prep-coco coco --segmentation stuffthingmaps", 66), ("prep-coco nowhere", 66),
      ("prep-coco empty", 66), ("prep-coco broken", 65),
    ])
  func exitCodes(command: String, status: Int32) throws {
    let folder = try coco()
    let outcome = try shell(
      """
      mkdir in empty && cp '\(screens)/1.png' in && : > list-of-nothing
      mkdir -p broken/train2017 broken/annotations && cp in/1.png broken/train2017
      echo '{"images":[' > broken/annotations/captions_train2017.json
      \(command) --out S
      """, in: folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.output == "")
    #expect(!outcome.errors.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: folder("S/manifest.json")))
  }

  @Test func aStoppedRunIsContinued() throws {
    let folder = try TemporaryFolder()
    let command =
      "prep-images '\(screens)' --size 512 --limit 100 --shard-size 20 --compression 9"
    let stopped = try shell(
      """
      \(command) --out S & pid=$!
      while [ ! -e S/manifest.json ]; do sleep 0.02; done
      kill -TERM $pid; wait $pid
      """, in: folder)
    #expect(stopped.status == 143, "\(stopped.errors)")
    #expect(stopped.output == "")
    #expect(stopped.errors.contains("stopped by SIGTERM; the same command continues"))
    let continued = try shell(
      "\(command) --out S && \(command) --out whole --threads 1 >/dev/null && "
        + "cmp S/manifest.json whole/manifest.json && cd S && sha256sum *.h5 > ../sums && "
        + "cd ../whole && sha256sum --check --quiet ../sums && ls -a | grep -c tmp-", in: folder)
    #expect(continued.output == (0..<5).map { "S/images-0000\($0).h5\n" }.joined() + "0\n")
  }
}
