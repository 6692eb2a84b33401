import Foundation
import TestSupport
import Testing

@Suite("evaluate: pairs of images")
struct EvaluatePairsTests {
  private let images: EvaluatedImages

  init() throws { images = try EvaluatedImages() }

  /// All pixels are 9 levels off: 10 log10(255² / 81).
  @Test func pairsAreMeasured() throws {
    let report = try images.report("a b --paired")
    #expect(abs((report["psnr"] as? Double ?? 0) - 29.045_953_4) < 1e-5)
    #expect(report["reference_images"] as? Int == 3)
    #expect(report["ssim_uniform7"] is Double && report["ssim"] is Double)
    let same = try images.report("a a --paired --metrics psnr,ssim --bootstrap 20")
    #expect(same["psnr"] as? Double == 99 && same["ssim"] as? Double == 1)
    #expect(same["psnr_ci95"] as? Double == 0)
  }

  /// Files pair by name, also where endings put them in another order; without namesakes they do
  /// not.
  @Test func pairsAreNamesakes() throws {
    for (name, files) in [
      ("c", ["x.k.png", "x.png"]), ("d", ["x.k.png", "x.PNG"]), ("e", ["1.png", "2.png", "3.png"]),
    ] {
      try images.makeFolder(name)
      for (index, file) in files.enumerated() {
        try images.write("\(name)/\(file)", seed: index)
      }
    }
    #expect(try images.report("c d --paired")["psnr"] as? Double == 99)
    #expect(try images.report("c/x.png d/x.k.png --paired")["psnr"] as? Double != 99)
    let outcome = try shell(
      """
      evaluate a e --paired --quiet; echo $?
      for s in a e; do prep-images $s --out S$s --quiet --size 32 >/dev/null; done
      evaluate Sa Se --paired --quiet; echo $?
      """, in: images.folder)
    #expect(outcome.output == "65\n65\n")
    #expect(outcome.errors.contains("a: 0 has no namesake in e"), "\(outcome.errors)")
    #expect(outcome.errors.contains("Sa: 0.png has no namesake in Se"), "\(outcome.errors)")
  }

  /// Rows of codes have names, too, on either side.
  @Test func codesPairByName() throws {
    try images.makeFolder("c")
    for (index, name) in ["0.png", "1.png", "5.png"].enumerated() {
      try images.write("c/\(name)", seed: index)
    }
    let outcome = try shell(
      """
      set -e
      \(EvaluatedImages.vqgan)
      prep-images c --out Sc --quiet --size 32 >/dev/null
      for s in S Sc; do encode-dataset $s --vqgan V --out C$s --quiet >/dev/null; done
      set +e
      for c in "CS Sc" "S CSc" "CS CSc"; do
        evaluate $c --vqgan V --paired --quiet; echo $?
      done
      """, in: images.folder)
    #expect(outcome.output == "65\n65\n65\n", "\(outcome.errors)")
    for (side, other) in [("CS", "Sc"), ("S", "CSc"), ("CS", "CSc")] {
      let words = "\(side): 2.png has no namesake in \(other)"
      #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }
  }

  /// Images below the windows of SSIM are counted, or refused where SSIM is asked for.
  @Test func imagesBelowTheWindow() throws {
    for name in ["small", "smaller"] {
      try images.makeFolder(name)
      for index in 0..<3 {
        let side = index == 0 ? 12 : name == "small" ? 8 : 6
        try images.write("\(name)/\(index).png", width: side, height: side, seed: index)
      }
    }
    let report = try images.report("small small --paired")
    #expect(report["ssim"] as? Double == 1 && report["ssim_uniform7"] as? Double == 1)
    let warnings = try #require(report["warnings"] as? [String])
    #expect(warnings.count == 1 && warnings[0].contains("ssim: without 2 of 3 images"))
    #expect((try images.report("smaller smaller --paired")["warnings"] as? [String])?.count == 2)
    try images.expectRefusal(
      "small small --paired --metrics ssim", "small: image 1 is 8×8, expected at least 11")
  }
}
