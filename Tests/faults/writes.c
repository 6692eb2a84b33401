// For LD_PRELOAD: what strace cannot do to write number FAULT_AT to a file below FAULT_ROOT (0: to every one). With
// FAULT_SIGNAL the process gets that signal, as from outside; else only half of the bytes are written, as the system may
// do at any time. FAULT_MARK exists when it has happened. stderr does not count.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t taken(int file, size_t count) {
  static int number;
  const char *at = getenv("FAULT_AT"), *root = getenv("FAULT_ROOT"), *mark = getenv("FAULT_MARK");
  const char *number_of_signal = getenv("FAULT_SIGNAL");
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (!at || !root || !mark || length < 0 || file == 2) return count;
  path[length] = 0;
  if (strncmp(path, root, strlen(root))) return count;
  int wanted = atoi(at);
  if (wanted && __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED) != wanted) return count;
  if (!number_of_signal && count < 2) return count;
  close(open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (!number_of_signal) return count / 2;
  kill(getpid(), atoi(number_of_signal));
  usleep(30000);  // the thread that waits for signals takes it
  return count;
}

ssize_t write(int file, const void *bytes, size_t count) {
  ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
  return next(file, bytes, taken(file, count));
}

#define PWRITE(name) \
  ssize_t name(int file, const void *bytes, size_t count, off_t offset) { \
    ssize_t (*next)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, #name); \
    return next(file, bytes, taken(file, count), offset); \
  }
PWRITE(pwrite)
PWRITE(pwrite64)
