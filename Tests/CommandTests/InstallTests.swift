import Foundation
import TestSupport
import Testing

/// The root of this repository.
private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../..").standardized.path

/// All programs that are installed: the folders of Sources whose names are written small.
private let programs =
  (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/Sources"))?
  .filter { $0.first?.isLowercase == true }.sorted() ?? []

private let install = "python3 '\(root)/Tools/install.py'"

/// What is below a folder, without the folders.
private func files(_ path: String) -> [String] {
  var files: [String] = []
  for case let name as String in FileManager.default.enumerator(atPath: path) ?? .init() {
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
    if !isFolder.boolValue { files.append(name) }
  }
  return files.sorted()
}

@Suite("make install, packages and vqgan")
struct InstallTests {
  /// As a package would be made, with another root.
  @Test func everyCommandIsInstalledWithItsManPageAndCompletions() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell(
      "\(install) '\(builtCommands)' --prefix '/opt/a b' --destdir tree", in: folder, seconds: 300)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("Installed \(programs.count) commands"), "\(outcome.output)")
    #expect(outcome.output.contains("libhdf5"), "\(outcome.output)")
    let base = folder("tree/opt/a b")
    let expected = programs.flatMap {
      [
        "bin/\($0)", "share/man/man1/\($0).1", "share/bash-completion/completions/\($0)",
        "share/zsh/site-functions/_\($0)", "share/fish/vendor_completions.d/\($0).fish",
      ]
    }
    #expect(files(base) == (expected + ["share/swift-vqgan/installed"]).sorted())
    for program in programs {
      let run = try shell("'\(base)/bin/\(program)' --version")
      #expect(run.status == 0 && run.output.first?.isNumber == true, "\(program): \(run)")
      let page = try String(contentsOfFile: "\(base)/share/man/man1/\(program).1", encoding: .utf8)
      for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "SEE ALSO"] {
        #expect(page.contains("\n.SH \(section)\n"), "\(program): \(section)")
      }
      if program == "vqgan" { continue }
      for option in try CommandOption.options(of: program).flatMap(\.longNames) {
        let escaped = option.replacingOccurrences(of: "-", with: "\\-")
        #expect(page.contains("\\fB\(escaped)\\fR"), "\(program): \(option)")
      }
    }
    let completions = try shell(
      """
      for file in '\(base)'/share/bash-completion/completions/*; do
        name=${file##*/}
        bash -c '. "$1"; complete -p "$2"' - "$file" "$name" > /dev/null || echo "$name"
      done
      """)
    #expect(completions.output == "" && completions.errors == "", "\(completions)")
  }

  @Test func whatIsRemovedIsWhatWasInstalled() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell(
      """
      mkdir -p P/share/man; echo page > P/share/man/other.1
      \(install) '\(builtCommands)' --prefix P > /dev/null; echo $?
      \(install) '\(builtCommands)' --prefix P > again; echo $?
      grep -c 'is not on PATH' again
      echo mine > P/bin/bench
      \(install) '\(builtCommands)' --prefix P; echo $?
      \(install) --remove --prefix P > /dev/null; echo $?
      find P | sort; cat P/bin/bench
      \(install) --remove --prefix P; echo $?
      """, in: folder, seconds: 300)
    #expect(
      outcome.output
        == "0\n0\n1\n73\n0\nP\nP/bin\nP/bin/bench\nP/share\nP/share/man\nP/share/man/other.1\n"
        + "mine\n66\n", "\(outcome)")
    #expect(
      outcome.errors.contains("P/bin/bench: exists, and is not as it was installed"),
      "\(outcome.errors)")
  }

  /// The umbrella's list is that of the commands, each is found beside it, and options go through.
  @Test func vqganBecomesTheCommandBesideIt() throws {
    let folder = try TemporaryFolder()
    let help = try shell("vqgan help")
    #expect(help.status == 0)
    let listed = help.output.split(separator: "\n").drop { $0 != "COMMANDS:" }
      .filter { $0.hasPrefix("  ") }.compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(listed.sorted() == programs.filter { $0 != "vqgan" }, "\(help.output)")
    let outcome = try shell(
      """
      ln -s '\(builtCommands)/vqgan' linked
      cp '\(builtCommands)/vqgan' alone
      ./linked help score | grep -c USAGE
      ./linked shard-info nowhere.h5; echo $?
      ./alone --version
      PATH=/usr/bin:/bin ./alone score; echo $?
      vqgan trian-gpt; echo $?
      vqgan; echo $?
      vqgan help > /dev/full; echo $?
      vqgan --version > /dev/full; echo $?
      vqgan prep-images "$(printf 'caf\\351')" --out S 2> errors; echo $?
      grep -c '^prep-images: ' errors
      """, in: folder)
    let version = try shell("shard-info --version").output
    #expect(outcome.output == "1\n66\n\(version)66\n64\n64\n74\n74\n64\n1\n", "\(outcome)")
    let full = "vqgan: standard output: write failed (No space left on device)"
    #expect(outcome.errors.split(separator: "\n").count { $0 == full } == 2, "\(outcome.errors)")
    #expect(outcome.errors.contains("did you mean train-gpt?"), "\(outcome.errors)")
    #expect(outcome.errors.contains("shard-info: nowhere.h5: no such file"), "\(outcome.errors)")
    #expect(outcome.errors.contains("score is neither beside vqgan nor on PATH"))
  }

  /// Unpacked anywhere, reached by a link.
  @Test func theTarballWorksWhereverItIsUnpacked() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell(
      """
      set -e
      python3 '\(root)/Tools/package.py' '\(builtCommands)' --no-deb --out dist
      mkdir else; tar xJf dist/*.tar.xz -C else; ln -s else/*/bin/vqgan linked
      ls else/*/share/doc/swift-vqgan
      PATH=/usr/bin:/bin ./linked shard-info --version
      find else -name installed
      """, in: folder, seconds: 600)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    let version = try shell("shard-info --version").output
      .trimmingCharacters(in: .whitespacesAndNewlines)
    try #require(lines.count == 5, "\(outcome)")
    #expect(lines[0].hasPrefix("dist/swift-vqgan-\(version)-linux-"), "\(lines[0])")
    #expect(lines[1...] == ["Install.md", "LICENSE", "README.md", version], "\(lines)")
  }

  /// It is built in no test: that it names what is there is all that is known.
  @Test func theContainerfileNamesWhatIsThere() throws {
    let text = try String(contentsOfFile: "\(root)/Containerfile", encoding: .utf8)
    let lines = text.replacingOccurrences(of: "\\\n", with: " ").split(separator: "\n")
      .filter { !$0.hasPrefix("#") }
    var stages: [String] = []
    for line in lines {
      let words = line.split(separator: " ").map(String.init)
      switch words[0] {
      case "FROM":
        stages.append(words.count == 4 && words[2] == "AS" ? words[3] : "")
      case "COPY" where words[1].hasPrefix("--from="):
        #expect(stages.dropLast().contains(String(words[1].dropFirst(7))), "\(line)")
      case "COPY":
        for name in words[1..<words.count - 1] {
          #expect(FileManager.default.fileExists(atPath: "\(root)/\(name)"), "\(name)")
        }
      case "RUN" where words[1] == "make":
        let makefile = try String(contentsOfFile: "\(root)/Makefile", encoding: .utf8)
        #expect(makefile.contains("\n\(words[2]):"), "\(line)")
      case "RUN", "WORKDIR", "ENTRYPOINT", "CMD": break
      default: Issue.record("\(line)")
      }
    }
    #expect(stages == ["build", ""])
    // The libraries of the build are those that make setup installs.
    let setup = try String(contentsOfFile: "\(root)/Tools/setup.sh", encoding: .utf8)
    for package in setup.matches(of: /lib[a-z0-9]+-dev/).map({ String($0.output) }) {
      #expect(text.contains(package), "\(package)")
    }
  }
}
