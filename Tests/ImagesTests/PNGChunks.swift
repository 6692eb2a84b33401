// Taking PNG files apart and putting them together wrongly.

/// A PNG as its list of chunks.
struct PNGChunks {
  struct Chunk {
    var kind: String
    var data: [UInt8]
    var wrongChecksum = false
  }

  var chunks: [Chunk] = []

  init(_ png: [UInt8]) {
    var rest = png.dropFirst(8)
    while rest.count >= 12 {
      let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(4)
      let kind = String(decoding: rest.prefix(4), as: UTF8.self)
      rest = rest.dropFirst(4)
      chunks.append(Chunk(kind: kind, data: Array(rest.prefix(length))))
      rest = rest.dropFirst(length + 4)
    }
  }

  /// The file, with a checksum for every chunk.
  var bytes: [UInt8] {
    var png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    for chunk in chunks {
      let body = Array(chunk.kind.utf8) + chunk.data
      png += bigEndian(UInt32(chunk.data.count))
      png += body
      png += bigEndian(crc32(body) ^ (chunk.wrongChecksum ? 1 : 0))
    }
    return png
  }

  /// A header chunk of 8-bit RGB.
  static func header(width: UInt32, height: UInt32, depth: UInt8 = 8, colorType: UInt8 = 2) -> Chunk
  {
    Chunk(kind: "IHDR", data: bigEndian(width) + bigEndian(height) + [depth, colorType, 0, 0, 0])
  }
}

private func bigEndian(_ value: UInt32) -> [UInt8] {
  [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}

/// PNG's checksum, bit by bit.
private func crc32(_ bytes: [UInt8]) -> UInt32 {
  var crc: UInt32 = ~0
  for byte in bytes {
    crc ^= UInt32(byte)
    for _ in 0..<8 {
      let low = crc & 1
      crc >>= 1
      if low == 1 { crc ^= 0xEDB8_8320 }
    }
  }
  return ~crc
}
