// Writing of safetensors files.
import DurableFiles
import Foundation
import TensorCore

/// One tensor to be written: its description, and its values when their turn comes.
package struct SafetensorsEntry {
  package let name: String
  package let type: ElementType
  package let shape: [Int]
  /// Hands the little-endian, row-major bytes to its argument.
  package let withBytes: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

  package init(
    name: String, type: ElementType, shape: [Int],
    withBytes: @escaping ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) {
    self.name = name
    self.type = type
    self.shape = shape
    self.withBytes = withBytes
  }

  /// A float tensor.
  package init(_ name: String, _ tensor: Tensor) {
    self.init(name: name, type: .float32, shape: tensor.shape.extents) { body in
      try tensor.withElements { try body(UnsafeRawBufferPointer($0)) }
    }
  }

  var byteCount: Int { shape.reduce(type.byteCount, *) }
}

/// Writes safetensors files as the official writer lays them out: by element size, then by name, header padded to 8 bytes.
package enum SafetensorsWriter {
  /// Writes aside and publishes; each tensor's bytes are held only while they are written.
  ///
  /// - Throws: `DurableFileError`, and what `withBytes` throws.
  package static func write(
    _ entries: [SafetensorsEntry], metadata: [String: String] = [:], to path: String
  ) throws {
    let ordered = entries.sorted {
      ($1.type.byteCount, $0.name) < ($0.type.byteCount, $1.name)
    }
    let temporary = DurableFile.temporaryPath(for: path)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw DurableFileError.cannotCreate(path: path, errno: errno) }
    do {
      defer { close(descriptor) }
      let header = header(of: ordered, metadata)
      var length = UInt64(header.count).littleEndian
      try withUnsafeBytes(of: &length) { try writeAll($0, to: descriptor, path) }
      try header.withUnsafeBytes { try writeAll($0, to: descriptor, path) }
      for entry in ordered {
        try entry.withBytes { bytes in
          precondition(bytes.count == entry.byteCount, "\(entry.name): \(bytes.count) bytes for \(entry.shape)")
          try writeAll(bytes, to: descriptor, path)
        }
      }
    } catch {
      unlink(temporary)
      throw error
    }
    try DurableFile.publish(temporary, as: path)
  }

  private static func header(of entries: [SafetensorsEntry], _ metadata: [String: String]) -> Data {
    func quoted(_ text: String) -> String {
      let data = try? JSONEncoder().encode(text)
      return data.flatMap { String(data: $0, encoding: .utf8) } ?? "\"\""
    }
    var parts: [String] = []
    if !metadata.isEmpty {
      let values = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
      parts.append("\"__metadata__\":{\(values.joined(separator: ","))}")
    }
    var offset = 0
    for entry in entries {
      let shape = entry.shape.map(String.init).joined(separator: ",")
      parts.append(
        "\(quoted(entry.name)):{\"dtype\":\"\(entry.type.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(offset + entry.byteCount)]}")
      offset += entry.byteCount
    }
    var header = Data("{\(parts.joined(separator: ","))}".utf8)
    header.append(contentsOf: Array(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
    return header
  }

  private static func writeAll(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String
  ) throws(DurableFileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw .failed(operation: "write", path: path, errno: errno)
      }
      rest = rest.dropFirst(written)
    }
  }
}
