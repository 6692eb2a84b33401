// The JSON of a safetensors header. Foundation's reader hides duplicate keys, which are forbidden
// here.

/// Reads `{"name": {"dtype", "shape", "data_offsets"}, "__metadata__": {"key": "value"}}`.
struct HeaderParser {
  /// What the header claims of one tensor; nothing is checked yet.
  struct Tensor {
    var name: String
    var type: String
    var shape: [Int]
    var begin: Int
    var end: Int
  }

  private let bytes: [UInt8]  // valid UTF-8
  private let path: String
  private var position = 0

  init(_ bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }

  mutating func parse() throws(SafetensorsError) -> (
    tensors: [Tensor], metadata: [String: String]
  ) {
    var tensors: [Tensor] = []
    var metadata: [String: String] = [:]
    try object { (parser, key) throws(SafetensorsError) in
      if key == "__metadata__" {
        metadata = try parser.metadata()
      } else {
        tensors.append(try parser.tensor(named: key))
      }
    }
    skipBlanks()
    if position < bytes.count { throw problem("text after the header's end") }
    return (tensors, metadata)
  }

  private mutating func metadata() throws(SafetensorsError) -> [String: String] {
    skipBlanks()
    if next == UInt8(ascii: "n") {
      try literal("null")
      return [:]
    }
    var metadata: [String: String] = [:]
    try object { (parser, key) throws(SafetensorsError) in
      metadata[key] = try parser.string()
    }
    return metadata
  }

  private mutating func tensor(named name: String) throws(SafetensorsError) -> Tensor {
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    try object { (parser, key) throws(SafetensorsError) in
      switch key {
      case "dtype": type = try parser.string()
      case "shape": shape = try parser.numbers()
      case "data_offsets": offsets = try parser.numbers()
      default: try parser.skipValue(depth: 0)
      }
    }
    guard let type, let shape, let offsets, offsets.count == 2 else {
      throw problem("\(name) lacks one of dtype, shape and two data_offsets")
    }
    return Tensor(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
  }

  /// An object; a key that comes twice is an error.
  ///
  /// - Parameter member: reads the value of a key.
  private mutating func object(
    _ member: (inout HeaderParser, String) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    try expect("{")
    if takes("}") { return }
    var keys: Set<String> = []
    repeat {
      let key = try string()
      guard keys.insert(key).inserted else { throw problem("the key \"\(key)\" comes twice") }
      try expect(":")
      try member(&self, key)
    } while takes(",")
    try expect("}")
  }

  private mutating func numbers() throws(SafetensorsError) -> [Int] {
    try expect("[")
    if takes("]") { return [] }
    var values: [Int] = []
    repeat {
      skipBlanks()
      let start = position
      while let byte = next, isDigit(byte) { position += 1 }
      let digits = bytes[start..<position]
      guard let value = Int(String(decoding: digits, as: UTF8.self)),
        digits.count == 1 || digits.first != UInt8(ascii: "0")
      else { throw problem("expected an integer that is not negative") }
      values.append(value)
    } while takes(",")
    try expect("]")
    return values
  }

  private mutating func string() throws(SafetensorsError) -> String {
    try expect("\"")
    var text: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text += try escape().utf8
      case ..<0x20: throw problem("a control character in a text")
      default: text.append(byte)
      }
    }
    throw problem("a text without end")
  }

  private mutating func escape() throws(SafetensorsError) -> String {
    guard let byte = next else { throw problem("a text without end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var units = [try codeUnit()]
      if UTF16.isLeadSurrogate(units[0]), bytes[position...].starts(with: "\\u".utf8) {
        position += 2
        units.append(try codeUnit())
      }
      guard let text = String(validating: units, as: UTF16.self) else {
        throw problem("half a surrogate pair")
      }
      return text
    default: throw problem("an unknown escape")
    }
  }

  private mutating func codeUnit() throws(SafetensorsError) -> UInt16 {
    let digits = bytes[position...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw problem("expected four hexadecimal digits") }
    position += 4
    return unit
  }

  /// A value of a key that this version does not know.
  private mutating func skipValue(depth: Int) throws(SafetensorsError) {
    guard depth < 100 else { throw problem("nested too deeply") }
    skipBlanks()
    switch next {
    case UInt8(ascii: "{"):
      try object { (parser, _) throws(SafetensorsError) in try parser.skipValue(depth: depth + 1) }
    case UInt8(ascii: "["):
      try expect("[")
      if takes("]") { return }
      repeat { try skipValue(depth: depth + 1) } while takes(",")
      try expect("]")
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    default:
      let start = position
      while let byte = next, isDigit(byte) || "+-.eE".utf8.contains(byte) { position += 1 }
      guard Double(String(decoding: bytes[start..<position], as: UTF8.self)) != nil else {
        throw problem("expected a value")
      }
    }
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || (0x09...0x0d).contains(byte), byte != 0x0b, byte != 0x0c
    {
      position += 1
    }
  }

  private mutating func literal(_ text: String) throws(SafetensorsError) {
    guard bytes[position...].starts(with: text.utf8) else { throw problem("expected \(text)") }
    position += text.utf8.count
  }

  private mutating func takes(_ character: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(SafetensorsError) {
    guard takes(character) else { throw problem("expected \"\(character)\"") }
  }

  private func problem(_ text: String) -> SafetensorsError {
    .malformedHeader(path: path, byte: position, problem: text)
  }
}
