// How a dataset lies in its file.

import CHDF5

/// The storage of a dataset, refused where its data are somewhere else or packed by an unknown
/// filter.
struct HDF5Storage: Sendable {
  /// How a row is found.
  enum Layout: Sendable {
    /// Rows stand one after the other from this byte of the file on, in the bytes of memory.
    case contiguous(UInt64)
    /// One row a chunk, in the bytes of memory; in the zlib format when `isDeflated`.
    case rowChunks(isDeflated: Bool)
    /// Anything else that the library can read.
    case general
  }

  let layout: Layout
  /// Bytes that the dataset takes in the file.
  let bytes: Int
  /// For people: "contiguous" or "chunks of 1×64×64×3, gzip".
  let description: String

  /// Refuses data of other files, which even a question for the shape would open.
  static func requireInside(of id: hid_t, at location: HDF5Location) throws(ShardError) {
    let list = try location.handle(
      H5Dget_create_plist(id), release: H5Pclose)
    let kind = H5Pget_layout(list.id)
    if kind == H5D_VIRTUAL {
      throw .externalLink(path: location.path, item: location.item, kind: "a virtual dataset")
    }
    if kind == H5D_CONTIGUOUS, H5Pget_external_count(list.id) != 0 {
      throw .externalLink(
        path: location.path, item: location.item, kind: "kept in an external file")
    }
  }

  init(of id: hid_t, type: hid_t, shape: [Int], at location: HDF5Location) throws(ShardError) {
    let list = try location.handle(
      H5Dget_create_plist(id), release: H5Pclose)
    let kind = H5Pget_layout(list.id)
    guard let bytes = Int(exactly: H5Dget_storage_size(id)) else {
      throw .unreadable(path: location.path, item: location.item, reason: "its size is unknown")
    }
    self.bytes = bytes
    let filters = try Self.filters(of: list.id, at: location)
    let isPlain = Self.isPlain(type)

    guard kind == H5D_CHUNKED else {
      description = kind == H5D_CONTIGUOUS ? "contiguous" : "compact"
      let offset = H5Dget_offset(id)
      layout =
        kind == H5D_CONTIGUOUS && isPlain && offset != chdf5_no_address()
        ? .contiguous(UInt64(offset)) : .general
      return
    }
    var chunk = [hsize_t](repeating: 0, count: shape.count)
    try location.check(H5Pget_chunk(list.id, Int32(shape.count), &chunk))
    let words = ["chunks of " + chunk.map { "\($0)" }.joined(separator: "×")] + filters.map(\.name)
    description = words.joined(separator: ", ")
    let isRow =
      chunk.first == 1 && chunk.dropFirst().elementsEqual(shape.dropFirst().map { hsize_t($0) })
    let isDeflated = filters.map(\.id) == [H5Z_filter_t(H5Z_FILTER_DEFLATE)]
    layout =
      isRow && isPlain && (filters.isEmpty || isDeflated)
      ? .rowChunks(isDeflated: isDeflated) : .general
  }

  /// Whether the bytes in the file are those of memory: integers of one byte or little-endian.
  private static func isPlain(_ type: hid_t) -> Bool {
    H5Tget_class(type) == H5T_INTEGER
      && (H5Tget_size(type) == 1 || H5Tget_order(type) == H5T_ORDER_LE)
  }

  private static func filters(
    of list: hid_t, at location: HDF5Location
  ) throws(ShardError) -> [(id: H5Z_filter_t, name: String)] {
    let count = try location.check(H5Pget_nfilters(list))
    var filters: [(id: H5Z_filter_t, name: String)] = []
    for index in 0..<UInt32(count) {
      var flags: UInt32 = 0
      var valueCount = 0
      var name = [CChar](repeating: 0, count: 64)
      let id = H5Pget_filter2(list, index, &flags, &valueCount, nil, name.count, &name, nil)
      switch Int32(id) {
      case H5Z_FILTER_DEFLATE: filters.append((id, "gzip"))
      case H5Z_FILTER_SHUFFLE: filters.append((id, "shuffle"))
      case H5Z_FILTER_FLETCHER32: filters.append((id, "fletcher32"))
      case 32000:
        throw .unknownFilter(
          path: location.path, item: location.item, filter: "LZF (h5py's \"lzf\")")
      default:
        let text = String(
          decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        throw .unknownFilter(
          path: location.path, item: location.item,
          filter: "filter \(id)\(text.isEmpty ? "" : " (\(text))")")
      }
    }
    return filters
  }
}
