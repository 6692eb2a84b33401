import Images
import RowMaps
import Shards

/// One row of a shard on a preview: the image with its objects, its maps of classes and of depth,
/// its name and captions.
struct PreviewEntry {
  /// Images below this are enlarged, so that the text beside them stays readable; pixels.
  private static let smallestSide = 128
  private static let gap = 2
  /// Side of the spot of colour in front of a class's name, pixels.
  private static let spotSide = 7
  private static let background = RGBColor.grey(24)
  private static let ink = RGBColor.grey(230)

  /// Images side by side, of equal size.
  private let panels: [RGBImage]
  private let lines: [Line]

  /// Words side by side, some behind a spot of colour.
  private struct Line {
    struct Word {
      var x: Int
      var text: String
      var spot: RGBColor?
    }

    var words: [Word] = []

    init(_ text: String) { words = [Word(x: 0, text: text)] }
    init() {}
  }

  /// - Parameters:
  ///   - maps: of the image's size, shown beside it in this order.
  ///   - names: of classes and categories, by number.
  init(
    name: String, image: RGBImage, maps: [(map: RowMap, values: RowValues)], captions: [String],
    objects: [ShardObject], names: [Int32: String]
  ) {
    let factor = max(1, (Self.smallestSide + image.width - 1) / image.width)
    var shown = Self.enlarged(image, by: factor)
    for object in objects {
      shown.outline(object, by: factor, color: RGBColor(label: Int(object.category)))
    }
    var panels = [shown]
    var classes: [(id: Int32, pixels: Int)] = []
    for (map, values) in maps {
      let shown = RGBImage(values, of: map, width: image.width, height: image.height)
      panels.append(Self.enlarged(shown, by: factor))
    }
    if case .bytes(let labels) = maps.first(where: \.map.isLabels)?.values {
      var counts = [Int](repeating: 0, count: 256)
      for label in labels { counts[Int(label)] += 1 }
      classes = counts.indices.dropFirst().map { (Int32($0), counts[$0]) }.filter { $0.1 > 0 }
        .sorted { $0.pixels > $1.pixels }
    } else {
      classes = Dictionary(grouping: objects, by: \.category).map { ($0.key, $0.value.count) }
        .sorted { ($1.pixels, $0.id) < ($0.pixels, $1.id) }
    }
    self.panels = panels
    let width = panels.reduce(-Self.gap) { $0 + $1.width + Self.gap }
    var lines = BitmapFont.wrapped(name, toFit: width).map { Line($0) }
    lines += Self.legend(
      classes.prefix(8).map { (names[$0.id] ?? "class \($0.id)", RGBColor(label: Int($0.id))) },
      width: width)
    if let first = captions.first {
      let more = captions.count > 1 ? " (and \(captions.count - 1) more)" : ""
      lines += BitmapFont.wrapped(first + more, toFit: width).map { Line($0) }
    }
    self.lines = lines
  }

  /// Lines of text under the images.
  var lineCount: Int { lines.count }

  /// The entry as an image.
  ///
  /// - Parameter lineCount: room for this many lines.
  func rendered(lineCount: Int) -> RGBImage {
    let height = panels.map(\.height).max() ?? 1
    let width = panels.reduce(-Self.gap) { $0 + $1.width + Self.gap }
    var entry = RGBImage(
      width: width, height: height + Self.gap + lineCount * BitmapFont.lineHeight,
      filledWith: Self.background)
    var x = 0
    for panel in panels {
      entry.draw(panel, x: x, y: 0)
      x += panel.width + Self.gap
    }
    for (line, content) in lines.enumerated() {
      let y = height + Self.gap + line * BitmapFont.lineHeight
      for word in content.words {
        var x = word.x
        if let spot = word.spot {
          let side = Self.spotSide
          entry.fill(PixelRect(x: x, y: y, width: side, height: side), with: spot)
          x += side + Self.gap
        }
        entry.drawText(word.text, x: x, y: y, color: Self.ink)
      }
    }
    return entry
  }

  /// Names behind spots of their colour, in as many lines as they take.
  private static func legend(_ classes: [(name: String, color: RGBColor)], width: Int) -> [Line] {
    var lines: [Line] = []
    var x = width
    for (name, color) in classes {
      let text = BitmapFont.shortened(name, toFit: width - spotSide - gap)
      let length = spotSide + gap + BitmapFont.width(of: text)
      if x + length > width {
        lines.append(Line())
        x = 0
      }
      lines[lines.count - 1].words.append(Line.Word(x: x, text: text, spot: color))
      x += length + 3 * gap
    }
    return lines
  }

  private static func enlarged(_ image: RGBImage, by factor: Int) -> RGBImage {
    image.resized(
      width: image.width * factor, height: image.height * factor, filter: .nearest)
  }
}

extension RGBImage {
  /// Draws the edges of an object's box, one pixel wide.
  fileprivate mutating func outline(_ object: ShardObject, by factor: Int, color: RGBColor) {
    let scale = Float(factor)
    let (left, top) = (Int(object.x * scale), Int(object.y * scale))
    let right = max(left, Int((object.x + object.width) * scale) - 1)
    let bottom = max(top, Int((object.y + object.height) * scale) - 1)
    outline(
      PixelRect(x: left, y: top, width: right - left + 1, height: bottom - top + 1), thickness: 1,
      with: color)
  }
}
