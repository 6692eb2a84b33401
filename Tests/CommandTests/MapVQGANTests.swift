import Foundation
import Shards
import TestSupport
import Testing
import Training

/// Writes a shard of images of two halves, the left one of the label 0, the right one of the
/// image's label and deeper.
func writeMapShard(_ path: String, side: Int = 16, labels: [UInt8]) throws {
  let maps: [[UInt8]] = labels.enumerated().map { row, label in
    (0..<side * side).map { (position: Int) -> UInt8 in
      position % side < side / 2 + row % 4 ? 0 : label
    }
  }
  try imageShard(
    path, rows: labels.count, height: side, width: side,
    maps: { row in
      let depths = (0..<side * side).map { UInt16($0 % side * 100) }
      return [.segmentation: .bytes(maps[row]), .depth: .words(depths)]
    },
    pixels: { row in
      maps[row].flatMap { (label: UInt8) -> [UInt8] in [label &* 5, 255 - label, UInt8(row)] }
    })
}

@Suite("VQGANs of maps as commands")
struct MapVQGANTests {
  private static let tiny = "--preset tiny --batch-size 2 --steps 1 --quiet"
  private static let seven = "--set model.in_channels=7 --set model.out_ch=7"

  /// `S.h5` with the labels 0 and 12, `T.h5` with 0 and 6, `R.h5` with 12 in its second image
  /// alone, and `M7`, a VQGAN of 7 labels.
  private func maps() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try writeMapShard(folder("S.h5"), labels: [12, 12, 12, 12])
    try writeMapShard(folder("T.h5"), labels: [6, 6, 6, 6])
    try writeMapShard(folder("R.h5"), labels: [6, 12, 6, 6, 6, 6, 6, 6])
    let trained = try shell(
      "train-vqgan T.h5 --input segmentation \(Self.tiny) \(Self.seven) --out M7", in: folder)
    #expect(trained.status == 0, "\(trained.errors)")
    return folder
  }

  private func config(_ run: String, in folder: TemporaryFolder) throws -> VQGANRunConfig {
    try RunFolder(folder(run)).config(VQGANRunConfig.self)
  }

  @Test func labelsThatTheModelDoesNotKnowAreNamed() throws {
    let folder = try maps()
    let ten = "--set model.in_channels=10 --set model.out_ch=10"
    for (command, shard, labels) in [
      ("S.h5 --input segmentation \(Self.tiny) \(ten)", "S", 10),
      ("S.h5 --init-from M7 \(Self.tiny)", "S", 7),
      ("T.h5 --config M7/config.json --validation S.h5 --steps 1 --quiet", "S", 7),
      // Not among the images that are shown, every second one.
      ("R.h5 --input segmentation \(Self.tiny) \(ten)", "R", 10),
      ("R.h5 --init-from M7 \(Self.tiny)".replacing("--steps 1", with: "--steps 9"), "R", 7),
    ] {
      let outcome = try shell("rm -rf X; train-vqgan \(command) --out X", in: folder)
      #expect(outcome.status == 65, "\(command): \(outcome.errors)")
      let message = "\(shard).h5: a map with label 12; this VQGAN knows 0 to \(labels - 1)"
      #expect(outcome.errors.contains(message), "\(command): \(outcome.errors)")
    }
  }

  @Test func theObjectiveIsThatOfTheMapsAfterInitFrom() throws {
    let folder = try maps()
    let trained = try shell(
      """
      set -e
      train-vqgan T.h5 --input depth \(Self.tiny) --out D
      train-vqgan T.h5 --input segmentation --init-from M7 \(Self.tiny) --seed 5 --out M
      train-vqgan T.h5 --init-from M7 \(Self.tiny) --set objective.codebook_weight=0.5 --out N
      train-vqgan T.h5 --input depth --init-from D \(Self.tiny) --out E
      train-vqgan T.h5 --input segmentation --config E/config.json --steps 1 --quiet --out F
      train-vqgan T.h5 --input segmentation --config N/config.json --steps 1 --quiet --out O
      """, in: folder)
    #expect(trained.status == 0, "\(trained.errors)")
    for (run, channels, discFactor, discWeight, codebookWeight) in [
      ("M7", 7, 0, 0.8, 1 / 183), ("M", 7, 0, 0.8, 1 / 7), ("N", 7, 0, 0.8, 0.5),
      ("D", 1, 1, 0.75, 1), ("E", 1, 1, 0.75, 1), ("F", 183, 0, 0.75, 1 / 183),
      ("O", 7, 0, 0.8, 0.5),  // of the same kind: as it stands in the file
    ] as [(String, Int, Float, Float, Float)] {
      let config = try config(run, in: folder)
      #expect(config.model.inChannels == channels, "\(run)")
      #expect(config.objective.discFactor == discFactor, "\(run)")
      #expect(config.objective.discWeight == discWeight, "\(run)")
      #expect(config.objective.codebookWeight == codebookWeight, "\(run)")
    }
    // The first weights are those of the other run, which one step does not move far, whatever the
    // seed.
    let weights = try ["M7", "M"].map {
      try FirstStage.load(folder($0)).model.decoder.convOut.weight.elements()
    }
    #expect(zip(weights[0], weights[1]).allSatisfy { abs($0 - $1) < 0.002 })
  }

  @Test func oneChannelIsNoMapOfLabels() throws {
    let folder = try TemporaryFolder()
    try writeMapShard(folder("S.h5"), labels: [0, 0])
    let outcome = try shell(
      """
      train-vqgan S.h5 --input segmentation \(Self.tiny) --set model.in_channels=1 \
        --set model.out_ch=1 --out X
      """, in: folder)
    #expect(outcome.status == 64, "\(outcome.errors)")
    #expect(outcome.errors.contains("maps of labels have 2 to 256"), "\(outcome.errors)")
  }

  /// Three channels are images unless the configuration says otherwise; it is silent where the
  /// number of channels says it.
  @Test func threeLabelsAreNoImages() throws {
    let folder = try TemporaryFolder()
    try writeMapShard(folder("S.h5"), labels: [1, 2])
    let three = "--set model.in_channels=3 --set model.out_ch=3"
    let outcome = try shell(
      """
      train-vqgan S.h5 --input segmentation \(Self.tiny) \(three) --out M &&
      train-vqgan S.h5 --init-from M \(Self.tiny) --out N && grep -c '"input"' N/config.json
      train-vqgan S.h5 \(Self.tiny) --out V && grep -c '"input"' V/config.json
      encode-dataset S.h5 --vqgan M --out C
      """, in: folder)
    #expect(outcome.output.hasSuffix("1\nV\n0\n"), "\(outcome.output)")
    #expect(outcome.status == 65 && outcome.errors.contains("reads label maps, expected images"))
    #expect(try config("N", in: folder).model.input == .segmentation)
    #expect(try FirstStage.load(folder("M")).config.input == .segmentation)
  }
}
