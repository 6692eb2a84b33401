import Foundation
import TestSupport

/// PyTorch files of both forms, made byte by byte.
enum PyTorchBytes {
  static let magic: [UInt8] = [
    0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
  ]
  static let version: [UInt8] = [0x80, 2, 0x4d, 0xe9, 3, 0x2e]
  /// The pickle of `{"little_endian": True}`.
  static let system: [UInt8] =
    [0x80, 2] + Array("}U".utf8) + [13] + Array("little_endian".utf8)
    + [0x88] + Array("s.".utf8)

  static func little(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }

  static func text(_ text: String) -> [UInt8] {
    [0x55, UInt8(text.utf8.count)] + Array(text.utf8)
  }

  static func integer(_ value: Int) -> [UInt8] { [0x8a, 8] + little(value, 8) }

  static func tuple(_ parts: [[UInt8]]) -> [UInt8] { [0x28] + parts.flatMap { $0 } + [0x74] }

  static func global(_ module: String, _ name: String) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }

  /// A tensor of a storage with the key "0".
  static func tensor(
    offset: Int = 0, shape: [Int] = [2], strides: [Int] = [1],
    storageClass: String = "FloatStorage",
    count: Int = 2, key: String = "0", location: String = "cpu"
  ) -> [UInt8] {
    let id = tuple([
      text("storage"), global("torch", storageClass), text(key), text(location), integer(count),
    ])
    return global("torch._utils", "_rebuild_tensor")
      + tuple([
        id + Array("Q".utf8), integer(offset), tuple(shape.map(integer)),
        tuple(strides.map(integer)),
      ]) + Array("R".utf8)
  }

  /// `{"a": tensor}`, with opcodes put before it that must leave the stack as it was.
  static func object(_ before: [UInt8] = [], _ tensor: [UInt8] = tensor()) -> [UInt8] {
    [0x80, 2] + before + Array("}".utf8) + text("a") + tensor + Array("s.".utf8)
  }

  /// The old form: 1 and 2 as floats in the storage "0".
  static func stream(_ object: [UInt8] = object(), storageCount: Int = 2) -> [UInt8] {
    let keys = [0x80, 2] + Array("]".utf8) + text("0") + Array("a.".utf8)
    return magic + version + system + object + keys + little(storageCount, 8) + ones
  }

  /// 1 and 2 as floats.
  static let ones: [UInt8] = [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40]

  /// One entry of an archive, and what may be wrong with it.
  struct Entry {
    var name: String
    var bytes: [UInt8]
    var method = 0
    var flags = 0x0808
    /// Sizes in the directory: stored and unpacked.
    var sizes: (Int, Int)?
    var crc: UInt32?
    var offset: Int?
    /// Puts the sizes and the offset into the zip64 field.
    var isWide = false
  }

  /// The new form with data.pkl, byteorder and the storage "0".
  static func entries(_ object: [UInt8] = object()) -> [Entry] {
    [
      Entry(name: "archive/data.pkl", bytes: object),
      Entry(name: "archive/byteorder", bytes: Array("little".utf8)),
      Entry(name: "archive/data/0", bytes: ones),
    ]
  }

  /// An archive as torch.save writes it: no sizes in the entries' own headers.
  static func archive(
    _ entries: [Entry] = entries(), comment: [UInt8] = [], isWide: Bool = false
  ) -> [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for entry in entries {
      let offset = entry.offset ?? file.count
      let name = Array(entry.name.utf8)
      file += [0x50, 0x4b, 3, 4] + little(20, 2) + little(entry.flags, 2) + little(entry.method, 2)
      file += [UInt8](repeating: 0, count: 16) + little(name.count, 2) + little(5, 2) + name
      file += Array("FB".utf8) + [1, 0, 0] + entry.bytes
      let sizes = entry.sizes ?? (entry.bytes.count, entry.bytes.count)
      let crc = entry.crc ?? crc32(entry.bytes)
      let wide =
        entry.isWide
        ? little(1, 2) + little(24, 2) + little(sizes.1, 8) + little(sizes.0, 8) + little(offset, 8)
        : []
      directory += [0x50, 0x4b, 1, 2] + little(20, 2) + little(20, 2) + little(entry.flags, 2)
      directory += little(entry.method, 2) + little(0, 4) + little(Int(crc), 4)
      directory += little(entry.isWide ? 0xffff_ffff : sizes.0, 4)
      directory += little(entry.isWide ? 0xffff_ffff : sizes.1, 4)
      directory += little(name.count, 2) + little(wide.count, 2) + little(0, 2) + little(0, 8)
      directory += little(entry.isWide ? 0xffff_ffff : offset, 4) + name + wide
    }
    let (start, end) = (file.count, file.count + directory.count)
    file += directory
    if isWide {
      file += [0x50, 0x4b, 6, 6] + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8)
      file += little(entries.count, 8) + little(entries.count, 8)
      file += little(directory.count, 8) + little(start, 8)
      file += [0x50, 0x4b, 6, 7] + little(0, 4) + little(end, 8) + little(1, 4)
    }
    file += [0x50, 0x4b, 5, 6] + little(0, 4)
    file += little(isWide ? 0xffff : entries.count, 2) + little(isWide ? 0xffff : entries.count, 2)
    file += little(isWide ? 0xffff_ffff : directory.count, 4)
    file += little(isWide ? 0xffff_ffff : start, 4) + little(comment.count, 2) + comment
    return file
  }

  /// CRC-32, one bit at a time.
  static func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc = ~UInt32(0)
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : (crc >> 1) ^ 0xedb8_8320 }
    }
    return ~crc
  }

  /// A file with these bytes in a folder that is removed with the test.
  static func file(_ bytes: [UInt8], in folder: TemporaryFolder) throws -> String {
    let path = folder("a.ckpt")
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }
}
