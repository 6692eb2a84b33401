// Files of weights, and models that are recognised in them.

import Checkpoints
import Foundation
import Shards
import TamingCheckpoints
import Training

enum Weights {
  /// A PyTorch or safetensors file: every tensor is read in every form.
  static func file(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    try read(try scratch.file(input))
  }

  /// The pickles of a stream behind its fixed parts, which no mutation has to guess.
  static func pickle(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    try read(try scratch.file(start + input))
  }

  /// Magic number, version 1001 and `{"little_endian": True}`.
  private static let start: [UInt8] =
    [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e]
    + [0x80, 2, 0x4d, 0xe9, 3, 0x2e] + [0x80, 2] + Array("}U".utf8) + [13]
    + Array("little_endian".utf8) + [0x88] + Array("s.".utf8)

  /// Elements that are read of a tensor at most: a view may repeat one 2^26 times.
  private static let mostElements = 1 << 16

  private static func read(_ path: String) throws {
    let file = try CheckpointFile.openAsItIs(path)
    try use(file)
    try use(file.underUsualNames(.ema))
    try use(file.underUsualNames(.plain))
    if let file = file as? SafetensorsFile { _ = try file.fingerprint() }
    guard let file = file as? PyTorchFile else { return }
    for state in file.optimizers.flatMap(\.values) {
      for name in [state.average, state.squareAverage, state.stepTensor] {
        try? use(name, of: file)
      }
    }
  }

  private static func use(_ source: any TensorSource) throws {
    // What is wrong with one tensor says nothing of the next.
    for name in source.names { try? use(name, of: source) }
    _ = try TamingCheckpoint(source, heads: 4)
  }

  private static func use(_ name: String, of source: any TensorSource) throws {
    precondition(source.contains(name), "\(name) is listed, but not there")
    let type = try source.type(of: name)
    let count = try source.shape(of: name).reduce(1, *)
    guard count <= mostElements else { return }
    _ = try? source.floats(of: name)
    _ = try? source.integers(of: name)
    try source.withBytes(of: name) {
      precondition($0.count == (count * type.bits + 7) / 8, "\(name) has \($0.count) bytes")
    }
  }

  static func numbers(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    _ = try NumPyFile(try scratch.file(input))
  }

  // MARK: Models

  /// Lines of `NAME EXTENT EXTENT …` stand for tensors of zeros, with `=VALUE` of that value.
  static func architecture(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    try recognise(ShapedTensors(String(decoding: input, as: UTF8.self)), project: nil)
  }

  /// A project file beside the weights of both kinds of models.
  static func project(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    let project = try TamingProject(try scratch.file(input))
    for tensors in ofTaming { try? recognise(tensors, project: project) }
  }

  /// The same in the words of Lightning's command line, beside the weights that have such files.
  static func classPath(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    let project = try TamingProject(try scratch.file(input))
    for tensors in ofSEEDVoken { try? recognise(tensors, project: project) }
  }

  /// A config.json of diffusers in the folder of its weights.
  static func diffusers(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    _ = try scratch.file(input, "config.json")
    var tensors = ofDiffusers
    tensors.path = "\(scratch.path)/weights"
    try recognise(tensors, project: nil)
  }

  private static func recognise(_ tensors: ShapedTensors, project: TamingProject?) throws {
    let heads = project == nil ? 4 : nil
    switch try TamingCheckpoint(tensors.underUsualNames(), project: project, heads: heads) {
    case .firstStage(let weights): _ = weights.summary
    case .transformer(let weights):
      _ = (weights.summary, weights.conditionLength(height: 256, width: 256))
      guard let stage = weights.firstStage else { return }
      let codes = CodeGrid(of: weights, stage.config, fingerprint: "", vqgan: "")
      let condition = try GPTCondition(of: weights, codes: codes, stagePath: "")
      let description = GPTDescription(
        model: weights.config, codes: codes, condition: condition, order: weights.order)
      _ = description.problem
    case .iris(let weights): _ = (weights.config.problem, weights.tokenizer.summary)
    case .perceptual(let weights): _ = weights.summary
    case .vgg16, .lpipsHeads: break
    }
  }

  // The weights that files are read beside.
  private static let ofTaming = ["vqgan", "transformer"].map(known)
  private static let ofSEEDVoken = ["ibq", "open-magvit2"].map(known)
  private static let ofDiffusers = known("diffusers")

  @Sendable private static func known(_ name: String) -> ShapedTensors {
    let path = "\(FuzzTarget.corpusPath)/architecture/\(name).txt"
    let text = try? String(contentsOfFile: path, encoding: .utf8)
    return ShapedTensors(text ?? "")
  }
}

extension FuzzTarget {
  /// The folder of all stored inputs.
  package static let corpusPath = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Corpus").path
}

/// Tensors of which only names and shapes are given.
private struct ShapedTensors: TensorSource {
  private var tensors: [String: (shape: [Int], value: Float)] = [:]

  init(_ text: String) {
    for line in text.split(separator: "\n").prefix(4096) {
      let parts = line.split(separator: "=", maxSplits: 1)
      let words = parts[0].split(separator: " ")
      guard let name = words.first else { continue }
      let extents = words.dropFirst().compactMap { Int($0) }.filter { $0 >= 0 }
      tensors[String(name)] = (extents, parts.count > 1 ? Float(parts[1]) ?? 0 : 0)
    }
  }

  var path = "shapes"
  var names: [String] { tensors.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
  func contains(_ name: String) -> Bool { tensors[name] != nil }

  func shape(of name: String) throws -> [Int] {
    guard let tensor = tensors[name] else { throw missing(name) }
    return tensor.shape
  }

  private func missing(_ name: String) -> ArchitectureError { .noTensor(path: path, tensor: name) }

  func type(of name: String) throws -> ElementType { .float32 }

  func floats(of name: String) throws -> [Float] {
    var count = 1
    for extent in try shape(of: name) {
      let (product, overflows) = count.multipliedReportingOverflow(by: extent)
      // As a file that does not hold so many.
      guard !overflows, product <= 1 << 20 else { throw missing(name) }
      count = product
    }
    return [Float](repeating: tensors[name]?.value ?? 0, count: count)
  }

  func integers(of name: String) throws -> [Int] { try floats(of: name).map { _ in 0 } }

  func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try floats(of: name).withUnsafeBytes(body)
  }
}
