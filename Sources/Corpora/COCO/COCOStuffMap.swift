/// The images of `stuffthingmaps`: a byte a pixel, the label's id − 1, and 255 where there is no
/// label.
package enum COCOStuffMap {
  /// The label ids of a map: 0 unlabelled, 1…182.
  ///
  /// - Parameters:
  ///   - stored: the file's pixels `[H, W]`, palette indices not looked up.
  ///   - width: columns, for the position in an error.
  ///   - path: for errors.
  /// - Throws: `.notALabel` for the values 182…254, which no label has.
  package static func labels(
    stored: [UInt8], width: Int, path: String
  ) throws(COCOError) -> [UInt8] {
    guard let bad = stored.firstIndex(where: { $0 >= 182 && $0 != 255 }) else {
      return stored.map { $0 &+ 1 }
    }
    throw .notALabel(path: path, column: bad % width, row: bad / width, value: stored[bad])
  }
}
