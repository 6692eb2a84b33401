import Foundation
import Testing

/// The root of this repository.
private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../..").standardized.path

/// Pages that name tests: each row of their tables names some, and those exist.
@Suite struct CollapseGuardDocsTests {
  @Test(arguments: [
    ("Why-the-rewrite-collapsed", "| R", 20), ("Reliability", "| P", 72),
    ("Reliability", "| C", 38),
  ])
  func everyRowNamesItsTests(name: String, prefix: String, count: Int) throws {
    var sources = ""
    for case let name as String in FileManager.default.enumerator(atPath: "\(root)/Tests")
      ?? .init()
    where name.hasSuffix(".swift") {
      sources += try String(contentsOfFile: "\(root)/Tests/\(name)", encoding: .utf8)
    }
    let page = try String(
      contentsOfFile: "\(root)/Docs/\(name).md", encoding: .utf8)
    let rows = page.components(separatedBy: "\n").filter {
      $0.hasPrefix(prefix) && $0.dropFirst(prefix.count).first?.isNumber == true
    }
    #expect(rows.count == count)
    for row in rows {
      let last = row.components(separatedBy: " | ").last ?? ""
      // Names in small letters are tests, the others options and types.
      let names = last.matches(of: /`([a-z][A-Za-z0-9]+)`/).map { String($0.output.1) }
      #expect(!names.isEmpty, "\(row)")
      for name in names { #expect(sources.contains("func \(name)("), "\(name)") }
    }
  }
}
