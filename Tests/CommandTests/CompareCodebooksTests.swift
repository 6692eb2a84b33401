import Foundation
import TestSupport
import Testing

/// `Tools/compare-codebooks.py` with commands that fail: what it does before and beside them.
@Suite("compare-codebooks") struct CompareCodebooksTests {
  private static let tool = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Tools/compare-codebooks.py").standardized.path
  private static let kind = "out/gradient-codes-1024"

  private let folder: TemporaryFolder

  /// A run that was cut short in the first command.
  init() throws {
    folder = try TemporaryFolder()
    let outcome = try shell(
      """
      set -e
      mkdir bin shards others
      printf '#!/bin/sh\\nexit 75\\n' >bin/train-vqgan
      chmod +x bin/train-vqgan
      for folder in shards others; do
        printf abc >$folder/a-00000.h5
        printf abc >$folder/a-validation-00000.h5
      done
      printf abcd >others/a-00000.h5
      """, in: folder)
    try #require(outcome.status == 0, "\(outcome.errors)")
    try requireCut(compare("--steps 1"))
  }

  private func compare(_ options: String, kinds: String = "'gradient 1,024'") throws -> ShellOutcome
  {
    try shell("python3 '\(Self.tool)' bin shards --out out \(kinds) \(options)", in: folder)
  }

  /// That the first command was called.
  private func requireCut(_ outcome: ShellOutcome) throws {
    try #require(outcome.status == 1, "\(outcome.errors)")
    try #require(outcome.errors.contains("train-vqgan: exit code 75"), "\(outcome.errors)")
  }

  @Test func aRunThatWasCutShortGoesOnWithItsOptions() throws {
    try requireCut(compare("--steps 1"))
  }

  @Test(arguments: [
    ("--steps 9", "made with --steps 1, asked for --steps 9;"),
    ("--steps 9 --seed 2", "made with --steps 1, --seed 1, asked for --steps 9, --seed 2;"),
    ("--steps 1 --gpt-steps 7", "made with --gpt-steps 500, asked for --gpt-steps 7;"),
    ("--steps 1 --preset tiny", "made with --preset small, asked for --preset tiny;"),
    ("--steps 1 --count 9", "made with --count 200, asked for --count 9;"),
  ])
  func otherOptionsAreRefused(options: String, reason: String) throws {
    let outcome = try compare(options)
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(outcome.errors == "\(Self.kind): \(reason) use another --out\n")
  }

  @Test func otherShardsAreRefused() throws {
    let outcome = try shell(
      "python3 '\(Self.tool)' bin others --out out 'gradient 1,024' --steps 1", in: folder)
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("\(Self.kind): made from other shards"))
  }

  /// One kind's refusal comes before another's folder is begun.
  @Test func aRefusalLeavesOtherKindsAlone() throws {
    let outcome = try compare("--steps 9", kinds: "'FSQ 1,024' 'gradient 1,024'")
    #expect(outcome.errors.contains("made with --steps 1"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder("out")).count == 1)
  }

  @Test func resultsOfUnknownOptionsAreRefused() throws {
    let record = folder("\(Self.kind)/made-with.json")
    try FileManager.default.moveItem(atPath: record, toPath: folder("\(Self.kind)/quality.json"))
    let outcome = try compare("--steps 1")
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("nothing says what its results were made with"))
  }
}
