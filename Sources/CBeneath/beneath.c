#define _GNU_SOURCE
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

#define READING (O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
#ifdef O_PATH
#define PASSING (O_PATH | O_DIRECTORY | O_CLOEXEC)
#else
#define PASSING (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#endif

int beneath_open_by_components(int folder, const char *path) {
  int current = folder, failure = 0;
  if (path[0] == '/') failure = EXDEV;
  if (path[0] == 0) failure = ENOENT;
  while (failure == 0) {
    size_t length = strcspn(path, "/");
    const char *rest = path + length + strspn(path + length, "/");
    int is_last = path[length] == 0;
    char name[256] = ".";  // behind a slash at the end
    if (length >= sizeof name) {
      failure = ENAMETOOLONG;
      break;
    }
    if (length > 0) memcpy(name, path, length), name[length] = 0;
    if (strcmp(name, "..") == 0) {
      failure = EXDEV;
      break;
    }
    int next = openat(current, name, (is_last ? READING : PASSING) | O_NOFOLLOW);
    failure = next < 0 ? errno : 0;
    // What a system calls a link that is no folder.
    if (failure == ENOTDIR || failure == EMLINK) {
      char target;
      if (readlinkat(current, name, &target, 1) >= 0) failure = ELOOP;
    }
    if (current != folder) close(current);
    if (failure == 0 && is_last) return next;
    current = folder;
    if (failure == 0) current = next, path = rest;
  }
  if (current != folder) close(current);
  errno = failure;
  return -1;
}

int beneath_open(int folder, const char *path) {
#ifdef SYS_openat2
  struct open_how how;
  memset(&how, 0, sizeof how);
  how.flags = READING;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    long descriptor = syscall(SYS_openat2, folder, path, &how, sizeof how);
    if (descriptor >= 0) return (int)descriptor;
    // EAGAIN: something was renamed meanwhile.
    if (errno == EINTR || errno == EAGAIN) continue;
    // ENOSYS: an older kernel; EPERM: a sandbox that does not know the call.
    if (errno != ENOSYS && errno != EPERM) return -1;
    break;
  }
#endif
  return beneath_open_by_components(folder, path);
}
