// Lines with bands around them.

import Platform

extension RGBColor {
  /// Ten colours that are easily told apart, in turns: matplotlib's "tab10".
  package static func ofSeries(_ index: Int) -> RGBColor { tab10[index % tab10.count] }

  private static let tab10 = [
    RGBColor(red: 31, green: 119, blue: 180), RGBColor(red: 255, green: 127, blue: 14),
    RGBColor(red: 44, green: 160, blue: 44), RGBColor(red: 214, green: 39, blue: 40),
    RGBColor(red: 148, green: 103, blue: 189), RGBColor(red: 140, green: 86, blue: 75),
    RGBColor(red: 227, green: 119, blue: 194), RGBColor(red: 127, green: 127, blue: 127),
    RGBColor(red: 188, green: 189, blue: 34), RGBColor(red: 23, green: 190, blue: 207),
  ]
}

/// A plot of several series over the same positions, which stand at equal distances.
package struct BandPlot: Sendable {
  /// A line, and where it has one the band around it.
  package struct Series: Sendable {
    package let name: String
    package let values: [Double]
    package let band: (low: [Double], high: [Double])?

    package init(
      name: String, values: [Double], band: (low: [Double], high: [Double])? = nil
    ) {
      (self.name, self.values, self.band) = (name, values, band)
    }

    fileprivate var all: [Double] { values + (band.map { $0.low + $0.high } ?? []) }
  }

  private let series: [Series]
  private let positions: [String]
  private let title: String
  private let axis: String

  /// - Parameters:
  ///   - series: at least one, each with a finite number for every position.
  ///   - positions: their names, at least one.
  ///   - title: above the plot, on one line; axis: what the positions are.
  package init(_ series: [Series], positions: [String], title: String, axis: String) {
    let numbers = series.flatMap(\.all)
    precondition(
      !numbers.isEmpty && numbers.allSatisfy(\.isFinite)
        && series.allSatisfy { one in
          one.all.count == positions.count * (one.band == nil ? 1 : 3)
        }, "a plot of other numbers than its positions")
    (self.series, self.positions, self.title, self.axis) = (series, positions, title, axis)
  }

  private static let ink = RGBColor.grey(40)
  private static let margin = 6  // pixels

  /// The plot as an image.
  ///
  /// - Parameters: width, height: of what the axes enclose, pixels; the image is larger by the
  ///   texts.
  package func rendered(width: Int = 480, height: Int = 240) -> RGBImage {
    let numbers = series.flatMap(\.all)
    let ticks = Self.ticks(from: numbers.min() ?? 0, to: numbers.max() ?? 0)
    let names = ticks.map(Self.text)
    let frame = PixelRect(
      x: (names.map { BitmapFont.width(of: $0) }.max() ?? 0) + 2 * Self.margin,
      y: 2 * BitmapFont.lineHeight + 2 * Self.margin, width: width, height: height)
    var plot = RGBImage(
      width: frame.x + width + Self.margin,
      height: frame.y + height + 2 * BitmapFont.lineHeight + Self.margin, filledWith: .white)
    let (low, high) = (ticks[0], ticks[ticks.count - 1])
    func row(_ value: Double) -> Int {
      frame.y + height - Int(((value - low) / (high - low) * Double(height)).rounded())
    }
    for (tick, name) in zip(ticks, names) {
      plot.fill(
        PixelRect(x: frame.x, y: row(tick), width: width, height: 1), with: .grey(225))
      plot.drawText(
        name, x: frame.x - Self.margin - BitmapFont.width(of: name), y: row(tick) - 3,
        color: Self.ink)
    }
    plot.fill(
      PixelRect(x: frame.x - 1, y: frame.y, width: 1, height: height + 1), with: Self.ink)
    plot.fill(
      PixelRect(x: frame.x - 1, y: frame.y + height, width: width + 1, height: 1), with: Self.ink)
    for (index, one) in series.enumerated() {
      guard let band = one.band else { continue }
      for column in columns(in: frame) {
        let (top, bottom) = (
          row(value(at: column, of: band.high, in: frame)),
          row(value(at: column, of: band.low, in: frame))
        )
        plot.tint(
          PixelRect(x: column, y: top, width: 1, height: bottom - top + 1),
          with: .ofSeries(index))
      }
    }
    for (index, one) in series.enumerated() {
      draw(one.values, .ofSeries(index), in: frame, of: &plot, row)
    }
    write(in: frame, of: &plot)
    return plot
  }

  private func draw(
    _ values: [Double], _ color: RGBColor, in frame: PixelRect, of plot: inout RGBImage,
    _ row: (Double) -> Int
  ) {
    var before: Int?
    for column in columns(in: frame) {
      let now = row(value(at: column, of: values, in: frame))
      let top = min(now, before ?? now)
      plot.fill(
        PixelRect(x: column, y: top, width: 1, height: max(now, before ?? now) - top + 1),
        with: color)
      before = now
    }
    for (position, value) in values.enumerated() {
      plot.fill(
        PixelRect(
          x: center(of: position, in: frame) - 2, y: row(value) - 2, width: 5, height: 5),
        with: color)
    }
  }

  /// The texts around the plot.
  private func write(in frame: PixelRect, of plot: inout RGBImage) {
    plot.drawText(
      BitmapFont.shortened(title, toFit: frame.width), x: frame.x, y: Self.margin,
      color: Self.ink)
    var x = frame.x
    let y = Self.margin + BitmapFont.lineHeight + 2
    for (index, one) in series.enumerated() {
      plot.fill(PixelRect(x: x, y: y + 1, width: 8, height: 5), with: .ofSeries(index))
      plot.drawText(one.name, x: x + 11, y: y, color: Self.ink)
      x += 11 + BitmapFont.width(of: one.name) + 2 * BitmapFont.advance
    }
    let below = frame.y + frame.height + 4
    func centered(_ text: String, at x: Int, y: Int) {
      plot.drawText(text, x: x - BitmapFont.width(of: text) / 2, y: y, color: Self.ink)
    }
    for (position, name) in positions.enumerated() {
      centered(name, at: center(of: position, in: frame), y: below)
    }
    centered(axis, at: frame.x + frame.width / 2, y: below + BitmapFont.lineHeight)
  }

  /// The column of a position, the middle of its equal part of the frame.
  private func center(of position: Int, in frame: PixelRect) -> Int {
    frame.x + (2 * position + 1) * frame.width / (2 * positions.count)
  }

  /// The columns between the first and the last position; a few around a lone one.
  private func columns(in frame: PixelRect) -> ClosedRange<Int> {
    let (first, last) = (center(of: 0, in: frame), center(of: positions.count - 1, in: frame))
    return positions.count == 1 ? first - 4...last + 4 : first...last
  }

  /// In proportion between the two nearest positions.
  private func value(at column: Int, of values: [Double], in frame: PixelRect) -> Double {
    let next = values.indices.first { center(of: $0, in: frame) > column } ?? values.count
    guard next > 0, next < values.count else { return next == 0 ? values[0] : values[next - 1] }
    let (left, right) = (center(of: next - 1, in: frame), center(of: next, in: frame))
    return values[next - 1] + (values[next] - values[next - 1]) * Double(column - left)
      / Double(right - left)
  }

  /// Round numbers, about five steps of 1, 2 or 5 times a power of ten, around the values.
  package static func ticks(from low: Double, to high: Double) -> [Double] {
    let span = high > low ? high - low : max(abs(low), 1)
    let power = pow(10, log10(span / 5).rounded(.down))
    let step = power * ([1, 2, 5].first { $0 * power >= span / 5 } ?? 10)
    let first = (low / step).rounded(.down)
    let last = max((high / step).rounded(.up), first + 1)
    return stride(from: first, through: last, by: 1).map { $0 * step }
  }

  private static func text(_ tick: Double) -> String {
    let rounded = (tick * 1e4).rounded() / 1e4
    return rounded == rounded.rounded() && abs(rounded) < 1e9 ? "\(Int(rounded))" : "\(rounded)"
  }
}

extension RGBImage {
  /// Mixes a rectangle with a colour, one part of four; what lies outside is cut off.
  fileprivate mutating func tint(_ rect: PixelRect, with color: RGBColor) {
    let whole = PixelRect(x: 0, y: 0, width: width, height: height)
    guard let visible = whole.intersection(rect) else { return }
    func mixed(_ old: UInt8, _ new: UInt8) -> UInt8 { UInt8((3 * Int(old) + Int(new)) / 4) }
    for y in visible.y..<visible.y + visible.height {
      for x in visible.x..<visible.x + visible.width {
        let old = self[x, y]
        self[x, y] = RGBColor(
          red: mixed(old.red, color.red), green: mixed(old.green, color.green),
          blue: mixed(old.blue, color.blue))
      }
    }
  }
}
