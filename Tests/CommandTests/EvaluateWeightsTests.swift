import Checkpoints
import Models
import NN
import TestSupport
import Testing
import Training

@Suite("evaluate: weights of networks")
struct EvaluateWeightsTests {
  private let images: EvaluatedImages

  init() throws { images = try EvaluatedImages() }

  /// Weights of other shapes or names, and weights that are no numbers.
  @Test func weightsThatCannotBe() throws {
    let names = EfficientNetLite0().namedTensors
    func write(_ name: String, _ change: (String, [Int], [Float]) -> ([Int], [Float])) throws {
      try SafetensorsWriter.write(
        names.map { entry in
          let (shape, floats) = change(
            entry.name, entry.tensor.shape.extents,
            Array(repeating: 0.5, count: entry.tensor.count))
          return SafetensorsEntry(entry.name, shape: shape, floats: floats)
        }, to: images.folder(name))
    }
    try write("nan.safetensors") { name, shape, floats in
      (shape, name == "_fc.bias" ? [.nan] + floats.dropFirst() : floats)
    }
    try write("wide.safetensors") { name, shape, floats in
      name == "_bn0.bias" ? ([33], floats + [0]) : (shape, floats)
    }
    for (arguments, words) in [
      ("lite0=nan.safetensors", "_fc.bias: holds values that are not finite"),
      ("lite0=wide.safetensors", "_bn0.bias"), ("inception=wide.safetensors", "Conv2d_1a_3x3"),
    ] { try images.expectRefusal("a b --features \(arguments)", words) }
    // LPIPS of images that are smaller than its network takes.
    let trunk = PerceptualTrunk(.alex).withCountedWeights()
    for (name, prefix) in [("base", "features."), ("heads", "lin")] {
      try SafetensorsWriter.write(
        ModelFiles.entries(trunk).filter { $0.name.hasPrefix(prefix) },
        to: images.folder("\(name).safetensors"))
    }
    try images.expectRefusal(
      "a b --paired --lpips base.safetensors --lpips heads.safetensors",
      "at least 31 pixels a side for lpips_alex")
    // Parts that do not belong together are named, and what would.
    for (files, words) in [
      ("--lpips base.safetensors", "base.safetensors holds AlexNet without heads; --lpips takes"),
      (
        "--lpips heads.safetensors --lpips heads.safetensors",
        "heads.safetensors holds the heads of alex alone, heads.safetensors holds"
      ), ("--lpips heads.safetensors", "alexnet-owt-7be5be79.pth"),
    ] { try images.expectRefusal("a b --paired \(files)", words) }
  }
}
