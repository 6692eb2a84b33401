// Reading of datasets: single rows past the library's lock where the storage allows it, or whole
// columns.

import CChunkCodec
import CHDF5

/// A dataset of an open file; its shape and storage are checked against the file's size before
/// anything is allocated.
final class HDF5InputDataset: Sendable {
  let location: HDF5Location
  let type: HDF5ElementType
  let shape: [Int]
  /// Bytes of one row in memory.
  let rowBytes: Int
  let storage: HDF5Storage

  private let handle: HDF5Handle
  private let file: HDF5InputFile

  /// Takes over the open dataset.
  init(_ handle: consuming HDF5Handle, of file: HDF5InputFile, at location: HDF5Location)
    throws(ShardError)
  {
    let id = handle.id
    try HDF5Storage.requireInside(of: id, at: location)
    let elementType = try location.handle(H5Dget_type(id), release: H5Tclose)
    type = try HDF5ElementType(of: elementType.id, at: location)
    shape = try Self.shape(of: id, at: location)
    let width = H5Tget_size(elementType.id)
    rowBytes = try Self.product(shape.dropFirst() + [width], at: location)
    let bytes = try Self.product(shape + [width], at: location)
    storage = try HDF5Storage(of: id, type: elementType.id, shape: shape, at: location)
    // Deflate shrinks to 1/1032 at best: a larger claim is a lie about what is in the file.
    guard storage.bytes <= file.bytes.count, bytes / 1032 <= storage.bytes else {
      throw .malformed(
        path: location.path, item: location.item,
        found: "\(bytes) bytes stored as \(storage.bytes)",
        expected: "a dataset that fits the file of \(file.bytes.count) bytes")
    }
    self.handle = handle
    self.file = file
    self.location = location
  }

  /// Rows; 1 for a scalar.
  var count: Int { shape.first ?? 1 }

  /// Reads one row as it stands in memory: native numbers, no padding.
  ///
  /// - Parameter buffer: `rowBytes` bytes.
  func readRow(_ row: Int, into buffer: UnsafeMutableRawBufferPointer) throws(ShardError) {
    precondition(row >= 0 && row < count, "row \(row) of \(count)")
    precondition(buffer.count == rowBytes, "a row has \(rowBytes) bytes, not \(buffer.count)")
    switch storage.layout {
    case .contiguous(let start):
      let offset = start + UInt64(row) * UInt64(rowBytes)
      try file.bytes.read(into: buffer, at: offset, item: "\(location.item)[\(row)]")
    case .rowChunks(let isDeflated):
      try readChunk(row, isDeflated: isDeflated, into: buffer)
    case .general:
      try readThroughLibrary(row, into: buffer)
    }
  }

  /// The whole dataset, which must have one number, truth value or text a row.
  func column() throws(ShardError) -> ShardColumn {
    guard shape.count == 1, case .column = type else {
      throw .malformed(
        path: location.path, item: location.item, found: "\(type) \(shape)",
        expected: "a column of one value per row")
    }
    return try values()
  }

  private func values() throws(ShardError) -> ShardColumn {
    guard case .column(let type) = type else {
      throw .malformed(
        path: location.path, item: location.item, found: "\(self.type)", expected: "numbers or text"
      )
    }
    switch type {
    case .uint8: return .uint8(try numbers(0, as: chdf5_native_uint8()))
    case .uint16: return .uint16(try numbers(0, as: chdf5_native_uint16()))
    case .uint32: return .uint32(try numbers(0, as: chdf5_native_uint32()))
    case .int32: return .int32(try numbers(0, as: chdf5_native_int32()))
    case .int64: return .int64(try numbers(0, as: chdf5_native_int64()))
    case .float32: return .float32(try numbers(0, as: chdf5_native_float32()))
    case .bool: return .bool(try truthValues())
    case .string: return .string(try texts())
    }
  }

  /// The whole dataset in row-major order, whatever its shape.
  ///
  /// - Throws: `malformed` where its elements are not `type`.
  func values(of type: ShardColumnType) throws(ShardError) -> ShardColumn {
    guard self.type == .column(type) else {
      throw .malformed(
        path: location.path, item: location.item, found: "\(self.type)", expected: type.rawValue)
    }
    return try values()
  }

  private func numbers<Number: BitwiseCopyable>(
    _ zero: Number, as type: hid_t
  ) throws(ShardError) -> [Number] {
    let total = shape.reduce(1, *)
    var values = [Number](repeating: zero, count: total)
    guard total > 0 else { return values }
    _ = try values.withUnsafeMutableBytes { bytes in
      Result { () throws(ShardError) in
        try HDF5.locked { () throws(ShardError) in
          try location.check(H5Dread(handle.id, type, 0, 0, 0, bytes.baseAddress))
        }
      }
    }.get()
    return values
  }

  private func truthValues() throws(ShardError) -> [Bool] {
    try HDF5.locked { () throws(ShardError) -> [Bool] in
      let type = try location.handle(H5Dget_type(handle.id), release: H5Tclose)
      return try numbers(Int8(0), as: type.id).map { $0 != 0 }
    }
  }

