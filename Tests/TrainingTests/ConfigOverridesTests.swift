import Models
import Testing
import Training

@Suite struct ConfigOverridesTests {
  @Test func keysAreChangedByTheirPath() throws {
    let changed = try overriding(
      VQGANConfig.tiny,
      ["n_embed=512", "quantizer.beta=0.5", "quantizer.kind=moving_average", "ch_mult=[1,2]"])
    #expect(changed.nEmbed == 512)
    #expect(changed.quantizer.beta == 0.5)
    #expect(changed.quantizer.kind == .movingAverage)
    #expect(changed.chMult == [1, 2])
    #expect(changed.resolution == VQGANConfig.tiny.resolution)
  }

  @Test func laterAssignmentsWin() throws {
    #expect(try overriding(VQGANConfig.tiny, ["n_embed=8", "n_embed=9"]).nEmbed == 9)
    #expect(try overriding(VQGANConfig.tiny, []) == .tiny)
  }

  @Test(arguments: ["n_embed", "=3", ""])
  func anythingButAnAssignmentIsRefused(text: String) {
    #expect(throws: OverrideError.notAnAssignment(text)) {
      try overriding(VQGANConfig.tiny, [text])
    }
  }

  @Test(arguments: ["embed=3", "quantizer.gamma=1", "n_embed.x=1", "nEmbed=5"])
  func anUnknownKeyIsRefused(text: String) {
    let error = #expect(throws: OverrideError.self) { try overriding(VQGANConfig.tiny, [text]) }
    guard case .unknownKey(let key, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(text.hasPrefix(key + "="))
    #expect(error?.description.contains(key) == true)
  }

  @Test func theKnownKeysAreListed() {
    let error = #expect(throws: OverrideError.self) {
      try overriding(VQGANConfig.tiny, ["quantizer.x=1"])
    }
    #expect(error?.description.contains("revive_after") == true)
  }

  @Test(arguments: [
    "n_embed=many", "n_embed=1.5", "quantizer.kind=magic", "ch_mult=3", "quantizer=1",
  ])
  func aWrongValueIsRefused(text: String) {
    let error = #expect(throws: OverrideError.self) { try overriding(VQGANConfig.tiny, [text]) }
    guard case .wrongValue(let key, let value, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect("\(key)=\(value)" == text)
  }
}
