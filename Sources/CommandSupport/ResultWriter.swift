// Results on stdout: the only thing a command writes there.

import ArgumentParser
import Foundation
import Platform

/// Why a result could not be handed on.
package enum OutputError: Error, Equatable {
  /// The reader has gone; it needs no message.
  case closedPipe
  case failed(errno: Int32)
}

extension OutputError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .closedPipe: "standard output: closed by its reader"
    case .failed(let errno): "standard output: write failed (\(String(cString: strerror(errno))))"
    }
  }
}

/// stdout by checked `write(2)`; `print` would lose data on a full disk and still exit with 0.
package enum StandardOutput {
  static func writeLine(_ line: String) throws {
    try writeBytes(Array((line + "\n").utf8))
  }

  /// Bytes as they are, of a command whose result is no lines.
  ///
  /// - Throws: `OutputError`; `Interrupted` once a signal has asked to stop and the reader pauses.
  package static func writeBytes(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      var waiting = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
      if poll(&waiting, 1, 100) == 0 {
        try Interruption.throwIfRequested()
        continue
      }
      // A pipe that is ready takes so many without blocking.
      let (written, code) = rest.prefix(Int(PIPE_BUF)).withUnsafeBytes {
        (write(1, $0.baseAddress, $0.count), errno)
      }
      if written >= 0 {
        rest = rest.dropFirst(written)
      } else if code == EPIPE {
        throw OutputError.closedPipe
      } else if code != EINTR, code != EAGAIN {
        throw OutputError.failed(errno: code)
      }
    }
  }
}

/// How results are written.
package struct ResultOptions: ParsableArguments {
  @Flag(help: "Write each result as one JSON object per line.")
  package var json = false

  package init() {}

  package var writer: ResultWriter { ResultWriter(json: json) }
}

/// Writes one result a line, as text or as a JSON object with a `version` field.
package struct ResultWriter: Sendable {
  /// The version of the JSON lines; fields are only ever added within one.
  package static let version = 1

  package let json: Bool

  package init(json: Bool) { self.json = json }

  /// The path of something that is now complete, for the next command of a pipeline.
  package func path(_ path: String) throws {
    try write(["path": path], text: path)
  }

  /// - Parameters:
  ///   - record: what `--json` writes; a keyed value.
  ///   - text: what is written otherwise, without a line break at its end.
  package func write(_ record: some Encodable, text: @autoclosure () -> String) throws {
    try StandardOutput.writeLine(json ? Self.jsonLine(record) : text())
  }

  /// The record on one line, keys sorted, `version` among them.
  package static func jsonLine(_ record: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(Versioned(record: record)), as: UTF8.self)
  }
}

/// A record with the `version` field beside its own.
private struct Versioned<Record: Encodable>: Encodable {
  let record: Record

  enum CodingKeys: String, CodingKey { case version }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(ResultWriter.version, forKey: .version)
    try record.encode(to: encoder)
  }
}
