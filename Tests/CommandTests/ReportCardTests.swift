import Images
import TestSupport
import Testing

@Suite("dream --evaluate as a command")
struct ReportCardTests {
  private static let train = """
    train-world games.h5 --layers 1 --heads 2 --width 16 --context 2 --batch-size 4 --steps 1 \
    --out run --quiet > /dev/null
    """

  @Test func theCardHasATableAndAPlot() throws {
    let place = try WorldCommandTests.Stage()
    let outcome = try shell(
      """
      \(Self.train) && dream --world run --from-codes held.h5 --images images.h5 \
        --known games.h5 --evaluate --steps 8 --starts 5 --out card --json --quiet
      dream --world run --from-codes held.h5 --steps 2 --count 1 --out card --quiet > /dev/null
      echo $?
      dream --world run --from-codes held.h5 --evaluate --steps 2 --starts 1 --out card --quiet
      echo $?
      """, in: place.folder)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 5, "\(outcome)")
    let card = try jsonObject(lines[0])
    #expect(card["starts"] as? Int == 5)
    #expect((card["frames_per_second"] as? Double ?? 0) > 0)
    #expect((card["rare_classes"] as? [[String: Any]])?.count == 3)
    let read = try #require(card["read_back"] as? [String: Any])
    #expect(read["pairs"] as? Int == 40)
    let horizons = try #require(card["horizons"] as? [[String: Any]])
    let bands = horizons.compactMap { horizon -> (Double, Double)? in
      guard let low = horizon["psnr_p10"] as? Double, let high = horizon["psnr_p90"] as? Double
      else { return nil }
      return (low, high)
    }
    #expect(bands.count == 4 && bands.allSatisfy { $0.0 <= $0.1 })
    #expect(horizons.allSatisfy { $0["room"] == nil && $0["legal"] as? Double != nil })
    #expect(
      try lines[1...2].map { try jsonObject($0)["path"] as? String } == [
        "card/horizon.csv", "card/horizon.png",
      ])
    // Dreams may stand beside the card, but no other card may take its place.
    #expect(lines[3...] == ["0", "73"], "\(outcome)")
    #expect(outcome.errors.contains("card: holds horizon."), "\(outcome.errors)")
    let table = try String(contentsOfFile: place.folder("card/horizon.csv"), encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    #expect(table.map(\.first) == ["step", "1", "2", "4", "8"])
    #expect(Set(table.map(\.count)).count == 1)
    #expect(Set(table[0].map(String.init)) == Set(horizons[0].keys))
    let plot = try ImageDecoder.decode(contentsOf: place.folder("card/horizon.png"))
    #expect(plot.width > 400 && plot.height > 200)
  }

  @Test(
    "Mistakes lead to their exit codes",
    arguments: [
      ("--evaluate --y4m -", 64, "leave --y4m"), ("--evaluate --actions random", 64, "--actions"),
      ("--lpips x --out D", 64, "need --evaluate"), ("--known games.h5 --out D", 64, "--evaluate"),
      ("--evaluate --lpips nowhere", 66, "nowhere"),
      ("--evaluate --lpips a --lpips b --lpips c", 64, "one file or two"),
      ("--evaluate --steps 2 --known other.h5", 65, "vqgan_fingerprint"),
    ] as [(String, Int32, String)])
  func mistakesAreNamed(options: String, status: Int32, words: String) throws {
    let place = try WorldCommandTests.Stage()
    let outcome = try shell(
      "\(Self.train); dream --world run --from-codes games.h5 \(options) --quiet",
      in: place.folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
    #expect(outcome.output == "")
  }
}
