// Reading of files: the root's attributes.

import CHDF5

extension HDF5InputFile {
  func hasAttribute(_ name: String) throws(ShardError) -> Bool {
    let location = location("attribute `\(name)`")
    return try HDF5.locked { () throws(ShardError) in
      try location.check(H5Aexists(id, name)) > 0
    }
  }

  /// The names of the root's attributes, sorted by their bytes.
  func attributeNames() throws(ShardError) -> [String] {
    let location = location("/")
    return try HDF5.locked { () throws(ShardError) -> [String] in
      let root = try location.handle(H5Oopen(id, "/", 0), release: H5Oclose)
      let count = try location.check(H5Aget_num_attrs(root.id))
      var names: [String] = []
      for index in 0..<min(hsize_t(count), 1000) {
        var name = [CChar](repeating: 0, count: 1024)
        try location.check(
          H5Aget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, index, &name, name.count, 0))
        names.append(
          String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
      }
      return names
    }
  }

  /// A scalar attribute of integers or of the Boolean enumeration (0 and 1).
  func integer(_ name: String) throws(ShardError) -> Int {
    let location = location("attribute `\(name)`")
    return try withAttribute(name, at: location) { attribute, type, count throws(ShardError) in
      let element = try HDF5ElementType(of: type, at: location)
      guard count == 1, element.isWholeNumber else {
        throw .malformed(
          path: path, item: location.item, found: "\(count) of \(element)",
          expected: "one integer")
      }
      if element == .column(.bool) {
        // The library widens every integer, but no enumeration.
        var value: Int8 = 0
        try location.check(H5Aread(attribute, type, &value))
        return Int(value)
      }
      var value: Int64 = 0
      try location.check(H5Aread(attribute, chdf5_native_int64(), &value))
      return Int(value)
    }
  }

  /// A text attribute: one string, or the list in it.
  func strings(_ name: String) throws(ShardError) -> [String] {
    let location = location("attribute `\(name)`")
    return try withAttribute(name, at: location) { attribute, type, count throws(ShardError) in
      guard H5Tget_class(type) == H5T_STRING else {
        throw .malformed(
          path: path, item: location.item, found: "\(try HDF5ElementType(of: type, at: location))",
          expected: "text")
      }
      let space = try location.handle(H5Aget_space(attribute), release: H5Sclose)
      return try readStrings(count: count, type: type, space: space.id, at: location) {
        H5Aread(attribute, type, $0)
      }
    }
  }

  /// A scalar text attribute.
  func string(_ name: String) throws(ShardError) -> String {
    let values = try strings(name)
    guard values.count == 1 else {
      throw .malformed(
        path: path, item: "attribute `\(name)`", found: "\(values.count) strings", expected: "one")
    }
    return values[0]
  }

  private func withAttribute<Value>(
    _ name: String, at location: HDF5Location,
    _ body: (_ attribute: hid_t, _ type: hid_t, _ count: Int) throws(ShardError) -> Value
  ) throws(ShardError) -> Value {
    try HDF5.locked { () throws(ShardError) -> Value in
      guard try hasAttribute(name) else { throw .missingItem(path: path, item: location.item) }
      let attribute = try location.handle(H5Aopen(id, name, 0), release: H5Aclose)
      let type = try location.handle(H5Aget_type(attribute.id), release: H5Tclose)
      let space = try location.handle(H5Aget_space(attribute.id), release: H5Sclose)
      let count = try location.check(
        H5Sget_simple_extent_npoints(space.id))
      guard count <= 1_000_000 else {
        throw .malformed(
          path: path, item: location.item, found: "\(count) values", expected: "at most 1000000")
      }
      return try body(attribute.id, type.id, Int(count))
    }
  }
}
