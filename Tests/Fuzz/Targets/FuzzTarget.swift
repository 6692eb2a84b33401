// Every parser of bytes that strangers wrote, as the fuzzer and the tests call it.

/// One parser.
///
/// A new one is an entry in `all`, with its first inputs in `Tests/Fuzz/Corpus/NAME` and, where
/// words help, `Tests/Fuzz/NAME.dict`.
package struct FuzzTarget: Sendable {
  package let name: String
  /// Reads an input, and uses what it describes as the commands would.
  ///
  /// It may throw whatever the parser throws; a trap, a hang and a broken precondition are defects.
  package let read: @Sendable (_ input: [UInt8], _ scratch: ScratchFolder) throws -> Void

  package static let all = [
    FuzzTarget(name: "pytorch-zip", read: Weights.file),
    FuzzTarget(name: "pytorch-stream", read: Weights.file),
    FuzzTarget(name: "pickle", read: Weights.pickle),
    FuzzTarget(name: "safetensors", read: Weights.file),
    FuzzTarget(name: "npy", read: Weights.numbers),
    FuzzTarget(name: "architecture", read: Weights.architecture),
    FuzzTarget(name: "project", read: Weights.project),
    FuzzTarget(name: "class-path", read: Weights.classPath),
    FuzzTarget(name: "diffusers", read: Weights.diffusers),
    FuzzTarget(name: "json-events", read: Annotations.events),
    FuzzTarget(name: "instances", read: Annotations.objects),
    FuzzTarget(name: "captions", read: Annotations.captions),
    FuzzTarget(name: "polygons", read: Annotations.mask),
    FuzzTarget(name: "rle", read: Annotations.mask),
    FuzzTarget(name: "trajectory", read: Annotations.trajectory),
    FuzzTarget(name: "png", read: Pixels.png),
    FuzzTarget(name: "jpeg", read: Pixels.image),
    FuzzTarget(name: "chunk", read: Pixels.chunk),
    FuzzTarget(name: "configuration", read: Configurations.any),
    FuzzTarget(name: "manifest", read: Configurations.manifest),
    FuzzTarget(name: "paths", read: Configurations.paths),
  ]
}
