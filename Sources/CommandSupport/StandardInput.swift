// Lines from the command before in a pipeline.

import Glibc

package enum StandardInput {
  /// All lines until the end, without empty ones; CR before the line break is dropped.
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
    return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
    }
  }
}
