// Elements of every type as the two kinds of numbers that the suite computes with.

/// The elements of one tensor of a file.
protocol StoredElements {
  associatedtype Failure: Error
  var type: ElementType { get }

  /// The elements, row-major, as `Element`, which has their size.
  func read<Element: BitwiseCopyable>(as type: Element.Type) throws(Failure) -> [Element]
}

extension StoredElements {
  /// The elements as floats; nil for complex numbers, U64 and floats of 8 bits and less.
  func floats() throws(Failure) -> [Float]? {
    switch type {
    case .float32: try read(as: Float.self)
    case .float16: try read(as: Float16.self).map { Float($0) }
    case .bfloat16: try read(as: UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
    case .float64: try read(as: Double.self).map { Float($0) }
    default: try integers()?.map { Float($0) }
    }
  }

  /// The elements of a tensor of integers; nil for others and for U64.
  func integers() throws(Failure) -> [Int]? {
    switch type {
    case .bool, .uint8: try read(as: UInt8.self).map { Int($0) }
    case .int8: try read(as: Int8.self).map { Int($0) }
    case .int16: try read(as: Int16.self).map { Int($0) }
    case .uint16: try read(as: UInt16.self).map { Int($0) }
    case .int32: try read(as: Int32.self).map { Int($0) }
    case .uint32: try read(as: UInt32.self).map { Int($0) }
    case .int64: try read(as: Int64.self).map { Int($0) }
    default: nil
    }
  }
}
