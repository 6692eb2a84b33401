import CChunkCodec

/// The CRC-32 (IEEE 802.3 polynomial) of `bytes`, the check of a zip entry.
///
/// - Parameters:
///   - bytes: any number of bytes.
///   - previous: the CRC of what stands before `bytes`; 0 to start.
/// - Source: ISO 3309, as used in PKWARE's APPNOTE 6.3, §4.4.7.
package func crc32(_ bytes: UnsafeRawBufferPointer, continuing previous: UInt32 = 0) -> UInt32 {
  guard let start = bytes.baseAddress else { return previous }
  return chunk_crc32(previous, start, bytes.count)
}
