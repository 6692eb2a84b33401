// LlamaGen's tokenizers VQ-8 and VQ-16 (`vq_ds8_c2i.pt`, `vq_ds16_c2i.pt`, `vq_ds16_t2i.pt`).

import Checkpoints
import Models

/// taming-transformers' layers under other names: levels are `conv_blocks`, in the decoder the
/// deepest one first, and the middle is a list.
///
/// Latents and entries have length 1 when they are compared, and the decoder sees entries of length
/// 1. Weights do not show this; all published ones are so. The loss has β at the commitment.
/// - Source: Sun et al. 2024, *Autoregressive model beats diffusion*, §3.1.
struct LlamaGenLayout: PublishedLayout {
  static let title = "LlamaGen"
  static let mark = "encoder.conv_blocks.0.res.0.conv1.weight"

  let table: NameTable

  init(_ source: some TensorSource) throws {
    typealias Rules = [(theirs: String, ours: String)]
    let blocks: Rules = [
      ("encoder.conv_blocks.#.res.#", "encoder.down.#.block.#"),
      ("decoder.conv_blocks.#.res.#", "decoder.up.~.block.#"),
      ("encoder.mid.0", "encoder.mid.block_1"), ("encoder.mid.2", "encoder.mid.block_2"),
      ("decoder.mid.0", "decoder.mid.block_1"), ("decoder.mid.2", "decoder.mid.block_2"),
    ]
    let attention: Rules = [
      ("encoder.conv_blocks.#.attn.#", "encoder.down.#.attn.#"),
      ("decoder.conv_blocks.#.attn.#", "decoder.up.~.attn.#"),
      ("encoder.mid.1", "encoder.mid.attn_1"), ("decoder.mid.1", "decoder.mid.attn_1"),
    ]
    let others: Rules = [
      ("encoder.conv_blocks.#.downsample.conv", "encoder.down.#.downsample.conv"),
      ("decoder.conv_blocks.#.upsample.conv", "decoder.up.~.upsample.conv"),
    ]
    table = NameTable(
      levels: source.count("encoder.conv_blocks.", ".res.0.conv1.weight"),
      NameTable.product(
        blocks, NameTable.same("norm1", "conv1", "norm2", "conv2", "nin_shortcut"))
        + NameTable.product(attention, NameTable.same("norm", "q", "k", "v", "proj_out"))
        + others
        + NameTable.same(
          "encoder.conv_in", "encoder.norm_out", "encoder.conv_out", "decoder.conv_in",
          "decoder.norm_out", "decoder.conv_out", "quant_conv", "post_quant_conv",
          "quantize.embedding"))
  }

  /// The last codes of its training, which counted those in use.
  func isExtra(_ name: String) -> Bool { name == "quantize.codebook_used" }

  func codebook(
    of weights: some TensorSource
  ) throws -> (shape: [Int], quantizer: QuantizerConfig) {
    var quantizer = QuantizerConfig(legacy: false)
    quantizer.cosine = true
    return (try weights.shape(of: "quantize.embedding.weight", axes: 2), quantizer)
  }
}
