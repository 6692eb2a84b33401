// bench: the speed of training, sampling, kernels and shards.
import ArgumentParser
import CommandSupport
import ModelCommands
import TensorCore

@main
struct Bench: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures speed and memory.",
    discussion: "Prints one JSON object per line for each workload.",
    version: SuiteVersion.ofModelCommand)

  @Argument(
    help: ArgumentHelp(
      "Workloads to run, or beginnings of their names; all if left out.", valueName: "name"))
  var names: [String] = []

  @Flag(help: "Print the workloads and what they do, and run none.")
  var list = false

  @Option(
    help: ArgumentHelp(
      "Seconds for each workload, warm-up apart; three repetitions at least.", valueName: "s"))
  var seconds = 10.0

  @Option(
    help: """
      Matrix products of the GPT's linear layers, and what a VQGAN keeps for the backward pass, in \
      float32 or bf16; or sampling with int8 weights.
      """)
  var precision = Precision.float32

  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup(title: "Runtime") var profiling: ProfileOption

  func validate() throws {
    guard seconds > 0, seconds.isFinite else {
      throw ValidationError("--seconds must be positive, got \(seconds).")
    }
    if precision == .int8, names.isEmpty || names.contains(where: { !$0.contains("sample") }) {
      throw ValidationError("--precision int8 is for sampling: name workloads of sampling.")
    }
    for name in names where !Workload.all.contains(where: { $0.name.hasPrefix(name) }) {
      throw ValidationError("No workload is called \(name); see bench --list.")
    }
  }

  func execute() throws {
    let chosen = Workload.all.filter { workload in
      names.isEmpty || names.contains { workload.name.hasPrefix($0) }
    }
    guard !list else {
      for workload in chosen {
        try ResultWriter(json: false).write(
          ["name": workload.name], text: "\(workload.name): \(workload.summary)")
      }
      return
    }
    let console = runtime.console
    let general = profiling.watch(try runtime.startComputing(precision: precision))
    let firstStage = profiling.watch(.bf16Activations)
    if let load = MachineLoad.lastMinute, load > MachineLoad.quiet {
      console.warn(
        "the load of the last minute is \(load); other work on this machine spoils the metrics")
    }
    Interruption.install()
    let isHeld = chosen.contains { $0.operations != nil || $0.bytes != nil }
    let ceilings = isHeld ? Ceilings(of: general.device) : nil
    for workload in chosen {
      console.note("\(workload.name) …")
      let (device, profile) =
        workload.keepsBF16 && precision == .bfloat16 ? firstStage : general
      let measurement = try Measurement(
        workload, seconds: seconds, on: device, ceilings: ceilings
      ) {
        profile?.reset()
      }
      try ResultWriter(json: true).write(measurement, text: "")
      if let profile { console.line(profile.table) }
      try Interruption.throwIfRequested()
    }
  }
}
