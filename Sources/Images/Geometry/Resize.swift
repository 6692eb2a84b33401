// Resizing of images and maps.

import CImageCodecs

extension RGBImage {
  /// The image at another size, equal to Pillow's `Image.resize` (13.0) bit for bit.
  ///
  /// - Parameters:
  ///   - width: columns of the result, at least 1.
  ///   - height: rows of the result, at least 1.
  package func resized(width: Int, height: Int, filter: ResizeFilter) -> RGBImage {
    resized(
      width: width, height: height, filter: filter,
      region: PixelRect(x: 0, y: 0, width: width, height: height))
  }

  /// A part of the image at another size: `resized` followed by `cropped`, without computing the
  /// pixels that the crop would throw away.
  ///
  /// - Parameters:
  ///   - width: columns of the whole resized image.
  ///   - height: rows of the whole resized image.
  ///   - region: the wanted part of the resized image, inside it.
  package func resized(
    width: Int, height: Int, filter: ResizeFilter, region: PixelRect
  ) -> RGBImage {
    DecodedImage(self).resized(width: width, height: height, filter: filter, region: region)
  }
}

extension DecodedImage {
  /// A part of the whole image at another size, made of pixels that were decoded.
  ///
  /// - Parameters:
  ///   - width: columns of the whole resized image.
  ///   - height: rows of the whole resized image.
  ///   - region: the wanted part of the resized image, inside it.
  func resized(width: Int, height: Int, filter: ResizeFilter, region: PixelRect) -> RGBImage {
    precondition(
      region.x >= 0 && region.y >= 0 && region.width > 0 && region.height > 0
        && region.x + region.width <= width && region.y + region.height <= height,
      "\(region) is not inside \(width)x\(height)")
    let columns = region.x..<region.x + region.width
    let rows = region.y..<region.y + region.height
    let inputColumns = inputRange(
      of: columns, input: whole.width, output: width, filter: filter)
    let inputRows = inputRange(of: rows, input: whole.height, output: height, filter: filter)
    precondition(
      (part.x...part.x + part.width).contains(inputColumns.upperBound)
        && (part.y...part.y + part.height).contains(inputRows.upperBound)
        && inputColumns.lowerBound >= part.x && inputRows.lowerBound >= part.y,
      "columns \(inputColumns) of rows \(inputRows) are not in \(part)")
    let needed = PixelRect(
      x: inputColumns.lowerBound - part.x, y: inputRows.lowerBound - part.y,
      width: inputColumns.count, height: inputRows.count)
    if filter == .nearest {
      return pixels.picked(
        columns: nearestPositions(input: whole.width, output: width)[columns].map { $0 - part.x },
        rows: nearestPositions(input: whole.height, output: height)[rows].map { $0 - part.y })
    }

    // As in Pillow, an axis that keeps its size is not filtered.
    let horizontal =
      width == whole.width
      ? nil : ResampleWeights(input: whole.width, output: width, range: columns, filter: filter)
    let vertical =
      height == whole.height
      ? nil
      : ResampleWeights(input: whole.height, output: height, range: rows, filter: filter)
        .shifted(by: inputRows.lowerBound)
    if let vertical, rowsComeFirst(width: width, height: height) {
      let strip = pixels.cropped(
        x: needed.x, y: needed.y, width: needed.width, height: needed.height
      ).resampledRows(vertical)
      return horizontal.map {
        strip.resampledColumns($0.shifted(by: inputColumns.lowerBound), rows: 0..<strip.height)
      } ?? strip
    }
    let strip =
      horizontal.map {
        pixels.resampledColumns(
          $0.shifted(by: part.x), rows: needed.y..<needed.y + needed.height)
      }
      ?? pixels.cropped(x: needed.x, y: needed.y, width: needed.width, height: needed.height)
    return vertical.map { strip.resampledRows($0) } ?? strip
  }

  /// Whether rows are filtered before columns, which changes pixels by the rounding between the
  /// two.
  ///
  /// Pillow does so, since version 13, where more than twice as many rows as columns go away.
  private func rowsComeFirst(width: Int, height: Int) -> Bool {
    height < whole.height && whole.height - height > 2 * (whole.width - width)
  }
}

