// From the JSON of outlines to masks; the only caller of the mask kernels that make them.

import CAnnotations

/// Makes masks of images of one size, one after the other, in the same memory.
final class MaskMaker {
  private let width, height: Int
  private var outline = ca_outline()
  /// All zero between two masks.
  private var turns: [UInt64]
  /// Of the last mask: what is wrong with the first part of its polygon that makes none, and how
  /// many such parts there are.
  private(set) var leftOut: (first: InvalidSegmentation, count: Int)?

  /// - Parameters:
  ///   - width: columns, at least 1.
  ///   - height: rows, at least 1.
  init(width: Int, height: Int) {
    precondition(width > 0 && height > 0, "an image has pixels")
    self.width = width
    self.height = height
    turns = [UInt64](repeating: 0, count: width * height / 64 + 1)
  }

  deinit { ca_outline_free(&outline) }

  private var size: ca_mask_size { ca_mask_size(height: height, width: width) }

  /// The mask of the JSON behind `"segmentation":`; empty bytes stand for none.
  ///
  /// Parts of a polygon that make no mask are left out, unless all are such.
  func mask(segmentation json: [UInt8]) throws(InvalidSegmentation) -> COCOMask {
    leftOut = nil
    guard !json.isEmpty else { throw .empty }
    try read(json)
    var words = [UInt64](repeating: 0, count: turns.count)
    switch outline.form {
    case CA_POLYGONS:
      try addPolygons(to: &words)
    case CA_COUNTS:
      try checkSize()
      var position: Int64 = 0
      let status = ca_mask_set_counts(&words, size, outline.counts, outline.count_count, &position)
      try check(status, position)
    default:
      try checkSize()
      var position: Int64 = 0
      let status = ca_mask_set_compressed(&words, size, outline.text, outline.text_count, &position)
      try check(status, position)
    }
    return COCOMask(width: width, height: height, words: words)
  }

  private func read(_ json: [UInt8]) throws(InvalidSegmentation) {
    var json = json
    let status = json.withUnsafeMutableBytes { bytes in
      ca_outline_read(
        &outline, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }
    let found = RecordStream.text(of: outline.found)
    switch status {
    case CA_OUTLINE_OK: return
    case CA_OUTLINE_COUNT: throw .count(index: outline.index, found: found)
    case CA_OUTLINE_MEMORY: throw .tooLong
    default: throw .wrongShape(found: found)
    }
  }

  private func addPolygons(to words: inout [UInt64]) throws(InvalidSegmentation) {
    guard outline.part_count > 0 else { throw .empty }
    let ends = UnsafeBufferPointer(start: outline.part_ends, count: outline.part_count)
    var start = 0
    var steps = 0
    for (part, end) in ends.enumerated() {
      let count = end - start
      if count >= 6, count % 2 == 0, let numbers = outline.numbers {
        let status = ca_mask_add_polygon(&words, size, numbers + start, count / 2, &turns, &steps)
        try check(status, 0)
      } else if let (first, parts) = leftOut {
        leftOut = (first, parts + 1)
      } else if part == outline.bad_part {
        leftOut = (.coordinate(part: part, found: RecordStream.text(of: outline.found)), 1)
      } else {
        leftOut = (.numberCount(part: part, count: count), 1)
      }
      start = end
    }
    if let (first, parts) = leftOut, parts == ends.count { throw first }
  }

  private func checkSize() throws(InvalidSegmentation) {
    guard outline.width == width, outline.height == height else {
      throw .size(
        foundWidth: Int(outline.width), foundHeight: Int(outline.height), width: width,
        height: height)
    }
  }

  private func check(_ status: ca_mask_status, _ position: Int64) throws(InvalidSegmentation) {
    switch status {
    case CA_MASK_OK: return
    case CA_MASK_TOO_LONG: throw .tooLong
    case CA_MASK_SUM: throw .sum(found: Int(position), expected: width * height)
    case CA_MASK_UNTERMINATED: throw .unterminated
    case CA_MASK_LONG_COUNT: throw .longCount(index: Int(position))
    default:
      let text = UnsafeBufferPointer(start: outline.text, count: outline.text_count)
      throw .character(index: Int(position), found: UInt8(bitPattern: text[Int(position)]))
    }
  }
}
