import Checkpoints
import Foundation
import TestSupport
import Testing

/// What is printed and refused; the numbers on real images are in `Tests/check-metrics.py`.
@Suite("evaluate as a command")
struct EvaluateTests {
  private let images: EvaluatedImages

  init() throws { images = try EvaluatedImages() }

  @Test func theLineHoldsItsDefinition() throws {
    let outcome = try shell("evaluate a b --paired --seed 5 --quiet", in: images.folder)
    for part in [
      "psnr 29.046", "swift-vqgan evaluate", "3 from image files a", "seed 5", "upright false",
    ] {
      #expect(outcome.output.contains(part), "\(outcome.output)")
    }
    let report = try images.report("a b --paired --seed 5 --bootstrap 7")
    #expect(report["seed"] as? Int == 5 && report["bootstrap"] as? Int == 7)
    #expect(report["mind_pixels"] == nil && report["features"] == nil)
    let two = try images.report("a b --count 2 --upright")
    #expect(two["reference"] as? String == "2 of 3 from image files a")
    #expect(two["upright"] as? Bool == true && two["mind_directions"] as? Int == 1000)
  }

  @Test(arguments: [
    ("a b --metrics ,", 64, "nothing to measure"), ("a few --paired", 65, "3 images against 1"),
    ("a few --paired --count 1", 65, "3 images against 1"),
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
    try images.makeFolder("empty")
    try images.makeFolder("mixed")
    try Data().write(to: URL(fileURLWithPath: images.folder("mixed/a.h5")))
    try images.write("mixed/a.png", seed: 0)
    try FileManager.default.copyItem(atPath: images.folder("a"), toPath: images.folder("wide"))
    try images.write("wide/1.png", width: 20, seed: 0)
    try FileManager.default.copyItem(
      atPath: Fixture.path("metrics/statistics.npz"), toPath: images.folder("statistics.npz"))
    try StatisticsFile(mean: [0, 0], covariance: [1, 2, 2, 1])
      .write(to: images.folder("indefinite.npz"))
    let header = Data(#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.utf8)
    var file = Data([UInt8(header.count), 0, 0, 0, 0, 0, 0, 0])
    file.append(header)
    file.append(Data([0, 0, 0, 0]))
    try file.write(to: URL(fileURLWithPath: images.folder("w.safetensors")))
    try images.expectRefusal(arguments, status: status, words)
  }
}