extension RGBImage {
  fileprivate func resampledColumns(_ weights: ResampleWeights, rows: Range<Int>) -> RGBImage {
    let outputWidth = weights.starts.count
    let count = outputWidth * rows.count * 3
    let resampled = [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
      pixels.withUnsafeBufferPointer { input in
        ic_resample_columns(
          input.baseAddress.map { $0 + rows.lowerBound * width * 3 }, width, rows.count,
          output.baseAddress, outputWidth, weights.starts, weights.counts, weights.weights,
          weights.taps)
      }
      initialized = count
    }
    return RGBImage(width: outputWidth, height: rows.count, pixels: resampled)
  }

  fileprivate func resampledRows(_ weights: ResampleWeights) -> RGBImage {
    let outputHeight = weights.starts.count
    let rowBytes = width * 3
    let count = rowBytes * outputHeight
    let resampled = [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
      pixels.withUnsafeBufferPointer { input in
        ic_resample_rows(
          input.baseAddress, rowBytes, output.baseAddress, outputHeight, weights.starts,
          weights.counts, weights.weights, weights.taps)
      }
      initialized = count
    }
    return RGBImage(width: width, height: outputHeight, pixels: resampled)
  }

  fileprivate func picked(columns: [Int], rows: [Int]) -> RGBImage {
    let count = columns.count * rows.count * 3
    let picked = [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
      pixels.withUnsafeBufferPointer { input in
        var to = 0
        for row in rows {
          for column in columns {
            let from = (row * width + column) * 3
            output[to] = input[from]
            output[to + 1] = input[from + 1]
            output[to + 2] = input[from + 2]
            to += 3
          }
        }
      }
      initialized = count
    }
    return RGBImage(width: columns.count, height: rows.count, pixels: picked)
  }
}

extension LabelMap {
  /// The map at another size without mixing labels, equal to Pillow's `NEAREST`.
  package func resizedNearest(width: Int, height: Int) -> LabelMap {
    resizedNearest(
      width: width, height: height,
      region: PixelRect(x: 0, y: 0, width: width, height: height))
  }

  /// A part of the map at another size.
  ///
  /// - Parameters:
  ///   - width: columns of the whole resized map.
  ///   - height: rows of the whole resized map.
  ///   - region: the wanted part of the resized map, inside it.
  package func resizedNearest(width: Int, height: Int, region: PixelRect) -> LabelMap {
    precondition(
      region.x >= 0 && region.y >= 0 && region.width > 0 && region.height > 0
        && region.x + region.width <= width && region.y + region.height <= height,
      "\(region) is not inside \(width)x\(height)")
    let columns = nearestPositions(input: self.width, output: width)
    let rows = nearestPositions(input: self.height, output: height)
    let count = region.width * region.height
    let picked = [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
      var to = 0
      for y in region.y..<region.y + region.height {
        let row = rows[y] * self.width
        for x in region.x..<region.x + region.width {
          output[to] = values[row + columns[x]]
          to += 1
        }
      }
      initialized = count
    }
    return LabelMap(width: region.width, height: region.height, values: picked)
  }
}

/// The input pixels of an axis that a range of its output pixels is made of.
func inputRange(
  of range: Range<Int>, input: Int, output: Int, filter: ResizeFilter
) -> Range<Int> {
  if input == output { return range }
  if filter == .nearest {
    let positions = nearestPositions(input: input, output: output)
    return positions[range.lowerBound]..<positions[range.upperBound - 1] + 1
  }
  func reach(_ position: Int) -> Range<Int> {
    ResampleWeights(
      input: input, output: output, range: position..<position + 1, filter: filter
    ).inputRange
  }
  return reach(range.lowerBound).lowerBound..<reach(range.upperBound - 1).upperBound
}

/// The input pixel under the centre of every output pixel.
///
/// The position is summed up, not multiplied: so are Pillow's (`ImagingScaleAffine`), and the last
/// bit decides which pixel a centre on an edge takes.
private func nearestPositions(input: Int, output: Int) -> [Int] {
  let step = Double(Float(input)) / Double(output)
  var position = step * 0.5
  return (0..<output).map { _ in
    defer { position += step }
    return min(Int(position), input - 1)
  }
}
