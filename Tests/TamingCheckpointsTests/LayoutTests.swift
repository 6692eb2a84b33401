import Checkpoints
import Foundation
import Models
import TamingCheckpoints
import TestSupport
import Testing

/// Families of tokenizers are recognised by their names, and what does not fit is named as there.
@Suite struct LayoutTests {
  private func weights(
    _ name: String, project: TamingProject? = nil, quantizer: QuantizerConfig.Kind? = nil
  ) throws -> FirstStageWeights {
    let source = try CheckpointFile.open(Fixture.path("tokenizers/\(name)"))
    let checkpoint = try TamingCheckpoint(source, project: project, quantizer: quantizer)
    guard case .firstStage(let weights) = checkpoint else {
      throw ArchitectureError.otherModel(
        path: name, found: checkpoint.title, expected: "a tokenizer")
    }
    return weights
  }

  @Test func llamaGen() throws {
    let found = try weights("llamagen-vq16.pt")
    var quantizer = QuantizerConfig(legacy: false)
    quantizer.cosine = true
    #expect(
      found.config
        == VQGANConfig(
          resolution: 256, ch: 32, chMult: [1, 2], numResBlocks: 1, attnResolutions: [128],
          zChannels: 8, embedDim: 4, nEmbed: 64, quantizer: quantizer))
    #expect(found.summary.hasPrefix("LlamaGen VQGAN, f = 2"), "\(found.summary)")
    #expect(!found.tensors.names.contains { $0.contains("codebook_used") })
  }

  @Test func openMAGVIT2() throws {
    let found = try weights("open-magvit2.ckpt")
    #expect(found.config.architecture == .openMAGVIT2)
    #expect(found.config.quantizer.signs == .openMAGVIT2)
    #expect((found.config.nEmbed, found.config.embedDim) == (256, 8))
    #expect(found.config.chMult == [2, 1] && found.config.numResBlocks == 2)
    let project = try TamingProject(Fixture.path("tokenizers/open-magvit2.yaml"))
    #expect(try weights("open-magvit2.ckpt", project: project).config.resolution == 32)
  }

  @Test func diffusers() throws {
    let found = try weights("diffusers-ldm-f4").config
    #expect(found.resolution == 256 && found.attnResolutions == [128] && found.attendsInMiddle)
    #expect(found.quantizer.legacy && found.pixels == .signed)
    let amused = try weights("diffusers-amused").config
    #expect(amused.attnResolutions == [] && !amused.attendsInMiddle && amused.pixels == .unit)
  }

  @Test func ibqNeedsItsConfigurationOrAWord() throws {
    let project = try TamingProject(Fixture.path("tokenizers/ibq-16384.yaml"))
    #expect(try weights("ibq-16384.ckpt", project: project).config.quantizer.kind == .ibq)
    #expect(try weights("ibq-16384.ckpt", quantizer: .ibq).config.quantizer.kind == .ibq)
    #expect(try weights("ibq-16384.ckpt", quantizer: .gradient).config.quantizer.legacy)
    let silent = #expect(throws: ArchitectureError.self) { try weights("ibq-16384.ckpt") }
    #expect("\(try #require(silent))".contains("--quantizer ibq"))
    #expect(throws: ArchitectureError.self) {
      try weights("ibq-16384.ckpt", project: project, quantizer: .gradient)
    }
    let other = #expect(throws: ArchitectureError.self) {
      try weights("llamagen-vq16.pt", quantizer: .ibq)
    }
    #expect("\(try #require(other))".contains("LlamaGen"))
  }

  // MARK: What does not fit

  /// The error of a file of the family, changed.
  private func problem(
    _ name: String, config: [String: Any?] = [:],
    _ change: (inout [SafetensorsEntry]) -> Void = { _ in }
  ) throws -> String {
    let folder = try TemporaryFolder()
    let source = try CheckpointFile.open(Fixture.path("tokenizers/\(name)"))
    var entries = try source.names.map { try source.floatEntry(of: $0, as: $0) }
    change(&entries)
    try SafetensorsWriter.write(entries, to: folder("a.safetensors"))
    let json = Fixture.path("tokenizers/\(name)/config.json")
    if FileManager.default.fileExists(atPath: json) {
      let data = try Data(contentsOf: URL(fileURLWithPath: json))
      var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      for (key, value) in config { object[key] = value }
      try JSONSerialization.data(withJSONObject: object)
        .write(to: URL(fileURLWithPath: folder("config.json")))
    }
    let error = #expect(throws: (any Error).self) {
      try TamingCheckpoint(try CheckpointFile.open(folder("a.safetensors")))
    }
    return "\(try #require(error))"
  }

  @Test func mismatchesHaveTheNamesOfTheFile() throws {
    let text = try problem("llamagen-vq16.pt") { entries in
      entries.removeAll {
        ["decoder.conv_blocks.0.attn.1.k.bias", "encoder.mid.2.norm1.weight"].contains($0.name)
      }
      entries.append(
        SafetensorsEntry("encoder.down.0.block.0.norm1.weight", shape: [1], floats: [1]))
      entries.append(SafetensorsEntry("quantize.other", shape: [1], floats: [1]))
      entries.removeAll { $0.name == "decoder.conv_out.bias" }
      entries.append(SafetensorsEntry("decoder.conv_out.bias", shape: [2], floats: [1, 2]))
    }
    for part in [
      "2 missing: ", "decoder.conv_blocks.0.attn.1.k.bias", "encoder.mid.2.norm1.weight",
      "2 unexpected: encoder.down.0.block.0.norm1.weight, quantize.other;",
      "decoder.conv_out.bias [2] instead of [3]",
    ] { #expect(text.contains(part), "\(part) in \(text)") }
  }

  @Test func whatTheShapeIsReadFromIsNamed() throws {
    let text = try problem("llamagen-vq16.pt") { entries in
      entries.removeAll { $0.name == "decoder.conv_in.weight" }
    }
    #expect(text.contains("no tensor decoder.conv_in.weight"), "\(text)")
  }

  @Test func matricesOfDiffusersHaveTheirOwnShapes() throws {
    let text = try problem("diffusers-ldm-f4") { entries in
      entries.removeAll { $0.name == "encoder.mid_block.attentions.0.to_q.weight" }
      entries.append(
        SafetensorsEntry(
          "encoder.mid_block.attentions.0.to_q.weight", shape: [2, 2], floats: [1, 2, 3, 4]))
    }
    #expect(text.contains("encoder.mid_block.attentions.0.to_q.weight [2, 2"), "\(text)")
  }

  @Test(arguments: [
    ("act_fn", "relu"), ("norm_type", "spatial"), ("_class_name", "AutoencoderKL"),
    ("decoder_ch", "1"),
  ])
  func diffusersOfAnotherKindAreRefused(key: String, value: String) throws {
    let text = try problem("diffusers-ldm-f4", config: [key: value])
    #expect(text.contains("config.json: \(key) is "), "\(text)")
  }

  @Test(arguments: [
    ("norm_num_groups", 16), ("layers_per_block", 3), ("latent_channels", 4),
    ("num_vq_embeddings", 1),
  ])
  func diffusersContradictingTheirWeightsAreRefused(key: String, value: Int) throws {
    #expect(try problem("diffusers-ldm-f4", config: [key: value]).contains("\(key) is \(value)"))
  }

  @Test func attentionOfDiffusersIsThatOfItsConfiguration() throws {
    let text = try problem("diffusers-ldm-f4", config: ["mid_block_add_attention": false])
    #expect(text.contains("mid_block_add_attention is false"), "\(text)")
    let plain = ["DownEncoderBlock2D", "DownEncoderBlock2D"]
    #expect(try problem("diffusers-ldm-f4", config: ["down_block_types": plain]).contains("Attn"))
    #expect(
      try problem("diffusers-ldm-f4", config: ["block_out_channels": "many"]).contains("is no"))
  }

  @Test func namesOfNoFamilyAreListed() throws {
    let text = try problem("llamagen-vq16.pt") { entries in
      entries.removeAll { $0.name == "encoder.conv_blocks.0.res.0.conv1.weight" }
    }
    for part in ["no known family", "encoder.conv_blocks.0.", "(diffusers)", "(LlamaGen)"] {
      #expect(text.contains(part), "\(text)")
    }
  }
}
