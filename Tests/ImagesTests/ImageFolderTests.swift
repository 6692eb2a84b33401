// Names that somebody else gives for the images of a folder.

import Foundation
import Images
import TestSupport
import Testing

/// A folder `inside` with images and links, beside an image that no name may reach.
private func folder() throws -> TemporaryFolder {
  let folder = try TemporaryFolder()
  let image = try Fixture.bytes("rgb-8.png")
  let files = FileManager.default
  try files.createDirectory(atPath: folder("inside/deep"), withIntermediateDirectories: true)
  for name in ["secret.png", "inside/a.png", "inside/deep/b.png"] {
    _ = try folder.file(name, image)
  }
  try files.createSymbolicLink(
    atPath: folder("inside/leak.png"), withDestinationPath: "../secret.png")
  try files.createSymbolicLink(
    atPath: folder("inside/absolute.png"), withDestinationPath: folder("secret.png"))
  try files.createSymbolicLink(atPath: folder("inside/up"), withDestinationPath: "..")
  try files.createSymbolicLink(atPath: folder("link"), withDestinationPath: "inside")
  return folder
}

@Test func namesInTheFolderAreRead() throws {
  let folder = try folder()
  // The folder itself may be a link.
  for root in ["inside", "link"] {
    let images = try ImageFolder(folder(root))
    for name in ["a.png", "deep/b.png", "./a.png"] {
      #expect(try images.bytes(of: name) == Fixture.bytes("rgb-8.png"), "\(root)/\(name)")
      #expect(images.fileSize(of: name) == (try Fixture.bytes("rgb-8.png")).count)
    }
  }
}

@Test(arguments: [
  "../secret.png", "deep/../../secret.png", "..", "", "/etc/passwd", "leak.png", "absolute.png",
  "up/secret.png", "a.png\0.jpg", "deep/../../inside/a.png",
])
func namesThatLeadOutAreRefused(name: String) throws {
  let folder = try folder()
  let images = try ImageFolder(folder("inside"))
  let error = #expect(throws: ImageError.self) { try images.bytes(of: name) }
  switch error {
  case .outsideFolder(folder("inside"), name): break
  case .linkLeadsOut("\(folder("inside"))/\(name)", folder("inside")): break
  // Before Linux 5.6 links in the folder are refused as such.
  case .unreadable(_, "open", ELOOP) where name.contains("up/") || name.contains(".png"): break
  default: Issue.record("\(name): \(String(describing: error))")
  }
  #expect(images.fileSize(of: name) == nil)
}

@Test func absolutePathsOfTheFolderItselfAreRefusedToo() throws {
  let folder = try folder()
  let images = try ImageFolder(folder("inside"))
  #expect(throws: ImageError.self) { try images.bytes(of: folder("inside/a.png")) }
}

@Test func otherNamesAreMissingOrNoImages() throws {
  let folder = try folder()
  let images = try ImageFolder(folder("inside"))
  for name in ["C:\\x.png", "%2e%2e/secret.png", "none.png", "a.png/b", "line\nbreak.png"] {
    #expect(throws: ImageError.missing(path: "\(folder("inside"))/\(name)")) {
      try images.bytes(of: name)
    }
  }
  #expect(throws: ImageError.self) { try images.bytes(of: String(repeating: "x", count: 300)) }
  #expect(throws: ImageError.self) { try images.bytes(of: String(repeating: "x/", count: 3000)) }
  #expect(throws: ImageError.self) { try images.bytes(of: "deep") }
  #expect(throws: ImageError.missing(path: folder("nowhere"))) {
    try ImageFolder(folder("nowhere"))
  }
}

@Test func linksAreFollowedWhenAskedFor() throws {
  let folder = try folder()
  let images = try ImageFolder(folder("inside"), followsLinks: true)
  #expect(try images.bytes(of: "leak.png") == Fixture.bytes("rgb-8.png"))
  #expect(try images.bytes(of: "up/secret.png") == Fixture.bytes("rgb-8.png"))
  #expect(throws: ImageError.self) { try images.bytes(of: "../secret.png") }
}
