// vqgan: one name for all commands; `vqgan train-gpt …` becomes `train-gpt …`.
import Platform

@main
struct Umbrella {
  /// The commands in the order in which they are used.
  static let commands: KeyValuePairs<String, String> = [
    "prep-coco": "COCO 2017 to image shards",
    "prep-atari": "recordings of Atari games to image shards",
    "prep-images": "your own images to image shards",
    "train-vqgan": "image shards to a VQGAN",
    "reconstruct": "images through a VQGAN, with quality metrics",
    "encode-dataset": "image shards to code shards",
    "decode-dataset": "code shards to image shards or PNGs",
    "evaluate": "FID, KID, LPIPS and more of images against a reference",
    "codebook-report": "which codes are in use, what each looks like",
    "train-gpt": "code shards to a GPT",
    "sample-gpt": "new images from a GPT",
    "train-world": "code shards of recorded games to a world model",
    "dream": "games that a world model imagines",
    "play": "a world model, played with the keyboard",
    "score": "bits of images under a GPT",
    "shard-info": "what a shard holds, whether it is whole",
    "shard-export": "image shards to PNGs, label maps, captions, recordings",
    "convert-checkpoint": "weights of other programs to ours, and back",
    "bench": "speed and memory",
  ]

  static func main() {
    let words = CommandLine.arguments.dropFirst()
    switch words.first {
    case nil: fail(64, usage)
    case "help", "--help", "-h":
      guard let name = words.dropFirst().first else { leave(writing: usage) }
      become(known(name), with: [name, "--help"])
    case "--version":
      // Of all commands it is the same; an error is told under our name.
      become("shard-info", with: ["vqgan", "--version"])
    case let name?:
      // As they came: names of files need not be UTF-8.
      become(known(name), CommandLine.unsafeArgv + 1)
    }
  }

  private static var usage: String {
    let width = (commands.map(\.key.count).max() ?? 0) + 2
    let lines = commands.map { name, what in
      "  \(name)\(String(repeating: " ", count: width - name.count))\(what)\n"
    }
    return """
      USAGE: vqgan COMMAND ...
             vqgan help [COMMAND]
             vqgan --version

      COMMANDS:
      \(lines.joined())
      """
  }

  /// The name, if it is that of a command; ends the process otherwise.
  private static func known(_ name: String) -> String {
    if commands.contains(where: { $0.key == name }) { return name }
    let shown = name.unicodeScalars.prefix(200).map { $0.escaped(asASCII: false) }.joined()
    let nearest = commands.map(\.key).min { distance($0, name) < distance($1, name) } ?? ""
    fail(64, "vqgan: no command \"\(shown)\"; did you mean \(nearest)? `vqgan help` lists all\n")
  }

  /// How many letters must be put in, taken out or replaced; at most 64 letters are looked at.
  private static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.utf8.prefix(64)), Array(b.utf8.prefix(64)))
    var row = Array(0...b.count)
    for (i, letter) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let replaced = diagonal + (letter == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
      }
    }
    return row[b.count]
  }

  private static func become(_ name: String, with arguments: [String]) -> Never {
    become(name, arguments.map { strdup($0) } + [nil])
  }

  /// Becomes the command beside this program, wherever links lead to it, or else the one on PATH.
  ///
  /// - Parameter arguments: those of the command, its name first, closed by nil.
  private static func become(
    _ name: String, _ arguments: UnsafePointer<UnsafeMutablePointer<CChar>?>
  ) -> Never {
    let arguments = UnsafeMutablePointer(mutating: arguments)
    var code = ENOENT
    if let folder {
      execv("\(folder)/\(name)", arguments)
      code = errno
    }
    if code == ENOENT {
      execvp(name, arguments)
      code = errno
    }
    fail(
      66,
      code == ENOENT
        ? "vqgan: \(name) is neither beside vqgan nor on PATH\n"
        : "vqgan: \(name) cannot be run (\(String(cString: strerror(code))))\n")
  }

  /// The folder of this program itself.
  private static var folder: String? {
    let called = CommandLine.arguments[0]
    let path =
      realpath("/proc/self/exe", nil) ?? (called.contains("/") ? realpath(called, nil) : nil)
    guard let path else { return nil }
    defer { free(path) }
    let name = String(cString: path)
    return name.lastIndex(of: "/").map { String(name[..<$0]) }
  }

  private static func fail(_ code: Int32, _ message: String) -> Never {
    _ = write(message, to: 2)
    exit(code)
  }

  private static func leave(writing text: String) -> Never {
    guard write(text, to: 1) else {
      fail(74, "vqgan: standard output: write failed (\(String(cString: strerror(errno))))\n")
    }
    exit(0)
  }

  private static func write(_ text: String, to descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Platform.write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 && errno != EINTR { return false }
      rest = rest.dropFirst(max(written, 0))
    }
    return true
  }
}
