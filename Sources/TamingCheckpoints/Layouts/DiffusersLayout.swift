// VQModel of diffusers: a file of weights and the config.json beside it.

import Checkpoints
import DurableFiles
import Foundation
import Models

/// taming-transformers' layers under the names of diffusers' blocks; attention is linear layers.
///
/// config.json says the activation, the groups of the normalisation and whether there is attention
/// in the middle, which weights do not show; it must lie beside the file. All that it says is
/// compared with the weights.
struct DiffusersLayout: PublishedLayout {
  static let title = "diffusers"
  static let mark = "encoder.down_blocks.0.resnets.0.conv1.weight"

  let table: NameTable
  private let json: DiffusersConfig

  init(_ source: some TensorSource) throws {
    json = try DiffusersConfig(beside: source.path)
    typealias Rules = [(theirs: String, ours: String)]
    let ends: Rules = [
      ("encoder.down_blocks.#", "encoder.down.#"), ("decoder.up_blocks.#", "decoder.up.~"),
    ]
    let middles: Rules = [
      ("encoder.mid_block", "encoder.mid"), ("decoder.mid_block", "decoder.mid"),
    ]
    let blocks =
      NameTable.product(ends, [("resnets.#", "block.#")])
      + NameTable.product(middles, [("resnets.0", "block_1"), ("resnets.1", "block_2")])
    let attention =
      NameTable.product(ends, [("attentions.#", "attn.#")])
      + NameTable.product(middles, [("attentions.0", "attn_1")])
    // Before version 0.18 attention had other names.
    let isOld = source.names.contains { $0.hasSuffix(".proj_attn.weight") }
    let projections: Rules =
      isOld
      ? [("query", "q"), ("key", "k"), ("value", "v"), ("proj_attn", "proj_out")]
      : [("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out")]
    let others: Rules = [
      ("encoder.down_blocks.#.downsamplers.0.conv", "encoder.down.#.downsample.conv"),
      ("decoder.up_blocks.#.upsamplers.0.conv", "decoder.up.~.upsample.conv"),
      ("encoder.conv_norm_out", "encoder.norm_out"), ("decoder.conv_norm_out", "decoder.norm_out"),
    ]
    table = NameTable(
      levels: source.count("encoder.down_blocks.", ".resnets.0.conv1.weight"),
      NameTable.product(
        blocks,
        NameTable.same("norm1", "conv1", "norm2", "conv2") + [("conv_shortcut", "nin_shortcut")])
        + NameTable.product(attention, [("group_norm", "norm")] + projections) + others
        + NameTable.same(
          "encoder.conv_in", "encoder.conv_out", "decoder.conv_in", "decoder.conv_out",
          "quant_conv", "post_quant_conv", "quantize.embedding"))
  }

  func codebook(
    of weights: some TensorSource
  ) throws -> (shape: [Int], quantizer: QuantizerConfig) {
    (try weights.shape(of: "quantize.embedding.weight", axes: 2), QuantizerConfig())
  }

  func complete(_ config: inout VQGANConfig, of weights: some TensorSource) throws {
    config.attendsInMiddle = weights.contains("encoder.mid.attn_1.norm.weight")
    if let size = json.sampleSize, size % config.downsampling == 0, size >= config.downsampling {
      // The nominal resolution only names the levels at which attention stands.
      let levels = config.chMult.indices.filter {
        config.attnResolutions.contains(config.resolution >> $0)
      }
      config.resolution = size
      config.attnResolutions = levels.map { size >> $0 }
    }
    if json.isUnit { config.pixels = .unit }
    try json.compare(with: config, of: weights)
  }

  func adapted(_ weights: RenamedTensors) throws -> any TensorSource {
    MatricesAsKernels(weights) { name in
      name.hasSuffix(".weight") && name.contains(".attn") && !name.hasSuffix(".norm.weight")
    }
  }
}

/// Tensors of which some matrices `[O, I]` are 1×1 kernels `[O, I, 1, 1]`.
private struct MatricesAsKernels: TensorSource {
  private let base: any TensorSource
  private let isKernel: @Sendable (String) -> Bool

  init(_ base: any TensorSource, _ isKernel: @escaping @Sendable (String) -> Bool) {
    (self.base, self.isKernel) = (base, isKernel)
  }

  var path: String { base.path }
  var names: [String] { base.names }
  func contains(_ name: String) -> Bool { base.contains(name) }

  func shape(of name: String) throws -> [Int] {
    let shape = try base.shape(of: name)
    return shape.count == 2 && isKernel(name) ? shape + [1, 1] : shape
  }

  func type(of name: String) throws -> ElementType { try base.type(of: name) }
  func floats(of name: String) throws -> [Float] { try base.floats(of: name) }
  func integers(of name: String) throws -> [Int] { try base.integers(of: name) }

  func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try base.withBytes(of: name, body)
  }
}
