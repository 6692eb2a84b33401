import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite("evaluate: statistics of latents and codes")
struct EvaluateStatisticsTests {
  private let images: EvaluatedImages

  init() throws { images = try EvaluatedImages() }

  /// Codes and latents of a VQGAN, statistics out and in.
  @Test func latentsAndCodes() throws {
    let outcome = try shell(
      """
      set -e
      \(EvaluatedImages.vqgan)
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
      train-vqgan S --init-from V --freeze encoder,codebook --preset tiny --steps 1 \\
        --batch-size 1 --learning-rate 0.01 --threads 1 --out T --quiet >/dev/null
      evaluate S c.npz --vqgan T --features latents --metrics fid --json --quiet 2>/dev/null
      """, in: images.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = try jsonLines(outcome.output)
    let distances = lines.compactMap { $0["fd_latents"] as? Double }
    try #require(distances.count == 3)
    #expect(abs(distances[0] - distances[1]) < 1e-6 * distances[0] + 1e-9)
    // The decoder makes no latents; older files have the fingerprint of all.
    #expect(distances[2] == distances[1])
    let vqgan = try #require(lines[0]["vqgan_sha256"] as? String)
    #expect(vqgan != lines[0]["weights_sha256"] as? String)
    #expect(vqgan != lines[2]["vqgan_sha256"] as? String)
    let file = try StatisticsFile(images.folder("c.npz"))
    try StatisticsFile(
      mean: file.mean, covariance: file.covariance,
      origin: StatisticsOrigin(resize: "none", weights: vqgan, count: 3, tool: "older")
    ).write(to: images.folder("older.npz"))
    let options = "--vqgan V --features latents --metrics fid --count 3 --bootstrap 5"
    let older = try images.report("S older.npz \(options)")
    #expect(older["fd_latents"] as? Double == distances[1] && older["bootstrap"] == nil)
    let told = try #require(older["warnings"] as? [String])
    for words in ["older.npz: statistics have no images, which", "fd_latents: no interval"] {
      #expect(told.contains { $0.hasPrefix(words) }, "\(told)")
    }
    #expect(lines[0]["candidate_codes_used"] is Double && lines[0]["mind"] is Double)
    // What the statistics were made of.
    let candidate = try #require(lines[1]["candidate"] as? String)
    #expect(candidate.hasPrefix("statistics c.npz, of 3 images by swift-vqgan evaluate "))
    #expect(candidate.contains(", sha256 ") && lines[1]["candidate_images"] as? Int == 3)
    #expect(try String(contentsOfFile: images.folder("path"), encoding: .utf8) == "lone.npz\n")
    let other = try String(contentsOfFile: images.folder("other"), encoding: .utf8)
    #expect(other.contains("c.npz: statistics of weights with SHA-256 "), "\(other)")
    let warnings = try String(contentsOfFile: images.folder("warnings"), encoding: .utf8)
    #expect(warnings.contains("biased upwards below 2048"))
  }

  /// Of every measure, with subsets that are halves of the images; those of KID are in the line.
  @Test func intervalsOfSets() throws {
    for index in 3..<9 {
      for (name, shift) in [("a", 0), ("b", 9)] {
        try images.write("\(name)/\(index).png", seed: index, shift: shift)
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
      """, in: images.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = try jsonLines(outcome.output)
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
    let made = try shell("set -e\n\(EvaluatedImages.vqgan)", in: images.folder)
    #expect(made.status == 0, "\(made.errors)")
    for name in ["sizes", "odd", "equal", "one", "tall"] { try images.makeFolder(name) }
    try images.write("tall/0.png", height: 20, seed: 1)
    for index in 0..<3 {
      try images.write("sizes/\(index).png", height: index == 2 ? 20 : 16, seed: index)
      try images.write("odd/\(index).png", width: 18, height: 16, seed: index)
      try images.write("equal/\(index).png", height: 16, seed: 1)
    }
    try images.write("one/0.png", height: 16, seed: 1)
    let nan = [Double.nan] + Array(repeating: 0, count: 31)
    try StatisticsFile(mean: nan, covariance: Array(repeating: 0, count: 1024))
      .write(to: images.folder("nan.npz"))
    let large = [1e300] + Array(repeating: 0, count: 31)
    try StatisticsFile(mean: large, covariance: Array(repeating: 0, count: 1024))
      .write(to: images.folder("large.npz"))
    let latents = "--vqgan V --features latents --json"
    func evaluate(_ arguments: String) throws -> ShellOutcome {
      try shell("evaluate \(arguments) \(latents) --quiet", in: images.folder)
    }
    for (arguments, words) in [
      ("equal tall", "tall: image 0 is 16×20, expected 16×16 as the others"),
      ("odd odd", "odd"),
      ("equal sizes", "sizes: image 2 is 16×20, expected 16×16 as the others"),
      ("equal odd", "odd: image 0 is 18×16, expected 16×16 as the others"),
      ("equal one --metrics fid", "1 image, it needs at least 2"),
      ("equal one --metrics kid", "1 image, it needs at least 2"),
      ("equal equal --metrics prdc", "3 images, it needs at least 4"),
      ("equal nan.npz --metrics fid", "not finite"),
      ("large.npz equal --metrics fid", "are too large for it"),
    ] { try images.expectRefusal("\(arguments) \(latents)", words) }
    // What is asked for by name and cannot be had is not left out.
    for (arguments, words) in [
      ("equal equal --metrics fid,is", "--metrics is needs --features inception=FILE"),
      ("equal equal --paired --metrics psnr,lpips", "--metrics lpips needs --lpips"),
      ("equal equal --metrics fid,codes", "neither equal nor equal holds codes"),
    ] { try images.expectRefusal("\(arguments) \(latents)", status: 64, words) }
    // Equal images and too few for some measures: numbers, each reason told.
    let equal = try evaluate("equal equal")
    #expect(equal.status == 0, "\(equal.errors)")
    #expect(equal.errors.contains("equal: all images have the same features"))
    #expect(equal.errors.contains("precision and recall: 3 images, it needs at least 4"))
    let report = try jsonObject(equal.output)
    #expect(abs(report["fd_latents"] as? Double ?? 1) < 1e-6)
    #expect(report["mind"] as? Double == 0 && report["precision"] == nil)
    #expect(report["prdc_k"] == nil && (report["warnings"] as? [String])?.count == 3)
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
    try StatisticsFile(mean: Array(zeros[..<32]), covariance: zeros)
      .write(to: images.folder("zero.npz"))
    try images.expectRefusal("one zero.npz \(latents)", "1 image, it needs at least 2")
    let single = try evaluate("one one --metrics mind")
    #expect(single.status == 0 && single.output.contains(#""mind":0"#), "\(single.errors)")
  }
}
