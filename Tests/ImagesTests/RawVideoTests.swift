import Images
import Testing

@Suite struct RawVideoTests {
  @Test func framesFollowTheirHeader() throws {
    let red = RGBImage(width: 2, height: 1, filledWith: RGBColor(red: 255, green: 0, blue: 0))
    let video = RawVideo.encoded(
      [red, .init(width: 2, height: 1, filledWith: .white)], framesPerSecond: 15)
    let header = Array("YUV4MPEG2 W2 H1 F15:1 Ip A1:1 C444 XCOLORRANGE=LIMITED\n".utf8)
    let frame = Array("FRAME\n".utf8)
    #expect(
      video == header + frame + [82, 82, 90, 90, 240, 240] + frame + [235, 235, 128, 128, 128, 128])
  }
}
