// Tensors of a PyTorch file: views of storages.

/// A storage as a pickle names it.
struct StorageReference: Equatable, Sendable {
  let key: String
  let type: ElementType
  let count: Int  // elements
  /// The first element of this storage in the one called `key`; only files before 2018 have views
  /// of storages.
  var start = 0
}

/// A tensor as a pickle describes it: a strided view of a storage.
///
/// Every view is checked: its elements lie in the storage, and no arithmetic on its numbers
/// overflows.
struct StoredTensor: Equatable, Sendable {
  let storage: StorageReference
  let offset: Int  // elements
  let shape: [Int]
  let strides: [Int]  // elements
  let count: Int  // elements of the tensor
  /// Elements from the first to the last one; 0 for a tensor without any.
  let span: Int

  /// Elements that a tensor may have without being stored, by strides of 0.
  private static let maxExpanded = 1 << 26

  /// - Returns: nil, and what is wrong, if the view reaches outside of its storage.
  static func checked(
    storage: StorageReference, offset: Int, shape: [Int], strides: [Int]
  ) -> Result<StoredTensor, Problem> {
    guard shape.count == strides.count else {
      return .failure("a shape of \(shape) with strides of \(strides)")
    }
    guard offset >= 0, (shape + strides).allSatisfy({ $0 >= 0 }) else {
      return .failure("a negative size: shape \(shape), strides \(strides), offset \(offset)")
    }
    var (count, last, overflows) = (1, offset, false)
    for (extent, stride) in zip(shape, strides) {
      let (product, first) = count.multipliedReportingOverflow(by: extent)
      let (reach, second) = max(extent - 1, 0).multipliedReportingOverflow(by: stride)
      let (sum, third) = last.addingReportingOverflow(reach)
      (count, last, overflows) = (product, sum, overflows || first || second || third)
    }
    guard !overflows, count <= max(storage.count, maxExpanded) else {
      return .failure("a shape of \(shape) with strides of \(strides) is too large")
    }
    guard count == 0 ? offset <= storage.count : last < storage.count else {
      return .failure(
        Problem(
          "shape \(shape), strides \(strides) and offset \(offset) reach past the "
            + "\(storage.count) elements of its storage"))
    }
    return .success(
      StoredTensor(
        storage: storage, offset: offset, shape: shape, strides: strides, count: count,
        span: count == 0 ? 0 : last - offset + 1))
  }

  /// What is wrong with a tensor.
  struct Problem: Error, ExpressibleByStringInterpolation {
    let text: String
    init(_ text: String) { self.text = text }
    init(stringLiteral text: String) { self.text = text }
  }

  /// Whether the elements lie one after the other in row-major order.
  var isContiguous: Bool {
    if count == 0 { return true }  // its other extents may be of any size
    var expected = 1
    for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
      if stride != expected { return false }
      expected *= extent
    }
    return true
  }

  /// The elements in row-major order.
  ///
  /// - Parameter span: the storage's elements from the tensor's first to its last one.
  func rowMajor<Element>(_ span: [Element]) -> [Element] {
    if count == 0 { return [] }
    var result: [Element] = []
    result.reserveCapacity(count)
    var index = [Int](repeating: 0, count: shape.count)
    var position = 0
    while true {
      result.append(span[position])
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        position += strides[axis]
        if index[axis] < shape[axis] { break }
        position -= index[axis] * strides[axis]
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return result }
    }
  }
}

extension ElementType {
  /// The type of PyTorch's storage classes: `FloatStorage` and the others.
  init?(storageClass global: PickleGlobal) {
    guard ["torch", "torch.cuda"].contains(global.module), global.name.hasSuffix("Storage") else {
      return nil
    }
    let types: [String: ElementType] = [
      "Float": .float32, "Half": .float16, "BFloat16": .bfloat16, "Double": .float64,
      "Long": .int64, "Int": .int32, "Short": .int16, "Char": .int8, "Byte": .uint8,
      "Bool": .bool,
    ]
    guard let type = types[String(global.name.dropLast("Storage".count))] else { return nil }
    self = type
  }

  /// The name of the storage class; nil for types that PyTorch stores in another way.
  var storageClass: String? {
    switch self {
    case .float32: "FloatStorage"
    case .float16: "HalfStorage"
    case .bfloat16: "BFloat16Storage"
    case .float64: "DoubleStorage"
    case .int64: "LongStorage"
    case .int32: "IntStorage"
    case .int16: "ShortStorage"
    case .int8: "CharStorage"
    case .uint8: "ByteStorage"
    case .bool: "BoolStorage"
    default: nil
    }
  }
}
