// Writing safetensors files, byte for byte as the official writer does.

import DurableFiles

/// A tensor on its way into a file.
package struct SafetensorsEntry {
  package let name: String
  package let type: ElementType
  package let shape: [Int]
  /// Calls its argument once with the row-major little-endian bytes.
  let withBytes: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

  /// - Parameter withBytes: asked when the tensor's turn comes, so that only one needs to be held.
  package init(
    name: String, type: ElementType, shape: [Int],
    withBytes: @escaping ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) {
    self.name = name
    self.type = type
    self.shape = shape
    self.withBytes = withBytes
  }

  /// A tensor of F32.
  package init(_ name: String, shape: [Int], floats: [Float]) {
    self.init(name: name, type: .float32, shape: shape) { body in try floats.withUnsafeBytes(body) }
  }

  /// A tensor of I64.
  package init(_ name: String, shape: [Int], integers: [Int]) {
    self.init(name: name, type: .int64, shape: shape) { body in try integers.withUnsafeBytes(body) }
  }

  var byteCount: Int { shape.reduce(1, *) * type.bits / 8 }
}

package enum SafetensorsWriter {
  /// Writes the tensors aside and publishes the file when it is complete and on the disk.
  ///
  /// Tensors are sorted as the official writer does: widest type first, then by name. The same
  /// tensors and metadata give the same bytes.
  ///
  /// - Parameters:
  ///   - tensors: names are unique, `__metadata__` is not one of them.
  ///   - metadata: texts that travel with the tensors.
  ///   - willWrite: is called before each tensor.
  /// - Throws: `DurableFileError`, or what a tensor's provider or `willWrite` throws.
  package static func write(
    _ tensors: [SafetensorsEntry], metadata: [String: String] = [:], to path: String,
    willWrite: () throws -> Void = {}
  ) throws {
    let tensors = tensors.sorted {
      $0.type == $1.type
        ? $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) : $0.type.rank > $1.type.rank
    }
    var file = try UnfinishedFile(for: path)
    try file.write(header(of: tensors, metadata: metadata))
    for tensor in tensors {
      try willWrite()
      var written = 0
      try tensor.withBytes { bytes in
        written += bytes.count
        try file.write(bytes)
      }
      precondition(
        written == tensor.byteCount,
        "\(tensor.name): \(written) bytes for \(tensor.shape) of \(tensor.type.rawValue)")
    }
    try file.publish()
  }

  /// Length, JSON and blanks up to a multiple of 8 bytes.
  private static func header(
    of tensors: [SafetensorsEntry], metadata: [String: String]
  ) -> [UInt8] {
    precondition(
      Set(tensors.map(\.name)).union(["__metadata__"]).count == tensors.count + 1,
      "two tensors of one name, or one named __metadata__")
    var members: [String] = []
    if !metadata.isEmpty {
      let texts = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      members.append(
        "\"__metadata__\":{"
          + texts.map { "\(quoted($0.key)):\(quoted($0.value))" }.joined(separator: ",") + "}")
    }
    var end = 0
    for tensor in tensors {
      let begin = end
      end += tensor.byteCount
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(quoted(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(begin),\(end)]}")
    }
    var json = Array("{\(members.joined(separator: ","))}".utf8)
    while json.count % 8 != 0 { json.append(0x20) }
    precondition(json.count <= SafetensorsHeader.largest, "a header of \(json.count) bytes")
    return (0..<8).map { UInt8(truncatingIfNeeded: json.count >> ($0 * 8)) } + json
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{8}": result += "\\b"
      case "\u{C}": result += "\\f"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case ..<"\u{20}":
        result += "\\u" + scalar.value.padded(4, radix: 16)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
