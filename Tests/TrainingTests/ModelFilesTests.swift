import Checkpoints
import NN
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct ModelFilesTests {
  /// A convolution, whose weights lie blocked in memory, and a linear layer.
  struct Pair: Layer {
    var convolution: Conv2d
    var linear: Linear

    init(seed: UInt64, outputs: Int = 5) {
      var random = RandomSource(seed: seed)
      convolution = Conv2d(3, 18, kernel: 3, using: &random, on: .default)
      linear = Linear(4, outputs, using: &random, on: .default)
    }

    mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
      try convolution.visitParameters { try visit("conv." + $0, &$1) }
      try linear.visitParameters { try visit("linear." + $0, &$1) }
    }
  }

  private func elements(_ model: Pair) -> [[Float]] {
    model.namedTensors.map { $0.tensor.elements() }
  }

  @Test func modelSurvivesItsFile() throws {
    let folder = try TemporaryFolder()
    let model = Pair(seed: 1)
    try SafetensorsWriter.write(
      ModelFiles.entries(model), metadata: ["a": "b"], to: folder("model.safetensors"))
    var other = Pair(seed: 2)
    let file = try SafetensorsFile(folder("model.safetensors"))
    try ModelFiles.load(&other, from: file)
    #expect(elements(other) == elements(model))
    #expect(other.namedTensors.allSatisfy { $0.tensor.isTracked })
    #expect(file.metadata == ["a": "b"])
    #expect(try file.shape(of: "conv.weight") == [18, 3, 3, 3])
  }

  @Test func severalModelsShareAFile() throws {
    let folder = try TemporaryFolder()
    let (first, second) = (Pair(seed: 1), Pair(seed: 2))
    try SafetensorsWriter.write(
      ModelFiles.entries(first) + ModelFiles.entries(second, prefix: "loss."),
      to: folder("both.safetensors"))
    let file = try SafetensorsFile(folder("both.safetensors"))
    var (a, b) = (Pair(seed: 3), Pair(seed: 4))
    try ModelFiles.load(&a, from: file, ignoring: { $0.hasPrefix("loss.") })
    try ModelFiles.load(&b, from: file, prefix: "loss.")
    #expect(elements(a) == elements(first))
    #expect(elements(b) == elements(second))
  }

  @Test func everyMismatchIsNamedAndNothingIsLoaded() throws {
    let folder = try TemporaryFolder()
    let path = folder("model.safetensors")
    let stored = Pair(seed: 1, outputs: 6)
    try SafetensorsWriter.write(
      ModelFiles.entries(stored).filter { $0.name != "conv.bias" }
        + [SafetensorsEntry("extra", Tensor(1))],
      to: path)
    var model = Pair(seed: 2)
    let before = elements(model)
    let file = try SafetensorsFile(path)
    let error = #expect(throws: ModelMismatchError.self) {
      try ModelFiles.load(&model, from: file)
    }
    #expect(error?.missing == ["conv.bias"])
    #expect(error?.unexpected == ["extra"])
    #expect(
      error?.misshapen == [
        "linear.weight [6, 4] instead of [5, 4]", "linear.bias [6] instead of [5]",
      ])
    #expect(error?.path == path)
    #expect(elements(model) == before)
  }

  @Test func integersAreNotLoaded() throws {
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write(
      ModelFiles.entries(Pair(seed: 1)).filter { $0.name != "linear.bias" }
        + [SafetensorsEntry("linear.bias", shape: [5], integers: [1, 2, 3, 4, 5])],
      to: folder("model.safetensors"))
    var model = Pair(seed: 2)
    let before = elements(model)
    let error = #expect(throws: ModelMismatchError.self) {
      try ModelFiles.load(&model, from: try SafetensorsFile(folder("model.safetensors")))
    }
    #expect(error?.integers == ["linear.bias I64"] && error?.misshapen == [])
    #expect(elements(model) == before)
    try SafetensorsWriter.write(
      ["m", "v"].map {
        SafetensorsEntry("\($0).linear.bias", shape: [5], integers: [0, 0, 0, 0, 0])
      },
      to: folder("optimizer.safetensors"))
    var optimizer = Adam(beta1: 0.9, beta2: 0.95)
    let moments = #expect(throws: ModelMismatchError.self) {
      try ModelFiles.load(
        &optimizer, step: 1, like: model,
        from: try SafetensorsFile(folder("optimizer.safetensors")))
    }
    #expect(moments?.integers == ["m.linear.bias I64", "v.linear.bias I64"])
  }

  @Test func optimizerContinuesBitIdentically() throws {
    let folder = try TemporaryFolder()
    var model = Pair(seed: 1)
    var optimizer = Adam(beta1: 0.9, beta2: 0.95)
    func step(_ model: inout Pair, _ optimizer: inout Adam) {
      let image = RandomSource(seed: 3).normalImage
      let loss = model.convolution(image).plain().mean() + model.linear.weight.sum()
      optimizer.update(&model, backward(loss), learningRate: 0.1)
    }
    step(&model, &optimizer)
    try SafetensorsWriter.write(
      ModelFiles.entries(optimizer, prefix: "ae."), to: folder("optimizer.safetensors"))
    let file = try SafetensorsFile(folder("optimizer.safetensors"))
    #expect(!file.contains("ae.m.linear.bias"), "a parameter without a gradient has no moments")
    var (otherModel, restored) = (model, Adam(beta1: 0.9, beta2: 0.95))
    try ModelFiles.load(&restored, step: 1, like: model, from: file, prefix: "ae.")
    #expect(restored.step == 1)
    step(&model, &optimizer)
    step(&otherModel, &restored)
    #expect(elements(model) == elements(otherModel))
    #expect(throws: ModelMismatchError.self) {
      try ModelFiles.load(&restored, step: 1, like: model, from: file)
    }
  }
}

extension RandomSource {
  fileprivate var normalImage: Tensor {
    var copy = self
    return copy.normal([1, 3, 5, 5])
  }
}
