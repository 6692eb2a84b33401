import TestSupport
import Testing

struct InputPathsTests {
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let made = try shell(
      "mkdir s empty; touch s/b.h5 s/a.h5 s/notes.txt s/.hidden.h5 s/c.h5.tmp-1-12345678 'x y.h5'",
      in: folder)
    #expect(made.status == 0)
    return folder
  }

  @Test(arguments: [
    ("command-probe 'x y.h5' s", "x y.h5\ns/a.h5\ns/b.h5\n"),
    ("printf 's/b.h5\\r\\n\\nx y.h5' | command-probe", "s/b.h5\nx y.h5\n"),
    (
      "printf '\\357\\273\\277s/b.h5\\r\\n\\357\\273\\277x y.h5' | command-probe",
      "s/b.h5\nx y.h5\n"
    ),
    // Between NULs a line break is part of a name, and nothing is a mark.
    ("printf 's/b.h5\\0\\0x y.h5\\0' | command-probe", "s/b.h5\nx y.h5\n"),
    ("printf 's/b.h5\\0x y.h5' | command-probe -", "s/b.h5\nx y.h5\n"),
    (
      "touch 'two\nlines.h5'; find . -name 'two*' -print0 | command-probe",
      "./two\nlines.h5\n"
    ),
    ("echo s/ | command-probe 'x y.h5' -", "x y.h5\ns/a.h5\ns/b.h5\n"),
    ("command-probe --json s/a.h5", "{\"path\":\"s/a.h5\",\"version\":1}\n"),
  ])
  func argumentsFoldersAndPipes(script: String, expected: String) throws {
    let outcome = try shell(script, in: try folder())
    #expect(outcome.output == expected)
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
  }

  @Test(arguments: [
    ("command-probe none.h5", "none.h5: no such file or folder"),
    ("command-probe empty", "empty: no *.h5 files in this folder"),
    ("command-probe < /dev/null", "standard input: no paths; the command before may have failed"),
    ("command-probe s/a.h5/x", "s/a.h5/x: no such file or folder"),
  ])
  func nothingToReadIs66(script: String, message: String) throws {
    let outcome = try shell(script, in: try folder())
    #expect(outcome.errors == "command-probe: \(message)\n")
    #expect(outcome.status == 66)
  }

  /// A path of other bytes would be that of another file.
  @Test(arguments: [
    ("s/a.h5\\n\\ncaf\\351.h5\\n", "line 3, caf\\xE9.h5"),
    ("caf\\351.h5\\0s/a.h5\\0", "path 1, caf\\xE9.h5"), ("\\300\\200", "line 1, \\xC0\\x80"),
  ])
  func listsThatAreNotUTF8AreRefused(list: String, place: String) throws {
    let outcome = try shell("printf '\(list)' | command-probe", in: try folder())
    #expect(
      outcome.errors
        == "command-probe: standard input: \(place): not UTF-8; rename the file or folder\n")
    #expect(outcome.status == 65 && outcome.output == "")
  }

  /// `b.h5` with a line break is another name, and never `a.h5` under that of `b.h5`.
  @Test func aListOfNULsHoldsNoLines() throws {
    let outcome = try shell("printf 's/a.h5\\0s/b.h5\\n' | command-probe", in: try folder())
    #expect(outcome.errors == "command-probe: s/b.h5\\n: no such file or folder\n")
    #expect(outcome.status == 66 && outcome.output == "")
  }

  @Test func aTerminalIsNotReadForPaths() throws {
    let outcome = try shell("script -qec command-probe /dev/null < /dev/null")
    #expect(outcome.status == 64)
    #expect(outcome.output.contains("No shards given"))
  }

  @Test func waitingForAPipeIsSaid() throws {
    let outcome = try shell(
      "{ sleep 2.5; echo s/a.h5; } | command-probe", in: try folder())
    #expect(outcome.errors == "waiting for paths on standard input\n")
    #expect(outcome.output == "s/a.h5\n")
  }
}
