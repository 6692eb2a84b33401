// A command with nothing to do: the tests watch how it starts, is interrupted and ends.

import ArgumentParser
import Checkpoints
import CommandSupport
import DurableFiles
import Foundation
import ModelCommands
import TensorCore

@main
struct CommandProbe: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "command-probe", abstract: "Shows how a command of the suite ends.",
    version: "probe 1")

  enum Work: String, CaseIterable, ExpressibleByArgument {
    /// Writes the path of every input.
    case paths
    /// Writes `--count` results.
    case results
    /// Polls for an interruption, then "saves".
    case loop
    /// Writes a line for every SIGUSR1, then "saved" when interrupted.
    case save
    /// Lasts 20 s and never looks whether it is interrupted.
    case hang
    /// Ends with `--error`.
    case fail
    /// Reads a safetensors file and writes it again: two paths.
    case copy
    /// Advances a bar over three seconds.
    case progress
  }

  enum Failure: String, CaseIterable, ExpressibleByArgument {
    case missing, busy, cannotCreate, ioFailure, noMemory, unknown, usage
  }

  @Option var work = Work.paths
  @Option var error = Failure.unknown
  @Option var count = 1
  @OptionGroup var inputs: InputPaths
  @OptionGroup var results: ResultOptions
  @OptionGroup var seed: SeedOption
  @OptionGroup var runtime: RuntimeOptions

  func execute() throws {
    let writer = results.writer
    switch work {
    case .paths:
      for path in try inputs.resolve(console: runtime.console) { try writer.path(path) }
    case .results:
      for index in 0..<count {
        try writer.write(["index": index], text: "result \(index) of a long list of results")
      }
    case .loop:
      Interruption.install()
      try writer.path("ready")
      for _ in 0..<10_000 where !Interruption.requested { usleep(2000) }  // 20 s at most
      try writer.path("saved")
    case .save:
      Interruption.install()
      try writer.path("ready")
      while !Interruption.requested {
        if Interruption.takeSaveRequest() { try writer.path("asked to save") }
        usleep(1000)
      }
      try writer.path("saved")
    case .hang:
      Interruption.install()
      try writer.path("ready")
      for _ in 0..<10_000 { usleep(2000) }
    case .fail: try fail()
    case .copy: try copy(inputs.paths[0], to: inputs.paths[1])
    case .progress:
      let progress = Progress("probing", total: 30, unit: "probes", console: runtime.console)
      for step in 0..<30 {
        usleep(100_000)
        progress.advance(note: "step \(step)")
      }
      progress.finish()
    }
  }

  private func copy(_ path: String, to copy: String) throws {
    let file = try SafetensorsFile(path)
    let tensors = try file.names.map { name in
      let entry = try file.description(of: name)
      return SafetensorsEntry(name: name, type: entry.type, shape: entry.shape) { body in
        try file.withBytes(of: name, body)
      }
    }
    try SafetensorsWriter.write(tensors, metadata: file.metadata, to: copy)
  }

  private func fail() throws {
    switch error {
    case .missing: throw InputError.missing(path: "a\u{1B}[31m\nb")
    case .busy: throw DurableFileError.busy(path: "run")
    case .cannotCreate: throw DurableFileError.cannotCreate(path: "run", errno: EACCES)
    case .ioFailure:
      throw DurableFileError.failed(operation: "write", path: "run", errno: ENOSPC)
    case .noMemory: MemoryPool.outOfMemory.withLock { $0 }("out of memory")
    case .unknown: throw CocoaError(.coderInvalidValue)
    case .usage: throw ValidationError("--count does not fit.")
    }
  }
}
