import Foundation
import Images
import Ingest
import Shards
import TestSupport
import Testing

@Suite("Decoding of photos at a smaller size")
struct FastDecodingTests {
  @Test func fastDecodingIsNotedAndHasThePixelsOfPillowsDraft() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder("in"), withIntermediateDirectories: true)
    let photo = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/images/odd-65x47.jpg").standardized
    try FileManager.default.copyItem(at: photo, to: URL(filePath: folder("in/a.jpg")))
    func row(_ out: String, fast: Bool) throws -> [UInt8] {
      try ImageListTests.ingest(
        folder("in"),
        .squares {
          ($0.fastDecode, $0.filter) = (fast, .bicubic)
          $0.size = 20
        }, to: folder(out))
      let reader = try ImageShardReader(folder("\(out)/p-00000.h5"))
      #expect(reader.header.preprocessing.contains(#""fast_decode":true"#) == fast)
      #expect(try reader.contents.labels("source_width") == .int32([65]))
      return try reader.pixels(0)
    }
    let differences = zip(try row("fast", fast: true), try row("out", fast: false)).map {
      abs(Int($0) - Int($1))
    }
    let mean = Double(differences.reduce(0, +)) / Double(differences.count)
    // Blue is a wave of a few pixels, noise lies over all. Pillow's `draft` gives the same mean.
    #expect(abs(mean - 12.3033) < 0.001, "\(mean)")
    for (out, fast) in [("fast", false), ("out", true)] {
      let error = try #require(throws: ShardError.self) { try row(out, fast: fast) }
      guard case .optionsDiffer(folder(out), "--fast-decode", _, _) = error else {
        Issue.record("\(out): \(error)")
        continue
      }
    }
  }
}
