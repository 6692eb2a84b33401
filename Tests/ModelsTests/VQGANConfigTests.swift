import Foundation
import Models
import Testing

@Suite struct VQGANConfigTests {
  private func fields(_ config: VQGANConfig) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(config))
    return try #require(object as? [String: Any])
  }

  private func decode(_ fields: [String: Any]) throws -> VQGANConfig {
    try JSONDecoder().decode(
      VQGANConfig.self, from: try JSONSerialization.data(withJSONObject: fields))
  }

  @Test(arguments: [VQGANConfig.f16, .small, .tiny])
  func aPresetSurvivesItsFile(preset: VQGANConfig) throws {
    #expect(try decode(try fields(preset)) == preset)
    #expect(preset.problem == nil)
  }

  @Test func whatOtherFamiliesHaveSurvivesItsFile() throws {
    var config = VQGANConfig.tiny
    (config.architecture, config.pixels) = (.openMAGVIT2, .unit)
    config.quantizer = QuantizerConfig(kind: .lfq)
    config.quantizer.signs = .openMAGVIT2
    var other = VQGANConfig.tiny
    other.attendsInMiddle = false
    for written in [config, other] { #expect(try decode(try fields(written)) == written) }
    #expect(try fields(config)["architecture"] as? String == "open_magvit2")
    #expect(try fields(other)["mid_attention"] as? Bool == false)
  }

  /// The same weights have other codes by another rule.
  @Test func rulesOfCodesDiffer() {
    func rule(_ change: (inout VQGANConfig) -> Void) -> String {
      var config = VQGANConfig.tiny
      change(&config)
      return config.codeRule
    }
    let rules = [
      rule { _ in }, rule { $0.quantizer.kind = .ibq }, rule { $0.quantizer.cosine = true },
      rule { $0.pixels = .unit }, rule { $0.quantizer.kind = .lfq },
      rule {
        $0.quantizer.kind = .lfq
        $0.quantizer.signs = .openMAGVIT2
      },
      rule { $0.architecture = .openMAGVIT2 },
    ]
    #expect(Set(rules).count == rules.count)
  }

  @Test func keysAreThePublishedOnes() throws {
    #expect(
      try fields(.f16).keys.sorted() == [
        "attn_resolutions", "ch", "ch_mult", "dropout", "embed_dim", "in_channels", "n_embed",
        "num_res_blocks", "out_ch", "quantizer", "resolution", "z_channels",
      ])
    #expect(VQGANConfig.f16.downsampling == 16)
  }

  @Test func everyMissingKeyIsAnError() throws {
    let complete = try fields(.tiny)
    for key in complete.keys {
      var fields = complete
      fields[key] = nil
      #expect(throws: DecodingError.self, "\(key)") { try decode(fields) }
    }
    var quantizer = try #require(complete["quantizer"] as? [String: Any])
    quantizer["beta"] = nil
    var fields = complete
    fields["quantizer"] = quantizer
    #expect(throws: DecodingError.self) { try decode(fields) }
  }

  @Test func impossibleConfigurationsAreExplained() {
    func problem(_ change: (inout VQGANConfig) -> Void) -> String? {
      var config = VQGANConfig.tiny
      change(&config)
      return config.problem
    }
    #expect(problem { $0.ch = 48 }?.contains("48") == true)
    #expect(problem { $0.chMult = [] }?.contains("ch_mult") == true)
    #expect(problem { $0.numResBlocks = 0 }?.contains("num_res_blocks") == true)
    #expect(problem { $0.nEmbed = 1 }?.contains("n_embed") == true)
    #expect(problem { $0.embedDim = 0 }?.contains("embed_dim") == true)
    #expect(problem { $0.resolution = 30 }?.contains("30") == true)
    #expect(problem { $0.dropout = 1 }?.contains("dropout") == true)
    #expect(problem { $0.quantizer.beta = -1 }?.contains("beta") == true)
    #expect(problem { $0.quantizer.decay = 1 }?.contains("decay") == true)
    #expect(problem { $0.quantizer.restartAfter = -1 }?.contains("revive_after") == true)
  }
}
