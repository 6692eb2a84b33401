import Checkpoints
import Foundation
import Images
import Models
import NN
import Shards
import TestSupport
import Testing
import Training

/// `evaluate` on small images; its numbers on real ones are in `Tests/check-metrics.py`.
@Suite("evaluate")
struct EvaluateTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for (name, shift, count) in [("a", 0, 3), ("b", 9, 3), ("few", 0, 1)] {
      try FileManager.default.createDirectory(
        atPath: folder(name), withIntermediateDirectories: true)
      for index in 0..<count {
        try image(16, 12, seed: index, shift).writePNG(to: folder("\(name)/\(index).png"))
      }
    }
  }

  private func image(_ width: Int, _ height: Int, seed: Int, _ shift: Int) -> RGBImage {
    RGBImage(
      width: width, height: height,
      pixels: (0..<width * height * 3).map { UInt8(($0 * (7 + seed)) % 200 + shift) })
  }

  private func json(_ arguments: String) throws -> [String: Any] {
    let outcome = try shell("evaluate \(arguments) --json --quiet", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  /// All pixels are 9 levels off: 10 log10(255² / 81).
  @Test func pairsAreMeasured() throws {
    let report = try json("a b --paired")
    #expect(abs((report["psnr"] as? Double ?? 0) - 29.045_953_4) < 1e-5)
    #expect(report["reference_images"] as? Int == 3)
    #expect(report["ssim_uniform7"] is Double && report["ssim"] is Double)
    let same = try json("a a --paired --metrics psnr,ssim --bootstrap 20")
    #expect(same["psnr"] as? Double == 99 && same["ssim"] as? Double == 1)
    #expect(same["psnr_ci95"] as? Double == 0)
  }

  /// A red sprite of four pixels that walks through a black room; one sample has two of them, one
  /// none, and one is of no room.
  @Test func spritesAreComparedWithThoseOfRecordings() throws {
    func frame(_ positions: [Int], room: UInt8 = 0) -> [UInt8] {
      var pixels = [UInt8](repeating: room, count: 16 * 12 * 3)
      for position in positions {
        for pixel in [0, 1, 16, 17] {
          let start = 3 * (position + pixel)
          pixels.replaceSubrange(start..<start + 3, with: [200, 72, 72])
        }
      }
      return pixels
    }
    try imageShard(
      folder("game.h5"), rows: 5, height: 12, width: 16,
      labels: [("trajectory", .int64([1, 1, 1, 1, 1]))]
    ) { frame([16 * $0 * 2 + 2 * $0]) }
    let samples = [[20], [20, 70], [], [20]].enumerated().map {
      frame($0.element, room: $0.offset == 3 ? 200 : 0)
    }
    try imageShard(folder("samples.h5"), rows: 4, height: 12, width: 16) { samples[$0] }
    let report = try json("game.h5 samples.h5 --sprites")
    #expect(report["near_scene"] as? Double == 0.75)
    #expect(report["one_player"] as? Double == 0.25)
    #expect(report["reference_one_player"] as? Double == 1)
    #expect(report["sprites_whole"] as? Double == 1)
    #expect(report["player"] as? String == "c84848")
    let given = try json("game.h5 samples.h5 --sprites --player-colour 00ff00")
    #expect(given["one_player"] as? Double == 0 && given["player"] as? String == "00ff00")
  }

  @Test func theLineHoldsItsDefinition() throws {
    let outcome = try shell("evaluate a b --paired --seed 5 --quiet", in: folder)
    for part in [
      "psnr 29.046", "swift-vqgan evaluate", "3 from image files a", "seed 5", "upright false",
    ] {
      #expect(outcome.output.contains(part), "\(outcome.output)")
    }
    let report = try json("a b --paired --seed 5 --bootstrap 7")
    #expect(report["seed"] as? Int == 5 && report["bootstrap"] as? Int == 7)
    #expect(report["mind_pixels"] == nil && report["features"] == nil)
    let two = try json("a b --count 2 --upright")
    #expect(two["reference"] as? String == "2 of 3 from image files a")
    #expect(two["upright"] as? Bool == true && two["mind_directions"] as? Int == 1000)
  }

  /// Files pair by name, also where endings put them in another order; without namesakes they do
  /// not.
  @Test func pairsAreNamesakes() throws {
    for (name, files) in [
      ("c", ["x.k.png", "x.png"]), ("d", ["x.k.png", "x.PNG"]), ("e", ["1.png", "2.png", "3.png"]),
    ] {
      try FileManager.default.createDirectory(
        atPath: folder(name), withIntermediateDirectories: true)
      for (index, file) in files.enumerated() {
        try image(16, 12, seed: index, 0).writePNG(to: folder("\(name)/\(file)"))
      }
    }
    #expect(try json("c d --paired")["psnr"] as? Double == 99)
    #expect(try json("c/x.png d/x.k.png --paired")["psnr"] as? Double != 99)
    let outcome = try shell(
      """
      evaluate a e --paired --quiet; echo $?
      for s in a e; do prep-images $s --out S$s --quiet --size 32 >/dev/null; done
      evaluate Sa Se --paired --quiet; echo $?
      """, in: folder)
    #expect(outcome.output == "65\n65\n")
    #expect(outcome.errors.contains("a: 0 has no namesake in e"), "\(outcome.errors)")
    #expect(outcome.errors.contains("Sa: 0.png has no namesake in Se"), "\(outcome.errors)")
  }

  /// Sheets of our commands are no images of a set; other files and folders are told, too.
  @Test func whatIsLeftOutIsTold() throws {
    try FileManager.default.copyItem(atPath: folder("a"), toPath: folder("made"))
    try FileManager.default.copyItem(atPath: folder("few"), toPath: folder("made/sub"))
    try FileManager.default.copyItem(atPath: folder("few"), toPath: folder("made/sub.png"))
    for name in ["grid.png", "sheet.png"] {
      try image(40, 40, seed: 0, 0).writePNG(to: folder("made/\(name)"))
    }
    try Data([1]).write(to: URL(fileURLWithPath: folder("made/x.webp")))
    let report = try json("a made")
    #expect(report["candidate_images"] as? Int == 3 && report["mind_pixels"] as? Double == 0)
    let warnings = try #require(report["warnings"] as? [String])
    for words in [
      "made: grid.png was left out", "made: sheet.png was left out",
      "made: 1 file is no PNG or JPEG by name and left out, such as x.webp",
      "made: 2 folders in it left out with all that is there, such as sub",
    ] { #expect(warnings.contains { $0.contains(words) }, "\(words): \(warnings)") }
    // An image of that name alone is an image.
    try FileManager.default.createDirectory(
      atPath: folder("alone"), withIntermediateDirectories: true)
    try image(40, 40, seed: 0, 0).writePNG(to: folder("alone/grid.png"))
    let alone = try json("a alone")
    #expect(alone["candidate_images"] as? Int == 1)
    #expect((alone["warnings"] as? [String])?.contains { $0.contains("1 image on a side") } == true)
  }

  /// 9 levels of each of the 32×32×3 pixels: 3·|c|², nearly, where no level falls below 0.
  @Test func pixelsNeedNoFeatures() throws {
    let report = try json("a b --bootstrap 3")
    #expect((5..<14).contains(report["mind_pixels"] as? Double ?? 0), "\(report)")
    #expect(
      report["features"] as? String == "pixels 32×32" && report["resize"] as? String == "clean")
    #expect(report["mind_pixels_ci95"] is Double && report["psnr"] == nil)
    #expect(try json("a a")["mind_pixels"] as? Double == 0)
    let both = try json("a b --paired --metrics psnr,mind")
    #expect(both["mind_pixels"] as? Double == report["mind_pixels"] as? Double)
    #expect(both["psnr"] is Double)
  }

  /// Images below the windows of SSIM are counted, or refused where SSIM is asked for.
  @Test func imagesBelowTheWindow() throws {
    for name in ["small", "smaller"] {
      try FileManager.default.createDirectory(
        atPath: folder(name), withIntermediateDirectories: true)
      for index in 0..<3 {
        let side = index == 0 ? 12 : name == "small" ? 8 : 6
        try image(side, side, seed: index, 0).writePNG(to: folder("\(name)/\(index).png"))
      }
    }
    let report = try json("small small --paired")
    #expect(report["ssim"] as? Double == 1 && report["ssim_uniform7"] as? Double == 1)
    let warnings = try #require(report["warnings"] as? [String])
    #expect(warnings.count == 1 && warnings[0].contains("ssim: without 2 of 3 images"))
    #expect((try json("smaller smaller --paired")["warnings"] as? [String])?.count == 2)
    let named = try shell("evaluate small small --paired --metrics ssim --quiet", in: folder)
    #expect(named.status == 65, "\(named.errors)")
    #expect(named.errors.contains("small: image 1 is 8×8, expected at least 11"), "\(named.errors)")
  }

  @Test(arguments: [
    ("a b --metrics ,", 64, "nothing to measure"), ("a few --paired", 65, "3 images against 1"),
    ("a missing --paired", 66, "missing"), ("a b --metrics fid", 64, "--features"),
    ("a b --features latents", 64, "--vqgan"), ("a b --features vgg", 64, "inception=FILE"),
    ("a b --features inception=w.safetensors", 65, "Conv2d_1a_3x3.conv.weight"),
    ("a b --features lite0=w.safetensors", 65, "_conv_stem.weight"),
    ("a b --features inception=$FIXTURES/script.pt", 65, "TorchScript"),
    ("a b --paired --lpips w.safetensors --lpips w.safetensors", 65, "heads"),
    ("a empty --paired", 66, "no .h5"), ("a mixed --paired", 65, "shards and image files"),
    ("a wide --paired", 65, "image 1 is 20×12, expected 16×12"),
    ("a statistics.npz --paired", 65, "0"),
    ("a statistics.npz", 64, "statistics.npz: statistics have no images, which mind needs"),
    ("a statistics.npz", 64, "name the --features that they are of"),
    ("a b --bootstrap 1", 64, "--bootstrap must be 0 or in 2...10000"),
    ("a b --resize torch", 64, "--resize goes with --features"),
    ("a b --resize torch --features latents --vqgan v", 64, "--resize goes with --features"),
    ("a", 64, "Name a candidate, or --save-statistics"),
    ("a --features lite0=x --save-statistics o.npz --paired", 64, "Without a candidate"),
    ("a statistics.npz --features lite0=x --save-statistics o.npz", 64, "statistics already"),
    ("statistics.npz --features lite0=x --save-statistics o.npz", 64, "statistics already"),
    ("a b --copies c --sheet x.png", 64, "--vqgan"), ("a b --nearest x", 64, "--copies"),
    ("a indefinite.npz", 65, "indefinite.npz: sigma has a negative eigenvalue"),
    ("a b --paired --lpips w.safetensors", 65, "w.safetensors holds no part of LPIPS (but x …); "),
    ("a b --player-colour c84848", 64, "--sprites"), ("a b --sprites", 65, "label trajectory"),
    ("a b --sprites --player-colour red", 64, "--player-colour"),
    ("a b --sheet x.png", 64, "--copies"), ("a b --copies c --sheet x.jpg", 64, ".png"),
  ])
  func refuses(arguments: String, status: Int32, words: String) throws {
    try FileManager.default.createDirectory(
      atPath: folder("empty"), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(
      atPath: folder("mixed"), withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: folder("mixed/a.h5")))
    try image(16, 12, seed: 0, 0).writePNG(to: folder("mixed/a.png"))
    try FileManager.default.copyItem(atPath: folder("a"), toPath: folder("wide"))
    try image(20, 12, seed: 0, 0).writePNG(to: folder("wide/1.png"))
    try FileManager.default.copyItem(
      atPath: Fixture.path("metrics/statistics.npz"), toPath: folder("statistics.npz"))
    try StatisticsFile(mean: [0, 0], covariance: [1, 2, 2, 1]).write(to: folder("indefinite.npz"))
    let header = Data(#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.utf8)
    var file = Data([UInt8(header.count), 0, 0, 0, 0, 0, 0, 0])
    file.append(header)
    file.append(Data([0, 0, 0, 0]))
    try file.write(to: URL(fileURLWithPath: folder("w.safetensors")))
    let outcome = try shell(
      "evaluate \(arguments) --quiet", in: folder,
      environment: ["FIXTURES": Fixture.path("metrics")])
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }

  /// Of three grids two are those of the training.
  @Test func copiesAreFound() throws {
    let outcome = try shell(
      """
      set -e
      mkdir two; cp a/0.png a/1.png two
      prep-images a --out S --quiet --size 32 >/dev/null
      prep-images two --out T --quiet --size 32 >/dev/null
      train-vqgan S --preset tiny --steps 1 --batch-size 1 --threads 1 --out V --quiet >/dev/null
      for s in S T; do encode-dataset $s --vqgan V --out C$s --quiet >/dev/null; done
      evaluate S CT --vqgan V --copies CS --metrics codes --json --quiet
      evaluate S CS --vqgan V --copies CT --metrics codes --sheet closest.png --json --quiet
      evaluate S CS --vqgan V --copies CT --metrics codes --sheet other.png --quiet | tail -1 >path
      evaluate S CS --copies CT --nearest near.jsonl --json --quiet >lone.json
      set +e
      for m in mind psnr; do
        evaluate S CS --copies CT --metrics $m --paired --quiet 2>>lone.err; echo $? >>lone
      done
      evaluate CS S --vqgan V --copies CT --quiet; echo $?
      train-vqgan S --preset tiny --steps 1 --seed 3 --threads 1 --out V2 --quiet >/dev/null
      encode-dataset S --vqgan V2 --out C2 --quiet >/dev/null
      evaluate S CS --vqgan V --copies C2 --quiet; echo $?
      evaluate S CS --vqgan V --copies CT --sheet closest.png; echo $?
      """, in: folder)
    let lines = try outcome.output.split(separator: "\n").prefix(2).map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(lines.count == 2, "\(outcome.errors)")
    #expect(lines[0]["copies_verbatim"] as? Double == 1)
    #expect(lines[0]["copies_new_blocks"] as? Double == 0)
    #expect(lines[0]["copies_distance_median"] as? Double == 0)
    #expect((lines[1]["copies_verbatim"] as? Double ?? 0) >= 0.66)
    #expect(lines[1]["copies_of"] as? String == "2 grids of CT")
    #expect(lines[1]["sheet"] as? String == "closest.png" && lines[0]["sheet"] == nil)
    // Three rows of two images of 32 pixels, enlarged.
    let sheet = try ImageDecoder.decode(contentsOf: folder("closest.png"))
    #expect(sheet.width > 2 * 96 && sheet.height > 3 * 96)
    #expect(try String(contentsOfFile: folder("path"), encoding: .utf8) == "other.png\n")
    #expect(outcome.output.hasSuffix("64\n65\n73\n"), "\(outcome.output)")
    #expect(outcome.errors.contains("fingerprint"), "\(outcome.errors)")
    // Codes can be counted and compared without what decodes them; nothing else can be had of them.
    let lone = try #require(
      try JSONSerialization.jsonObject(
        with: Data(contentsOf: URL(fileURLWithPath: folder("lone.json")))) as? [String: Any])
    #expect(lone["copies_verbatim"] as? Double == lines[1]["copies_verbatim"] as? Double)
    #expect(lone["candidate_codes_used"] is Double && lone["mind_pixels"] == nil)
    #expect((lone["warnings"] as? [String])?.first?.contains("mind_pixels is left out") == true)
    #expect(lone["nearest"] as? String == "near.jsonl")
    #expect(try String(contentsOfFile: folder("lone"), encoding: .utf8) == "64\n64\n")
    let errors = try String(contentsOfFile: folder("lone.err"), encoding: .utf8)
    #expect(errors.contains("name the VQGAN that decodes them"), "\(errors)")
    let list = try String(contentsOfFile: folder("near.jsonl"), encoding: .utf8)
      .split(separator: "\n")
    #expect(list.count == 3)
    #expect(list.first == #"{"distance":0,"new_blocks":0,"row":0,"sample":0}"#)
  }

  /// Codes and latents of a VQGAN, statistics out and in.
  @Test func latentsAndCodes() throws {
    let outcome = try shell(
      """
      set -e
      prep-images a --out S --quiet --size 32 >/dev/null
      train-vqgan S --preset tiny --steps 1 --batch-size 1 --threads 1 --out V --quiet >/dev/null
      encode-dataset S --vqgan V --out C --quiet >/dev/null
      evaluate S C --vqgan V --features latents --metrics fid,kid,mind,codes \\
        --save-statistics c.npz --json --quiet 2>warnings
      evaluate S c.npz --vqgan V --features latents --metrics fid --json --quiet 2>/dev/null
      evaluate S c.npz --vqgan V --features latents --quiet 2>&1 >/dev/null |
        grep -q 'statistics have no images, which kid needs'
      cp c.npz before.npz
      evaluate S C --vqgan V --features latents --save-statistics c.npz --quiet 2>exists &&
        exit 1 || [ $? -eq 73 ]
      grep -q 'c.npz: exists already' exists
      cmp c.npz before.npz
      evaluate C --vqgan V --features latents --save-statistics lone.npz --quiet | tail -1 >path
      cmp c.npz lone.npz
      train-vqgan S --preset tiny --steps 1 --seed 3 --threads 1 --out V2 --quiet >/dev/null
      evaluate S c.npz --vqgan V2 --features latents --quiet 2>other && exit 1 || [ $? -eq 65 ]
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = try outcome.output.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    let distances = lines.compactMap { $0["fd_latents"] as? Double }
    #expect(distances.count == 2 && abs(distances[0] - distances[1]) < 1e-6 * distances[0] + 1e-9)
    #expect(lines[0]["candidate_codes_used"] is Double && lines[0]["mind"] is Double)
    // What the statistics were made of.
    let candidate = try #require(lines[1]["candidate"] as? String)
    #expect(candidate.hasPrefix("statistics c.npz, of 3 images by swift-vqgan evaluate "))
    #expect(candidate.contains(", sha256 ") && lines[1]["candidate_images"] as? Int == 3)
    #expect(try String(contentsOfFile: folder("path"), encoding: .utf8) == "lone.npz\n")
    let other = try String(contentsOfFile: folder("other"), encoding: .utf8)
    #expect(other.contains("c.npz: statistics of weights with SHA-256 "), "\(other)")
    let warnings = try String(contentsOfFile: folder("warnings"), encoding: .utf8)
    #expect(warnings.contains("biased upwards below 2048"))
  }

  /// Of every measure, with subsets that are halves of the images; those of KID are in the line.
  @Test func intervalsOfSets() throws {
    for index in 3..<9 {
      for (name, shift) in [("a", 0), ("b", 9)] {
        try image(16, 12, seed: index, shift).writePNG(to: folder("\(name)/\(index).png"))
      }
    }
    let outcome = try shell(
      """
      set -e
      for s in a b; do prep-images $s --out S$s --quiet --size 32 >/dev/null; done
      train-vqgan Sa --preset tiny --steps 1 --batch-size 1 --threads 1 --out V --quiet >/dev/null
      evaluate Sa Sb --vqgan V --features latents --bootstrap 5 --json --quiet 2>/dev/null
      evaluate Sa Sb --vqgan V --features latents --metrics mind --bootstrap 5 --json --quiet
      evaluate Sa Sb --count 3 --vqgan V --features latents --metrics kid --bootstrap 5 --json
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = try outcome.output.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    try #require(lines.count == 3, "\(outcome.output)")
    for name in ["kd_latents", "fd_latents", "precision", "recall", "density", "coverage", "mind"] {
      let width = try #require(lines[0][name + "_ci95"] as? Double, "\(name): \(lines[0])")
      #expect(width.isFinite && width >= 0, "\(name)")
    }
    #expect((lines[0]["mind_ci95"] as? Double ?? 0) > 0)
    #expect(lines[0]["prdc_k"] as? Int == 3 && lines[0]["upright"] == nil)
    #expect(lines[1]["mind_ci95"] as? Double == lines[0]["mind_ci95"] as? Double)
    #expect((lines[0]["kd_latents_sd"] as? Double ?? 0) > 0)
    for (key, number) in [
      ("subsets", 1), ("subset_size", 9), ("spread_subsets", 100), ("spread_subset_size", 4),
    ] { #expect(lines[0]["kd_latents_\(key)"] as? Int == number, "\(key): \(lines[0])") }
    // Halves of three images are too few for it.
    #expect(lines[2]["kd_latents"] is Double && lines[2]["kd_latents_ci95"] == nil)
    #expect(outcome.errors.contains("kd_latents: no interval, of halves"), "\(outcome.errors)")
  }

  /// What real data have: each is a clear error, or numbers with a warning.
  @Test func unusualImagesOnLatents() throws {
    let outcome = try shell(
      """
      prep-images a --out S --quiet --size 32 >/dev/null || exit 1
      train-vqgan S --preset tiny --steps 1 --batch-size 1 --threads 1 --out V --quiet >/dev/null
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    for name in ["sizes", "odd", "equal", "one"] {
      try FileManager.default.createDirectory(
        atPath: folder(name), withIntermediateDirectories: true)
    }
    for index in 0..<3 {
      try image(16, index == 2 ? 20 : 16, seed: index, 0).writePNG(to: folder("sizes/\(index).png"))
      try image(18, 16, seed: index, 0).writePNG(to: folder("odd/\(index).png"))
      try image(16, 16, seed: 1, 0).writePNG(to: folder("equal/\(index).png"))
    }
    try image(16, 16, seed: 1, 0).writePNG(to: folder("one/0.png"))
    let nan = [Double.nan] + Array(repeating: 0, count: 31)
    try StatisticsFile(mean: nan, covariance: Array(repeating: 0, count: 1024))
      .write(to: folder("nan.npz"))
    func evaluate(_ arguments: String) throws -> ShellOutcome {
      try shell("evaluate \(arguments) --vqgan V --features latents --json --quiet", in: folder)
    }
    for (arguments, words) in [
      ("equal sizes", "sizes: image 2 is 16×20, expected 16×16 as the others"),
      ("equal odd", "odd"), ("equal one --metrics fid", "1 image, it needs at least 2"),
      ("equal one --metrics kid", "1 image, it needs at least 2"),
      ("equal equal --metrics prdc", "3 images, it needs at least 4"),
      ("equal nan.npz --metrics fid", "not finite"),
    ] {
      let outcome = try evaluate(arguments)
      #expect(outcome.status == 65, "\(arguments): \(outcome.errors)")
      #expect(outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }
    // What is asked for by name and cannot be had is not left out.
    for (arguments, words) in [
      ("equal equal --metrics fid,is", "--metrics is needs --features inception=FILE"),
      ("equal equal --paired --metrics psnr,lpips", "--metrics lpips needs --lpips"),
      ("equal equal --metrics fid,codes", "neither equal nor equal holds codes"),
    ] {
      let outcome = try evaluate(arguments)
      #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
      #expect(outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }
    // Equal images and too few for some measures: numbers, each reason told.
    let equal = try evaluate("equal equal")
    #expect(equal.status == 0, "\(equal.errors)")
    #expect(equal.errors.contains("equal: all images have the same features"))
    #expect(equal.errors.contains("precision and recall: 3 images, it needs at least 4"))
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(equal.output.utf8)) as? [String: Any])
    #expect(abs(report["fd_latents"] as? Double ?? 1) < 1e-6)
    #expect(report["mind"] as? Double == 0 && report["precision"] == nil)
    #expect((report["warnings"] as? [String])?.count == 4)
    // One image: what needs several is left out, pairs are measured.
    let pair = try evaluate("one one --paired")
    #expect(pair.status == 0, "\(pair.errors)")
    for words in ["the kernel distance: 1 image,", "the Fréchet distance: 1 image,"] {
      #expect(pair.errors.contains(words), "\(pair.errors)")
    }
    for part in [#""psnr":99"#, #""ssim":1"#, #""mind":0"#] {
      #expect(pair.output.contains(part), "\(pair.output)")
    }
    // Where nothing is left, the reason is the error.
    let zeros = Array(repeating: 0.0, count: 1024)
    try StatisticsFile(mean: Array(zeros[..<32]), covariance: zeros).write(to: folder("zero.npz"))
    let nothing = try evaluate("one zero.npz")
    #expect(nothing.status == 65 && nothing.output.isEmpty, "\(nothing.errors)")
    #expect(nothing.errors.contains("1 image, it needs at least 2"), "\(nothing.errors)")
    let single = try evaluate("one one --metrics mind")
    #expect(single.status == 0 && single.output.contains(#""mind":0"#), "\(single.errors)")
  }

  /// Weights of other shapes or names, and weights that are no numbers.
  @Test func weightsThatCannotBe() throws {
    let names = EfficientNetLite0().namedTensors
    func write(_ name: String, _ change: (String, [Int], [Float]) -> ([Int], [Float])) throws {
      try SafetensorsWriter.write(
        names.map { entry in
          let (shape, floats) = change(
            entry.name, entry.tensor.shape.extents,
            Array(repeating: 0.5, count: entry.tensor.count))
          return SafetensorsEntry(entry.name, shape: shape, floats: floats)
        }, to: folder(name))
    }
    try write("nan.safetensors") { name, shape, floats in
      (shape, name == "_fc.bias" ? [.nan] + floats.dropFirst() : floats)
    }
    try write("wide.safetensors") { name, shape, floats in
      name == "_bn0.bias" ? ([33], floats + [0]) : (shape, floats)
    }
    for (arguments, words) in [
      ("lite0=nan.safetensors", "_fc.bias: holds values that are not finite"),
      ("lite0=wide.safetensors", "_bn0.bias"), ("inception=wide.safetensors", "Conv2d_1a_3x3"),
    ] {
      let outcome = try shell("evaluate a b --features \(arguments) --quiet", in: folder)
      #expect(outcome.status == 65, "\(arguments): \(outcome.errors)")
      #expect(outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
    }
    // LPIPS of images that are smaller than its network takes.
    let trunk = PerceptualTrunk(.alex).withCountedWeights()
    for (name, prefix) in [("base", "features."), ("heads", "lin")] {
      try SafetensorsWriter.write(
        ModelFiles.entries(trunk).filter { $0.name.hasPrefix(prefix) },
        to: folder("\(name).safetensors"))
    }
    let small = try shell(
      "evaluate a b --paired --lpips base.safetensors --lpips heads.safetensors --quiet",
      in: folder)
    #expect(small.status == 65, "\(small.errors)")
    #expect(small.errors.contains("at least 31 pixels a side for lpips_alex"), "\(small.errors)")
    // Parts that do not belong together are named, and what would.
    for (files, words) in [
      ("--lpips base.safetensors", "base.safetensors holds AlexNet without heads; --lpips takes"),
      (
        "--lpips heads.safetensors --lpips heads.safetensors",
        "heads.safetensors holds the heads of alex alone, heads.safetensors holds"
      ), ("--lpips heads.safetensors", "alexnet-owt-7be5be79.pth"),
    ] {
      let outcome = try shell("evaluate a b --paired \(files) --quiet", in: folder)
      #expect(outcome.status == 65, "\(files): \(outcome.errors)")
      #expect(outcome.errors.contains(words), "\(files): \(outcome.errors)")
    }
  }
}
