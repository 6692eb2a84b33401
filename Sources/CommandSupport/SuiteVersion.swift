// The version of the programs.

/// One version for all commands: shown by `--version`, kept in shards and run folders.
package enum SuiteVersion {
  package static let current = "0.1.0"
}
