// Both sides of the look at a file: the process that starts it, and the process that looks.
#define _GNU_SOURCE
#include "shard_guard.h"
#include "look.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#endif
#if defined(__APPLE__)
#include <mach-o/dyld.h>
extern char **environ;
#endif

// The name under which the program is started to look at a file; no shell gives it by accident.
#define NAME "swift-vqgan: look at a shard"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

// The environment of the looking process: ours, with an allocator that aborts on what was written past the end of a
// block. NULL without memory.
static char **environment(void) {
  static const char *const added[] = {
#if defined(__APPLE__)
      "MallocCheckHeapStart=1000", "MallocCheckHeapEach=1000", "MallocCheckHeapAbort=1"};
#else
#ifndef SANITIZED
      "LD_PRELOAD=libc_malloc_debug.so.0",
#endif
      "GLIBC_TUNABLES=glibc.malloc.check=3"};
#endif
  size_t count = 0;
  while (environ[count]) count++;
  size_t more = sizeof added / sizeof *added;
  char **all = calloc(count + more + 1, sizeof *all);
  if (!all) return NULL;
  size_t used = 0;
  for (size_t i = 0; i < more; i++) all[used++] = (char *)added[i];
  for (size_t i = 0; i < count; i++) {
    int is_replaced = 0;
    for (size_t k = 0; k < more; k++) {
      is_replaced |= strncmp(environ[i], added[k], strchr(added[k], '=') - added[k] + 1) == 0;
    }
    if (!is_replaced) all[used++] = environ[i];
  }
  return all;
}

// The file of this program. NULL where the system does not tell.
static const char *program(void) {
#if defined(__APPLE__)
  static char path[4096];
  uint32_t room = sizeof path;
  return _NSGetExecutablePath(path, &room) == 0 ? path : NULL;
#else
  return "/proc/self/exe";
#endif
}

static int start(pid_t *child, const char *path, const char *seconds) {
  char *arguments[] = {NAME, (char *)path, (char *)seconds, NULL};
  const char *this_program = program();
  if (!this_program) return ENOENT;
  char **variables = environment();
  if (!variables) return ENOMEM;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t files;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_init(&attributes);
  // A Ctrl-C is for us: the group of its own keeps it from looking like a crash.
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawn_file_actions_init(&files);
  for (int descriptor = 0; descriptor <= 2; descriptor++) {
    posix_spawn_file_actions_addopen(&files, descriptor, "/dev/null", O_RDWR, 0);
  }
  int status = posix_spawn(child, this_program, &files, &attributes, arguments, variables);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  free(variables);
  return status;
}

int guard_look(const char *path, double processor_seconds) {
  char seconds[32];
  snprintf(seconds, sizeof seconds, "%.3f", processor_seconds);
  pid_t child;
  int status = start(&child, path, seconds);
  if (status != 0) {
    errno = status;
    return GUARD_NOT_RUN;
  }
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return GUARD_NOT_RUN;
  }
  if (WIFSIGNALED(status)) {
    int number = WTERMSIG(status);
    return number == SIGPROF || number == SIGXCPU ? GUARD_ENDLESS : GUARD_CRASHED;
  }
  if (WEXITSTATUS(status) == 0) return GUARD_PASSED;
  errno = ECHILD;
  return GUARD_NOT_RUN;
}

// Runs before `main` of every program that reads shards; does nothing unless `guard_look` started it.
__attribute__((constructor)) static void look_instead_of_main(int count, char **arguments) {
  if (count != 3 || strcmp(arguments[0], NAME) != 0) return;
#if defined(__linux__)
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_DUMPABLE, 0);  // no core files of files that are known to be bad
#else
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
#endif
  double seconds = atof(arguments[2]);
  struct itimerval limit = {.it_value = {.tv_sec = (time_t)seconds,
                                         .tv_usec = (suseconds_t)(1e6 * (seconds - (time_t)seconds))}};
  setitimer(ITIMER_PROF, &limit, NULL);
#ifndef SANITIZED
  struct rlimit memory = {(rlim_t)8 << 30, (rlim_t)8 << 30};
  setrlimit(RLIMIT_AS, &memory);
#endif
  look_at_file(arguments[1]);
  _exit(0);
}
