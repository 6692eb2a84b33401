import Foundation
import Images
import Shards
import TestSupport
import Testing

/// A photo of 33×25 pixels whose EXIF asks for a quarter turn.
private func phone() throws -> Data {
  let jpeg = try Fixture.data("images/baseline-444.jpg")
  let tiff: [UInt8] = [
    0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 4, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0,
  ]
  let body = Array("Exif\0\0".utf8) + tiff
  return jpeg.prefix(2) + [0xFF, 0xE1, 0, UInt8(body.count + 2)] + body + jpeg.dropFirst(2)
}

@Suite("Inputs and outputs that users really have, as commands")
struct InputCommandTests {
  /// Case 9: lists of Windows' programs.
  @Test func listsMayBeginWithAMark() throws {
    let folder = try TemporaryFolder()
    for name in ["a", "ü b"] {
      try RGBImage(width: 9, height: 9, filledWith: .white).writePNG(to: folder("\(name).png"))
    }
    let text = "a.png\r\n\r\nü b.png\r\n"
    func utf16(_ bigEndian: Bool) -> Data {
      Data(
        ("\u{FEFF}" + text).utf16.flatMap { unit -> [UInt8] in
          let bytes = [UInt8(unit >> 8), UInt8(unit & 255)]
          return bigEndian ? bytes : bytes.reversed()
        })
    }
    let mark = Data([0xEF, 0xBB, 0xBF])
    for (number, list) in [
      mark + Data(text.utf8), mark + Data("a.png\n".utf8) + mark + Data("ü b.png".utf8),
      utf16(false), utf16(true), Data("a.png\nü b.png".utf8),
      Data("a.png\rü b.png\r".utf8),
    ].enumerated() {
      try list.write(to: URL(fileURLWithPath: folder("list")))
      let outcome = try shell(
        """
        prep-images list --size 8 --max-errors 0 --quiet --out A\(number)
        prep-images - --size 8 --max-errors 0 --quiet --out B\(number) < list
        """, in: folder)
      #expect(outcome.status == 0, "\(number): \(outcome.errors)")
      for name in ["A", "B"] {
        let reader = try ImageShardReader(folder("\(name)\(number)/images-00000.h5"))
        #expect(try reader.contents.names == ["a.png", "ü b.png"])
      }
    }
    // Lists of shards, too.
    let shards = try shell(
      "printf '\\357\\273\\277A0/images-00000.h5\\r\\n' | shard-info", in: folder)
    #expect(shards.status == 0, "\(shards.errors)")
  }

