// Lists of paths: from the command before in a pipeline, or from a file.

import Platform

/// The lines of a list of paths.
package enum PathList {
  /// The lines without the empty ones.
  ///
  /// CR before the line break is dropped, and so is a byte order mark in front of a line: lists of
  /// Windows' programs begin with one, also inside a list that was put together of several. A list
  /// in UTF-16 with its mark, as PowerShell's `>` writes it, is read too.
  package static func lines(_ bytes: [UInt8]) -> [String] {
    let bytes = utf8(ofUTF16: bytes) ?? bytes
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let lineFeed = UInt8(ascii: "\n")
    let separator = bytes.contains(lineFeed) ? lineFeed : UInt8(ascii: "\r")  // old Macintoshes'
    return bytes.split(separator: separator).compactMap { line in
      var line = line
      while line.starts(with: mark) { line = line.dropFirst(mark.count) }
      if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
      return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
    }
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
    return PathList.lines(bytes)
  }
}
