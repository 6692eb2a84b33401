import Foundation
import Testing

/// The root of this repository.
private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../..").standardized.path

@Suite struct CollapseGuardDocsTests {
  /// Every defect that `Docs/Why-the-rewrite-collapsed.md` lists names a test, and each test named there exists.
  @Test func everyDefectIsGuardedByATest() throws {
    var sources = ""
    for case let name as String in FileManager.default.enumerator(atPath: "\(root)/Tests")
      ?? .init()
    where name.hasSuffix(".swift") {
      sources += try String(contentsOfFile: "\(root)/Tests/\(name)", encoding: .utf8)
    }
    let page = try String(
      contentsOfFile: "\(root)/Docs/Why-the-rewrite-collapsed.md", encoding: .utf8)
    let rows = page.components(separatedBy: "\n").filter { $0.hasPrefix("| R") }
    #expect(rows.count == 20)
    for row in rows {
      let last = row.components(separatedBy: " | ").last ?? ""
      // Long names in small letters are tests, the others options and types.
      let names = last.matches(of: /`([a-z][A-Za-z0-9]{11,})`/).map { String($0.output.1) }
      #expect(!names.isEmpty, "\(row)")
      for name in names { #expect(sources.contains("func \(name)("), "\(name)") }
    }
  }
}
