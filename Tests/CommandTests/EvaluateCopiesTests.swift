import Foundation
import Images
import TestSupport
import Testing

@Suite("evaluate: copies of training images")
struct EvaluateCopiesTests {
  private let images: EvaluatedImages

  init() throws { images = try EvaluatedImages() }

  /// Of three grids two are those of the training.
  @Test func copiesAreFound() throws {
    let outcome = try shell(
      """
      set -e
      \(EvaluatedImages.vqgan)
      mkdir two; cp a/0.png a/1.png two
      prep-images two --out T --quiet --size 32 >/dev/null
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
      """, in: images.folder)
    let lines = try outcome.output.split(separator: "\n").prefix(2).map { try jsonObject($0) }
    #expect(lines.count == 2, "\(outcome.errors)")
    #expect(lines[0]["copies_verbatim"] as? Double == 1)
    #expect(lines[0]["copies_new_blocks"] as? Double == 0)
    #expect(lines[0]["copies_distance_median"] as? Double == 0)
    #expect((lines[1]["copies_verbatim"] as? Double ?? 0) >= 0.66)
    #expect(lines[1]["copies_of"] as? String == "2 grids of CT")
    #expect(lines[1]["sheet"] as? String == "closest.png" && lines[0]["sheet"] == nil)
    // Three rows of two images of 32 pixels, enlarged.
    let sheet = try ImageDecoder.decode(contentsOf: images.folder("closest.png"))
    #expect(sheet.width > 2 * 96 && sheet.height > 3 * 96)
    #expect(try String(contentsOfFile: images.folder("path"), encoding: .utf8) == "other.png\n")
    #expect(outcome.output.hasSuffix("64\n65\n73\n"), "\(outcome.output)")
    #expect(outcome.errors.contains("fingerprint"), "\(outcome.errors)")
    // Codes can be counted and compared without what decodes them; nothing else can be had of them.
    let lone = try jsonObject(
      try String(contentsOfFile: images.folder("lone.json"), encoding: .utf8))
    #expect(lone["copies_verbatim"] as? Double == lines[1]["copies_verbatim"] as? Double)
    #expect(lone["candidate_codes_used"] is Double && lone["mind_pixels"] == nil)
    #expect((lone["warnings"] as? [String])?.first?.contains("mind_pixels is left out") == true)
    #expect(lone["nearest"] as? String == "near.jsonl")
    #expect(try String(contentsOfFile: images.folder("lone"), encoding: .utf8) == "64\n64\n")
    let errors = try String(contentsOfFile: images.folder("lone.err"), encoding: .utf8)
    #expect(errors.contains("name the VQGAN that decodes them"), "\(errors)")
    let list = try String(contentsOfFile: images.folder("near.jsonl"), encoding: .utf8)
      .split(separator: "\n")
    #expect(list.count == 3)
    #expect(list.first == #"{"distance":0,"new_blocks":0,"row":0,"sample":0}"#)
  }
}
