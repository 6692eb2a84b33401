// Writing of files: attributes, columns, and images chunk by chunk. Every return value is checked:
// the library reports a full disk late, and sometimes in one call only.

import CHDF5
import DurableFiles
import Platform

/// A new HDF5 file whose bytes depend on what is written to it alone: no times, no fill values.
///
/// It belongs to one thread. Without `close()`, its contents are undefined.
final class HDF5OutputFile {
  private let path: String
  private var id: hid_t

  /// Creates the file, which must not exist.
  ///
  /// - Parameters:
  ///   - temporaryPath: where the file is made.
  ///   - path: what errors call it, the name that it is going to have.
  /// - Throws: `cannotCreate`; `writeFailed` where the disk is full or fails.
  init(_ temporaryPath: String, for path: String) throws(ShardError) {
    self.path = path
    id = try HDF5.locked { () throws(ShardError) -> hid_t in
      let location = HDF5Location(path: path, item: "the file", isWriting: true)
      let creation = try location.handle(
        H5Pcreate(chdf5_file_create()), release: H5Pclose)
      try location.check(H5Pset_obj_track_times(creation.id, false))
      let access = try location.fileAccess()
      // Old enough for every reader, new enough for large attributes; not the newest form, which a
      // crash locks.
      try location.check(
        H5Pset_libver_bounds(access.id, H5F_LIBVER_V18, H5F_LIBVER_V110))
      // Closing fails, instead of waiting, when a dataset is still open.
      try location.check(H5Pset_fclose_degree(access.id, H5F_CLOSE_SEMI))
      let id = HDF5.uninterrupted {
        H5Fcreate(temporaryPath, chdf5_exclusive(), creation.id, access.id)
      }
      guard id >= 0 else {
        let system = errno
        let reason = HDF5Location.innermostError() ?? String(cString: strerror(system))
        // Creating writes the first bytes, too.
        if case .failed = DurableFileError.creating(path, operation: "create", errno: system),
          system != 0
        {
          throw .writeFailed(path: path, item: "the file", reason: reason)
        }
        throw .cannotCreate(path: path, reason: reason)
      }
      return id
    }
  }

  deinit {
    if id >= 0 { HDF5.locked { _ = H5Fclose(id) } }
  }

  private func location(_ item: String) -> HDF5Location {
    HDF5Location(path: path, item: item, isWriting: true)
  }

  /// Waits until all bytes are on the disk, then closes.
  func close() throws(ShardError) {
    let location = location("the file")
    try HDF5.locked { () throws(ShardError) in
      try location.check(H5Fflush(id, H5F_SCOPE_LOCAL))
      let closing = id
      id = -1
      try location.check(H5Fclose(closing))
    }
  }

  // MARK: Attributes of the root

  func setAttribute(_ name: String, to text: String) throws(ShardError) {
    try writeAttribute(name, .string([text]), isScalar: true)
  }

  func setAttribute(_ name: String, to number: Int) throws(ShardError) {
    try writeAttribute(name, .int64([Int64(number)]), isScalar: true)
  }

  func setAttribute(_ name: String, to truth: Bool) throws(ShardError) {
    try writeAttribute(name, .bool([truth]), isScalar: true)
  }

  func setAttribute(_ name: String, to texts: [String]) throws(ShardError) {
    try writeAttribute(name, .string(texts), isScalar: false)
  }

