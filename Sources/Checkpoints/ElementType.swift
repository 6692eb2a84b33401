// Element types of tensors in files.

/// The element types of safetensors files that can be held here.
package enum ElementType: String, CaseIterable, Sendable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case float64 = "F64"
  case int64 = "I64"
  case uint64 = "U64"

  /// Bytes of one element.
  package var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// Elements as floats; integers are converted too.
  func floats(_ bytes: UnsafeRawBufferPointer) -> [Float] {
    func convert<T: BitwiseCopyable>(_ type: T.Type, _ value: (T) -> Float) -> [Float] {
      (0..<bytes.count / MemoryLayout<T>.size).map {
        value(bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self))
      }
    }
    switch self {
    case .float32:
      return [Float](unsafeUninitializedCapacity: bytes.count / 4) { buffer, filled in
        filled = bytes.count / 4
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
      }
    case .bool, .uint8: return convert(UInt8.self) { Float($0) }
    case .int8: return convert(Int8.self) { Float($0) }
    case .int16: return convert(Int16.self) { Float($0) }
    case .uint16: return convert(UInt16.self) { Float($0) }
    case .float16: return convert(UInt16.self) { Float(Float16(bitPattern: $0)) }
    case .bfloat16: return convert(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    case .int32: return convert(Int32.self) { Float($0) }
    case .uint32: return convert(UInt32.self) { Float($0) }
    case .float64: return convert(Double.self) { Float($0) }
    case .int64: return convert(Int64.self) { Float($0) }
    case .uint64: return convert(UInt64.self) { Float($0) }
    }
  }
}
