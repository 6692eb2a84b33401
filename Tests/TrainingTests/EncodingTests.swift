// Image shards to code shards.
import Foundation
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite("Encoding of image shards") struct EncodingTests {
  @Test(arguments: [1, 2, 8])
  func codesAreThoseOfTheModelRowByRow(batchSize: Int) throws {
    let sample = try EncodingSample()
    let outcome = try sample.encode(batchSize: batchSize)
    #expect(outcome.shards.map(\.path) == ["a.h5", "b.h5"].map { sample.folder("codes/\($0)") })
    #expect(outcome.shards.map(\.rows) == [5, 3])
    var histogram = CodeHistogram(codebookSize: 48)
    for (source, shard) in zip(sample.paths, outcome.shards) {
      let images = try ImageShardReader(source)
      let codes = try CodeShardReader(shard.path)
      for row in 0..<images.count {
        let image = Tensor(pixels: try images.pixels(row), count: 1, height: 8, width: 12)
        let expected = sample.stage.model.encode(.values(image))
        #expect(expected.shape == [1, 4, 6])
        #expect(try codes.codes(row) == expected.elements, "row \(row) of \(source)")
        histogram.add(expected.elements)
      }
    }
    #expect(outcome.histogram == histogram)
    #expect(histogram.used > 24, "the test's codes are too much alike")
  }

  @Test func rowsKeepTheirNamesAndLabels() throws {
    let sample = try EncodingSample()
    let outcome = try sample.encode()
    let codes = try CodeShardReader(outcome.shards[0].path)
    let images = try ImageShardReader(sample.paths[0])
    #expect(try codes.contents.ids == images.contents.ids)
    #expect(try codes.contents.names == images.contents.names)
    #expect(codes.contents.labelNames == ["action", "room"])
    for label in images.contents.labelNames {
      #expect(try codes.contents.labels(label) == images.contents.labels(label))
    }
    let header = codes.header
    #expect((header.grid.height, header.grid.width, header.grid.codebookSize) == (4, 6, 48))
    #expect(header.grid.fingerprint == sample.stage.fingerprint)
    #expect(header.sourceShards == ["a.h5"])
    #expect((header.source, header.split) == ("test", "train"))
    #expect(try FirstStage.load(header.grid.vqgan).fingerprint == header.grid.fingerprint)
  }

  @Test func aStoppedRunContinuesAtTheFirstMissingShard() throws {
    struct Stop: Error {}
    let sample = try EncodingSample()
    var encoded = 0
    #expect(throws: Stop.self) {
      try sample.encode { event in
        if case .encoded(let rows) = event { encoded += rows }
        if encoded == 6 { throw Stop() }
      }
    }
    let folder = sample.folder("codes")
    let left = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(left == [".lock", "a.h5", "manifest.json"])
    let first = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/a.h5"))

    var events: [EncodingEvent] = []
    let outcome = try sample.encode { events.append($0) }
    #expect(events == [.found(rows: 5)] + Array(repeating: .encoded(rows: 1), count: 3))
    #expect(outcome.earlier == 5)
    #expect(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/a.h5")) == first)
    let whole = try EncodingSample().encode()
    #expect(outcome.histogram == whole.histogram)

    let again = try sample.encode { if case .encoded = $0 { Issue.record("encoded twice") } }
    #expect(again.earlier == 8)
    #expect(again.histogram == whole.histogram)
  }

  @Test func aFolderOfAnotherVQGANIsRefused() throws {
    let sample = try EncodingSample()
    _ = try sample.encode()
    let other = try EncodingSample.writeVQGAN(in: sample.folder("other"), seed: 2)
    let plan = try EncodingPlan(sample.paths, for: other)
    let encoder = DatasetEncoder(
      plan, stage: other, on: .default, batchSize: 1, toolVersion: "1")
    #expect {
      try encoder.run(in: sample.folder("codes")) { _ in }
    } throws: { error in
      guard case .optionsDiffer(_, "codes_fingerprint", let found, let asked) = error as? ShardError
      else { return false }
      return found == sample.stage.fingerprints.codes && asked == other.fingerprints.codes
    }
  }

  /// Another shard in its place, with more rows and with as many.
  @Test(arguments: [4, 3])
  func changedInputsAreRefused(rows: Int) throws {
    let sample = try EncodingSample()
    _ = try sample.encode()
    let shard = sample.folder("b.h5")
    let before = try Data(contentsOf: URL(fileURLWithPath: shard)).count
    try EncodingSample.writeImages(shard, rows: rows, seed: 9)
    let after = try Data(contentsOf: URL(fileURLWithPath: shard)).count
    if rows == 3 { #expect(before == after) }
    let error = try #require(throws: ShardError.self) { try sample.encode() }
    guard case .optionsDiffer(_, "inputs", _, _) = error else {
      Issue.record("\(error)")
      return
    }
    #expect("\(error)".contains("by names and sizes, and by what shards and trajectories hold"))
  }

  /// One that is replaced before its turn, and one that is written to when its rows are read.
  @Test(arguments: ["replaced", "written to"])
  func inputsThatChangeMeanwhileAreRefused(how: String) throws {
    let sample = try EncodingSample()
    let path = sample.folder("b.h5")
    var encoded = 0
    #expect(throws: ShardError.changed(path: path)) {
      try sample.encode { event in
        if case .encoded(let rows) = event { encoded += rows }
        if how == "replaced", encoded == 1 {
          try EncodingSample.writeImages(path, rows: 3)  // the same bytes, another file
        } else if how == "written to", encoded == 8 {
          try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: path)
        }
      }
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: sample.folder("codes")).sorted()
    #expect(left == [".lock", "a.h5", "manifest.json"])
    #expect(try sample.encode().earlier == 5)
  }

  @Test func aChangedShardOfCodesIsMadeAgain() throws {
    let sample = try EncodingSample()
    _ = try sample.encode()
    let file = URL(fileURLWithPath: sample.folder("codes/a.h5"))
    let whole = try Data(contentsOf: file)
    var changed = whole
    changed[changed.count / 2] ^= 1
    try changed.write(to: file)
    #expect(try sample.encode().earlier == 3)
    #expect(try Data(contentsOf: file) == whole)
  }

  @Test func inputsThatCannotBeEncoded() throws {
    let sample = try EncodingSample()
    #expect(throws: EncodingError.sameName(path: sample.paths[0], other: sample.paths[0])) {
      try EncodingPlan([sample.paths[0], sample.paths[0]], for: sample.stage)
    }
    let odd = sample.folder("odd.h5")
    try imageShard(odd, rows: 1, height: 7, width: 12) { _ in
      [UInt8](repeating: 0, count: 7 * 12 * 3)
    }
    #expect(throws: EncodingError.size(path: odd, width: 12, height: 7, factor: 2)) {
      try EncodingPlan([odd], for: sample.stage)
    }
    // A shard of somebody else's is never overwritten.
    try FileManager.default.createDirectory(
      atPath: sample.folder("codes"), withIntermediateDirectories: true)
    try Data("mine".utf8).write(to: URL(fileURLWithPath: sample.folder("codes/a.h5")))
    #expect(throws: ShardError.externalShard(path: sample.folder("codes/a.h5"))) {
      try sample.encode()
    }
  }
}
