// The report card of a world model, for people.
import Foundation
import Metrics

extension DreamReport {
  /// The card as tables.
  package var text: String {
    let tables = [foreseen, similarities, bands, others, rare, actions, speed]
    return tables.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
      .joined(separator: "\n\n")
  }

  private var foreseen: [String] {
    [
      "codes right, each behind recorded ones  \(percent(scores.accuracy))",
      "  those that change                     \(percent(scores.changedAccuracy))",
      "  if nothing ever changed               \(percent(scores.copyAccuracy))",
      "bits per frame  \(decimal(scores.bitsPerFrame(codes: codes)))",
    ]
  }

  private var similarities: [String] {
    [
      "dreams from \(starts) starts beside \(hasImages ? "the images" : "their reconstructions"), "
        + "PSNR in dB",
      row(
        ["step", "codes", "copy", "PSNR", "copy", "random actions"]
          + (hasImages ? ["reconstruction"] : [])),
    ]
      + horizons.map { horizon in
        let nearness = [horizon.dream, horizon.copy, horizon.randomActions, horizon.ceiling]
        return row(
          ["\(horizon.step)", percent(horizon.accuracy), percent(horizon.accuracyCopy)]
            + nearness.compactMap { $0.map { decimal($0.psnr) } })
      } + ["obedience  \(decimal(obedience)) dB"]
  }

  private var bands: [String] {
    func band(_ nearness: Nearness) -> String {
      [nearness.psnrLow, nearness.psnrMedian, nearness.psnrHigh]
        .map { String(format: "%.1f", $0) }.joined(separator: " ")
    }
    return [
      "PSNR that 10, 50 and 90 % of the starts stay below",
      row(["step", "dream", "copy"] + (hasImages ? ["reconstruction"] : []), width: 20),
    ]
      + horizons.map { horizon in
        row(
          ["\(horizon.step)"]
            + [horizon.dream, horizon.copy, horizon.ceiling].compactMap { $0.map(band) },
          width: 20)
      }
  }

  /// SSIM, LPIPS, legal images and rooms, as far as there are any.
  private var others: [String] {
    let lpips = "LPIPS \(horizons.first?.trunk ?? "")"
    let columns: [(String, (DreamHorizon) -> String?)] = [
      ("SSIM", { $0.dream.ssim.map(thousandths) }), ("copy", { $0.copy.ssim.map(thousandths) }),
      ("reconstruction", { $0.ceiling?.ssim.map(thousandths) }),
      (lpips, { $0.dream.lpips.map(thousandths) }),
      ("copy", { $0.copy.lpips.map(thousandths) }),
      ("reconstruction", { $0.ceiling?.lpips.map(thousandths) }),
      ("legal", { percent($0.legal) }), ("codes apart", { decimal($0.legalDistance) }),
      ("room", { $0.room.map(percent) }), ("copy", { $0.roomCopy.map(percent) }),
    ]
    let known = columns.filter { _, value in horizons.contains { value($0) != nil } }
    return [
      "legal: \(legalDistance) of \(codes) codes apart from a real image, or fewer",
      row(["step"] + known.map(\.0)),
    ]
      + horizons.map { horizon in
        row(["\(horizon.step)"] + known.map { $0.1(horizon) ?? "-" })
      }
  }

  private var rare: [String] {
    table("reward", ["below 0", "none", "above 0"], scores.rewards)
      + [""] + table("end", ["no", "yes"], scores.ends)
      + ["", row(["", "steps", "precision", "recall", "F1"])]
      + rareClasses.map { rare in
        row(
          [rare.name, "\(rare.steps)"]
            + [rare.precision, rare.recall, rare.f1].map { $0.map(percent) ?? "-" })
      }
  }

  private var actions: [String] {
    guard let readBack else { return [] }
    let tables = [
      ("dreams", readBack.dreamt), ("recordings", readBack.recorded),
      ("copy", readBack.copy),
    ]
    return [
      "actions read back from \(readBack.dreamt.total) pairs of images",
      row(["of", "right", "mean F1"]),
    ]
      + tables.map { name, table in
        row([name, percent(table.accuracy), percent(table.macroF1)])
      }
  }

  private var speed: [String] {
    ["one dream, without decoding  \(decimal(framesPerSecond)) images/s"]
  }

  private func table(_ name: String, _ classes: [String], _ counts: [[Int]]) -> [String] {
    [row([name] + classes.map { "said \($0)" })]
      + zip(classes, counts).map { row(["is \($0)"] + $1.map { "\($0)" }) }
  }

  private func row(_ cells: [String], width: Int = 16) -> String {
    cells.map { cell in
      String(repeating: " ", count: max(1, width - cell.count)) + cell
    }.joined()
  }
}

private func percent(_ fraction: Double) -> String { String(format: "%.2f %%", 100 * fraction) }
private func decimal(_ value: Double) -> String { String(format: "%.2f", value) }
private func thousandths(_ value: Double) -> String { String(format: "%.3f", value) }