  private func texts() throws(ShardError) -> [String] {
    try HDF5.locked { () throws(ShardError) -> [String] in
      let type = try location.handle(H5Dget_type(handle.id), release: H5Tclose)
      let space = try location.handle(H5Dget_space(handle.id), release: H5Sclose)
      return try readStrings(count: count, type: type.id, space: space.id, at: location) {
        H5Dread(handle.id, type.id, 0, 0, 0, $0)
      }
    }
  }

  // MARK: Rows

  /// Where the rows stand in the file, as far as they are not for the library alone to find.
  func rowRanges() throws(ShardError) -> [Range<Int>] {
    switch storage.layout {
    case .contiguous(let start): return [Int(start)..<Int(start) + storage.bytes]
    case .rowChunks:
      var ranges: [Range<Int>] = []
      for row in 0..<count {
        let chunk = try chunk(row)
        ranges.append(Int(chunk.address)..<Int(chunk.address) + Int(chunk.size))
      }
      return ranges
    case .general: return []
    }
  }

  private func chunk(
    _ row: Int
  ) throws(ShardError) -> (address: haddr_t, size: hsize_t, filterMask: UInt32) {
    var offset = [hsize_t](repeating: 0, count: shape.count)
    offset[0] = hsize_t(row)
    var filterMask: UInt32 = 0
    var address: haddr_t = 0
    var size: hsize_t = 0
    try HDF5.locked { () throws(ShardError) in
      try location.check(
        H5Dget_chunk_info_by_coord(handle.id, offset, &filterMask, &address, &size))
    }
    guard address != chdf5_no_address() else {
      throw .unreadable(
        path: location.path, item: "\(location.item)[\(row)]", reason: "it was never written")
    }
    return (address, size, filterMask)
  }

  private func readChunk(
    _ row: Int, isDeflated: Bool, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ShardError) {
    let item = "\(location.item)[\(row)]"
    let (address, size, filterMask) = try chunk(row)
    // Bit 0 set: the pipeline's one filter was not applied to this chunk.
    guard isDeflated, filterMask & 1 == 0 else {
      guard size == hsize_t(rowBytes) else {
        throw .malformed(
          path: location.path, item: item, found: "\(size) bytes", expected: "\(rowBytes) bytes")
      }
      try file.bytes.read(into: buffer, at: UInt64(address), item: item)
      return
    }
    guard size <= hsize_t(rowBytes) * 2 + 1024 else {
      throw .malformed(
        path: location.path, item: item, found: "\(size) compressed bytes for \(rowBytes)",
        expected: "fewer")
    }
    var packed = [UInt8](repeating: 0, count: Int(size))
    let outcome = packed.withUnsafeMutableBytes { packed in
      Result { () throws(ShardError) -> Bool in
        try file.bytes.read(into: packed, at: UInt64(address), item: item)
        return chunk_inflate(packed.baseAddress, packed.count, buffer.baseAddress, buffer.count)
          == 1
      }
    }
    guard try outcome.get() else {
      throw .unreadable(path: location.path, item: item, reason: "its compressed bytes are damaged")
    }
  }

  private func readThroughLibrary(
    _ row: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ShardError) {
    try HDF5.locked { () throws(ShardError) in
      var start = [hsize_t](repeating: 0, count: shape.count)
      start[0] = hsize_t(row)
      var extent = shape.map { hsize_t($0) }
      extent[0] = 1
      let stored = try location.handle(H5Dget_space(handle.id), release: H5Sclose)
      try location.check(
        H5Sselect_hyperslab(stored.id, H5S_SELECT_SET, start, nil, extent, nil))
      let memory = try location.handle(
        H5Screate_simple(Int32(extent.count), extent, nil), release: H5Sclose)
      let type = try location.handle(H5Dget_type(handle.id), release: H5Tclose)
      let native = try location.handle(
        H5Tget_native_type(type.id, H5T_DIR_ASCEND), release: H5Tclose)
      try location.check(
        H5Dread(handle.id, native.id, memory.id, stored.id, 0, buffer.baseAddress))
    }
  }

  // MARK: Shape

  private static func shape(of id: hid_t, at location: HDF5Location) throws(ShardError) -> [Int] {
    let space = try location.handle(H5Dget_space(id), release: H5Sclose)
    let rank = try location.check(H5Sget_simple_extent_ndims(space.id))
    guard rank > 0 else { return [] }
    var extent = [hsize_t](repeating: 0, count: Int(rank))
    try location.check(H5Sget_simple_extent_dims(space.id, &extent, nil))
    var shape: [Int] = []
    for size in extent {
      guard let size = Int(exactly: size) else {
        throw .malformed(
          path: location.path, item: location.item, found: "\(extent)",
          expected: "a shape that fits")
      }
      shape.append(size)
    }
    return shape
  }

  private static func product(_ sizes: [Int], at location: HDF5Location) throws(ShardError) -> Int {
    var product = 1
    for size in sizes {
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      guard !overflow else {
        throw .malformed(
          path: location.path, item: location.item, found: "\(sizes)", expected: "a shape that fits"
        )
      }
      product = next
    }
    return product
  }
}
