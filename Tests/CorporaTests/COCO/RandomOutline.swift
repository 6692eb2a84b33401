// The random outlines of Tests/Fixtures/coco/masks.py, text for text.
import TestSupport

/// A random segmentation and the size of its image.
struct RandomOutline {
  let height, width: Int
  let json: String

  init(_ number: Int) {
    var random = SeededGenerator(seed: UInt64(number))
    height = 1 + random.below(120)
    width = 1 + random.below(120)
    let size = (width: width, height: height)
    json =
      switch number % 8 {
      case 0: "[\(random.polygon(3 + random.below(30), low: 0, in: size, decimals: 2))]"
      case 1: "[\(random.polygon(3 + random.below(9), low: 0, in: size, decimals: 15))]"
      case 2: "[\(random.polygon(3 + random.below(9), low: -70, in: size, decimals: 1))]"
      case 3: "[\(random.halves(3 + random.below(12), in: size))]"
      case 4:
        "["
          + (0..<2 + random.below(3)).map { _ in
            random.polygon(3 + random.below(6), low: -5, in: size, decimals: 2)
          }.joined(separator: ", ") + "]"
      case 5: "[\(random.rectangle(in: size))]"
      case 6: random.runs(in: size) { "\($0)" }
      default: random.runs(in: size) { Self.escaped(Self.compressed($0)) }
      }
  }

  /// COCO's compressed text of runs.
  static func compressed(_ counts: [Int]) -> String {
    var text: [UInt8] = []
    for (index, count) in counts.enumerated() {
      var value = count - (index > 2 ? counts[index - 2] : 0)
      var isDone = false
      while !isDone {
        let bits = value & 31
        value >>= 5
        isDone = value == (bits & 16 == 0 ? 0 : -1)
        text.append(UInt8(48 + (isDone ? bits : bits | 32)))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// A JSON string of characters of which only the backslash needs an escape.
  static func escaped(_ text: String) -> String {
    "\"" + text.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
      + "\""
  }
}

extension SeededGenerator {
  /// `value` / 10^decimals as text.
  private func decimal(_ value: Int, decimals: Int) -> String {
    let digits = String(abs(value))
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    return (value < 0 ? "-" : "") + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }

  /// A list of `count` corners from low…size - low.
  fileprivate mutating func polygon(
    _ count: Int, low: Int, in size: (width: Int, height: Int), decimals: Int
  ) -> String {
    let scale = (0..<decimals).reduce(1) { scale, _ in scale * 10 }
    var numbers: [String] = []
    for _ in 0..<count {
      for side in [size.width, size.height] {
        let value = low * scale + below((side - 2 * low) * scale + 1)
        numbers.append(decimal(value, decimals: decimals))
      }
    }
    return "[" + numbers.joined(separator: ", ") + "]"
  }

  /// Corners on a grid of half pixels, many of them twice or in line.
  fileprivate mutating func halves(_ count: Int, in size: (width: Int, height: Int)) -> String {
    var numbers: [String] = []
    for _ in 0..<count {
      if !numbers.isEmpty, below(3) == 0 {
        numbers += numbers.suffix(2)
      } else {
        numbers.append(decimal(5 * below(2 * size.width + 1), decimals: 1))
        numbers.append(decimal(5 * below(2 * size.height + 1), decimals: 1))
      }
    }
    return "[" + numbers.joined(separator: ", ") + "]"
  }

  fileprivate mutating func rectangle(in size: (width: Int, height: Int)) -> String {
    let columns = [below(100 * size.width + 1), below(100 * size.width + 1)].sorted()
    let rows = [below(100 * size.height + 1), below(100 * size.height + 1)].sorted()
    let corners = [(0, 0), (1, 0), (1, 1), (0, 1)].flatMap { [columns[$0], rows[$1]] }
    return "[" + corners.map { decimal($0, decimals: 2) }.joined(separator: ", ") + "]"
  }

  /// Runs that fill an image, some of them empty.
  fileprivate mutating func runs(
    in size: (width: Int, height: Int), written: ([Int]) -> String
  ) -> String {
    var left = size.width * size.height
    let longest = 1 + below(left)
    var counts: [Int] = []
    while left > 0 {
      counts.append(min(left, below(longest + 1)))
      left -= counts.last ?? 0
    }
    return "{\"size\": [\(size.height), \(size.width)], \"counts\": \(written(counts))}"
  }
}
