import Foundation
import Models
import Shards
import TensorCore
import TestSupport
import Testing
import Training

private let (height, width) = (6, 9)

/// A shard whose pixels tell their row, line and column.
private func makeSet(_ folder: TemporaryFolder, rows: Int = 5) throws -> ImageShardSet {
  try imageShard(folder("a.h5"), rows: rows, height: height, width: width) { row in
    (0..<height * width).flatMap { (position: Int) -> [UInt8] in
      [UInt8(row), UInt8(position / width), UInt8(position % width)]
    }
  }
  return try ImageShardSet([folder("a.h5")])
}

/// Images came as something else.
private struct NoBytes: Error {}

private func batches(
  _ set: ImageShardSet, from position: DataPosition = DataPosition(), seed: UInt64 = 1,
  _ augmentation: Augmentation
) -> ImageBatches {
  ImageBatches(
    set, batchSize: 3, from: position, seed: seed, shuffled: true, augmentation: augmentation)
}

@Suite struct DataTests {
  @Test(arguments: [Augmentation(), Augmentation(crop: 4), Augmentation(crop: 4, flips: true)])
  func batchesDependOnSeedAndPositionAlone(augmentation: Augmentation) throws {
    let folder = try TemporaryFolder()
    let set = try makeSet(folder)
    let source = batches(set, augmentation)
    let all = try (0..<8).map { _ in try source.next() }
    for start in 1..<8 {
      let later = batches(set, from: all[start - 1].next, augmentation)
      for expected in all[start...] {
        let found = try later.next()
        #expect(found.values == expected.values && found.next == expected.next)
      }
    }
    let other = batches(set, seed: 2, augmentation)
    #expect(try (0..<8).map { _ in try other.next().values } != all.map(\.values))
  }

  @Test func cropsAndMirrorsAreTakenFromOneImage() throws {
    let folder = try TemporaryFolder()
    let source = batches(try makeSet(folder), Augmentation(crop: 4, flips: true))
    var seen: Set<[UInt8]> = []
    var (mirrored, total) = (0, 0)
    for _ in 0..<100 {
      let batch = try source.next()
      #expect((batch.count, batch.height, batch.width) == (3, 4, 4))
      guard case .bytes(let values) = batch.values else { throw NoBytes() }
      for item in 0..<batch.count {
        let pixels = Array(values[item * 48..<(item + 1) * 48])
        let isMirrored = pixels[2] > pixels[5]
        let left = isMirrored ? pixels[11] : pixels[2]
        for y in 0..<4 {
          for x in 0..<4 {
            let column = isMirrored ? 3 - x : x
            let expected = [pixels[0], pixels[1] + UInt8(y), left + UInt8(column)]
            #expect(Array(pixels[(y * 4 + x) * 3..<(y * 4 + x) * 3 + 3]) == expected)
          }
        }
        #expect(Int(pixels[1]) <= height - 4 && Int(left) <= width - 4)
        seen.insert([pixels[1], left])
        mirrored += isMirrored ? 1 : 0
        total += 1
      }
    }
    // Every position of the window comes up, and about half of the images are mirrored.
    #expect(seen.count == (height - 3) * (width - 3))
    #expect((total / 3...total * 2 / 3).contains(mirrored))
  }

  @Test func wholeImagesComeUnchanged() throws {
    let folder = try TemporaryFolder()
    let set = try makeSet(folder)
    let batch = try batches(set, Augmentation()).next()
    let rows = EpochOrder(count: 5, seed: 1).rows(ofEpoch: 0).prefix(3)
    let pixels = try rows.flatMap { try set.pixels($0) }
    #expect(batch.values == .bytes(pixels))
    guard case .values(let tensor) = batch.input(on: .default) else { throw NoBytes() }
    #expect(tensor.shape == [3, 3, height, width])
    #expect(tensor.rowValues(of: .images) == batch.values)
  }

  @Test func aDamagedShardIsAnErrorOfTheNextBatch() throws {
    let folder = try TemporaryFolder()
    let set = try makeSet(folder)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: folder("a.h5")))
    try handle.truncate(atOffset: 100)
    try handle.close()
    #expect(throws: (any Error).self) {
      let source = batches(set, Augmentation())
      for _ in 0..<5 { _ = try source.next() }
    }
  }
}
