// What every command arranges with the system before it starts.

import Glibc

enum ProcessSetup {
  /// Makes writing past a limit or to a closed pipe an error code instead of a sudden death, and
  /// the first three descriptors safe from being reused by a file of ours.
  static func prepare() {
    signal(SIGXFSZ, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)  // a reader of our log that dies must not end a training run
    // A parent that blocked the signals must not make us deaf: the mask is inherited.
    var interruptions = sigset_t()
    sigemptyset(&interruptions)
    for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&interruptions, number) }
    pthread_sigmask(SIG_UNBLOCK, &interruptions, nil)
    for (descriptor, mode) in [(0, O_WRONLY), (1, O_RDONLY), (2, O_RDWR)]
    where fcntl(Int32(descriptor), F_GETFD) < 0 {
      // The lowest free number is taken; the wrong mode keeps reads and writes failing.
      _ = open("/dev/null", mode)
    }
  }

  /// Ends the process without exit handlers: those of a library whose file failed may crash.
  static func leave(_ code: SuiteExitCode) -> Never {
    fflush(nil)
    _exit(code.rawValue)
  }
}
