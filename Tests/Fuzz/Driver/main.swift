// One parser under libFuzzer: FUZZ_TARGET names it, the arguments are libFuzzer's.

import Foundation
import FuzzTargets

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

private let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
if name.isEmpty {
  for target in FuzzTarget.all { print(target.name) }
  exit(0)
}
guard let found = FuzzTarget.all.first(where: { $0.name == name }) else {
  print("no target \"\(name)\"")
  exit(64)
}
nonisolated(unsafe) private let target = found
nonisolated(unsafe) private let scratch = try ScratchFolder()

private var count = CommandLine.argc
private var arguments = CommandLine.unsafeArgv
exit(
  runDriver(&count, &arguments) { bytes, count in
    do {
      try target.read(Array(UnsafeBufferPointer(start: bytes, count: count)), scratch)
    } catch {
      _ = "\(error)"  // messages are made of what was read
    }
    return 0
  })
