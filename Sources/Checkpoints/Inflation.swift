// Deflated bytes of known length.
import CZlib

/// The `size` bytes that deflated data (RFC 1951, without a header) hold; nil if they hold more,
/// fewer, or none.
func inflated(_ bytes: [UInt8], to size: Int) -> [UInt8]? {
  var stream = z_stream()
  guard inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
  else { return nil }
  defer { inflateEnd(&stream) }
  var source = bytes
  var isWhole = false
  let result = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
    source.withUnsafeMutableBufferPointer { source in
      stream.next_in = source.baseAddress
      stream.avail_in = UInt32(source.count)
      stream.next_out = buffer.baseAddress
      stream.avail_out = UInt32(size)
      isWhole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0
    }
    count = size - Int(stream.avail_out)
  }
  return isWhole && result.count == size ? result : nil
}
