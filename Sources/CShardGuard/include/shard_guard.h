// A look at an HDF5 file in a process of its own, because libhdf5 1.10 crashes or loops for ever on some damage.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// How the look at a file ended.
enum {
  GUARD_PASSED = 0,     // libhdf5 came through, whether or not it liked what it read
  GUARD_CRASHED = 1,    // it died
  GUARD_ENDLESS = 2,    // it was stopped at its limit of processor time
  GUARD_NOT_RUN = 3     // the process could not be started: errno
};

// Starts this program anew as a process that opens the file and reads all attributes, texts, columns and the first
// rows of everything else, then waits for its end. Safe with any number of threads.
int guard_look(const char *path, double processor_seconds);

#ifdef __cplusplus
}
#endif
