// The bytes of a pickle, read piece by piece from a file of which it is a part.

/// A position in a file that moves on as it is read.
struct PickleInput {
  let file: RandomAccessFile
  /// Where the pickle begins, for messages.
  let start: Int
  private let end: Int
  private var window: [UInt8] = []
  private var windowStart: Int

  init(_ file: RandomAccessFile, _ range: Range<Int>) {
    self.file = file
    start = range.lowerBound
    end = range.upperBound
    windowStart = range.lowerBound
    position = range.lowerBound
  }

  /// The next byte, counted from the beginning of the file.
  private(set) var position: Int

  mutating func byte() throws(PyTorchFileError) -> UInt8 {
    if position >= windowStart + window.count { try fill(1) }
    defer { position += 1 }
    return window[position - windowStart]
  }

  /// The next `count` bytes; checked against the end before memory is taken for them.
  mutating func bytes(_ count: Int) throws(PyTorchFileError) -> ArraySlice<UInt8> {
    if position + count > windowStart + window.count { try fill(count) }
    defer { position += count }
    return window[position - windowStart..<position - windowStart + count]
  }

  /// A little-endian number of 1, 2 or 4 bytes, unsigned.
  mutating func number(_ size: Int) throws(PyTorchFileError) -> Int {
    try bytes(size).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// The text up to the next line break.
  mutating func line() throws(PyTorchFileError) -> String {
    var line: [UInt8] = []
    while true {
      let byte = try byte()
      if byte == 0x0a { return String(decoding: line, as: UTF8.self) }
      guard line.count < 4096 else { throw problem("a name of more than 4096 bytes") }
      line.append(byte)
    }
  }

  func problem(_ text: String) -> PyTorchFileError {
    .pickle(path: file.path, byte: position - start, problem: text)
  }

  private mutating func fill(_ count: Int) throws(PyTorchFileError) {
    guard count <= end - position else { throw problem("ends too early") }
    window = try file.bytes(position..<min(end, position + max(count, 1 << 16)))
    windowStart = position
  }
}
