// A run folder named by an option, or by the command before in a pipeline.
import ArgumentParser
import Platform

/// A path given as an option, or else the one that a pipe brings.
///
/// - Parameters:
///   - path: the option's value; `-` or none reads the pipe.
///   - option: for messages, for example `--gpt`.
/// - Throws: `ValidationError` when there is neither, `InputError` when the pipe brings none,
///   `CommandError` when it brings several.
package func pathOrPiped(_ path: String?, option: String, console: Console) throws -> String {
  if let path, path != "-" { return path }
  if isatty(0) == 1 {
    throw ValidationError("Missing \(option): name a folder, or pipe its path in.")
  }
  let lines = try StandardInput.lines(console: console)
  guard let first = lines.first else { throw InputError.nothingOnStandardInput }
  guard lines.count == 1 else {
    throw CommandError(
      .badData, "standard input: \(lines.count) paths, expected the one of \(option)")
  }
  return first
}
