import TestSupport
import Testing

@Suite("Libraries that the commands load")
struct LinkingTests {
  /// Kernels are in the program; no library of products brings threads of its own.
  @Test(arguments: [
    "prep-coco", "shard-info", "train-vqgan", "train-gpt", "sample-gpt", "score", "dream", "play",
  ])
  func noCommandLoadsALibraryOfKernels(command: String) throws {
    let loaded = try shell("ldd '\(builtCommands)/\(command)'")
    #expect(loaded.status == 0, "\(loaded.errors)")
    #expect(loaded.output.contains("libhdf5"))
    for library in ["libdnnl", "libopenblas", "libgomp"] {
      #expect(!loaded.output.contains(library), "\(library)")
    }
  }

  @Test(arguments: ["prep-coco", "prep-atari", "prep-images", "shard-info", "shard-export"])
  func commandsThatOnlyMakeOrShowShardsHaveNoKernels(command: String) throws {
    let symbols = try shell("grep -c ck_winograd_forward '\(builtCommands)/\(command)'")
    #expect(symbols.output == "0\n")
    #expect(try shell("grep -c ck_winograd '\(builtCommands)/train-vqgan'").status == 0)
  }

  @Test func theVersionNamesTheKernels() throws {
    #expect(try shell("train-gpt --version").output.contains("tiles"))
    #expect(try !shell("prep-coco --version").output.contains("tiles"))
  }
}
