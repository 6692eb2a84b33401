import Foundation
import Images
import TestSupport
import Testing

@Suite("score as a command")
struct ScoreTests {
  private static let train =
    "train-gpt train.h5 held-out.h5 --layers 1 --heads 2 --width 16 --batch-size 4 --log-every 1 "
    + "--steps 3 --threads 1 --out run --quiet > /dev/null"

  @Test func theListIsSortedAndItsMeanIsTheValidationLoss() throws {
    let stage = try GPTCommandTests.Stage()
    let outcome = try shell(
      """
      \(Self.train) && score held-out.h5 --gpt run --json --quiet --batch-size 2 &&
      tail -1 run/metrics.csv | cut -d, -f8 > loss && head -1 run/metrics.csv | cut -d, -f8 >> loss
      """, in: stage.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors == "")
    let lines = try jsonLines(outcome.output)
    #expect(lines.count == 4)
    let bits = lines.prefix(3).compactMap { $0["bits"] as? Double }
    #expect(bits.count == 3 && bits == bits.sorted(by: >))
    #expect(Set(lines.prefix(3).compactMap { $0["row"] as? Int }) == [0, 1, 2])
    #expect(lines[0]["shard"] as? String == "held-out.h5" && lines[0]["name"] is String)
    #expect(lines[3]["images"] as? Int == 3 && lines[3]["codes"] as? Int == 6)
    let stored = try String(contentsOfFile: stage.folder("loss"), encoding: .utf8)
      .split(separator: "\n")
    #expect(stored.last == "val/loss")
    let loss = try #require(stored.first.flatMap { Double($0) })
    #expect(abs((lines[3]["loss"] as? Double ?? 0) - loss) < 2e-6 * loss)
  }

  @Test func textAndReport() throws {
    let stage = try GPTCommandTests.Stage()
    let outcome = try shell(
      """
      set -e
      \(Self.train)
      score held-out.h5 --gpt run --order least 2> note
      ls train.h5 held-out.h5 | score --gpt run --vqgan vqgan --count 7 --out report --quiet
      score train.h5 --gpt run --out plain --json --quiet > json
      """, in: stage.folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 5)
    let bits = lines.prefix(3).compactMap { $0.split(separator: " ").first.flatMap { Double($0) } }
    #expect(bits.count == 3 && bits == bits.sorted())
    #expect(lines[0].contains(" held-out.h5 "))
    #expect(lines.suffix(2) == ["report/scores.jsonl", "report/sheet.png"])
    let note = try String(contentsOfFile: stage.folder("note"), encoding: .utf8)
    #expect(note.contains("3 images of 6 codes") && note.contains("nats per code"), "\(note)")
    let stored = try String(contentsOfFile: stage.folder("report/scores.jsonl"), encoding: .utf8)
    #expect(try jsonLines(stored).count == 7)
    // The images beside their maps.
    let sheets = try ["report", "plain"].map {
      try ImageDecoder.decode(contentsOf: stage.folder("\($0)/sheet.png"))
    }
    #expect(sheets[0].width > 3 * 2 * 96 && sheets[1].width < 4 * 2 * 96)
    let json = try jsonLines(try String(contentsOfFile: stage.folder("json"), encoding: .utf8))
    #expect(json.count == 13 && json.last?["sheet"] as? String == "plain/sheet.png")
    let again = try shell("score train.h5 --gpt run --out report", in: stage.folder)
    #expect(again.status == 73 && again.errors.contains("scores.jsonl"), "\(again.errors)")
  }

  @Test func mistakes() throws {
    let stage = try GPTCommandTests.Stage()
    #expect(try shell(Self.train, in: stage.folder).status == 0)
    let cases: [(script: String, status: Int32, says: String)] = [
      ("score held-out.h5 --gpt run --vqgan vqgan", 64, "--out"), ("score train.h5", 64, "--gpt"),
      ("score train.h5 --gpt run --count 0", 64, "--count"),
      ("score train.h5 --gpt run --batch-size 0", 64, "--batch-size"),
      ("score train.h5 --gpt run --precision int8", 64, "int8"),
      ("score train.h5 --gpt run --order largest", 64, "largest"),
      ("score other.h5 --gpt run", 65, "vqgan_fingerprint"),
      ("score train.h5 other.h5 --gpt run", 65, "vqgan_fingerprint"),
      ("score run/config.json --gpt run", 65, "run/config.json"),
      ("score train.h5 --gpt vqgan", 65, "vqgan/model.json"),
      ("score nowhere.h5 --gpt run", 66, "nowhere.h5"),
      ("score train.h5 --gpt nowhere", 66, "nowhere"),
      ("score train.h5 --gpt run --out a/b --vqgan nowhere", 66, "nowhere"),
      ("score --gpt run < /dev/null", 66, "standard input"),
      ("score train.h5 --gpt run --out train.h5/a", 73, "train.h5"),
      ("score train.h5 --gpt run > /dev/full", 74, "standard output"),
      ("mkdir d; touch d/.lock; flock d/.lock score train.h5 --gpt run --out d", 75, "d"),
    ]
    for (script, status, says) in cases {
      let outcome = try shell("rm -rf d; \(script)", in: stage.folder)
      #expect(outcome.status == status, "\(script): \(outcome.errors)")
      #expect(outcome.errors.contains(says), "\(script): \(outcome.errors)")
      #expect(outcome.output == "", "\(script)")
    }
    #expect(!FileManager.default.fileExists(atPath: stage.folder("a")))
  }

  /// A reader that has what it wants ends the list without a message.
  @Test func theListMayBeCut() throws {
    let stage = try GPTCommandTests.Stage()
    let outcome = try shell(
      "\(Self.train) && score train.h5 --gpt run --quiet | head -1 | wc -l", in: stage.folder)
    #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")
    #expect(outcome.output.contains("1"))
  }
}
