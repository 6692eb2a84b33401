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

  /// Keys that the file leaves out where they say nothing.
  @Test func keysOutsideTheFileAreChanged() throws {
    let lfq = try overriding(
      VQGANConfig.tiny, ["quantizer.kind=lfq", "quantizer.signs=open_magvit2", "patch=2"])
    #expect(lfq.quantizer.signs == .openMAGVIT2)
    #expect(lfq.patch == 2)
    let others = try overriding(
      VQGANConfig.tiny,
      ["quantizer.gradient=rotation", "quantizer.cosine=true", "quantizer.diversity=0.5"])
    #expect(others.quantizer.gradient == .rotation && others.quantizer.cosine)
    #expect(others.quantizer.diversity == 0.5)
    let remapped = try overriding(
      VQGANConfig.tiny, [#"quantizer.remap={"used":5,"unknown_index":"extra"}"#])
    #expect(remapped.codes == 6)
  }

  /// What says something only beside another key stays, whichever comes first.
  @Test func theOrderOfKeysDoesNotMatter() throws {
    let assignments = ["quantizer.dropout=0.5", "quantizer.depth=2"]
    for ordered in [assignments, assignments.reversed()] {
      let quantizer = try overriding(VQGANConfig.tiny, ordered).quantizer
      #expect(quantizer.depth == 2 && quantizer.dropout == 0.5, "\(ordered)")
    }
  }

  @Test func aWrongValueOutsideTheFileIsRefused() {
    let error = OverrideError.wrongValue(
      key: "quantizer.signs", value: "odd", present: "the default")
    #expect(throws: error) { try overriding(VQGANConfig.tiny, ["quantizer.signs=odd"]) }
  }

  @Test(arguments: ["n_embed", "=3", ""])
  func anythingButAnAssignmentIsRefused(text: String) {
    #expect(throws: OverrideError.notAnAssignment(text)) {
      try overriding(VQGANConfig.tiny, [text])
    }
  }

  @Test(arguments: [
    "embed=3", "quantizer.gamma=1", "n_embed.x=1", "nEmbed=5", "quantizer.remap.used=5",
  ])
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
