// Which files a command reads: arguments, folders of them, or lines on stdin.

import ArgumentParser
import DurableFiles
import Platform
import Shards

/// Why there is nothing to read.
package enum InputError: Error, Equatable {
  case missing(path: String)
  case unreadable(path: String, errno: Int32)
  case emptyFolder(path: String, suffix: String)
  case nothingOnStandardInput
}

extension InputError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .missing(let path): "\(path): no such file or folder"
    case .unreadable(let path, let errno):
      "\(path): cannot be read (\(String(cString: strerror(errno))))"
    case .emptyFolder(let path, let suffix): "\(path): no *\(suffix) files in this folder"
    case .nothingOnStandardInput:
      "standard input: no paths; the command before may have failed"
    }
  }
}

/// Shards as arguments, or one per line on stdin.
package struct InputPaths: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Shards, or folders of them; '-' or none reads paths, one per line, from a pipe.",
      valueName: "shard"))
  package var paths: [String] = []

  @Flag(help: "Of a folder that is still being filled, take the shards that are finished.")
  package var partial = false

  package init() {}

  /// The files, in the order given; a folder stands for its `*.h5` sorted by name.
  ///
  /// - Throws: `InputError` when a path is missing, `ShardError.unfinished` and `missing` for a
  ///   folder without all the shards of its manifest, `ValidationError` when none is given and
  ///   stdin is a terminal, `Interrupted` when a signal comes while waiting for stdin.
  package func resolve(console: Console) throws -> [String] {
    try Self.shards(try named(console: console), partial: partial)
  }

  /// As `expand`, for shards: a folder must hold all that its manifest plans.
  package static func shards(_ paths: [String], partial: Bool = false) throws -> [String] {
    if !partial {
      for path in paths where DurableFile.isFolder(path) {
        try ShardManifest.requireComplete(path)
      }
    }
    return try expand(paths, suffix: ".h5")
  }

  /// What the user named: files and folders.
  package func named(console: Console) throws -> [String] {
    if paths.isEmpty, isatty(0) == 1 {
      throw ValidationError("No shards given: name them, or pipe their paths in, one per line.")
    }
    guard paths.isEmpty || paths.contains("-") else { return paths }
    let piped = try StandardInput.lines(console: console)
    if piped.isEmpty { throw InputError.nothingOnStandardInput }
    return paths.isEmpty ? piped : paths.flatMap { $0 == "-" ? piped : [$0] }
  }

  /// Replaces folders by what they hold and checks that every file is there.
  package static func expand(
    _ paths: [String], suffix: String
  ) throws(InputError) -> [String] {
    var files: [String] = []
    for path in paths {
      guard access(path, R_OK) == 0 else {
        throw errno == ENOENT || errno == ENOTDIR
          ? .missing(path: path) : .unreadable(path: path, errno: errno)
      }
      guard DurableFile.isFolder(path) else {
        files.append(path)
        continue
      }
      let names = DurableFile.names(in: path).filter {
        $0.hasSuffix(suffix) && !$0.hasPrefix(".")
      }
      if names.isEmpty { throw .emptyFolder(path: path, suffix: suffix) }
      files += names.map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
    }
    return files
  }
}
