// Opening below a folder where there is no openat2: the way of older kernels and other systems.

import CBeneath
import Foundation
import Platform
import TestSupport
import Testing

/// A file in `inside` and beside it, and links of every kind.
private func folder() throws -> TemporaryFolder {
  let folder = try TemporaryFolder()
  try FileManager.default.createDirectory(
    atPath: folder("inside/deep"), withIntermediateDirectories: true)
  for name in ["secret", "inside/a", "inside/deep/b"] {
    try Data(name.utf8).write(to: URL(filePath: folder(name)))
  }
  for (name, target) in [
    ("leak", "../secret"), ("absolute", folder("secret")), ("up", ".."), ("within", "deep/b"),
    ("nothing", "none"), ("loop", "loop"),
  ] {
    try FileManager.default.createSymbolicLink(
      atPath: folder("inside/\(name)"), withDestinationPath: target)
  }
  #expect(mkfifo(folder("inside/pipe"), 0o600) == 0)
  return folder
}

/// What a way of opening finds: the first bytes, or why not.
private func found(
  _ name: String, in path: String, by way: (Int32, UnsafePointer<CChar>?) -> Int32
) -> (text: String, code: Int32) {
  let root = open(path, O_RDONLY | O_DIRECTORY)
  defer { close(root) }
  errno = 0
  let descriptor = way(root, name)
  guard descriptor >= 0 else { return ("", errno) }
  defer { close(descriptor) }
  var bytes = [UInt8](repeating: 0, count: 64)
  let count = read(descriptor, &bytes, bytes.count)
  return (String(decoding: bytes[..<max(count, 0)], as: UTF8.self), 0)
}

@Test(arguments: ["a", "deep/b", "./a", "deep//b", "./deep/./b", "pipe", "deep", "deep/"])
func bothWaysOpenWhatIsInTheFolder(name: String) throws {
  let folder = try folder()
  let byComponents = found(name, in: folder("inside"), by: beneath_open_by_components)
  #expect(byComponents.code == 0)
  #expect(byComponents == found(name, in: folder("inside"), by: beneath_open))
  if name.hasSuffix("a") { #expect(byComponents.text == "inside/a") }
}

@Test(arguments: ["/", "/etc/passwd", "/\u{301}etc", "../secret", "..", "deep/../../secret"])
func noNameLeadsOut(name: String) throws {
  let folder = try folder()
  #expect(found(name, in: folder("inside"), by: beneath_open_by_components).code == EXDEV)
  #expect(found(name, in: folder("inside"), by: beneath_open).code == EXDEV)
}

@Test(arguments: ["leak", "absolute", "up/secret", "up/inside/a", "within", "nothing", "loop/a"])
func noLinkIsFollowedComponentByComponent(name: String) throws {
  let folder = try folder()
  #expect(found(name, in: folder("inside"), by: beneath_open_by_components).code == ELOOP)
}

@Test(arguments: [
  ("none", ENOENT), ("none/a", ENOENT), ("a/b", ENOTDIR), ("a/", ENOTDIR), ("", ENOENT),
  (String(repeating: "x", count: 300), ENAMETOOLONG),
])
func bothWaysFailAlike(name: String, code: Int32) throws {
  let folder = try folder()
  #expect(found(name, in: folder("inside"), by: beneath_open_by_components).code == code)
  #expect(found(name, in: folder("inside"), by: beneath_open).code == code)
}

@Test func openingByComponentsLeavesNoDescriptorOpen() throws {
  let folder = try folder()
  for name in ["deep/b", "deep/none", "deep/..", "up/secret", "a/b"] {
    _ = found(name, in: folder("inside"), by: beneath_open_by_components)
  }
  let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
  }
  #expect(!open.contains { $0.hasPrefix(folder.path) })
}
