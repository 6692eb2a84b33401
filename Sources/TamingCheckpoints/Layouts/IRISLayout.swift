// The tokenizer of IRIS, `tokenizer` of its agents.

import Checkpoints
import Models

/// taming-transformers' layers under their names; what stands around the codes has other ones.
///
/// The loss has both its terms with weight 1. Its images have 64×64 pixels.
/// - Source: Micheli et al. 2023, *Transformers are sample-efficient world models*, and its code.
struct IRISLayout: PublishedLayout {
  static let title = "IRIS"
  static let mark = "pre_quant_conv.weight"

  let table: NameTable

  init(_ source: some TensorSource) throws {
    let blocks = NameTable.same(
      "encoder.down.#.block.#", "decoder.up.#.block.#", "encoder.mid.block_1",
      "encoder.mid.block_2", "decoder.mid.block_1", "decoder.mid.block_2")
    let attention = NameTable.same(
      "encoder.down.#.attn.#", "decoder.up.#.attn.#", "encoder.mid.attn_1", "decoder.mid.attn_1")
    table = NameTable(
      levels: source.count("encoder.down.", ".block.0.conv1.weight"),
      NameTable.product(
        blocks, NameTable.same("norm1", "conv1", "norm2", "conv2", "nin_shortcut"))
        + NameTable.product(attention, NameTable.same("norm", "q", "k", "v", "proj_out"))
        + NameTable.same(
          "encoder.down.#.downsample.conv", "decoder.up.#.upsample.conv", "encoder.conv_in",
          "encoder.norm_out", "encoder.conv_out", "decoder.conv_in", "decoder.norm_out",
          "decoder.conv_out", "post_quant_conv")
        + [("pre_quant_conv", "quant_conv"), ("embedding", "quantize.embedding")])
  }

  /// The perceptual network, which was trained with taming-transformers' file.
  func isExtra(_ name: String) -> Bool { name.hasPrefix("lpips.") }

  func codebook(
    of weights: some TensorSource
  ) throws -> (shape: [Int], quantizer: QuantizerConfig) {
    (
      try weights.shape(of: "quantize.embedding.weight", axes: 2),
      QuantizerConfig(beta: 1, legacy: false)
    )
  }

  func complete(_ config: inout VQGANConfig, of weights: some TensorSource) throws {
    let levels = config.chMult.indices.filter { level in
      config.attnResolutions.contains(config.resolution >> level)
    }
    guard config.chMult.count <= 7 else {
      throw ArchitectureError.unsupported(
        path: weights.path, problem: "\(config.chMult.count) levels for images of 64 pixels")
    }
    config.resolution = 64
    config.attnResolutions = levels.map { config.resolution >> $0 }
  }
}
