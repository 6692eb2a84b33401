// Open-MAGVIT2's image tokenizers, of the repository SEED-Voken.

import Checkpoints
import Models

/// Residual blocks without biases or attention, a decoder normalised by the codes, and a code that
/// is the signs of the latents; see `VQGANConfig.Architecture`.
///
/// - Source: Luo et al. 2024, *Open-MAGVIT2*.
struct OpenMAGVIT2Layout: PublishedLayout {
  static let title = "Open-MAGVIT2"
  static let mark = "encoder.mid_block.0.conv1.weight"

  let table: NameTable

  init(_ source: some TensorSource) throws {
    typealias Rules = [(theirs: String, ours: String)]
    let middle = source.count("encoder.mid_block.", ".conv1.weight")
    let blocks: Rules =
      NameTable.same("encoder.down.#.block.#", "decoder.up.#.block.#")
      + (0..<middle).flatMap { index -> Rules in
        ["encoder", "decoder"].map {
          ("\($0).mid_block.\(index)", "\($0).mid.block_\(index + 1)")
        }
      }
    let others: Rules = [
      ("encoder.down.#.downsample", "encoder.down.#.downsample.conv"),
      ("decoder.up.#.upsample.conv1", "decoder.up.#.upsample.conv"),
      ("decoder.adaptive.#.gamma", "decoder.up.#.adaptive.gamma"),
      ("decoder.adaptive.#.beta", "decoder.up.#.adaptive.beta"),
    ]
    table = NameTable(
      levels: source.count("encoder.down.", ".block.0.conv1.weight"),
      NameTable.product(
        blocks, NameTable.same("norm1", "conv1", "norm2", "conv2", "nin_shortcut"))
        + others
        + NameTable.same(
          "encoder.conv_in", "encoder.norm_out", "encoder.conv_out", "decoder.conv_in",
          "decoder.norm_out", "decoder.conv_out"))
  }

  func isExtra(_ name: String) -> Bool { name == "colorize" }

  func codebook(
    of weights: some TensorSource
  ) throws -> (shape: [Int], quantizer: QuantizerConfig) {
    let bits = try weights.shape(of: "encoder.conv_out.weight", axes: 4)[0]
    guard (1...20).contains(bits) else {
      throw ArchitectureError.unsupported(
        path: weights.path, problem: "codes of \(bits) bits, expected 1 to 20")
    }
    var quantizer = QuantizerConfig(kind: .lfq, legacy: false)
    quantizer.signs = .openMAGVIT2
    return ([1 << bits, bits], quantizer)
  }

  func complete(_ config: inout VQGANConfig, of weights: some TensorSource) throws {
    config.architecture = .openMAGVIT2
    config.attendsInMiddle = false
  }
}
