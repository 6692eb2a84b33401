import Corpora
import Foundation
import Testing

/// Reads `text` as the trajectory of a recording with images 0…9.
private func trajectory(_ text: String, images: Range<Int> = 0..<10) throws -> AtariTrajectory {
  try episode(text, images: images).trajectory
}

private func episode(_ text: String, images: Range<Int> = 0..<10) throws -> AtariEpisode {
  let corpus = try GrandChallengeFolder()
  try corpus.trajectory("1.txt", text)
  try corpus.screens("1", images.map { "\($0).png" })
  return try AtariCorpus(path: corpus.path, game: "revenge").episode(1)
}

@Suite("Trajectory text (T1, T3)")
struct AtariTrajectoryTests {
  @Test func whatIsWrittenIsReadBack() throws {
    let rows = [
      AtariTransition(frame: 0, action: .noop, reward: 0, score: 0, terminal: false),
      AtariTransition(frame: 4, action: .downLeftFire, reward: -7, score: -7, terminal: false),
      AtariTransition(frame: 9, action: .up, reward: 100, score: 93, terminal: true),
    ]
    let read = try trajectory(AtariTrajectory.text(ofRecording: 1, rows: rows))
    #expect(read.rows == rows && read.faults.isEmpty && read.notes.isEmpty)
    #expect(read.metadata == ["db traj id : 1"] && !read.isVersion1Text)
  }

