import DurableFiles
import Foundation
import TestSupport
import Testing
import Training

struct RunsMetricsTests {
  private let folder: TemporaryFolder
  private let run: RunFolder

  init() throws {
    folder = try TemporaryFolder()
    run = RunFolder(folder("run"))
    try run.create(config: ["steps": 7])
  }

  private var rows: String {
    get throws { String(decoding: try DurableFile.read(run.metricsPath), as: UTF8.self) }
  }

  @Test func rowsHoldTheColumnsInOrder() throws {
    let log = try MetricsLog(run, columns: ["a/loss", "b"], resumingAfter: nil)
    #expect(try rows == "step,a/loss,b\n")
    try log.log(step: 1, [Metric("b", 2), Metric("a/loss", 0.1)])
    try log.log(step: 2, [Metric("b", .nan), Metric("a/loss", nil)])
    try log.log(step: 3, [Metric("a/loss", -.infinity), Metric("b", 123456.789)])
    #expect(try rows == "step,a/loss,b\n1,0.1,2\n2,,nan\n3,-inf,123456.8\n")
  }

  @Test func aNewRunBeginsANewFile() throws {
    try MetricsLog(run, columns: ["a"], resumingAfter: nil).log(step: 1, [Metric("a", 1)])
    _ = try MetricsLog(run, columns: ["a"], resumingAfter: nil)
    #expect(try rows == "step,a\n")
  }

  @Test func aResumedRunGoesOnBehindItsCheckpoint() throws {
    let stored = "step,a,b\n1,1,\n2,2,2\n2,,3\n3,1,1\n10,1,1\n3,1"  // cut in the middle of a row
    try DurableFile.write(Array(stored.utf8), to: run.metricsPath)
    let log = try MetricsLog(run, columns: ["a", "b"], resumingAfter: 2)
    #expect(try rows == "step,a,b\n1,1,\n2,2,2\n2,,3\n")
    try log.log(step: 3, [Metric("a", 9)])
    #expect(try rows == "step,a,b\n1,1,\n2,2,2\n2,,3\n3,9,\n")
    try DurableFile.write(Array("step,a,b\n1,1,1\n2,1".utf8), to: run.metricsPath)
    _ = try MetricsLog(run, columns: ["a", "b"], resumingAfter: 5)
    #expect(try rows == "step,a,b\n1,1,1\n")
  }

  /// As an editor does it, or `rm`.
  @Test func aReplacedFileIsWrittenAnew() throws {
    let log = try MetricsLog(run, columns: ["a"], resumingAfter: nil)
    var warnings: [String] = []
    log.warn = { warnings.append($0) }
    try log.log(step: 1, [Metric("a", 1)])
    try DurableFile.write(Array("step,a\n".utf8), to: run.metricsPath)
    try log.log(step: 2, [Metric("a", 2)])
    try log.log(step: 3, [Metric("a", 3)])
    #expect(try rows == "step,a\n1,1\n2,2\n3,3\n")
    try FileManager.default.removeItem(atPath: run.metricsPath)
    try log.log(step: 4, [Metric("a", 4)])
    #expect(try rows == "step,a\n1,1\n2,2\n3,3\n4,4\n")
    #expect(warnings.count == 2 && warnings.allSatisfy { $0.hasPrefix("\(run.metricsPath): ") })
  }

  @Test func otherColumnsAreRefused() throws {
    try MetricsLog(run, columns: ["a"], resumingAfter: nil).log(step: 1, [Metric("a", 1)])
    #expect(
      throws: RunError.damaged(
        path: folder("run/metrics.csv"),
        problem: "line 1: the columns are not those of this version")
    ) { try MetricsLog(run, columns: ["a", "b"], resumingAfter: 1) }
    #expect(try rows == "step,a\n1,1\n")
  }

  @Test func eventFilesHoldWhatWasLogged() throws {
    let png: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 1, 2, 3]
    do {
      let log = try MetricsLog(run, columns: ["a/loss", "b"], resumingAfter: nil)
      try log.log(step: 300, [Metric("a/loss", 0.25), Metric("none", nil), Metric("b", -2)])
      try log.image("pictures", step: 301, png: png, width: 200, height: 3)
    }
    _ = try MetricsLog(run, columns: ["a/loss", "b"], resumingAfter: 300)
    let files = DurableFile.names(in: run.path).filter { $0.hasPrefix("events.out.tfevents.") }
    #expect(files.count == 2)
    let events = try files.sorted().map { try EventRecords.events("\(run.path)/\($0)") }
    let first = try #require(events.first { $0.count > 2 })
    let resumed = try #require(events.first { $0.count == 2 })

    for file in events {
      #expect(file[0].step == 0)
      #expect(file[0].fields[3] == [.bytes(Array("brain.Event:2".utf8))])
    }
    #expect(first.map(\.step) == [0, 0, 300, 301])
    let config = try #require(first[1].values.first)
    #expect(config[1] == [.bytes(Array("config".utf8))])
    let tensor = try #require(config[8]?.first?.message)
    #expect(tensor[1] == [.number(7)])
    let stored = String(decoding: try DurableFile.read(run.configPath), as: UTF8.self)
    #expect(tensor[8] == [.bytes(Array("```\n\(stored)\n```".utf8))])
    #expect(config[9]?.first?.message?[1]?.first?.message?[1] == [.bytes(Array("text".utf8))])

    let scalars = first[2].values
    #expect(scalars.map { $0[1] } == [[.bytes(Array("a/loss".utf8))], [.bytes([0x62])]])
    #expect(scalars.map { $0[2] } == [[.word(0.25)], [.word(-2)]])

    let image = try #require(first[3].values.first?[4]?.first?.message)
    #expect(image[1] == [.number(3)])
    #expect(image[2] == [.number(200)])
    #expect(image[3] == [.number(3)])
    #expect(image[4] == [.bytes(png)])

    #expect(resumed[1].step == 301)
    #expect(resumed[1].fields[7]?.first?.message == [1: [.number(1)]])
  }
}
