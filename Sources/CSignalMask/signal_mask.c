// Blocks the signals that a thread of their own waits for (Interruption.swift) before any library makes a thread: a thread
// has the mask of the one that made it, and OpenBLAS makes its threads while it is loaded, long before main().
// On systems other than Linux main() is early enough.
#ifdef __linux__
#include <signal.h>
#include <unistd.h>
#include <sys/syscall.h>

// A plain system call without instrumentation: sanitizers are not ready yet.
__attribute__((disable_sanitizer_instrumentation)) static void block_signals(void) {
  unsigned long signals = 1ul << (SIGINT - 1) | 1ul << (SIGTERM - 1) | 1ul << (SIGHUP - 1) | 1ul << (SIGUSR1 - 1);
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, &signals, 0, sizeof signals);
}

__attribute__((section(".preinit_array"), used)) static void (*const first_of_all)(void) = block_signals;
#endif
