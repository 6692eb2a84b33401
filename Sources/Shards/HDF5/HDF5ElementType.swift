// Element types of files and their values in memory.

import CHDF5
import Platform

/// What one element of a dataset or attribute is.
enum HDF5ElementType: Equatable {
  /// A type that columns have; integers of either byte order.
  case column(ShardColumnType)
  /// An integer that no column has, such as int8 or uint64.
  case integer(String)
  /// Anything else, in words.
  case other(String)

  init(of type: hid_t, at location: HDF5Location) throws(ShardError) {
    let size = H5Tget_size(type)
    switch H5Tget_class(type) {
    case H5T_INTEGER:
      let isSigned = H5Tget_sign(type) != H5T_SGN_NONE
      switch (size, isSigned) {
      case (1, false): self = .column(.uint8)
      case (2, false): self = .column(.uint16)
      case (4, false): self = .column(.uint32)
      case (4, true): self = .column(.int32)
      case (8, true): self = .column(.int64)
      default: self = .integer("\(isSigned ? "int" : "uint")\(size &* 8)")
      }
    case H5T_ENUM:
      self = Self.isBoolean(type, size: size) ? .column(.bool) : .other("an enumeration")
    case H5T_STRING: self = .column(.string)
    case H5T_FLOAT:
      self = size == 4 ? .column(.float32) : .other("float\(size &* 8)")
    case H5T_COMPOUND: self = .other("a compound")
    case H5T_VLEN: self = .other("a variable-length list")
    case H5T_REFERENCE: self = .other("a reference")
    case H5T_NO_CLASS:
      throw .unreadable(path: location.path, item: location.item, reason: "it has no type")
    default: self = .other("of an unknown type")
    }
  }

  /// Whether a value is an integer, Booleans included.
  var isWholeNumber: Bool {
    switch self {
    case .column(.string), .column(.float32), .other: false
    case .column, .integer: true
    }
  }

  /// The form in which h5py writes `bool`: an 8-bit enumeration {FALSE = 0, TRUE = 1}.
  private static func isBoolean(_ type: hid_t, size: Int) -> Bool {
    guard size == 1, H5Tget_nmembers(type) == 2 else { return false }
    var no: Int8 = -1
    var yes: Int8 = -1
    return H5Tenum_valueof(type, "FALSE", &no) >= 0 && H5Tenum_valueof(type, "TRUE", &yes) >= 0
      && no == 0 && yes == 1
  }
}

extension HDF5ElementType: CustomStringConvertible {
  var description: String {
    switch self {
    case .column(let type): type.rawValue
    case .integer(let words), .other(let words): words
    }
  }
}

extension ShardColumnType {
  /// The type in files: little-endian; text is UTF-8 of variable length; Booleans are h5py's
  /// enumeration.
  func fileType(at location: HDF5Location) throws(ShardError) -> HDF5Handle {
    let type: hid_t
    switch self {
    case .uint8: type = H5Tcopy(chdf5_file_uint8())
    case .uint16: type = H5Tcopy(chdf5_file_uint16())
    case .uint32: type = H5Tcopy(chdf5_file_uint32())
    case .int32: type = H5Tcopy(chdf5_file_int32())
    case .int64: type = H5Tcopy(chdf5_file_int64())
    case .float32: type = H5Tcopy(chdf5_file_float32())
    case .bool: type = H5Tenum_create(chdf5_file_int8())
    case .string: type = H5Tcopy(chdf5_c_string())
    }
    let handle = try location.handle(type, release: H5Tclose)
    switch self {
    case .bool:
      var no: Int8 = 0
      var yes: Int8 = 1
      try location.check(H5Tenum_insert(type, "FALSE", &no))
      try location.check(H5Tenum_insert(type, "TRUE", &yes))
    case .string:
      try location.check(H5Tset_size(type, chdf5_variable()))
      try location.check(H5Tset_cset(type, H5T_CSET_UTF8))
    default: break
    }
    return handle
  }
}

/// Reads text of variable or fixed length through `read`, which fills the memory that it is given.
///
/// - Throws: `malformed` where the bytes are not UTF-8.
func readStrings(
  count: Int, type: hid_t, space: hid_t, at location: HDF5Location,
  _ read: (UnsafeMutableRawPointer?) -> herr_t
) throws(ShardError) -> [String] {
  guard count > 0 else { return [] }
  func text(_ bytes: some Sequence<UInt8>, row: Int) throws(ShardError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .malformed(
        path: location.path, item: "\(location.item)[\(row)]", found: "not UTF-8", expected: "text")
    }
    return text
  }
  var values: [String] = []
  values.reserveCapacity(count)
  if try location.check(H5Tis_variable_str(type)) > 0 {
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    try location.check(read(&pointers))
    defer { H5Dvlen_reclaim(type, space, 0, &pointers) }
    for (row, pointer) in pointers.enumerated() {
      guard let pointer else {
        values.append("")
        continue
      }
      let bytes = UnsafeRawBufferPointer(start: pointer, count: strlen(pointer))
      values.append(try text(bytes, row: row))
    }
    return values
  }
  let width = H5Tget_size(type)
  let (total, overflow) = count.multipliedReportingOverflow(by: width)
  guard width > 0, !overflow, total <= 1 << 32 else {
    throw .malformed(
      path: location.path, item: location.item, found: "\(count) texts of \(width) bytes",
      expected: "at most 4 GiB")
  }
  var bytes = [UInt8](repeating: 0, count: total)
  try location.check(read(&bytes))
  for row in 0..<count {
    let field = bytes[row * width..<(row + 1) * width]
    values.append(try text(field.prefix { $0 != 0 }, row: row))
  }
  return values
}
