#define _GNU_SOURCE
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define READING (O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

// Every component by itself, none of them a link.
static int open_by_components(int folder, const char *path) {
  int current = folder;
  for (;;) {
    size_t length = strcspn(path, "/");
    char name[256];
    int is_last = path[length] == 0;
    if (length == 0 || length >= sizeof name) {
      errno = length == 0 ? EXDEV : ENAMETOOLONG;
      break;
    }
    memcpy(name, path, length);
    name[length] = 0;
    if (strcmp(name, "..") == 0) {
      errno = EXDEV;
      break;
    }
    int flags = is_last ? READING : O_PATH | O_DIRECTORY | O_CLOEXEC;
    int next = openat(current, name, flags | O_NOFOLLOW);
    int failure = errno;
    if (current != folder) close(current);
    if (next < 0 || is_last) {
      errno = failure;
      return next;
    }
    current = next;
    path += length + 1;
  }
  int failure = errno;
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
  return open_by_components(folder, path);
}
