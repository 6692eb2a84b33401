import Foundation
import TestSupport
import Testing

/// The commands: the folders of Sources whose names are written small, but for `vqgan`, which has
/// no options of its own.
private let commands: [String] = {
  let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Sources").standardized.path
  let names = (try? FileManager.default.contentsOfDirectory(atPath: sources)) ?? []
  return names.filter { $0.first?.isLowercase == true && $0 != "vqgan" }.sorted()
}()

@Suite("The pages of Docs/Commands and the commands' help")
struct ManualTests {
  @Test func everyCommandHasAPage() throws {
    let pages = try FileManager.default.contentsOfDirectory(atPath: ManualPage.folder)
    #expect(pages.sorted() == (["README", "vqgan"] + commands).map { "\($0).md" }.sorted())
    #expect(commands.count > 10)
  }

  @Test(arguments: commands)
  func optionsAreThoseOfTheHelp(command: String) throws {
    let page = try ManualPage(command)
    let shared = try ManualPage("README")
    let sharedHere = shared.entries.filter { entry in
      let named = (entry.commands ?? "").matches(of: /`([a-z-]+)`/).map { String($0.output.1) }
      return (entry.commands ?? "").hasPrefix("all")
        ? !named.contains(command) : named.contains(command)
    }
    let options = try CommandOption.options(of: command).filter { !$0.isTheParsers }
    let known = Set(options.flatMap(\.longNames))
    #expect(!known.isEmpty)
    for entry in page.entries + sharedHere {
      #expect(known.contains(entry.name), "\(command) has no \(entry.name)")
    }
    for option in options {
      let entry = option.longNames.lazy.compactMap(page.entry).first
      let common = option.longNames.lazy.compactMap { name in
        sharedHere.first { $0.name == name }
      }.first
      #expect(entry != nil || common != nil, "\(option.longNames) is on no page")
      for value in option.allValues ?? [] {
        let text = (entry?.text ?? "") + (common?.text ?? "")
        #expect(text.contains(value), "\(option.longNames): \(value)")
      }
      // The number of threads is that of the machine.
      if option.kind == "option", let value = option.toldDefault,
        !option.longNames.contains("--threads")
      {
        let told = entry?.defaultValue ?? common?.defaultValue ?? ""
        #expect(
          isSame(told, value), "\(option.longNames): \(value) by the help, on the page \(told)")
      }
    }
  }

  /// Whether a cell tells a default: `5e-4` for 0.0005, `2,048` for 2048, `` `small` `` for small.
  private func isSame(_ cell: String, _ value: String) -> Bool {
    let plain = cell.filter { $0 != "`" && $0 != "," }
    if let told = Double(plain), let number = Double(value) { return told == number }
    return plain == value
  }
}