  private func writeAttribute(
    _ name: String, _ values: ShardColumn, isScalar: Bool
  ) throws(ShardError) {
    let location = location("attribute `\(name)`")
    try HDF5.locked { () throws(ShardError) in
      let type = try values.type.fileType(at: location)
      var extent = [hsize_t(values.count)]
      let space = try location.handle(
        isScalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &extent, nil),
        release: H5Sclose)
      let attribute = try location.handle(
        H5Acreate2(id, name, type.id, space.id, 0, 0), release: H5Aclose)
      guard values.count > 0 else { return }
      try values.withStorage(fileType: type.id) { memoryType, bytes throws(ShardError) in
        try location.check(H5Awrite(attribute.id, memoryType, bytes))
      }
    }
  }

  // MARK: Datasets

  /// Makes a group in the root, so that `write` takes names such as `captions/text`.
  func createGroup(_ name: String) throws(ShardError) {
    let location = location("/\(name)")
    try HDF5.locked { () throws(ShardError) in
      let creation = try location.handle(
        H5Pcreate(chdf5_group_create()), release: H5Pclose)
      try location.check(H5Pset_obj_track_times(creation.id, false))
      _ = try location.handle(
        H5Gcreate2(id, name, 0, creation.id, 0), release: H5Gclose)
    }
  }

  /// Writes a whole column: one dataset of one value per row, in one chunk with a checksum that
  /// every reader verifies.
  ///
  /// Text goes without: it stands elsewhere in the file, where no filter reaches.
  func write(_ column: ShardColumn, named name: String) throws(ShardError) {
    try write(column, named: name, shape: [column.count], hasChecksum: column.type != .string)
  }

  /// Writes a whole dataset from its values in row-major order, contiguous unless it has a
  /// checksum.
  func write(
    _ values: ShardColumn, named name: String, shape: [Int], hasChecksum: Bool = false
  ) throws(ShardError) {
    precondition(
      shape.reduce(1, *) == values.count, "\(values.count) values for the shape \(shape)")
    let location = location("/\(name)")
    try HDF5.locked { () throws(ShardError) in
      let type = try values.type.fileType(at: location)
      let extent = shape.map { hsize_t($0) }
      let space = try location.handle(
        H5Screate_simple(Int32(extent.count), extent, nil), release: H5Sclose)
      let creation = try Self.datasetCreation(isText: values.type == .string, at: location)
      if hasChecksum, values.count > 0 {
        try location.check(H5Pset_chunk(creation.id, Int32(extent.count), extent))
        try location.check(H5Pset_fletcher32(creation.id))
      }
      let dataset = try location.handle(
        H5Dcreate2(id, name, type.id, space.id, 0, creation.id, 0), release: H5Dclose)
      guard values.count > 0 else { return }
      try values.withStorage(fileType: type.id) { memoryType, bytes throws(ShardError) in
        try location.check(H5Dwrite(dataset.id, memoryType, 0, 0, 0, bytes))
      }
      try location.check(H5Dflush(dataset.id))
    }
  }

  /// Creates a dataset to which rows are appended, one a chunk.
  ///
  /// - Parameter level: the level of the gzip filter, nil for none.
  func chunkedRows(
    named name: String, of type: ShardColumnType = .uint8, rowShape: [Int], level: Int?
  ) throws(ShardError) -> HDF5OutputRows {
    let location = location("/\(name)")
    return try HDF5.locked { () throws(ShardError) -> HDF5OutputRows in
      let space = try location.handle(
        H5Screate_simple(
          Int32(rowShape.count + 1), [0] + rowShape.map { hsize_t($0) },
          [chdf5_unlimited()] + rowShape.map { hsize_t($0) }), release: H5Sclose
      )
      let creation = try Self.datasetCreation(isText: false, at: location)
      let chunk = [1] + rowShape.map { hsize_t($0) }
      try location.check(H5Pset_chunk(creation.id, Int32(chunk.count), chunk))
      if let level {
        // Readers ignore the level; the library accepts 0 to 9 only.
        try location.check(H5Pset_deflate(creation.id, UInt32(min(level, 9))))
      }
      let fileType = try type.fileType(at: location)
      let dataset = try location.handle(
        H5Dcreate2(id, name, fileType.id, space.id, 0, creation.id, 0), release: H5Dclose)
      return HDF5OutputRows(dataset, rowShape: rowShape, at: location)
    }
  }

  private static func datasetCreation(
    isText: Bool, at location: HDF5Location
  ) throws(ShardError) -> HDF5Handle {
    let list = try location.handle(
      H5Pcreate(chdf5_dataset_create()), release: H5Pclose)
    try location.check(H5Pset_obj_track_times(list.id, false))
    if !isText {
      // Every value is written; filling first would write everything twice. Text has to be filled.
      try location.check(H5Pset_fill_time(list.id, H5D_FILL_TIME_NEVER))
    }
    return list
  }
}

/// A growing dataset in one-row chunks; let go of it before the file is closed.
struct HDF5OutputRows: ~Copyable {
  private let handle: HDF5Handle
  private let rowShape: [Int]
  private let location: HDF5Location
  private var count = 0

  init(_ handle: consuming HDF5Handle, rowShape: [Int], at location: HDF5Location) {
    self.handle = handle
    self.rowShape = rowShape
    self.location = location
  }

  /// Appends one row.
  ///
  /// - Parameters:
  ///   - chunk: the row as the filter leaves it.
  ///   - isFiltered: false where the dataset has a filter that was left out for this row.
  mutating func append(_ chunk: [UInt8], isFiltered: Bool) throws(ShardError) {
    let extent = ([count + 1] + rowShape).map { hsize_t($0) }
    let offset = ([count] + rowShape.map { _ in 0 }).map { hsize_t($0) }
    try HDF5.locked { () throws(ShardError) in
      try location.check(H5Dset_extent(handle.id, extent))
      try location.check(
        H5Dwrite_chunk(handle.id, 0, isFiltered ? 0 : 1, offset, chunk.count, chunk))
    }
    count += 1
  }

  /// Hands everything to the system; errors of a full disk show here at the latest.
  func flush() throws(ShardError) {
    try HDF5.locked { () throws(ShardError) in
      try location.check(H5Dflush(handle.id))
    }
  }
}

extension ShardColumn {
  /// Calls `body` with the values as the library takes them, and their type there.
  fileprivate func withStorage(
    fileType: hid_t, _ body: (hid_t, UnsafeRawPointer?) throws(ShardError) -> Void
  ) throws(ShardError) {
    switch self {
    case .uint8(let values): try Self.lend(values, chdf5_native_uint8(), body)
    case .uint16(let values): try Self.lend(values, chdf5_native_uint16(), body)
    case .uint32(let values): try Self.lend(values, chdf5_native_uint32(), body)
    case .int32(let values): try Self.lend(values, chdf5_native_int32(), body)
    case .int64(let values): try Self.lend(values, chdf5_native_int64(), body)
    case .float32(let values): try Self.lend(values, chdf5_native_float32(), body)
    case .bool(let values): try Self.lend(values.map { Int8($0 ? 1 : 0) }, fileType, body)
    case .string(let values):
      let texts = values.map { strdup($0) }
      defer { for text in texts { free(text) } }
      try Self.lend(texts, fileType, body)
    }
  }

  private static func lend<Value>(
    _ values: [Value], _ type: hid_t,
    _ body: (hid_t, UnsafeRawPointer?) throws(ShardError) -> Void
  ) throws(ShardError) {
    try values.withUnsafeBytes { bytes in
      Result { () throws(ShardError) in try body(type, bytes.baseAddress) }
    }.get()
  }
}