  /// Case 21: a name is kept but for what means something in a path.
  @Test func namesOfReconstructionsAreThoseOfTheInputs() throws {
    let folder = try GPTCommandTests.Stage().folder
    let long = String(repeating: "長", count: 70)
    // To Swift a slash and an accent are one character.
    let accent = "photos/\u{301}.png"
    let names = [
      "photos/sub dir/Grüße.png", "a (1)+b=c,d.JPG", "two\nlines.jpeg", "\(long).png", accent,
    ]
    try FileManager.default.createDirectory(
      atPath: folder("photos/sub dir"), withIntermediateDirectories: true)
    for name in names {
      try RGBImage(width: 8, height: 8, filledWith: .white).writePNG(to: folder(name))
    }
    let outcome = try shell(
      """
      reconstruct 'photos/sub dir/Grüße.png' 'a (1)+b=c,d.JPG' 'two
      lines.jpeg' \(long).png \(accent) --vqgan vqgan --out R --quiet > /dev/null
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let written = try FileManager.default.contentsOfDirectory(atPath: folder("R")).sorted()
    #expect(
      written == [
        ".lock", "0000-photos-sub dir-Grüße.png", "0001-a (1)+b=c,d.png", "0002-two-lines.png",
        "0003-\(String(repeating: "長", count: 66)).png", "0004-photos-\u{301}.png", "sheet.png",
      ])
    // They are known as results.
    let again = try shell("rm R/sheet.png; reconstruct x --vqgan vqgan --out R", in: folder)
    #expect(again.status == 73 && again.errors.contains("R: holds 0000-photos-sub dir-Grüße.png"))
  }

  /// Cases 4 and 17.
  @Test func photosAreTurnedAndLimitedOnRequest() throws {
    let folder = try GPTCommandTests.Stage().folder
    try phone().write(to: URL(fileURLWithPath: folder("phone.jpg")))
    let stored = try ImageDecoder.decode(contentsOf: folder("phone.jpg"))
    try stored.upright(.needsClockwise).writePNG(to: folder("upright.png"))
    let half = "sample-gpt --gpt G --half top --count 2 --quiet"
    let outcome = try shell(
      """
      set -e
      train-gpt train.h5 --out G --layers 1 --heads 2 --width 16 --batch-size 4 --steps 1 --quiet
      reconstruct phone.jpg --vqgan vqgan --out A --quiet
      reconstruct phone.jpg --upright --vqgan vqgan --out B --quiet
      reconstruct upright.png --vqgan vqgan --out C --quiet
      cmp B/0000-phone.png C/0000-upright.png
      \(half) --from-image phone.jpg --codes-out d.h5 --out D
      \(half) --from-image phone.jpg --upright --codes-out e.h5 --out E
      \(half) --from-image upright.png --codes-out f.h5 --out F
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let sizes = try ["A/0000-phone.png", "B/0000-phone.png"].map { name -> [Int] in
      let image = try ImageDecoder.decode(contentsOf: folder(name))
      return [image.width, image.height]
    }
    #expect(sizes == [[32, 24], [24, 32]])
    let codes = try ["d.h5", "e.h5", "f.h5"].map { try CodeShardReader(folder($0)).codes(0) }
    #expect(codes[0] != codes[1] && codes[1] == codes[2])
    for (command, status) in [
      ("reconstruct phone.jpg --vqgan vqgan --max-pixels 824 --out X", 65),
      ("reconstruct phone.jpg --vqgan vqgan --max-pixels 825 --out Y", 0),
      ("\(half) --from-image phone.jpg --max-pixels 824 --out X", 65),
      ("sample-gpt --gpt G --upright --out X", 64),
      ("reconstruct phone.jpg --vqgan vqgan --max-pixels 0 --out X", 64),
    ] {
      let outcome = try shell(command, in: folder)
      #expect(outcome.status == status, "\(command): \(outcome.errors)")
      if status == 65 { #expect(outcome.errors.contains("--max-pixels"), "\(outcome.errors)") }
    }
    #expect(!FileManager.default.fileExists(atPath: folder("X")))
  }

  /// Case 22: a folder that a command made and put nothing in.
  @Test(arguments: [
    ("sample-gpt --out a/b/P < /dev/null", 66), ("sample-gpt --gpt nowhere --out a/b/P", 66),
    ("reconstruct nowhere.png --vqgan vqgan --out a/b/P", 66),
    ("reconstruct train.h5 --vqgan nowhere --out a/b/P", 66),
    ("codebook-report < /dev/null --out a/b/P", 66),
    ("encode-dataset --vqgan vqgan --out a/b/P < /dev/null", 66),
    ("decode-dataset --vqgan vqgan --out a/b/P < /dev/null", 66),
    ("decode-dataset other.h5 --vqgan vqgan --out a/b/P", 65),
    ("decode-dataset nowhere.h5 --vqgan vqgan --images --out a/b/P", 66),
    ("shard-export --out a/b/P < /dev/null", 66), ("shard-export train.h5 --out a/b/P", 65),
    ("train-gpt train.h5 --heads 3 --out a/b/P", 64),
    ("train-vqgan nowhere.h5 --out a/b/P", 66), ("prep-images nowhere --out a/b/P", 66),
  ])
  func nothingStaysOfAnEmptyFolder(command: String, status: Int32) throws {
    let folder = try GPTCommandTests.Stage().folder
    let outcome = try shell(command, in: folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder("a")), "\(outcome.errors)")
    // One that was there stays, and so does what is in it.
    let kept = try shell("mkdir -p a/b/P; echo x > a/b/note; \(command); ls a/b", in: folder)
    #expect(kept.output == "P\nnote\n", "\(kept.errors)")
  }

  /// What is wrong is what the message speaks of.
  @Test(arguments: [
    (
      "encode-dataset S --vqgan vqgan --out S", 64, "S: holds the shards that are read; use "
    ),
    ("encode-dataset S --vqgan vqgan --out ./S/", 64, "S/: holds the shards that are read"),
    (
      "encode-dataset I.h5 --vqgan vqgan --out S", 64,
      "S: holds shards that another command "
    ),
    ("prep-images in --size 8 --out C", 64, "C: holds shards that another command has made"),
    (
      "decode-dataset C --vqgan vqgan --out C", 64, "C: holds the shards that are read; use "
    ),
    ("prep-images in --jobs 0 --out X", 64, "--threads (--jobs, -j) must be in 1...1024, got 0"),
    ("prep-images in -j 2000 --out X", 64, "--threads (--jobs, -j) must be in 1...1024, got 2000"),
    ("train-vqgan S --preset tiny --out S", 73, "S: holds shards (images-00000.h5); a run needs a"),
    ("train-gpt C --out C", 73, "C: holds shards (I.h5); a run needs a folder of its own"),
    ("train-gpt train.h5 --out .", 73, ".: holds shards ("),
    (
      "convert-checkpoint V --out X", 66,
      "V: a folder of this suite, which its commands take "
    ),
    ("convert-checkpoint vqgan --out X", 66, "vqgan: a folder of this suite"),
    ("convert-checkpoint in --out X", 66, "in: "),
  ])
  func whatIsWrongIsSaid(command: String, status: Int32, words: String) throws {
    let folder = try GPTCommandTests.Stage().folder
    try FileManager.default.createDirectory(
      atPath: folder("in"), withIntermediateDirectories: true)
    try RGBImage(width: 8, height: 8, filledWith: .white).writePNG(to: folder("in/a.png"))
    try imageShard(folder("I.h5"), rows: 4, height: 16, width: 16) { _ in
      [UInt8](repeating: 9, count: 16 * 16 * 3)
    }
    let vqgan = "train-vqgan I.h5 --preset tiny --steps 1 --out V --quiet > lines"
    let outcome = try shell(
      """
      set -e
      prep-images in --size 8 --out S --quiet > lines
      encode-dataset I.h5 --vqgan vqgan --out C --quiet > lines
      \(command.contains(" V ") ? vqgan : ":")
      find S C | sort > before
      status=0; \(command) --quiet || status=$?; echo $status
      find S C | sort | diff before - && [ ! -e S/config.json ]
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output == "\(status)\n", "\(outcome)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
  }

  /// Names of Latin-1 and of broken archives: no path can hold them, and none of them is lost.
  @Test func namesThatAreNotUTF8AreListed() throws {
    let folder = try TemporaryFolder()
    try RGBImage(width: 9, height: 9, filledWith: .white).writePNG(to: folder("a.png"))
    let outcome = try shell(
      """
      set -e
      name=$(printf 'caf\\351'); mkdir -p "in/album$name"
      for to in a.png "$name.png" "album$name/b.png"; do cp a.png "in/$to"; done
      prep-images in --size 8 --out S --quiet
      cat S/skipped.jsonl
      printf 'a.png\\nin/caf\\351.png\\n' > list
      prep-images list --size 8 --out L --quiet || echo $?
      prep-images - --size 8 --out L --quiet < list || echo $?
      reconstruct "in/$name.png" --vqgan nowhere --out R --quiet || echo $?
      [ ! -e L ] && [ ! -e R ]
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    let reasons =
      outcome.output.components(separatedBy: "its name is not UTF-8; rename it").count - 1
    #expect(reasons == 2, "\(outcome.output)")
    #expect(outcome.output.hasSuffix("65\n65\n64\n"), "\(outcome)")
    for list in ["list", "standard input"] {
      #expect(
        outcome.errors.contains("prep-images: \(list): line 2, in/caf\\xE9.png: not UTF-8; "),
        "\(outcome.errors)")
    }
  }

  /// As `find -print0` and `git ls-files -z` write them.
  @Test func listsMayBeSeparatedByNULs() throws {
    let folder = try TemporaryFolder()
    let names = ["a.png", "b.png", "two\nlines.png"]
    for (number, name) in names.enumerated() {
      try RGBImage(width: 9, height: 9, filledWith: .grey(UInt8(number)))
        .writePNG(to: folder(name))
    }
    let outcome = try shell(
      """
      set -e
      find . -name '*.png' -print0 | sort -z > list
      prep-images - --size 8 --max-errors 0 --quiet --out A < list
      cp -r A B
      printf 'A/images-00000.h5\\0B/images-00000.h5\\0' | shard-info --quiet > /dev/null
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let reader = try ImageShardReader(folder("A/images-00000.h5"))
    #expect(try reader.contents.names == names.map { "./\($0)" })
  }

  /// A text of other bytes would be another path: no command does anything.
  @Test(arguments: [
    "bench", "codebook-report", "convert-checkpoint", "decode-dataset", "dream", "encode-dataset",
    "evaluate", "play", "prep-atari", "prep-coco", "prep-images", "reconstruct", "sample-gpt",
    "score",
    "shard-export", "shard-info", "train-gpt", "train-vqgan", "train-world",
  ])
  func argumentsThatAreNotUTF8AreRefused(command: String) throws {
    let folder = try TemporaryFolder()
    let outcome = try shell(
      """
      name=$(printf 'w/\\377\\376'); mkdir w
      for start in '' 'vqgan '; do
        ${start}\(command) x --out "$name" || echo $?
        ${start}\(command) "--out=$name" --help || echo $?
      done
      ls w | wc -l
      """, in: folder)
    #expect(outcome.output == "64\n64\n64\n64\n0\n", "\(outcome)")
    for place in ["argument 3, w/", "argument 1, --out=w/"] {
      let words = "\(command): \(place)\\xFF\\xFE: not UTF-8"
      #expect(outcome.errors.components(separatedBy: words).count == 3, "\(outcome.errors)")
    }
  }

  /// Case 32: files that a command would write, but did not.
  @Test(arguments: [
    ("run/metrics.csv", "train-gpt train.h5 --out run"),
    ("run/pictures/step-000001.png", "train-vqgan I.h5 --preset tiny --steps 1 --out run"),
    ("run/checkpoints/step-000001/x", "train-gpt train.h5 --out run"),
    ("P/samples-00000.h5", "sample-gpt --gpt G --count 1 --shards-out P"),
    ("P/skipped.jsonl", "prep-images in --size 8 --out P"),
    ("P/left-out.jsonl", "prep-images in --size 8 --out P"),
    ("P/images-00000.h5", "prep-images in --size 8 --out P"),
    ("P/I.h5", "encode-dataset I.h5 --vqgan vqgan --out P"),
    ("P/train.h5", "decode-dataset train.h5 --vqgan vqgan --out P"),
    ("P/train-00000.png", "decode-dataset train.h5 --vqgan vqgan --images --out P"),
    ("P/images/00000000.png", "shard-export I.h5 --out P"),
    ("P/sheet.png", "reconstruct in/a.png --vqgan vqgan --out P"),
    ("P/grid.png", "sample-gpt --gpt G --count 1 --out P"),
  ])
  func externalFilesAreNotOverwritten(file: String, command: String) throws {
    let folder = try GPTCommandTests.Stage().folder
    let training = "train-gpt train.h5 --out G --layers 1 --heads 2 --width 16 --steps 1 --quiet"
    try imageShard(folder("I.h5"), rows: 4, height: 16, width: 16) { _ in
      [UInt8](repeating: 9, count: 16 * 16 * 3)
    }
    let outcome = try shell(
      """
      mkdir -p in "$(dirname \(file))"
      printf mine > \(file)
      \(command.contains("--gpt G") ? training : ":")
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    try RGBImage(width: 8, height: 8, filledWith: .white).writePNG(to: folder("in/a.png"))
    let refused = try shell(command, in: folder)
    #expect(refused.status == 73, "\(refused.status) \(refused.errors)")
    #expect(
      refused.output == "" && refused.errors.contains(file.split(separator: "/")[1]),
      "\(refused.errors)")
    #expect(try String(contentsOfFile: folder(file), encoding: .utf8) == "mine")
  }
}
