// Opening of files that must lie in a folder: by Linux' openat2, which has no wrapper in the C library, or elsewhere
// component by component.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// Opens the file at `path`, relative to the open folder `folder`, read-only and without waiting for
// pipes. Fails with EXDEV, ELOOP or ENOENT for every path that leaves the folder: absolute ones,
// `..` above it, and symbolic links that point outside (without openat2, that is before Linux 5.6 and on other systems:
// all links). Returns a descriptor, or -1 with `errno`.
int beneath_open(int folder, const char *path);

// The same where there is no openat2: each component by itself, none of them a link and none `..`.
int beneath_open_by_components(int folder, const char *path);

#ifdef __cplusplus
}
#endif
