// Writing the pickles of state dictionaries.

/// Writes opcodes of protocol 2, and of those only such that `torch.load(weights_only=True)` accepts.
struct PickleWriter {
  private(set) var bytes: [UInt8] = [0x80, 2]

  mutating func stop() { bytes.append(UInt8(ascii: ".")) }

  mutating func integer(_ value: Int) {
    switch value {
    case 0..<0x100: bytes += [UInt8(ascii: "K"), UInt8(value)]
    case 0..<0x1_0000: bytes += [UInt8(ascii: "M")] + little(value, 2)
    case Int(Int32.min)...Int(Int32.max): bytes += [UInt8(ascii: "J")] + little(value, 4)
    default: bytes += [0x8a, 8] + little(value, 8)
    }
  }

  mutating func text(_ text: String) {
    bytes += [UInt8(ascii: "X")] + little(text.utf8.count, 4) + Array(text.utf8)
  }

  mutating func tuple(_ write: (inout PickleWriter) -> Void) {
    bytes.append(UInt8(ascii: "("))
    write(&self)
    bytes.append(UInt8(ascii: "t"))
  }

  mutating func integers(_ values: [Int]) {
    tuple { writer in for value in values { writer.integer(value) } }
  }

  mutating func emptyList() { bytes.append(UInt8(ascii: "]")) }

  /// A dictionary; `write` writes keys and values in turn.
  mutating func dictionary(_ write: (inout PickleWriter) -> Void) {
    bytes.append(UInt8(ascii: "}"))
    items(write)
  }

  mutating func orderedDictionary(_ write: (inout PickleWriter) -> Void) {
    global(PickleGlobal("collections", "OrderedDict"))
    bytes += Array(")R".utf8)
    items(write)
  }

  /// A tensor that is the whole of a storage in row-major order.
  ///
  /// - Parameters: key: the storage's entry under `data/`; storageClass: such as `FloatStorage`.
  mutating func tensor(key: String, storageClass: String, shape: [Int]) {
    global(PickleGlobal("torch._utils", "_rebuild_tensor_v2"))
    tuple { writer in
      writer.tuple { writer in
        writer.text("storage")
        writer.global(PickleGlobal("torch", storageClass))
        writer.text(key)
        writer.text("cpu")
        writer.integer(shape.reduce(1, *))
      }
      writer.bytes.append(UInt8(ascii: "Q"))
      writer.integer(0)
      writer.integers(shape)
      writer.integers(Self.strides(of: shape))
      writer.bytes.append(0x89)  // needs no gradient
      writer.global(PickleGlobal("collections", "OrderedDict"))  // hooks
      writer.bytes += Array(")R".utf8)
    }
    bytes.append(UInt8(ascii: "R"))
  }

  static func strides(of shape: [Int]) -> [Int] {
    shape.indices.map { shape[($0 + 1)...].reduce(1) { $0 * max($1, 1) } }
  }

  private mutating func items(_ write: (inout PickleWriter) -> Void) {
    bytes.append(UInt8(ascii: "("))
    write(&self)
    bytes.append(UInt8(ascii: "u"))
  }

  private mutating func global(_ global: PickleGlobal) {
    bytes += Array("c\(global.module)\n\(global.name)\n".utf8)
  }

  private func little(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }
}
