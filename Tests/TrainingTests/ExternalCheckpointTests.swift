import Checkpoints
import Foundation
import Models
import Shards
import TamingCheckpoints
import TensorCore
import TestSupport
import Testing
import Training

/// Checkpoints of the reference are used as they are, or after conversion, and give the reference's
/// numbers.
@Suite struct ExternalCheckpointTests {
  /// Indices and reconstruction of the fixture by a VQGAN at a path.
  private func expectReference(_ path: String) throws {
    let expected = try Fixture.tensors("vqgan-tiny.safetensors")
    let stage = try FirstStage.load(path)
    let images = try expected.tensor("x")
    let indices = stage.model.encode(.values(images))
    let wanted = try expected.indices("indices")
    #expect(indices.elements == wanted.elements)
    let reconstruction = try expected.tensor("reconstruction")
    let distance = Distance(stage.model.reconstruct(images), reconstruction)
    #expect(distance.relative < 1e-4)
  }

  @Test func aCheckpointOfTheReferenceIsUsedAsItIs() throws {
    try expectReference(Fixture.path("vqgan-tiny.ckpt"))
  }

  @Test func aConvertedCheckpointIsTheSame() throws {
    let folder = try TemporaryFolder()
    let path = Fixture.path("vqgan-tiny.ckpt")
    guard case .firstStage(let weights) = try TamingCheckpoint(try CheckpointFile.open(path)) else {
      Issue.record("not recognised")
      return
    }
    var tensors = 0
    try CheckpointImport { tensors += 1 }.write(weights, to: folder("vqgan"))
    #expect(tensors == weights.tensors.names.count)
    try expectReference(folder("vqgan"))
    try expectReference(folder("vqgan/model.safetensors"))
    let streamed = try FirstStageFile(weights).fingerprint()
    #expect(try FirstStage.load(folder("vqgan")).fingerprint == streamed)
    #expect(try FirstStage.load(path).fingerprint == streamed)
  }

  /// Terabytes, if the model of the description were made: its file is checked before that.
  @Test func aDescriptionOfAnotherModelIsRefusedAtNoCost() throws {
    let folder = try TemporaryFolder()
    guard
      case .firstStage(let weights) = try TamingCheckpoint(
        try CheckpointFile.open(Fixture.path("vqgan-tiny.ckpt")))
    else {
      Issue.record("not recognised")
      return
    }
    try CheckpointImport {}.write(weights, to: folder("vqgan"))
    var config = weights.config
    (config.ch, config.chMult, config.numResBlocks) = (4096, [64, 64, 64], 64)
    config.nEmbed = 1 << 20
    try RunFolder.write(config, to: folder("vqgan/model.json"))
    let error = #expect(throws: ModelMismatchError.self) { try FirstStage.load(folder("vqgan")) }
    #expect(error?.missing.isEmpty == false && error?.misshapen.isEmpty == false)
  }

  /// A round trip through the suite's form and back gives every tensor of the reference's file.
  @Test func aRoundTripLosesNothing() throws {
    let folder = try TemporaryFolder()
    let original = try PyTorchFile(Fixture.path("vqgan-tiny.ckpt"))
    guard case .firstStage(let weights) = try TamingCheckpoint(original) else {
      Issue.record("not recognised")
      return
    }
    try CheckpointImport {}.write(weights, to: folder("vqgan"))
    let export = try TamingExport(try FirstStageFile.open(folder("vqgan")), perceptual: nil)
    #expect(export.notes == [])
    try export.write(to: folder("back.ckpt"), step: 7) {}
    try expectSame(try PyTorchFile(folder("back.ckpt")), original)
  }

  private static let changes: [(String, @Sendable ([Int]) -> [Int])] = [
    ("turned", { $0.reversed() }), ("half of it", { [$0[0] / 2] + $0.dropFirst() }),
    ("flat", { [$0.reduce(1, *)] }),
  ]

