// Changes of files as disks, transfers and people make them.
import TensorCore

/// A changed file; seed, kind and number alone decide how it was changed.
struct Mutation: Sendable {
  /// What was done, in words.
  let description: String
  let bytes: [UInt8]

  init(of golden: [UInt8], seed: UInt64, kind: String, number: Int) {
    var random = RandomSource(seed: seed).stream(kind).stream(number)
    var (bytes, steps) = (golden, [String]())
    // One change in three of four files; as long as nothing has changed, another one.
    let wanted = random.pick(1...4) == 4 ? random.pick(2...4) : 1
    while steps.count < wanted || bytes == golden {
      steps.append(Self.change(&bytes, &random))
    }
    description = steps.joined(separator: ", ")
    self.bytes = bytes
  }

  private static func change(_ bytes: inout [UInt8], _ random: inout RandomSource) -> String {
    guard !bytes.isEmpty else {
      bytes.append(UInt8(random.pick(0...255)))
      return "a byte in an empty file"
    }
    let position = random.pick(0...bytes.count - 1)
    // Short spans as often as long ones.
    let longest = [4, 64, 512, bytes.count][random.pick(0...3)]
    let end = min(bytes.count, position + random.pick(1...longest))
    let span = position..<end
    switch random.pick(0...11) {
    case 0, 1:
      let bit = random.pick(0...7)
      bytes[position] ^= 1 << UInt8(bit)
      return "bit \(bit) of byte \(position) flipped"
    case 2:
      let value = [0, 1, 0x7F, 0x80, 0xFF, random.pick(0...255)][random.pick(0...5)]
      bytes[position] = UInt8(value)
      return "byte \(position) set to \(value)"
    case 3:
      bytes.removeSubrange(position...)
      return "cut at \(position)"
    case 4:
      let sector = bytes.count > 1024 ? 512 : 64
      let start = position / sector * sector
      let zeroed = start..<min(start + sector, bytes.count)
      bytes.replaceSubrange(zeroed, with: repeatElement(0, count: zeroed.count))
      return "zeros in \(zeroed)"
    case 5:
      bytes.removeSubrange(span)
      return "\(span) removed"
    case 6:
      let copy = bytes[span]
      for _ in 0..<random.pick(1...3) { bytes.insert(contentsOf: copy, at: end) }
      return "\(span) repeated"
    case 7:
      let target = random.pick(0...bytes.count - 1)
      let copy = Array(bytes[span].prefix(bytes.count - target))
      bytes.replaceSubrange(target..<target + copy.count, with: copy)
      return "\(span) copied to \(target)"
    case 8:
      let noise = (0..<random.pick(1...16)).map { _ in UInt8(random.pick(0...255)) }
      bytes.insert(contentsOf: noise, at: position)
      return "\(noise.count) bytes put in at \(position)"
    case 9: return setInteger(&bytes, at: position, &random)
    default: return changeNumber(&bytes, from: position, &random)
    }
  }

  /// A binary integer becomes an extreme one.
  private static func setInteger(
    _ bytes: inout [UInt8], at position: Int, _ random: inout RandomSource
  ) -> String {
    let width = [2, 4, 8][random.pick(0...2)]
    let start = min(position / width * width, max(0, bytes.count - width))
    let value: UInt64 = [
      0, 1, .max, .max - 1, UInt64.max >> 1, 1 << 63, 1 << 31, (1 << 31) - 1, 1 << 32,
    ][random.pick(0...8)]
    let isBig = random.pick(0...1) == 1
    for index in 0..<min(width, bytes.count) {
      let shift = 8 * (isBig ? width - 1 - index : index)
      bytes[start + index] = UInt8(truncatingIfNeeded: value >> UInt64(shift))
    }
    return "\(width) bytes at \(start) set to \(value)\(isBig ? ", big end first" : "")"
  }

  private static let numbers = [
    "0", "-1", "-0", "2147483648", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "18446744073709551616", "1e400", "-1e308", "NaN", "Infinity", "1.5",
    "1e-400", "00", "", "null", "true", "[]", "{}", "\"\"", "65536", "1000000000", "4294967296",
  ]

  /// A number in a text becomes another one; where there is none, a bit is flipped.
  private static func changeNumber(
    _ bytes: inout [UInt8], from position: Int, _ random: inout RandomSource
  ) -> String {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard let start = bytes[position...].firstIndex(where: digits.contains) else {
      bytes[position] ^= 0x20
      return "bit 5 of byte \(position) flipped"
    }
    let end = bytes[start...].firstIndex { !digits.contains($0) } ?? bytes.count
    let text = numbers[random.pick(0...numbers.count - 1)]
    bytes.replaceSubrange(start..<end, with: Array(text.utf8))
    return "the number at \(start) set to \"\(text)\""
  }
}

extension RandomSource {
  fileprivate mutating func pick(_ range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &self)
  }
}
