// Opening of files that must lie in a folder; openat2 has no wrapper in the C library.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// Opens the file at `path`, relative to the open folder `folder`, read-only and without waiting for
// pipes. Fails with EXDEV, ELOOP or ENOENT for every path that leaves the folder: absolute ones,
// `..` above it, and symbolic links that point outside (on systems before Linux 5.6: all links).
// Returns a descriptor, or -1 with `errno`.
int beneath_open(int folder, const char *path);

#ifdef __cplusplus
}
#endif
