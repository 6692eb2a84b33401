import Corpora
import Foundation
import TestSupport
import Testing

/// Rows of frames, all else zero.
private func rows(_ frames: some Sequence<Int>) -> String {
  header + frames.map { "\($0),0,0,0,0\n" }.joined()
}

private func images(_ numbers: some Sequence<Int>) -> [String] { numbers.map { "\($0).png" } }

private func episode(_ text: String, _ names: [String]) throws -> AtariEpisode {
  let corpus = try GrandChallengeFolder()
  try corpus.trajectory("1.txt", text)
  try corpus.screens("1", names)
  return try AtariCorpus(path: corpus.path, game: "revenge").episode(1)
}

@Suite("Recordings (T2, T5)")
struct AtariCorpusTests {
  @Test(
    "Images counted from 1 belong to rows counted from 0",
    arguments: [
      (0..<5, 0..<5, 0), (0..<5, 1..<6, 1), (0..<5, 1..<5, 0), (1..<5, 1..<5, 0), (0..<5, 0..<8, 0),
      (0..<5, 1..<9, 1),
    ])
  func findsTheOffset(frames: Range<Int>, numbers: Range<Int>, offset: Int) throws {
    let episode = try episode(rows(frames), images(numbers))
    #expect(episode.imageOffset == offset)
    let first = try #require(episode.transitions.first)
    #expect(
      episode.imageName(of: first).hasSuffix("screens/revenge/1/\(first.frame + offset).png"))
  }

  @Test func theStyleOfTheTextTellsTheVersionWhenImagesAreMissing() throws {
    let text = header + (0..<9).map { "\($0), 0, 0, False, 0\n" }.joined()
    let episode = try episode(text, images(1..<6))
    #expect(episode.imageOffset == 1)
    #expect(episode.transitions.map(\.frame) == [0, 1, 2, 3, 4])
    #expect(episode.surplusRows == 4)
    #expect(episode.faults.isEmpty)
  }

  @Test func surplusAtTheEndIsReportedAndNoFault() throws {
    let moreRows = try episode(rows(0..<9), images(0..<7))
    #expect((moreRows.surplusRows, moreRows.surplusImages) == (2, 0))
    #expect(moreRows.surplus.map(\.frame) == [7, 8])
    #expect(moreRows.transitions.count == 7)
    #expect(moreRows.faults.isEmpty)
    let moreImages = try episode(rows(0..<7), images(0..<9))
    #expect((moreImages.surplusRows, moreImages.surplusImages) == (0, 2))
    #expect(moreImages.surplus.map(\.frame) == [7, 8])
    #expect(moreImages.transitions.count == 7)
    #expect(moreImages.faults.isEmpty)
  }

  @Test func gapsAreFaultsAndTheRestStays() throws {
    let episode = try episode(rows([0, 1, 2, 4, 5]), images([0, 1, 3, 4, 5]))
    #expect(episode.transitions.map(\.frame) == [0, 1, 4, 5])
    #expect(episode.faults.map(\.frame) == [2, 3])
    #expect(episode.faults.map(\.kind) == ["no-picture", "no-row"])
  }

  @Test func aBadRowTakesItsImageAlong() throws {
    let episode = try episode(rows(0..<3) + "3,0,0,0,99\n4,0,0,0,0\n", images(0..<5))
    #expect(episode.transitions.map(\.frame) == [0, 1, 2, 4])
    #expect(episode.faults.map(\.kind) == ["row"])
  }

  @Test func otherNamesAreIgnoredAndListed() throws {
    let odd = [
      ".DS_Store", "00.png", "1.PNG", "1.png~", "99999999999.png", "x.png", "-1.png", ".png",
    ]
    let episode = try episode(rows(0..<3), images(0..<3) + odd)
    #expect(episode.screens.numbers == [0, 1, 2])
    #expect(episode.screens.ignored == odd.sorted())
  }

  @Test func hundredThousandImagesAreSortedAsNumbers() throws {
    let corpus = try GrandChallengeFolder()
    let count = 100_000
    // Links instead of files keep the test quick; the highest number first, so that the folder
    // order is not the sorted one.
    try corpus.trajectory("1.txt", rows(0..<count))
    try corpus.screens("1", ["0.png"])
    let folder = "\(corpus.path)/screens/revenge/1"
    for number in (1..<count).reversed() where symlink("0.png", "\(folder)/\(number).png") != 0 {
      Issue.record("symlink: \(errno)")
      return
    }
    let seconds = try ContinuousClock().measure {
      let episode = try AtariCorpus(path: corpus.path, game: "revenge").episode(1)
      #expect(episode.screens.numbers == Array(0..<count))
      #expect(episode.transitions.count == count)
    }
    #expect(seconds < .seconds(10))
  }

  @Test func recordingsAreNumberedFiles() throws {
    let corpus = try GrandChallengeFolder()
    for name in [
      "12.txt", "2.txt", "7.txt~", "abc.txt", "9223372036854775808.txt", ".DS_Store", "007.txt",
    ] {
      try corpus.trajectory(name, rows(0..<1))
    }
    for name in ["12", "2", "5", "abc"] { try corpus.screens(name, ["0.png"]) }
    let found = try AtariCorpus(path: corpus.path, game: "revenge")
    #expect(found.ids == [2, 12])
    #expect(found.idsWithoutTrajectory == [5])
    #expect(found.ignored.count == 6)
    #expect(throws: AtariCorpusError.self) { try found.episode(5) }
  }

  @Test(
    "The unpacked archives are found below the folder given",
    arguments: ["atari_v1", "atari_v2_release"])
  func findsTheRoot(archive: String) throws {
    let corpus = try GrandChallengeFolder()
    try corpus.trajectory("1.txt", rows(0..<1))
    try corpus.screens("1", ["0.png"])
    let above = try TemporaryFolder()
    try FileManager.default.createSymbolicLink(
      atPath: above(archive), withDestinationPath: corpus.path)
    #expect(try AtariCorpus(path: above.path, game: "revenge").root == above(archive))
  }

  @Test func missingFoldersAreNamed() throws {
    let corpus = try GrandChallengeFolder()
    #expect(throws: AtariCorpusError.missingFolder(path: "/no/such")) {
      try AtariCorpus(path: "/no/such", game: "revenge")
    }
    #expect(throws: AtariCorpusError.notACorpus(path: corpus.path)) {
      try AtariCorpus(path: corpus.path, game: "revenge")
    }
    try corpus.screens("1", [])
    try corpus.trajectory("1.txt", rows(0..<1))
    #expect(throws: AtariCorpusError.noGame(path: corpus.path, game: "qbert", found: ["revenge"])) {
      try AtariCorpus(path: corpus.path, game: "qbert")
    }
    for unsafe in ["..", ".", "", "../screens/revenge"] {
      #expect(throws: AtariCorpusError.self) { try AtariCorpus(path: corpus.path, game: unsafe) }
    }
    #expect(throws: AtariCorpusError.noImages(path: "\(corpus.path)/screens/revenge/1")) {
      try AtariCorpus(path: corpus.path, game: "revenge").episode(1)
    }
  }

  @Test(.timeLimit(.minutes(30))) func aPipeInPlaceOfATextDoesNotHang() throws {
    let corpus = try GrandChallengeFolder()
    try corpus.trajectory("2.txt", rows(0..<1))
    try corpus.screens("1", ["0.png"])
    let pipe = "\(corpus.path)/trajectories/revenge/1.txt"
    try #require(mkfifo(pipe, 0o600) == 0)
    #expect(throws: AtariCorpusError.notARegularFile(path: pipe)) {
      try AtariCorpus(path: corpus.path, game: "revenge").episode(1)
    }
  }

  @Test func theShippedSampleIsComplete() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Datasets/montezuma").standardized.path
    let corpus = try AtariCorpus(path: root, game: "revenge")
    #expect(corpus.ids == [10, 12, 20, 22, 30, 32])
    let episodes = try corpus.ids.map { try corpus.episode($0) }
    #expect(episodes.map(\.transitions.count) == [1113, 864, 1500, 1500, 410, 275])
    #expect(
      episodes.allSatisfy {
        $0.faults.isEmpty && $0.trajectory.notes.isEmpty && $0.surplusRows == 0
      })
  }
}
