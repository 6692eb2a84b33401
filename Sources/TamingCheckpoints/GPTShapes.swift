// The tensors of the transformer, as the reference names them.

import Models

extension TensorShapes {
  package static func gpt(_ config: GPTConfig) -> TensorShapes {
    var shapes = TensorShapes()
    let width = config.width
    shapes.add("tok_emb.weight", [config.vocabSize, width])
    shapes.add("pos_emb", [1, config.blockSize, width])
    for layer in 0..<config.layers {
      let block = "blocks.\(layer)"
      shapes.addNorm("\(block).ln1", width)
      shapes.addNorm("\(block).ln2", width)
      for part in ["key", "query", "value", "proj"] {
        shapes.addLinear("\(block).attn.\(part)", width, width)
      }
      shapes.addLinear("\(block).mlp.0", width, 4 * width)
      shapes.addLinear("\(block).mlp.2", 4 * width, width)
    }
    shapes.addNorm("ln_f", width)
    shapes.addLinear("head", width, config.vocabSize, bias: false)
    return shapes
  }
}
