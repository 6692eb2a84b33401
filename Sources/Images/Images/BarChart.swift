// Counts as bars.

import Platform

/// A plain bar chart of counts, such as how often each code of a codebook is used.
package struct BarChart: Sendable {
  /// How a count becomes a height.
  package enum Scale: String, CaseIterable, Sendable {
    /// In proportion.
    case linear
    /// By log10(1 + count).
    case log
  }

  /// Bars from the left; not negative.
  package var counts: [Int]
  package var scale: Scale
  /// Text above the bars, on one line.
  package var title: String

  /// A chart.
  ///
  /// - Parameter counts: at least one, none negative.
  package init(_ counts: [Int], scale: Scale = .linear, title: String = "") {
    precondition(!counts.isEmpty && counts.allSatisfy { $0 >= 0 }, "a chart needs counts")
    self.counts = counts
    self.scale = scale
    self.title = title
  }

  private static let background = RGBColor.white
  private static let ink = RGBColor.grey(40)
  private static let bar = RGBColor(red: 38, green: 90, blue: 160)

  /// The chart as an image.
  ///
  /// With fewer pixels than bars a column of pixels shows the largest of its bars.
  ///
  /// - Parameters:
  ///   - width: columns of the bars, pixels; the image is wider by the numbers at the left.
  ///   - height: rows of the bars, pixels; the image is higher by the texts.
  package func rendered(width: Int = 512, height: Int = 160) -> RGBImage {
    let largest = counts.max() ?? 0
    let top = title.isEmpty ? 6 : 6 + BitmapFont.lineHeight
    let left = BitmapFont.width(of: "\(largest)") + 8
    let bottom = top + height
    var chart = RGBImage(
      width: left + width + 6, height: bottom + 4 + BitmapFont.lineHeight,
      filledWith: Self.background)

    for column in 0..<width {
      let first = column * counts.count / width
      let end = max(first + 1, (column + 1) * counts.count / width)
      let count = counts[first..<end].max() ?? 0
      let rows = barHeight(count, largest: largest, height: height)
      chart.fill(
        PixelRect(x: left + column, y: bottom - rows, width: 1, height: rows), with: Self.bar)
    }
    chart.fill(PixelRect(x: left - 1, y: top, width: 1, height: height + 1), with: Self.ink)
    chart.fill(PixelRect(x: left - 1, y: bottom, width: width + 1, height: 1), with: Self.ink)

    func write(_ text: String, endingAt x: Int, y: Int) {
      chart.drawText(text, x: x - BitmapFont.width(of: text), y: y, color: Self.ink)
    }
    write("\(largest)", endingAt: left - 4, y: top)
    write("0", endingAt: left - 4, y: bottom - 7)
    chart.drawText("0", x: left, y: bottom + 4, color: Self.ink)
    write("\(counts.count - 1)", endingAt: left + width, y: bottom + 4)
    let note = scale == .log ? "log10(1 + count)" : ""
    chart.drawText(
      note, x: left + (width - BitmapFont.width(of: note)) / 2, y: bottom + 4, color: Self.ink)
    chart.drawText(
      BitmapFont.shortened(title, toFit: width), x: left, y: 4, color: Self.ink)
    return chart
  }

  /// A count that is not zero is at least one row high.
  private func barHeight(_ count: Int, largest: Int, height: Int) -> Int {
    guard count > 0 else { return 0 }
    let fraction =
      switch scale {
      case .linear: Double(count) / Double(largest)
      case .log: log10(1 + Double(count)) / log10(1 + Double(largest))
      }
    return max(1, Int((fraction * Double(height)).rounded()))
  }
}
