// Many images on one page, for people.

/// A grid of images on a dark page, with optional headings.
///
/// The cells of a row follow each other from the left. A cell is as large as the largest image
/// after enlargement; smaller ones lie in its middle.
package struct ContactSheet: Sendable {
  /// Images in the order of reading; the last row may be short.
  package var images: [RGBImage]
  /// Cells of a full row.
  package var columns: Int
  /// Text above each column; may be fewer than the columns.
  package var columnHeaders: [String]
  /// Text left of each row; may be fewer than the rows.
  package var rowLabels: [String]
  /// Text under the grid; line breaks are kept, long lines are wrapped.
  package var caption: String
  /// Images whose longer side is below this are enlarged by a whole factor until it is not, each
  /// pixel a square; pixels.
  package var smallestSide: Int

  /// Free pixels around every cell.
  package static let padding = 2
  private static let background = RGBColor.grey(24)
  private static let ink = RGBColor.grey(230)

  /// A sheet.
  ///
  /// - Parameters:
  ///   - images: at least one.
  ///   - columns: at least 1.
  package init(
    _ images: [RGBImage], columns: Int, columnHeaders: [String] = [], rowLabels: [String] = [],
    caption: String = "", smallestSide: Int = 64
  ) {
    precondition(!images.isEmpty && columns > 0, "a sheet has at least one image and column")
    self.images = images
    self.columns = columns
    self.columnHeaders = columnHeaders
    self.rowLabels = rowLabels
    self.caption = caption
    self.smallestSide = smallestSide
  }

  /// A sheet of rows of equal length, as "input | reconstruction" needs.
  ///
  /// - Parameter rows: at least one row of at least one image.
  package init(
    rows: [[RGBImage]], columnHeaders: [String] = [], rowLabels: [String] = [],
    caption: String = "", smallestSide: Int = 64
  ) {
    precondition(
      rows.allSatisfy { $0.count == rows.first?.count }, "rows of a sheet have equal lengths")
    self.init(
      Array(rows.joined()), columns: rows.first?.count ?? 0, columnHeaders: columnHeaders,
      rowLabels: rowLabels, caption: caption, smallestSide: smallestSide)
  }

  /// The page as an image.
  package func rendered() -> RGBImage {
    let gap = Self.padding
    let cells = images.map(enlarged)
    let cellWidth = cells.map(\.width).max() ?? 1
    let cellHeight = cells.map(\.height).max() ?? 1
    let columns = min(columns, cells.count)
    let rows = (cells.count + columns - 1) / columns

    let labelWidth = rowLabels.prefix(rows).map(BitmapFont.width).max() ?? 0
    let left = labelWidth > 0 ? labelWidth + 2 * gap : 0
    let top = columnHeaders.isEmpty ? 0 : BitmapFont.lineHeight + gap
    let width = left + gap + columns * (cellWidth + gap)
    let captionLines =
      caption.isEmpty ? [] : BitmapFont.wrapped(caption, toFit: width - 2 * gap)
    let gridBottom = top + gap + rows * (cellHeight + gap)
    let height =
      gridBottom + (captionLines.isEmpty ? 0 : captionLines.count * BitmapFont.lineHeight + gap)

    var page = RGBImage(width: width, height: height, filledWith: Self.background)
    for (i, cell) in cells.enumerated() {
      let x = left + gap + i % columns * (cellWidth + gap)
      let y = top + gap + i / columns * (cellHeight + gap)
      page.draw(cell, x: x + (cellWidth - cell.width) / 2, y: y + (cellHeight - cell.height) / 2)
    }
    for (column, header) in columnHeaders.prefix(columns).enumerated() {
      page.drawText(
        BitmapFont.shortened(header, toFit: cellWidth),
        x: left + gap + column * (cellWidth + gap), y: gap, color: Self.ink)
    }
    for (row, label) in rowLabels.prefix(rows).enumerated() {
      let middle = top + gap + row * (cellHeight + gap) + cellHeight / 2
      page.drawText(label, x: gap, y: middle - BitmapFont.lineHeight / 2, color: Self.ink)
    }
    for (line, text) in captionLines.enumerated() {
      page.drawText(text, x: gap, y: gridBottom + line * BitmapFont.lineHeight, color: Self.ink)
    }
    return page
  }

  private func enlarged(_ image: RGBImage) -> RGBImage {
    let side = max(image.width, image.height)
    let factor = max(1, (smallestSide + side - 1) / side)
    guard factor > 1 else { return image }
    return image.resized(
      width: image.width * factor, height: image.height * factor, filter: .nearest)
  }
}
