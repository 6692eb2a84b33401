// What can be swept: one entry for each kind of file that the commands read.
import DurableFiles
import Foundation

/// A kind of file.
struct SweepKind: Sendable {
  let name: String
  /// The golden files that are changed in their turn; paths in the folder that `make` fills.
  let files: [String]
  /// How many inputs there are of this kind, for one of others.
  var share = 1.0
  /// Whether a checksum stands over what is read: what is accepted must be what was written.
  var isChecked = false
  /// Whether reading changes the folder.
  var writes = false
  /// Makes the golden files in an empty folder, and what else is needed to read them.
  let make: @Sendable (_ folder: String) throws -> Void
  /// Reads a file as the commands do.
  ///
  /// Returns what was understood of it, and throws what the commands end with.
  let read: @Sendable (_ path: String, _ folder: String) throws -> String
  /// Whole commands, which run in the folder in their turn; `@` is the file, `../out` the output.
  let commands: [String]

  static func named(_ name: String) -> SweepKind? {
    (all + [trap]).first { $0.name == name }
  }

  /// For the test of the sweep itself: the first byte, changed, is a trap, and the last one is
  /// accepted although the kind has a checksum.
  private static let trap = SweepKind(
    name: "trap", files: ["text"], isChecked: true,
    make: { try write("0 kept 1", to: "\($0)/text") },
    read: { path, _ in
      let text = String(decoding: try DurableFile.read(path), as: UTF8.self)
      precondition(text.hasPrefix("0"), "the trap")
      return text
    }, commands: ["sh -c 'grep -q ^0 @ || kill -SEGV $$'"])

  /// What tells contents from others within a process.
  static func digest(_ bytes: UnsafeRawBufferPointer) -> Int {
    var hasher = Hasher()
    hasher.combine(bytes: bytes)
    return hasher.finalize()
  }

  static let all: [SweepKind] =
    [png, jpeg, labelMap, depthMap] + [instances, captions, trajectory, pathList]
    + [safetensors, pytorchArchive, pytorchStream, numpy, statistics, project]
    + [classPath, diffusers]
    + [vqganConfig, gptConfig, worldConfig, vqganModel, gptModel, worldModel]
    + [checkpoint, sealedCheckpoint]
    + [imageShard, codeShard, unsealedShard, manifest, decodingRecord]
}
