// System calls that fail, by a library that is loaded before libc.

/// A library for `LD_PRELOAD`, made in a folder as `faults.so`.
///
/// The call named by `FAULT_CALL` fails with the number `FAULT_ERRNO`, or with `kill` is the end of
/// the process; with `stop` it stops the process and succeeds, a moment after the process goes on:
/// where its path, for `pread` that of the open file, holds `FAULT_PATH`, and no more
/// than `FAULT_TIMES` times, the first `FAULT_AFTER` calls not among them, if these are set.
package func makeFaults(in folder: TemporaryFolder) throws {
  let outcome = try shell(
    """
    cat > faults.c <<'END'
    \(source)
    END
    clang -shared -fPIC -O1 -o faults.so faults.c || cc -shared -fPIC -O1 -o faults.so faults.c
    """, in: folder)
  guard outcome.status == 0 else { throw CompilerError(message: outcome.errors) }
}

/// A shell function `stopped CALL PATH N COMMAND…` that starts a command with `faults.so`, as the
/// process `$pid` with its streams in `lines` and `errors`, and returns when its call number N+1 of
/// that kind, whose path holds PATH, has stopped it; ends the script with 90 if that never comes.
package let stoppedFunction = #"""
  stopped() {
    call=$1 path=$2 after=$3; shift 3
    # A shell has what it starts in the background ignore SIGQUIT.
    env --default-signal=QUIT LD_PRELOAD="$PWD/faults.so" FAULT_CALL="$call" \
      ${path:+FAULT_PATH="$path"} FAULT_AFTER="$after" FAULT_TIMES=1 FAULT_ERRNO=stop \
      "$@" > lines 2> errors & pid=$!
    until grep -q '^State:.T' /proc/$pid/status 2> /dev/null; do
      kill -0 $pid 2> /dev/null || { cat errors >&2; exit 90; }
      sleep 0.02
    done
  }
  # What is in a folder, to be compared.
  contents() {
    (cd "$1" && find . -type f -not -name .lock -not -path '*.tmp-*' | sort | xargs sha256sum)
  }

  """#

private struct CompilerError: Error { let message: String }

private let source = #"""
  #define _GNU_SOURCE
  #include <dlfcn.h>
  #include <errno.h>
  #include <fcntl.h>
  #include <pthread.h>
  #include <signal.h>
  #include <stdarg.h>
  #include <stdlib.h>
  #include <string.h>
  #include <sys/file.h>
  #include <unistd.h>
  #include <dirent.h>
  #include <stdio.h>

  static int strikes(const char *call, const char *path) {
    static int count;
    const char *wanted = getenv("FAULT_CALL"), *part = getenv("FAULT_PATH");
    const char *times = getenv("FAULT_TIMES"), *code = getenv("FAULT_ERRNO");
    if (!wanted || strcmp(wanted, call) || (part && (!path || !strstr(path, part)))) return 0;
    const char *after = getenv("FAULT_AFTER");
    int first = after ? atoi(after) : 0, number = __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
    if (number < first || number - first >= (times ? atoi(times) : 1 << 30)) return 0;
    if (!strcmp(code, "kill")) kill(getpid(), SIGKILL);
    if (!strcmp(code, "stop")) {
      kill(getpid(), SIGSTOP);
      usleep(300000);  // a signal that came meanwhile is known then
      return 0;
    }
    errno = atoi(code);
    return 1;
  }

  #define CALL(name, parameters, arguments, path) \
    int name parameters { \
      int (*next) parameters = dlsym(RTLD_NEXT, #name); \
      return strikes(#name, path) ? -1 : next arguments; \
    }
  CALL(symlink, (const char *to, const char *path), (to, path), path)
  CALL(unlink, (const char *path), (path), path)
  CALL(rmdir, (const char *path), (path), path)
  CALL(flock, (int file, int how), (file, how), 0)
  CALL(fsync, (int file), (file), 0)

  int pthread_create(
      pthread_t *thread, const pthread_attr_t *how, void *(*start)(void *), void *with) {
    int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
        dlsym(RTLD_NEXT, "pthread_create");
    return strikes("pthread_create", 0) ? errno : next(thread, how, start, with);
  }

  #define OPEN(name) \
    int name(const char *path, int flags, ...) { \
      va_list rest; \
      va_start(rest, flags); \
      int mode = flags & O_CREAT ? va_arg(rest, int) : 0; \
      va_end(rest); \
      int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, #name); \
      return strikes("open", path) ? -1 : next(path, flags, mode); \
    }
  OPEN(open)
  OPEN(open64)

  DIR *opendir(const char *path) {
    DIR *(*next)(const char *) = dlsym(RTLD_NEXT, "opendir");
    return strikes("opendir", path) ? 0 : next(path);
  }

  #define PREAD(name) \
    ssize_t name(int file, void *bytes, size_t count, off_t offset) { \
      char link[64], path[4096]; \
      snprintf(link, sizeof link, "/proc/self/fd/%d", file); \
      ssize_t length = readlink(link, path, sizeof path - 1); \
      path[length < 0 ? 0 : length] = 0; \
      ssize_t (*next)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, #name); \
      return strikes("pread", path) ? -1 : next(file, bytes, count, offset); \
    }
  PREAD(pread)
  PREAD(pread64)
  """#
