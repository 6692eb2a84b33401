import ArgumentParser

/// The seed of everything random.
package struct SeedOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Seed of every random choice; the same seed gives the same bytes.", valueName: "number"))
  package var seed: UInt64 = 0

  package init() {}
}
