// Plots of lines with bands.
import Images
import Testing

@Suite struct BandPlotTests {
  /// The rows of a column whose pixels have a colour, or any of a condition.
  private func rows(_ x: Int, of plot: RGBImage, where isWanted: (RGBColor) -> Bool) -> [Int] {
    (0..<plot.height).filter { isWanted(plot[x, $0]) }
  }

  private func plot(_ series: [BandPlot.Series]) -> RGBImage {
    BandPlot(series, positions: ["1", "2"], title: "title", axis: "steps")
      .rendered(width: 200, height: 100)
  }

  @Test func ticksAreRoundAndEncloseTheValues() {
    #expect(BandPlot.ticks(from: 0, to: 10) == [0, 2, 4, 6, 8, 10])
    #expect(BandPlot.ticks(from: 21.3, to: 38) == [20, 25, 30, 35, 40])
    let alike = BandPlot.ticks(from: 99, to: 99)
    #expect(alike.count > 1 && alike[0] <= 99 && alike[alike.count - 1] >= 99)
  }

  /// A line from 0 to 10 begins at the lower edge and ends at the upper one.
  @Test func linesRiseWithTheirValues() {
    let image = plot([BandPlot.Series(name: "a", values: [0, 10])])
    let right = image.width - 6  // of the frame, which is 200 wide; its middles are at 50 and 150
    let first = rows(right - 150, of: image) { $0 == .ofSeries(0) }
    let last = rows(right - 50, of: image) { $0 == .ofSeries(0) }
    #expect(first.count == 5 && last.count == 5, "the squares of the positions")
    #expect(first[2] - last[2] == 100)
    // Between them the line falls in proportion.
    let middle = rows(right - 100, of: image) { $0 == .ofSeries(0) }
    #expect(middle.contains((first[2] + last[2]) / 2))
    #expect(middle.count < 5)
  }

  /// A band from 0 to 10 around 5 fills the whole height, one of the second series its own half.
  @Test func bandsFillWhatLiesBetween() {
    let wide = plot([BandPlot.Series(name: "a", values: [5, 5], band: ([0, 0], [10, 10]))])
    let tinted = rows(wide.width - 106, of: wide) { $0.blue > $0.red && $0 != .ofSeries(0) }
    #expect((99...101).contains(tinted.count), "\(tinted.count)")
    let two = plot([
      BandPlot.Series(name: "a", values: [0, 0]),
      BandPlot.Series(name: "b", values: [10, 10], band: ([5, 5], [10, 10])),
    ])
    let half = rows(two.width - 106, of: two) { $0.red > $0.blue && $0 != .ofSeries(1) }
    #expect((49...51).contains(half.count), "\(half.count)")
  }

  @Test func aSinglePositionHasAPlotToo() {
    let image = BandPlot(
      [BandPlot.Series(name: "a", values: [99], band: ([99], [99]))], positions: ["1"],
      title: "", axis: ""
    ).rendered()
    let colours = (0..<image.width).flatMap { x in
      rows(x, of: image) { $0 == .ofSeries(0) }
    }
    #expect(colours.count > 40, "the square and the legend")
  }
}
