import CChunkCodec

/// The CRC-32C (Castagnoli polynomial) of `bytes`, the check of every row of a shard.
///
/// - Parameters:
///   - bytes: any number of bytes.
///   - previous: the CRC of what stands before `bytes`; 0 to start.
/// - Source: RFC 3720, appendix B.4.
package func crc32c(_ bytes: UnsafeRawBufferPointer, continuing previous: UInt32 = 0) -> UInt32 {
  guard let start = bytes.baseAddress else { return previous }
  return chunk_crc32c(previous, start, bytes.count)
}
