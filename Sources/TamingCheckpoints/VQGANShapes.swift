// The tensors of a VQGAN, as the reference names them.

import Models

extension TensorShapes {
  /// Encoder, decoder, codebook and the two 1×1 convolutions.
  package static func vqgan(_ config: VQGANConfig) -> TensorShapes {
    var shapes = TensorShapes()
    shapes.add(encoder(config), below: "encoder.")
    shapes.add(decoder(config), below: "decoder.")
    let (entries, length) = (config.nEmbed, config.embedDim)
    switch config.quantizer.kind {
    case .gumbel:
      shapes.addConvolution("quantize.proj", config.zChannels, entries, kernel: 1)
      shapes.add("quantize.embed.weight", [entries, length])
    case .gradient: shapes.add("quantize.embedding.weight", [entries, length])
    case .movingAverage:
      shapes.add("quantize.embedding.weight", [entries, length])
      shapes.add("quantize.cluster_size", [entries])
      shapes.add("quantize.embed_avg", [entries, length])
    }
    if let remap = config.quantizer.remap { shapes.add("quantize.used", [remap.used]) }
    shapes.addConvolution("quant_conv", config.zChannels, length, kernel: 1)
    shapes.addConvolution("post_quant_conv", length, config.zChannels, kernel: 1)
    return shapes
  }

  private static func encoder(_ config: VQGANConfig) -> TensorShapes {
    var shapes = TensorShapes()
    shapes.addConvolution("conv_in", config.inChannels, config.ch, kernel: 3)
    var channels = config.ch
    for (level, factor) in config.chMult.enumerated() {
      let outputs = config.ch * factor
      shapes.addLevel(
        "down.\(level)", channels, outputs, blocks: config.numResBlocks, config, level)
      if level < config.chMult.count - 1 {
        shapes.addConvolution("down.\(level).downsample.conv", outputs, outputs, kernel: 3)
      }
      channels = outputs
    }
    shapes.addMiddle(channels)
    shapes.addNorm("norm_out", channels)
    shapes.addConvolution("conv_out", channels, config.zChannels, kernel: 3)
    return shapes
  }

  private static func decoder(_ config: VQGANConfig) -> TensorShapes {
    let widths = config.chMult.map { config.ch * $0 }
    let last = widths.count - 1
    var shapes = TensorShapes()
    shapes.addConvolution("conv_in", config.zChannels, widths[last], kernel: 3)
    shapes.addMiddle(widths[last])
    for level in 0...last {
      // Computed from the last level down, named from the first one up.
      let inputs = widths[min(level + 1, last)]
      shapes.addLevel(
        "up.\(level)", inputs, widths[level], blocks: config.numResBlocks + 1, config, level)
      if level > 0 {
        shapes.addConvolution("up.\(level).upsample.conv", widths[level], widths[level], kernel: 3)
      }
    }
    shapes.addNorm("norm_out", widths[0])
    shapes.addConvolution("conv_out", widths[0], config.outChannels, kernel: 3)
    return shapes
  }

  private mutating func addLevel(
    _ name: String, _ inputs: Int, _ outputs: Int, blocks: Int, _ config: VQGANConfig, _ level: Int
  ) {
    for block in 0..<blocks {
      addResidual("\(name).block.\(block)", block == 0 ? inputs : outputs, outputs)
    }
    guard config.attnResolutions.contains(config.resolution >> level) else { return }
    for block in 0..<blocks { addAttention("\(name).attn.\(block)", outputs) }
  }

  private mutating func addMiddle(_ channels: Int) {
    addResidual("mid.block_1", channels, channels)
    addAttention("mid.attn_1", channels)
    addResidual("mid.block_2", channels, channels)
  }

  private mutating func addResidual(_ name: String, _ inputs: Int, _ outputs: Int) {
    addNorm("\(name).norm1", inputs)
    addConvolution("\(name).conv1", inputs, outputs, kernel: 3)
    addNorm("\(name).norm2", outputs)
    addConvolution("\(name).conv2", outputs, outputs, kernel: 3)
    if inputs != outputs { addConvolution("\(name).nin_shortcut", inputs, outputs, kernel: 1) }
  }

  private mutating func addAttention(_ name: String, _ channels: Int) {
    addNorm("\(name).norm", channels)
    for part in ["q", "k", "v", "proj_out"] {
      addConvolution("\(name).\(part)", channels, channels, kernel: 1)
    }
  }
}
