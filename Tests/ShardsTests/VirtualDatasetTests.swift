import CHDF5
import Glibc
import Shards
import Testing

/// Datasets whose rows lie in other files.
@Suite struct VirtualDatasetTests {
  /// The other file is a pipe without a writer: whoever opens it waits for ever.
  @Test(.timeLimit(.minutes(30))) func otherFilesAreNotEvenOpened() throws {
    let scratch = try Scratch()
    let (path, pipe) = (scratch.file("a.h5"), scratch.file("pipe"))
    try Sample.writeImages(path)
    try alter(path) { file in
      let space = H5Screate_simple(1, [0], [chdf5_unlimited()])
      let source = H5Screate_simple(1, [0], [chdf5_unlimited()])
      for part in [space, source] {
        H5Sselect_hyperslab(part, H5S_SELECT_SET, [0], [1], [chdf5_unlimited()], [1])
      }
      let list = H5Pcreate(chdf5_dataset_create())
      #expect(H5Pset_virtual(list, space, pipe, "/x", source) >= 0)
      let dataset = H5Dcreate2(file, "label", chdf5_file_int32(), space, 0, list, 0)
      #expect(dataset >= 0)
      H5Dclose(dataset)
      H5Pclose(list)
      H5Sclose(space)
      H5Sclose(source)
    }
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(
      throws: ShardError.externalLink(path: path, item: "/label", kind: "a virtual dataset")
    ) { try ImageShardReader(path) }
  }
}
