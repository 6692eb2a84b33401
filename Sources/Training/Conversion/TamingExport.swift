// Models of this suite as checkpoints of taming-transformers.
import Checkpoints
import DurableFiles
import Foundation
import Models
import NN
import TamingCheckpoints

/// The tensors of a checkpoint that the reference's `load_state_dict(strict=True)` accepts.
package struct TamingExport {
  package private(set) var entries: [SafetensorsEntry] = []
  /// What the reference's model has and this file lacks, in sentences.
  package private(set) var notes: [String] = []

  /// A `VQModel` with its loss, as far as the files hold it.
  ///
  /// - Parameter perceptual: the network of its loss, if it lies in a file of its own.
  /// - Throws: `ArchitectureError`, `ModelMismatchError`, the errors of reading.
  package init(_ file: FirstStageFile, perceptual: PerceptualWeights?) throws {
    let quantizer = file.config.quantizer
    guard [.gradient, .movingAverage, .gumbel].contains(quantizer.kind), !quantizer.cosine,
      quantizer.depth == 1
    else {
      throw ArchitectureError.unsupported(
        path: file.tensors.path,
        problem:
          "a codebook of kind \(quantizer.cosine ? "cosine" : quantizer.kind.rawValue) and depth "
          + "\(quantizer.depth); the "
          + "published code cannot load it")
    }
    guard file.config.palette == nil else {
      throw ArchitectureError.unsupported(
        path: file.tensors.path,
        problem: "a VQGAN of a palette, whose colours have no place in the published code's files")
    }
    guard file.config.architecture == .taming, file.config.patch == 1,
      file.config.attendsInMiddle, file.config.pixels == .signed, !file.config.encodesTiles
    else {
      throw ArchitectureError.unsupported(
        path: file.tensors.path,
        problem: "layers or pixels that the published code does not have, so it cannot load it")
    }
    try file.requireWhole()
    let model = VQGAN(file.config).shapes().map(\.name)
    let ends = ["encoder.", "decoder."]
    try add(file.tensors, model.filter { name in ends.contains { name.hasPrefix($0) } })
    let inner = RenamedTensors(file.tensors, below: PerceptualWeights.prefix)
    if let network = try inner.names.isEmpty ? perceptual : PerceptualWeights(file.tensors) {
      try addPerceptual(network)
    } else {
      notes.append("no perceptual network (--perceptual FILE adds it)")
    }
    if file.discriminator?.normalization == .group {
      notes.append("the discriminator is left out: VQModel has none with group norms")
    } else if let discriminator = file.discriminator {
      try addDiscriminator(discriminator, channels: file.config.outChannels, file.tensors)
    } else {
      notes.append("no discriminator")
    }
    try addCodebook(file)
    if file.tensors.contains("colorize") { try add(file.tensors, ["colorize"]) }
  }

  /// A `Net2NetTransformer`.
  ///
  /// - Parameters: firstStage, condStage: the VQGANs that it holds, without their losses.
  package init(
    _ file: SecondStageFile, firstStage: FirstStageFile?, condStage: FirstStageFile?
  ) throws {
    let description = file.description
    guard description.model.rotary == nil, description.model.subVocabulary == nil,
      description.order ?? .raster == .raster
    else {
      throw ArchitectureError.unsupported(
        path: file.position,
        problem:
          "rotary positions, tokens of two parts or an order of codes other than raster; the published code cannot "
          + "load it")
    }
    for (stage, prefix) in [
      (firstStage, TransformerWeights.firstStagePrefix),
      (condStage, TransformerWeights.condStagePrefix),
    ] {
      guard let stage else { continue }
      try stage.requireWhole()
      try addModel(
        stage.tensors, VQGAN(stage.config).shapes().map(\.name), below: prefix)
    }
    if firstStage == nil { notes.append("no first stage (--vqgan adds it)") }
    for (stage, title) in [(firstStage, "first"), (condStage, "condition")]
    where stage?.tensors.names.contains(where: { $0.hasPrefix("loss.") }) == true {
      notes.append(
        "the loss of the \(title) stage (discriminator, perceptual network) is left out: a "
          + "transformer's stages have DummyLoss in the published project files")
    }
    let config = file.description.model
    let shapes = GPT(config).shapes()
    try file.tensors.require(shapes)
    try add(file.tensors, shapes.map(\.name), below: TransformerWeights.prefix)
    let mask = Self.mask(config)
    for layer in 0..<config.layers {
      entries.append(
        SafetensorsEntry(
          "\(TransformerWeights.prefix)blocks.\(layer).attn.mask",
          shape: [1, 1, config.blockSize, config.blockSize], floats: mask))
    }
  }

  /// Writes the file.
  ///
  /// - Parameter step: of the training, recorded as `global_step`.
  package func write(
    to path: String, step: Int, willWrite: () throws -> Void
  ) throws {
    try PyTorchWriter.write(
      entries, counters: [("epoch", 0), ("global_step", step)], to: path, willWrite: willWrite)
  }

  // MARK: Parts

  private mutating func add(
    _ tensors: any TensorSource, _ names: [String], below prefix: String = ""
  ) throws {
    for name in names { entries.append(try tensors.floatEntry(of: name, as: prefix + name)) }
  }

  /// Tensors of a VQGAN, as far as `VQModel` has them.
  private mutating func addModel(
    _ tensors: any TensorSource, _ names: [String], below prefix: String = ""
  ) throws {
    for name in names where !Self.isAverage(name) {
      guard name == "quantize.used" else {
        try add(tensors, [name], below: prefix)
        continue
      }
      // Integers in the reference.
      let list = try tensors.floats(of: name).map { Int($0) }
      entries.append(SafetensorsEntry(prefix + name, shape: [list.count], integers: list))
    }
  }

  private mutating func addPerceptual(_ network: PerceptualWeights) throws {
    let prefix = PerceptualWeights.prefix
    let constants: [(String, [Float])] = [
      ("shift", [-0.030, -0.088, -0.188]), ("scale", [0.458, 0.448, 0.450]),
    ]
    for (name, values) in constants {
      entries.append(
        SafetensorsEntry("\(prefix)scaling_layer.\(name)", shape: [1, 3, 1, 1], floats: values))
    }
    entries += try network.entries(below: prefix)
  }

  private mutating func addDiscriminator(
    _ config: DiscriminatorConfig, channels: Int, _ tensors: any TensorSource
  ) throws {
    let prefix = FirstStageWeights.discriminatorPrefix
    for (name, _) in Discriminator(config, channels: channels).shapes() {
      guard name.hasSuffix(".initialized") else {
        try add(tensors, [prefix + name])
        if name.hasSuffix(".running_var") {
          try addBatchCount(prefix + name.dropLast("running_var".count), tensors)
        }
        continue
      }
      // A byte in the reference.
      let isInitialized = try tensors.floats(of: prefix + name).contains { $0 != 0 }
      entries.append(
        SafetensorsEntry(name: prefix + name, type: .uint8, shape: []) { body in
          try [UInt8(isInitialized ? 1 : 0)].withUnsafeBytes { try body($0) }
        })
    }
  }

  /// PyTorch's counter of batches, which is of no use where the momentum is fixed.
  private mutating func addBatchCount(_ norm: String, _ tensors: any TensorSource) throws {
    let name = norm + "num_batches_tracked"
    let count = tensors.contains(name) ? try tensors.integers(of: name).first ?? 0 : 0
    entries.append(SafetensorsEntry(name, shape: [], integers: [count]))
  }

  private mutating func addCodebook(_ file: FirstStageFile) throws {
    let names = VQGAN(file.config).shapes().map(\.name).filter {
      $0.hasPrefix("quant") || $0.hasPrefix("post_quant_conv.")
    }
    try addModel(file.tensors, names)
    if names.contains(where: Self.isAverage) {
      notes.append("the moving averages of the codebook are left out: VQModel has none")
    }
  }

  private static func isAverage(_ name: String) -> Bool {
    name == "quantize.cluster_size" || name == "quantize.embed_avg"
  }

  /// 1 where a row's position sees a column's: what lies before it, and the whole prefix from
  /// within the prefix.
  private static func mask(_ config: GPTConfig) -> [Float] {
    let side = config.blockSize
    return (0..<side * side).map { position in
      let (row, column) = (position / side, position % side)
      return column <= row || (row < config.unmasked && column < config.unmasked) ? 1 : 0
    }
  }
}
