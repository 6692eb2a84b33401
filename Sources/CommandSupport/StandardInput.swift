// Lists of paths: from the command before in a pipeline, or from a file.

import Platform

/// The lines of a list of paths.
package enum PathList {
  /// The lines without the empty ones.
  ///
  /// CR before the line break is dropped, and so is a byte order mark in front of a line: lists of
  /// Windows' programs begin with one, also inside a list that was put together of several. A list
  /// in UTF-16 with its mark, as PowerShell's `>` writes it, is read too. Where a list holds a NUL,
  /// as those of `find -print0` and `git ls-files -z`, NULs separate the paths, and all else is
  /// part of them.
  ///
  /// - Parameter list: where the bytes come from, for the message.
  /// - Throws: `.badData` for a line that is not UTF-8: its path would lead elsewhere.
  package static func lines(_ bytes: [UInt8], of list: String) throws(CommandError) -> [String] {
    let bytes = utf8(ofUTF16: bytes) ?? bytes
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let lineFeed = UInt8(ascii: "\n")
    let hasNULs = bytes.contains(0)
    let separator =
      hasNULs ? 0 : bytes.contains(lineFeed) ? lineFeed : UInt8(ascii: "\r")  // old Macintoshes'
    var lines: [String] = []
    var number = 0
    for line in bytes.split(separator: separator, omittingEmptySubsequences: false) {
      number += 1
      var line = line
      if !hasNULs {
        while line.starts(with: mark) { line = line.dropFirst(mark.count) }
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
      }
      if line.isEmpty { continue }
      guard let path = String(utf8: line) else {
        throw CommandError(
          .badData,
          "\(list): \(hasNULs ? "path" : "line") \(number), \(String(escaping: line)): not UTF-8; "
            + "rename the file or folder")
      }
      lines.append(path)
    }
    return lines
  }

  /// nil for what does not begin with a mark of UTF-16.
  private static func utf8(ofUTF16 bytes: [UInt8]) -> [UInt8]? {
    let high: Int
    switch bytes.prefix(2) {
    case [0xFF, 0xFE]: high = 1
    case [0xFE, 0xFF]: high = 0
    default: return nil
    }
    let units = stride(from: 2, to: bytes.count - 1, by: 2).map {
      UInt16(bytes[$0 + high]) << 8 | UInt16(bytes[$0 + 1 - high])
    }
    return Array(String(decoding: units, as: UTF16.self).utf8)
  }
}

extension String {
  /// The text of bytes that are UTF-8; nil for others, which would be another text.
  init?(utf8 bytes: some Collection<UInt8>) {
    self.init(decoding: bytes, as: UTF8.self)
    guard utf8.elementsEqual(bytes) else { return nil }
  }

  /// Bytes that need not be UTF-8, for a message: those that are no ASCII as `\xE9`.
  init(escaping bytes: some Collection<UInt8>) {
    let hex = Array("0123456789ABCDEF")
    self = bytes.reduce(into: "") { text, byte in
      text +=
        byte < 0x80
        ? String(UnicodeScalar(byte)) : "\\x\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
    }
  }
}

package enum StandardInput {
  /// All lines until the end, see `PathList`.
  ///
  /// Says so when nothing comes for two seconds: somebody may have forgotten an argument.
  package static func lines(console: Console) throws -> [String] {
    var bytes: [UInt8] = []
    var waits = 0  // of 100 ms each, so that a signal is seen
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      var waiting = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
      let ready = poll(&waiting, 1, 100)
      try Interruption.throwIfRequested()
      if ready == 0 {
        waits += 1
        if waits == 20 { console.note("waiting for paths on standard input") }
        continue
      }
      let (got, code) = buffer.withUnsafeMutableBytes { (read(0, $0.baseAddress, $0.count), errno) }
      if got < 0 {
        if code == EINTR { continue }
        throw InputError.unreadable(path: "standard input", errno: code)
      }
      if got == 0 { break }
      bytes += buffer[..<got]
    }
    return try PathList.lines(bytes, of: "standard input")
  }
}
