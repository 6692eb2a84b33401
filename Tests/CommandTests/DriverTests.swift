// What drives the searches of `make fuzz`, `make fault-test` and `make sanitize`: that they can
// fail.
import Foundation
import TestSupport
import Testing

@Suite("Drivers of the searches")
struct DriverTests {
  private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// Runs Python in which `load("fuzz")` is a driver as a module.
  private func python(_ program: String, in folder: TemporaryFolder? = nil) throws -> ShellOutcome {
    try shell(
      """
      python3 - <<'END'
      import importlib.util, sys
      sys.dont_write_bytecode = True
      sys.path.insert(0, "\(Self.tests)")
      def load(name):
          spec = importlib.util.spec_from_file_location("driver", f"\(Self.tests)/{name}.py")
          module = importlib.util.module_from_spec(spec)
          spec.loader.exec_module(module)
          return module
      \(program)
      END
      """, in: folder)
  }

  /// A run of all targets that has hardly done anything has proved nothing.
  @Test(arguments: [
    (60, "", 499_999, Int32(1)), (60, "", 500_000, 0), (90, "", 1, 1), (59, "", 1, 0),
    (60, "one", 1, 0),
  ])
  func aFuzzerThatDidNothingFails(
    seconds: Int, targets: String, executions: Int, status: Int32
  ) throws {
    let folder = try TemporaryFolder()
    let outcome = try shell(
      """
      cat > fuzz <<'END'
      #!/bin/sh
      [ -n "$FUZZ_TARGET" ] || { echo one; echo two; exit; }
      echo "stat::number_of_executed_units: \(executions)"
      END
      chmod +x fuzz; python3 \(Self.tests)/fuzz.py fuzz \(seconds) \(targets)
      """, in: folder)
    #expect(outcome.status == status, "\(outcome)")
    #expect(outcome.errors.contains("at least 1000000 are expected") == (status == 1))
    #expect(outcome.output.contains(#""findings": 0"#), "\(outcome)")
  }

  /// The same of the faults: without options there are thousands of points.
  @Test func faultsThatWereNotMetFail() throws {
    let folder = try TemporaryFolder()
    let outcome = try python(
      """
      import os
      driver = load("fault-test")
      driver.COMMANDS, driver.prepare = [], lambda options: os.makedirs(f"{options.work}/world/in")
      for words in [], ["--seconds", "9"], ["--max-points", "9"], ["--tried", "0"], \
        ["--commands", "x"]:
          sys.argv = ["fault-test", ".", "--jobs", "1", *words]
          try: driver.main()
          except SystemExit as end: print(end.code, file=sys.stderr)
      """, in: folder)
    let lines = outcome.errors.split(separator: "\n").filter { !$0.contains("points of") }
    #expect(
      lines == [
        "fault-test: 0 points, at least 1000 are expected of a run of everything", "1", "1", "1",
        "1", "1",
      ], "\(outcome)")
  }

  /// A command that strace has left stopped goes on; one that hangs is described, with all below
  /// it, and ended.
  @Test func whatHangsIsDescribed() throws {
    let outcome = try python(
      """
      import subprocess
      from faults import processes
      processes.PATIENCE = 0.1
      start = lambda script: subprocess.Popen(["sh", "-c", script])
      print(processes.wait(start("sh -c 'kill -STOP $$; exit 3' & wait $!")))
      code, hung, woken = processes.wait(start("sleep 765 & sleep 987"), 1)
      print(code, woken, hung.count("State S (sleeping)"), hung.count("Name sleep"))
      tracing = {"State": "t (tracing stop)"}
      for states in ([tracing, tracing], [tracing, {"State": "R (running)"}], []):
          processes.threads = lambda process: [(1, {"State": "S (sleeping)"})] + [
            (2, state) for state in states]
          print(processes.is_held(1))
      """)
    #expect(outcome.output == "(3, '', 1)\nhangs 0 3 2\nTrue\nFalse\nFalse\n", "\(outcome)")
  }

  /// Of AddressSanitizer's reports those alone are expected that libhdf5 is the cause of.
  @Test func reportsOfTheLibraryAreThoseThatItMakes() throws {
    let outcome = try python(
      """
      driver = load("sanitize")
      hdf5 = "(/lib/x86_64-linux-gnu/libhdf5_serial.so.103+0x1d2b) (BuildId: 0a1b)"
      ours = "/work/Sources/Shards/HDF5/HDF5InputFile.swift:30:5"
      def report(*frames):
          lines = ["=" * 65, "==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x7"]
          return "\\n".join(lines + [
            f"    #{i} 0x55d0 {frame}" for i, frame in enumerate(frames)]) + "\\n"
      cold = report("in memcpy.cold.1 /llvm/memintrinsics.inc:1:5", f"in H5HG_read {hdf5}")
      overlap = report("in __asan_memcpy (/build/shard-info+0x1)", f"in H5VM_memcpyvv {hdf5}",
        f"in $s6Shards {ours}")
      own = report(f"in $s6Shards4readyyF {ours}", f"in H5D__read {hdf5}", f"in H5Dread {hdf5}")
      copied = report("in __asan_memmove (/build/shard-info+0x1)",
        f"in jpeg_fill /work/Sources/jpeg.c:3:4", f"in H5Z {hdf5}")
      nameless = report(f"{hdf5}", f"in main {ours}")
      print([driver.is_in_library(one) for one in (overlap, own, copied, nameless, cold)])
      undefined = "/work/Sources/masks.c:3:4: runtime error: signed integer overflow\\n"
      run = "Test run with 12 tests in 3 suites passed after 1 second."
      for log, kept, status in [(run, [], 0), (run, [overlap], 0), (run, [own], 0),
        (run, [undefined + overlap], 0),
                                ("", [], 0), ("Test run with 0 tests passed", [], 0), (run, [], 1)]:
          found = driver.verdict(log, kept, status)
          print(found["tests"], found["failures"], found["reports"], found["reports_of_libhdf5"])
      """)
    #expect(
      outcome.output == """
        [True, False, False, True, True]
        12 0 0 0
        12 0 0 1
        12 0 1 0
        12 0 1 1
        0 1 0 0
        0 1 0 0
        12 1 0 0

        """, "\(outcome)")
  }

  @Test func partsOfTheSanitizersAreNamed() throws {
    for (words, named) in [
      ("--part training", "trainings"), ("kernels --part trainings", "no part"),
      ("memory", "kernels, address, thread"),
    ] {
      let outcome = try shell("python3 \(Self.tests)/sanitize.py \(words)")
      #expect(outcome.status == 2 && outcome.errors.contains(named), "\(outcome)")
    }
  }
}
