// The values of one row or several, 8 or 16 bits each.

/// Values `[H, W, channels]` of a row of a shard, or `[N, H, W, channels]` of several.
package enum RowValues: Equatable, Sendable {
  case bytes([UInt8])
  case words([UInt16])

  /// Windows of rows, one after the other.
  ///
  /// - Parameters:
  ///   - rows: each `[H, width, channels]` of the map.
  ///   - width: of every row, pixels.
  package init(_ rows: [(values: RowValues, window: RowWindow)], of map: RowMap, width: Int) {
    if map.isWide {
      var result: [UInt16] = []
      for (values, window) in rows {
        guard case .words(let values) = values else { preconditionFailure("8 bits for \(map)") }
        window.add(values, rowLength: width, channels: map.channels, to: &result)
      }
      self = .words(result)
    } else {
      var result: [UInt8] = []
      for (values, window) in rows {
        guard case .bytes(let values) = values else { preconditionFailure("16 bits for \(map)") }
        window.add(values, rowLength: width, channels: map.channels, to: &result)
      }
      self = .bytes(result)
    }
  }

  package var count: Int {
    switch self {
    case .bytes(let values): values.count
    case .words(let values): values.count
    }
  }

  package var isWide: Bool { if case .words = self { true } else { false } }

  /// As files store them, words little-endian.
  package var littleEndian: [UInt8] {
    switch self {
    case .bytes(let values): values
    case .words(let values): values.map(\.littleEndian).withUnsafeBytes { Array($0) }
    }
  }

  /// The values in a range.
  package subscript(range: Range<Int>) -> RowValues {
    switch self {
    case .bytes(let values): .bytes(Array(values[range]))
    case .words(let values): .words(Array(values[range]))
    }
  }
}

/// A part of a row, mirrored or not.
package struct RowWindow: Equatable, Sendable {
  package var top, left, height, width: Int  // pixels
  package var isMirrored: Bool

  package init(top: Int, left: Int, height: Int, width: Int, isMirrored: Bool = false) {
    (self.top, self.left, self.height, self.width) = (top, left, height, width)
    self.isMirrored = isMirrored
  }

  fileprivate func add<Value>(
    _ values: [Value], rowLength: Int, channels: Int, to result: inout [Value]
  ) {
    for y in top..<top + height {
      let start = (y * rowLength + left) * channels
      guard isMirrored else {
        result += values[start..<start + width * channels]
        continue
      }
      for x in (0..<width).reversed() {
        let pixel = start + x * channels
        for channel in 0..<channels { result.append(values[pixel + channel]) }
      }
    }
  }
}
