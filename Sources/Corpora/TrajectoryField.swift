/// The bytes of one field of a comma-separated line, blanks around it taken off.
struct TrajectoryField {
  let bytes: ArraySlice<UInt8>

  /// The fields of `line`, split at commas.
  static func split(_ line: ArraySlice<UInt8>) -> [TrajectoryField] {
    var fields: [TrajectoryField] = []
    fields.reserveCapacity(5)
    var start = line.startIndex
    for index in line.indices where line[index] == UInt8(ascii: ",") {
      fields.append(TrajectoryField(trimming: line[start..<index]))
      start = index + 1
    }
    fields.append(TrajectoryField(trimming: line[start...]))
    return fields
  }

  init(trimming bytes: ArraySlice<UInt8>) {
    var rest = bytes
    while let first = rest.first, Self.isBlank(first) { rest.removeFirst() }
    while let last = rest.last, Self.isBlank(last) { rest.removeLast() }
    self.bytes = rest
  }

  /// The field as text, at most 40 bytes of it: it ends up in messages.
  var text: String { String(decoding: bytes.prefix(40), as: UTF8.self) }

  var isNull: Bool {
    bytes.isEmpty || ["null", "none", "nan"].contains(text.lowercased())
  }

  /// An integer with optional sign, or `nil` for anything else, overflow included.
  ///
  /// A fraction of zeros, as in `1.0`, is allowed.
  var integer: Int? {
    var rest = bytes
    var isNegative = false
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      isNegative = sign == UInt8(ascii: "-")
      rest.removeFirst()
    }
    guard let first = rest.first, Self.isDigit(first) else { return nil }
    var value = 0
    while let digit = rest.first, Self.isDigit(digit) {
      let (tenfold, tooBig) = value.multipliedReportingOverflow(by: 10)
      let (sum, tooBigStill) = tenfold.addingReportingOverflow(Int(digit - UInt8(ascii: "0")))
      if tooBig || tooBigStill { return nil }
      value = sum
      rest.removeFirst()
    }
    if rest.first == UInt8(ascii: ".") {
      guard rest.dropFirst().allSatisfy({ $0 == UInt8(ascii: "0") }) else { return nil }
    } else if !rest.isEmpty {
      return nil
    }
    return isNegative ? -value : value
  }

  /// `0`, `1`, `0.0`, `1.0`, `True` or `False` in any case; `nil` for anything else.
  var flag: Bool? {
    switch text.lowercased() {
    case "true": true
    case "false": false
    default:
      switch integer {
      case 0: false
      case 1: true
      default: nil
      }
    }
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
