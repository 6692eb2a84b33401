// What every command arranges with the system before it starts.

import Platform

enum ProcessSetup {
  /// Makes writing past a limit or to a closed pipe an error code instead of a sudden death, and
  /// the first three descriptors safe from being reused by a file of ours; lets a thread wait for
  /// the signals that stop a command.
  static func prepare() {
    signal(SIGXFSZ, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)  // a reader of our log that dies must not end a training run
    // The Swift runtime's backtrace would run and then go on; a user who sends it wants an end.
    if !isIgnored(SIGQUIT) { signal(SIGQUIT, SIG_DFL) }
    for (descriptor, mode) in [(0, O_WRONLY), (1, O_RDONLY), (2, O_RDWR)]
    where fcntl(Int32(descriptor), F_GETFD) < 0 {
      // The lowest free number is taken; the wrong mode keeps reads and writes failing.
      _ = open("/dev/null", mode)
    }
    let code = Interruption.startThread()
    if code != 0 {
      Console.standardError().line("no thread can be made (\(String(cString: strerror(code))))")
      leave(.noMemory)
    }
  }

  /// Ends the process without exit handlers: those of a library whose file failed may crash.
  static func leave(_ code: SuiteExitCode) -> Never {
    fflush(nil)
    _exit(code.rawValue)
  }
}