  /// A copy of a converted folder in which one tensor has another shape, or, without a change,
  /// stands twice.
  private func copy(
    _ folder: String, to other: String, _ name: String, _ change: (([Int]) -> [Int])?
  ) throws {
    let files = FileManager.default
    try files.createDirectory(atPath: other, withIntermediateDirectories: false)
    try files.copyItem(atPath: "\(folder)/model.json", toPath: "\(other)/model.json")
    let file = try SafetensorsFile("\(folder)/model.safetensors")
    var entries = try file.names.filter { change == nil || $0 != name }.map {
      try file.entry(of: $0, as: $0)
    }
    let values = try file.floats(of: name)
    let shape = try file.shape(of: name)
    let changed = change?(shape) ?? shape
    entries.append(
      SafetensorsEntry(
        change == nil ? "\(name).more" : name, shape: changed,
        floats: Array(values.prefix(changed.reduce(1, *)))))
    try SafetensorsWriter.write(entries, to: "\(other)/model.safetensors")
  }

  /// The reference would not load it, so it is not written.
  @Test(arguments: changes.map(\.0) + ["more"])
  func aModelThatDoesNotFitIsNotExported(kind: String) throws {
    let folder = try TemporaryFolder()
    let change = Self.changes.first { $0.0 == kind }?.1
    guard
      case .firstStage(let vqgan) = try TamingCheckpoint(
        try CheckpointFile.open(Fixture.path("vqgan-tiny.ckpt"))),
      case .transformer(let gpt) = try TamingCheckpoint(
        try PyTorchFile(Fixture.path("gpt-tiny.ckpt")), heads: 4)
    else {
      Issue.record("not recognised")
      return
    }
    try CheckpointImport {}.write(vqgan, to: folder("vqgan"))
    let codes = CodeGrid(height: 5, width: 6, codebookSize: 64, fingerprint: "f", vqgan: "")
    try CheckpointImport {}.write(
      gpt, GPTDescription(model: gpt.config, codes: codes), withStages: true, to: folder("gpt"))
    for (number, name) in ["decoder.conv_in.weight", "quantize.embedding.weight"].enumerated() {
      let bad = folder("vqgan-\(number)")
      try copy(folder("vqgan"), to: bad, name, change)
      let file = try FirstStageFile.open(bad)
      let errors = [
        #expect(throws: (any Error).self) { try TamingExport(file, perceptual: nil) },
        #expect(throws: (any Error).self) {
          try TamingExport(
            try SecondStageFile.open(folder("gpt")), firstStage: file, condStage: nil)
        },
      ]
      for error in errors {
        let text = error.map { "\($0)" } ?? ""
        #expect(text.hasPrefix("\(bad)/model.safetensors: ") && text.contains(name), "\(text)")
      }
    }
    for (number, name) in ["blocks.0.mlp.0.weight", "tok_emb.weight"].enumerated() {
      let bad = folder("gpt-\(number)")
      try copy(folder("gpt"), to: bad, name, change)
      let file = try SecondStageFile.open(bad)
      let error = #expect(throws: ModelMismatchError.self) {
        try TamingExport(file, firstStage: nil, condStage: nil)
      }
      #expect(error?.description.contains(name) == true, "\(String(describing: error))")
    }
  }

  @Test func actNormIsAByteAgain() throws {
    let folder = try TemporaryFolder()
    let original = try SafetensorsFile(Fixture.path("vqgan-tiny-actnorm.weights.safetensors"))
    let file = try FirstStageFile.open(original.path)
    try TamingExport(file, perceptual: nil).write(to: folder("a.ckpt"), step: 0) {}
    try expectSame(try PyTorchFile(folder("a.ckpt")), original)
  }

  @Test(arguments: ["gpt-tiny", "gpt-tiny-unmasked"])
  func transformersGoBothWays(name: String) throws {
    let folder = try TemporaryFolder()
    let original = try PyTorchFile(Fixture.path("\(name).ckpt"))
    guard case .transformer(let weights) = try TamingCheckpoint(original, heads: 4) else {
      Issue.record("not recognised")
      return
    }
    let description = GPTDescription(
      model: weights.config,
      codes: CodeGrid(height: 5, width: 6, codebookSize: 64, fingerprint: "f", vqgan: ""))
    try CheckpointImport {}.write(weights, description, withStages: true, to: folder("gpt"))
    let stage = try SecondStage.load(folder("gpt"))
    let expected = try Fixture.tensors("\(name).safetensors")
    let logits = stage.model(try expected.indices("idx"))
    let wanted = try expected.tensor("logits")
    #expect(Distance(logits, wanted).relative < 1e-4)
    let file = try SecondStageFile.open(folder("gpt"))
    try TamingExport(file, firstStage: nil, condStage: nil).write(to: folder("a.ckpt"), step: 1) {}
    try expectSame(try PyTorchFile(folder("a.ckpt")), original)
  }

  @Test func aTransformerWithItsVQGANs() throws {
    let folder = try TemporaryFolder()
    let vqgan = try FirstStageFile.open(Fixture.path("vqgan-tiny.ckpt"))
    let gpt = try PyTorchFile(Fixture.path("gpt-tiny.ckpt"))
    guard case .transformer(let weights) = try TamingCheckpoint(gpt, heads: 4) else {
      Issue.record("not recognised")
      return
    }
    let codes = CodeGrid(height: 5, width: 5, codebookSize: 64, fingerprint: "", vqgan: "")
    let file = SecondStageFile(
      description: GPTDescription(model: weights.config, codes: codes), tensors: weights.tensors,
      position: gpt.path)
    let whole = folder("whole.ckpt")
    try TamingExport(file, firstStage: vqgan, condStage: vqgan).write(to: whole, step: 0) {}
    // The VQGAN of the images, straight from the transformer's file.
    try expectReference(whole)
    let checkpoint = try TamingCheckpoint(try CheckpointFile.open(whole), heads: 4)
    guard case .transformer(let both) = checkpoint else {
      Issue.record("not recognised")
      return
    }
    #expect(both.firstStage?.config == vqgan.config)
    #expect(both.condStage?.config == vqgan.config)
    let condition = try GPTCondition(of: both, codes: codes, stagePath: whole)
    guard case .codes(let codesOfCondition) = condition?.kind else {
      Issue.record("no codes")
      return
    }
    #expect(codesOfCondition.input == "images")
    #expect(condition?.vocabulary == vqgan.config.codes)
    #expect(codesOfCondition.grid.fingerprint == (try vqgan.fingerprint()))
    #expect(try FirstStage.loadCondition(whole).fingerprint == codesOfCondition.grid.fingerprint)
    // A project file beside it tells heads and condition.
    #expect(throws: ArchitectureError.self) { try SecondStage.load(whole) }
  }

  /// The 32 positions hold the tokens of the condition and all codes but the last.
  @Test(arguments: [
    ("__is_unconditional__", 32, 5), ("__is_first_stage__", 32, 4),
    ("{target: taming.modules.misc.coord.CoordStage, params: {down_factor: 2}}", 32, 4),
    ("{target: taming.modules.misc.coord.CoordStage, params: {down_factor: 8}}", 32, 5),
    ("{target: taming.models.vqgan.VQSegmentationModel}", 32, 4),
    ("__is_unconditional__", 6, 3), ("__is_first_stage__", 8, 4), ("__is_first_stage__", 10, 4),
  ])
  func theGridLeavesRoomForTheCondition(condition: String, pixels: Int, side: Int) throws {
    let folder = try TemporaryFolder()
    let vqgan = try FirstStageFile.open(Fixture.path("vqgan-tiny.ckpt"))
    let gpt = try PyTorchFile(Fixture.path("gpt-tiny.ckpt"))
    guard case .transformer(let weights) = try TamingCheckpoint(gpt, heads: 4) else {
      Issue.record("not recognised")
      return
    }
    let codes = CodeGrid(height: 4, width: 4, codebookSize: 64, fingerprint: "", vqgan: "")
    let file = SecondStageFile(
      description: GPTDescription(model: weights.config, codes: codes), tensors: weights.tensors,
      position: gpt.path)
    try TamingExport(
      file, firstStage: vqgan, condStage: condition.contains("VQ") ? vqgan : nil
    ).write(to: folder("whole.ckpt"), step: 0) {}
    let project = """
      model:
        target: taming.models.cond_transformer.Net2NetTransformer
        params: {transformer_config: {params: {n_head: 4}}, cond_stage_config: \(condition)}
      data: {params: {train: {params: {size: \(pixels)}}}}
      """
    try Data(project.utf8).write(to: URL(fileURLWithPath: folder("project.yaml")))
    let checkpoint = try TamingCheckpoint(
      try CheckpointFile.open(folder("whole.ckpt")), project: TamingProject(folder("project.yaml")))
    guard case .transformer(let both) = checkpoint, let stage = both.firstStage else {
      Issue.record("not recognised")
      return
    }
    let grid = CodeGrid(of: both, stage.config, fingerprint: "", vqgan: "")
    #expect(grid.height == side && grid.width == side, "\(grid)")
  }

  /// The fixture's gradients are its weights, so that Adam's first moment names its parameter.
  @Test func statesOfTheOptimizer() throws {
    let folder = try TemporaryFolder()
    let file = try PyTorchFile(Fixture.path("pytorch-adamw.pt"))
    guard case .transformer(let weights) = try TamingCheckpoint(file, heads: 2) else {
      Issue.record("not recognised")
      return
    }
    #expect(file.names.allSatisfy { $0.hasPrefix("transformer.") })
    let description = GPTDescription(
      model: weights.config,
      codes: CodeGrid(height: 1, width: 3, codebookSize: 5, fingerprint: "f", vqgan: ""))
    try CheckpointImport {}.write(
      weights, description, withStages: false, optimizers: OptimizerImport(file, of: weights),
      to: folder("gpt"))
    let moments = try SafetensorsFile(folder("gpt/optimizer.safetensors"))
    #expect(moments.names.count == 2 * weights.tensors.names.count)
    for name in weights.tensors.names {
      let gradients = try weights.tensors.floats(of: name)
      let (m, v) = (try moments.floats(of: "m.\(name)"), try moments.floats(of: "v.\(name)"))
      #expect(Distance(m, gradients.map { 0.1 * $0 }).relative < 1e-6, "\(name)")
      #expect(Distance(v, gradients.map { 0.05 * $0 * $0 }).relative < 1e-5, "\(name)")
    }
    let vqgan = try PyTorchFile(Fixture.path("vqgan-tiny.ckpt"))
    guard case .firstStage(let stage) = try TamingCheckpoint(vqgan) else {
      Issue.record("not recognised")
      return
    }
    #expect(throws: ModelMismatchError.self) { try OptimizerImport(vqgan, of: stage) }
  }

  @Test func thePerceptualNetworkOfACheckpoint() throws {
    let expected = try Fixture.tensors("vqgan-tiny.safetensors")
    let network = try LPIPS.load(Fixture.path("vqgan-tiny.ckpt"), on: .default)
    let distances = network(try expected.tensor("x"), try expected.tensor("reconstruction"))
    let wanted = try expected.tensor("lpips")
    #expect(Distance(distances, wanted).relative < 1e-4)
    let error = #expect(throws: ArchitectureError.self) {
      try LPIPS.load(Fixture.path("lpips-vgg.pth"), on: .default)
    }
    #expect("\(try #require(error))".contains("convert-checkpoint"))
  }

  private func expectSame(_ found: any TensorSource, _ expected: any TensorSource) throws {
    #expect(found.names == expected.names)
    for name in expected.names where found.contains(name) {
      let (shape, type) = (try expected.shape(of: name), try expected.type(of: name))
      #expect(try found.shape(of: name) == shape, "\(name)")
      #expect(try found.type(of: name) == type, "\(name)")
      let bytes = try expected.withBytes(of: name) { Array($0) }
      #expect(try found.withBytes(of: name) { Array($0) } == bytes, "\(name)")
    }
  }
}
