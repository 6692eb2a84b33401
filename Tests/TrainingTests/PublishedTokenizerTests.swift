import Checkpoints
import DurableFiles
import Foundation
import Models
import TamingCheckpoints
import TensorCore
import TestSupport
import Testing
import Training

/// Tokenizers in the files of their families give PyTorch's codes and images; see
/// Tools/pytorch_tokenizers.py, which made them.
@Suite struct PublishedTokenizerTests {
  /// Files in Fixtures/tokenizers.
  private static let files = [
    "llamagen-vq16.pt", "open-magvit2.ckpt", "diffusers-ldm-f4", "diffusers-amused",
  ]

  private func expectPyTorchs(_ path: String, results: String) throws {
    let expected = try Fixture.tensors("tokenizers/\(results).safetensors")
    let stage = try FirstStage.load(path)
    let images = try expected.tensor("x")
    let (reconstruction, codes) = stage.model.reconstructWithCodes(images)
    #expect(codes.elements == (try expected.indices("codes")).elements)
    let wanted = try expected.tensor("reconstruction")
    #expect(Distance(reconstruction, wanted).relative < 1e-5)
    #expect(Distance(reconstruction, wanted).largest < 1e-4)
    #expect(Distance(stage.model.decode(indices: codes), wanted).largest < 1e-4)
  }

  @Test(arguments: files)
  func codesAndImagesArePyTorchs(file: String) throws {
    let name = file.split(separator: ".")[0]
    try expectPyTorchs(Fixture.path("tokenizers/\(file)"), results: String(name))
  }

  @Test(arguments: files)
  func aConvertedOneIsTheSame(file: String) throws {
    let folder = try TemporaryFolder()
    let path = Fixture.path("tokenizers/\(file)")
    guard case .firstStage(let weights) = try TamingCheckpoint(try CheckpointFile.open(path)) else {
      Issue.record("not recognised")
      return
    }
    try CheckpointImport {}.write(weights, to: folder("vqgan"))
    try expectPyTorchs(folder("vqgan"), results: String(file.split(separator: ".")[0]))
    #expect(
      try FirstStage.load(folder("vqgan")).fingerprint == FirstStage.load(path).fingerprint)
  }

  /// Its averages, which are right, and the rule of its configuration, which lies beside it.
  @Test func ibqIsReadWithItsConfiguration() throws {
    let folder = try TemporaryFolder()
    for name in ["checkpoints", "configs"] { try DurableFile.createFolder(folder(name)) }
    try FileManager.default.copyItem(
      atPath: Fixture.path("tokenizers/ibq-16384.ckpt"), toPath: folder("checkpoints/last.ckpt"))
    try FileManager.default.copyItem(
      atPath: Fixture.path("tokenizers/ibq-16384.yaml"), toPath: folder("configs/model.yaml"))
    try expectPyTorchs(folder("checkpoints/last.ckpt"), results: "ibq-16384")
  }

  /// A folder of diffusers with safetensors, as it is published today.
  @Test func diffusersInSafetensors() throws {
    let folder = try TemporaryFolder()
    let old = try PyTorchFile(
      Fixture.path("tokenizers/diffusers-ldm-f4/diffusion_pytorch_model.bin"))
    try DurableFile.createFolder(folder("vqvae"))
    try SafetensorsWriter.write(
      try old.names.map { try old.floatEntry(of: $0, as: $0) },
      to: folder("vqvae/diffusion_pytorch_model.safetensors"))
    try FileManager.default.copyItem(
      atPath: Fixture.path("tokenizers/diffusers-ldm-f4/config.json"),
      toPath: folder("vqvae/config.json"))
    try expectPyTorchs(folder("vqvae"), results: "diffusers-ldm-f4")
    try expectPyTorchs(
      folder("vqvae/diffusion_pytorch_model.safetensors"), results: "diffusers-ldm-f4")
  }

  /// A folder of diffusers whose weights are somewhere else: the file that is missing is named.
  @Test func diffusersWithoutWeights() throws {
    let folder = try TemporaryFolder()
    try DurableFile.createFolder(folder("vqvae"))
    try FileManager.default.copyItem(
      atPath: Fixture.path("tokenizers/diffusers-ldm-f4/config.json"),
      toPath: folder("vqvae/config.json"))
    let error = #expect(throws: (any Error).self) { try FirstStageFile.open(folder("vqvae")) }
    let words = error.map { "\($0)" } ?? ""
    #expect(words.contains("vqvae/diffusion_pytorch_model.safetensors"), "\(words)")
  }

  /// What the published code could not load is not written in its form.
  @Test(arguments: files) func nothingGoesBackToTaming(file: String) throws {
    let stage = try FirstStageFile.open(Fixture.path("tokenizers/\(file)"))
    guard file != "diffusers-ldm-f4" else {
      // Except where the layers, the rule and the pixels are the same.
      _ = try TamingExport(stage, perceptual: nil)
      return
    }
    #expect(throws: ArchitectureError.self) { try TamingExport(stage, perceptual: nil) }
  }
}
