import Foundation
import Models
import TestSupport
import Testing
import Training

@Suite struct RunConfigTests {
  private let config: GPTRunConfig
  private let folder = RunFolder("run")

  init() throws { config = try GPTRunTests.config(steps: 3) }

  @Test func theKeysOfAllPartsLieSideBySide() throws {
    let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(config))
    #expect(
      (json as? [String: Any])?.keys.sorted() == [
        "accumulate", "batch_size", "checkpoint_every", "codes", "keep_checkpoints",
        "kind", "learning_rate", "log_every", "model", "pkeep", "precision", "seed", "shards",
        "shuffles", "steps", "threads", "tool_version", "validate_every", "validation",
        "weight_decay",
      ])
  }

  @Test func anotherKindIsRefused() throws {
    let error = #expect(throws: OverrideError.self) { try overriding(config, ["kind=vqgan"]) }
    #expect(error?.description.contains("it is now \"gpt\"") == true)
  }

  @Test func aResumedRunMayChangeHowItGoesOn() throws {
    let assignments = [
      "steps=9", "threads=7", "checkpoint_every=1", "keep_checkpoints=9",
      "validate_every=3", "log_every=5",
    ]
    try overriding(config, assignments).requireContinuing(config, in: folder)
  }

  @Test(arguments: [
    ("seed=8", "seed", "7", "8"), ("tool_version=other", "tool_version", "\"test\"", "\"other\""),
    ("model.n_layer=3", "model.n_layer", "2", "3"), ("batch_size=4", "batch_size", "5", "4"),
    ("accumulate=1", "accumulate", "2", "1"), ("shards=[\"b.h5\"]", "shards", "[]", "[\"b.h5\"]"),
  ])
  func itMayChangeNothingElse(change: String, key: String, found: String, wanted: String) throws {
    let error = RunError.configDiffers(path: "run", key: key, found: found, wanted: wanted)
    #expect(throws: error) {
      try overriding(config, [change]).requireContinuing(config, in: folder)
    }
  }

  @Test func absentKeysAreToldByWhatTheyStandFor() throws {
    var other = config
    (other.order, other.clip) = (.random, 1)
    #expect(
      throws: RunError.configDiffers(path: "run", key: "clip", found: "none", wanted: "1")
    ) { try other.requireContinuing(config, in: folder) }
    other.clip = nil
    #expect(
      throws: RunError.configDiffers(
        path: "run", key: "order", found: "\"raster\"", wanted: "\"random\"")
    ) { try other.requireContinuing(config, in: folder) }
  }

  @Test func whatIsImpossibleIsNamed() {
    var other = config
    other.ema = 1
    #expect(other.problem == "ema is 1.0; it must be between 0 and 1")
    other = config
    other.threads = 0
    #expect(other.problem == "threads is 0; it must be in 1...1024")
    other = config
    other.keepProbability = 0
    #expect(other.problem == "pkeep is 0.0; it must be above 0 and at most 1")
    #expect(config.problem == nil)
  }
}