  @Test(
    "Both versions of the text, and what forks made of them, give the same rows",
    arguments: [
      header + "0,0,0,0,3\n1,100,100,0,11\n2,0,100,1,0\n",
      header + "0, 0, 0, False, 3\n1, 100, 100, False, 11\n2, 0, 100, True, 0\n",
      header + "0,0,0,false,3\r\n1,100,100,FALSE,11\r\n2,0,100,true,0",
      header + "0.0,0.0,0.0,0.0,3.0\n1,100.0,100,0,11\n2,0,100,1.0,0\n\n\n",
      "0,0,0,0,3\n1,100,100,0,11\n2,0,100,1,0\n",
      "metadata of 2017, über, ½\nmore\n\n" + header + "frame,reward,score,terminal,action\n"
        + "0,0,0,0,3\n1,100,100,0,11\n2,0,100,1,0\n",
      "\u{FEFF}" + header + "0,0,0,0,3\n 1 ,\t100 , 100 , 0 , 11 \n2,0,100,1,0\n",
      "x\naction,terminal,score,reward,frame\n3,0,0,0,0\n11,0,100,100,1\n0,1,100,0,2\n",
    ])
  func readsEveryStyle(text: String) throws {
    let trajectory = try trajectory(text)
    #expect(
      trajectory.rows == [
        AtariTransition(frame: 0, action: .right, reward: 0, score: 0, terminal: false),
        AtariTransition(frame: 1, action: .rightFire, reward: 100, score: 100, terminal: false),
        AtariTransition(frame: 2, action: .noop, reward: 0, score: 100, terminal: true),
      ])
    #expect(trajectory.faults.isEmpty)
  }

  @Test(
    "A row that makes no sense costs that row alone and names file and line",
    arguments: [
      ("1,0,0,0", ":4: 4 columns, expected 5 (frame,reward,score,terminal,action)"),
      ("1,0,0,0,18", ":4: action is 18, expected 0…17"),
      ("1,0,0,0,-1", ":4: action is -1, expected 0…17"),
      ("1,0,0,0,1.5", ":4: action is \"1.5\", expected an integer"),
      ("1,null,0,0,1", ":4: reward is \"null\", expected an integer"),
      (
        "1,99999999999999999999,0,0,1",
        ":4: reward is \"99999999999999999999\", expected an integer"
      ),
      ("1,0,zero,0,1", ":4: score is \"zero\", expected an integer"),
      ("1,0,0,2,1", ":4: terminal is \"2\", expected 0, 1, True or False"),
      ("1,0,0,,1", ":4: terminal is \"\", expected 0, 1, True or False"),
      ("0,0,0,0,1", ":4: frame is 0 after 0, expected a higher number"),
      ("-1,0,0,0,1", ":4: frame is -1, expected 0…2147483647"),
      ("9223372036854775807,0,0,0,1", ":4: frame is 9223372036854775807, expected 0…2147483647"),
      ("what,0,0,0,1", ":4: frame is \"what\", expected an integer"),
      ("what", ":4: 1 columns, expected 5 (frame,reward,score,terminal,action)"),
    ])
  func skipsBadRows(row: String, message: String) throws {
    let trajectory = try trajectory(header + "0,0,0,0,1\n\(row)\n2,0,0,0,1\n")
    #expect(trajectory.rows.map(\.frame) == [0, 2])
    #expect(trajectory.faults.count == 1)
    let fault = try #require(trajectory.faults.first)
    #expect(fault.description == fault.path + message)
    #expect(fault.path.hasSuffix("/trajectories/revenge/1.txt"))
  }

  @Test func descendingFramesAreFaults() throws {
    let trajectory = try trajectory(
      header + "0,0,0,0,1\n3,0,0,0,1\n2,0,0,0,1\n1,0,0,0,1\n4,0,0,0,1\n")
    #expect(trajectory.rows.map(\.frame) == [0, 3, 4])
    #expect(trajectory.faults.map(\.line) == [5, 6])
  }

  @Test func scoresThatAreNoRunningSumAreKeptAndNoted() throws {
    let trajectory = try trajectory(header + "0,100,100,0,1\n1,0,400,0,1\n2,0,400,0,1\n")
    #expect(trajectory.rows.map(\.score) == [100, 400, 400])
    #expect(trajectory.notes == [.scoreMismatch(line: 4, score: 400, sum: 100, count: 2)])
  }

  @Test func aMissingScoreIsTheRunningSum() throws {
    let trajectory = try trajectory(header + "0,100,null,0,1\n1,50,,0,1\n2,0,150,0,1\n")
    #expect(trajectory.rows.map(\.score) == [100, 150, 150])
    #expect(trajectory.notes == [.missingScores(line: 3, count: 2)])
  }

  @Test func hugeRewardsNeitherTrapNorGetLost() throws {
    let huge = Int.max
    let trajectory = try trajectory(
      header + "0,1000000000000,1000000000000,0,1\n1,\(huge),5,0,1\n2,0,5,0,1\n")
    #expect(trajectory.rows.map(\.reward) == [1_000_000_000_000, huge, 0])
    #expect(trajectory.notes.count == 1)
  }

  @Test func extraColumnsAreIgnoredAndNoted() throws {
    let trajectory = try trajectory(header + "0,0,0,0,1,9,9\n1,0,0,0,1\n")
    #expect(trajectory.rows.count == 2)
    #expect(trajectory.notes == [.extraColumns(line: 3, count: 1)])
  }

  @Test(
    "Texts without rows are refused",
    arguments: ["", "\n\n", header, "db traj id : 1\n", "\u{0}\u{1}"])
  func refusesTextsWithoutRows(text: String) throws {
    let error = try #require(throws: AtariCorpusError.self) { try trajectory(text) }
    guard case .noRows = error else {
      Issue.record("\(error)")
      return
    }
  }

  @Test func aHeaderWithoutAColumnIsRefused() throws {
    let error = try #require(throws: AtariCorpusError.self) {
      try trajectory("x\nframe,reward,terminal,action\n0,0,0,1\n")
    }
    guard case .missingColumn(_, 2, "score") = error else {
      Issue.record("\(error)")
      return
    }
  }

  @Test func actionsCarryTheNamesOfALE() {
    #expect(AtariAction.allCases.count == 18)
    #expect(AtariAction.allCases.map(\.rawValue) == Array(0..<18))
    #expect(
      AtariAction.allCases.map(\.description).joined(separator: " ")
        == "NOOP FIRE UP RIGHT LEFT DOWN UPRIGHT UPLEFT DOWNRIGHT DOWNLEFT UPFIRE RIGHTFIRE "
        + "LEFTFIRE DOWNFIRE UPRIGHTFIRE UPLEFTFIRE DOWNRIGHTFIRE DOWNLEFTFIRE")
  }
}
