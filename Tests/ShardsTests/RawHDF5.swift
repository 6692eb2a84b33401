// Changes shards behind the library's back, through libhdf5 itself.

import CHDF5
import Testing

/// Opens a finished file for writing, to make a bad input of it: one of format_version 1, for the
/// library cuts the seal off.
func alter(_ path: String, _ body: (hid_t) throws -> Void) throws {
  H5Eset_auto2(0, nil, nil)
  // Read and write; the flag is a macro that Swift does not see.
  let file = H5Fopen(path, 1, 0)
  try #require(file >= 0)
  defer { H5Fclose(file) }
  try setAttribute(file, "format_version", to: 1)
  try body(file)
}

/// A whole dataset of integers or text; contents are zero.
func addDataset(_ file: hid_t, _ name: String, type: hid_t, shape: [Int]) throws {
  let space = H5Screate_simple(Int32(shape.count), shape.map { hsize_t($0) }, nil)
  defer { H5Sclose(space) }
  let dataset = H5Dcreate2(file, name, type, space, 0, 0, 0)
  try #require(dataset >= 0)
  defer { H5Dclose(dataset) }
  let zeros = [UInt8](repeating: 0, count: shape.reduce(H5Tget_size(type), *))
  if H5Tget_class(type) != H5T_STRING {
    let status = H5Dwrite(dataset, type, 0, 0, 0, zeros)
    try #require(status >= 0)
  }
}

func replaceDataset(_ file: hid_t, _ name: String, type: hid_t, shape: [Int]) throws {
  let status = H5Ldelete(file, name, 0)
  try #require(status >= 0)
  try addDataset(file, name, type: type, shape: shape)
}

/// Replaces a scalar attribute by a 64-bit number.
func setAttribute(_ file: hid_t, _ name: String, to value: Int64) throws {
  H5Adelete(file, name)
  let space = H5Screate(H5S_SCALAR)
  defer { H5Sclose(space) }
  let attribute = H5Acreate2(file, name, chdf5_file_int64(), space, 0, 0)
  try #require(attribute >= 0)
  defer { H5Aclose(attribute) }
  var value = value
  let status = H5Awrite(attribute, chdf5_native_int64(), &value)
  try #require(status >= 0)
}

/// Replaces a scalar attribute by text of fixed length.
func setAttribute(_ file: hid_t, _ name: String, to text: String) throws {
  H5Adelete(file, name)
  let space = H5Screate(H5S_SCALAR)
  defer { H5Sclose(space) }
  let type = H5Tcopy(chdf5_c_string())
  defer { H5Tclose(type) }
  H5Tset_size(type, max(1, text.utf8.count))
  let attribute = H5Acreate2(file, name, type, space, 0, 0)
  try #require(attribute >= 0)
  defer { H5Aclose(attribute) }
  let status = H5Awrite(attribute, type, Array(text.utf8) + [0])
  try #require(status >= 0)
}
