import CHDF5
import Shards
import Testing

/// libhdf5 would look for a library that has the filter, and run what is in it.
@Suite struct PluginTests {
  @Test func noLibraryIsLoadedForAFilter() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.h5")
    try Sample.writeImages(path)
    try alter(path) { file in
      H5Ldelete(file, "images", 0)
      let space = H5Screate_simple(4, [5, 6, 7, 3], nil)
      let list = H5Pcreate(chdf5_dataset_create())
      H5Pset_chunk(list, 4, [1, 6, 7, 3])
      #expect(H5Pset_filter(list, 32_001, 1, 0, nil) >= 0)  // optional: libhdf5 has none here
      let dataset = H5Dcreate2(file, "images", chdf5_file_uint8(), space, 0, list, 0)
      #expect(dataset >= 0)
      H5Dclose(dataset)
      H5Pclose(list)
      H5Sclose(space)
    }
    guard case .unknownFilter(path, "/images", _)? = ShardVerification(path).findings.first else {
      Issue.record("\(ShardVerification(path).findings)")
      return
    }
    var allowed: UInt32 = .max
    #expect(H5PLget_loading_state(&allowed) >= 0)
    #expect(allowed == 0)
  }
}
