import CAnnotations

/// The pixels of an image that an annotation covers, bit for bit those of pycocotools.
package struct COCOMask: Equatable, Sendable {
  /// Columns and rows of the image, pixels.
  package let width, height: Int
  /// Pixel (row, column) is bit column·height + row, lowest first.
  let words: [UInt64]

  /// Most pixels that an outline may run along.
  package static let maxOutlinePoints = Int(ca_longest_outline)

  init(width: Int, height: Int, words: [UInt64]) {
    self.width = width
    self.height = height
    self.words = words
  }

  /// The mask of the JSON behind `"segmentation":`.
  ///
  /// - Throws: when it makes no mask of an image of this size.
  package init(segmentation json: [UInt8], width: Int, height: Int) throws(InvalidSegmentation) {
    self = try MaskMaker(width: width, height: height).mask(segmentation: json)
  }

  private var size: ca_mask_size { ca_mask_size(height: height, width: width) }

  /// Pixels covered.
  package var area: Int { ca_mask_area(words, size) }

  /// Whether the pixel in column `x` of row `y` is covered.
  package subscript(x: Int, y: Int) -> Bool {
    let bit = x * height + y
    return words[bit / 64] >> UInt64(bit % 64) & 1 == 1
  }

  /// Lengths of runs, column by column, the first one of pixels that are not covered: COCO's
  /// uncompressed form.
  package var runs: [UInt32] {
    let count = ca_mask_runs(words, size, nil, 0)
    return [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = ca_mask_runs(words, size, buffer.baseAddress, count)
    }
  }

  /// Writes `label` to the covered pixels of a map whose columns lie one after the other.
  func paint(_ label: UInt8, into columns: inout [UInt8]) {
    ca_mask_paint(words, size, label, &columns)
  }
}
