// Images, and the compressed rows of shards.

import CChunkCodec
import Checksums
import Images

enum Pixels {
  private static let limits = ImageLimits(maxPixels: 1 << 16, maxSide: 1 << 12, maxScans: 100)

  static func image(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    let upright = EXIFOrientation(of: input)
    _ = try? ImageDecoder.decodeLabels(input, limits: limits)
    _ = try? ImageDecoder.decodeDepth(input, limits: limits)
    let image = try ImageDecoder.decode(input, limits: limits)
    let header = try ImageDecoder.header(input, limits: limits)
    precondition(
      (image.width, image.height) == (header.width, header.height), "pixels of another size")
    _ = image.upright(upright)
  }

  /// A PNG as it is, and with the checksums that its chunks should have.
  static func png(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    try? image(input, scratch)
    var mended = input
    var position = 8
    while position + 12 <= mended.count {
      let length = mended[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= mended.count - position - 12 else { break }
      let sum = mended[position + 4..<position + 8 + length].withUnsafeBytes { crc32($0) }
      for byte in 0..<4 {
        mended[position + 8 + length + byte] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * byte))
      }
      position += length + 12
    }
    try image(mended, scratch)
  }

  /// Compressed bytes that should have as many as the first two of the input say; and the way back.
  static func chunk(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    guard input.count > 2 else { return }
    let expected = Int(input[0]) << 8 | Int(input[1])
    let rest = Array(input[2...])
    _ = inflated(rest, expected)
    guard let deflater = chunk_deflater_create(Int32(input[0] % 12 + 1)) else { return }
    defer { chunk_deflater_free(deflater) }
    let packed = [UInt8](unsafeUninitializedCapacity: rest.count + 64) { buffer, count in
      count = chunk_deflate(deflater, rest, rest.count, buffer.baseAddress, buffer.count)
    }
    precondition(packed.isEmpty || inflated(packed, rest.count) == rest, "other bytes came back")
  }

  private static func inflated(_ bytes: [UInt8], _ expected: Int) -> [UInt8]? {
    var isGood = false
    let found = [UInt8](unsafeUninitializedCapacity: expected) { buffer, count in
      isGood = chunk_inflate(bytes, bytes.count, buffer.baseAddress, expected) == 1
      count = isGood ? expected : 0
    }
    return isGood ? found : nil
  }
}
