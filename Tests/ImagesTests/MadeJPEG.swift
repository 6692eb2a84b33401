// JPEGs of every form, made by libjpeg.

import CJPEG
import Foundation
import Images

/// A form of JPEG.
struct JPEGForm: CustomStringConvertible {
  /// Columns and rows of samples of each component in a block of pixels; one of them for grey,
  /// three for colour, four for YCCK.
  var sampling: [(Int32, Int32)]
  var isProgressive = false
  var isArithmetic = false
  /// Whether each component has a scan of its own.
  var hasSeparateScans = false
  /// Blocks between restart markers; 0 for none.
  var restart: UInt32 = 0

  static let samplings: [[(Int32, Int32)]] = [
    [(1, 1)], [(2, 2)], [(1, 1), (1, 1), (1, 1)], [(2, 1), (1, 1), (1, 1)],
    [(2, 2), (1, 1), (1, 1)], [(1, 2), (1, 1), (1, 1)], [(4, 1), (1, 1), (1, 1)],
    [(4, 2), (1, 1), (1, 1)], [(2, 2), (2, 1), (2, 1)], [(2, 2), (1, 2), (1, 2)],
    [(2, 2), (2, 2), (1, 1)], [(1, 1), (2, 2), (2, 2)], [(3, 1), (1, 1), (1, 1)],
    [(1, 4), (1, 1), (1, 1)], [(1, 1), (1, 1), (1, 1), (1, 1)], [(2, 2), (1, 1), (1, 1), (2, 2)],
  ]

  /// One of all forms.
  static func random(using random: inout some RandomNumberGenerator) -> JPEGForm {
    JPEGForm(
      sampling: samplings.randomElement(using: &random) ?? [(1, 1)],
      isProgressive: .random(using: &random),
      isArithmetic: Int.random(in: 0..<4, using: &random) == 0,
      hasSeparateScans: Int.random(in: 0..<4, using: &random) == 0,
      restart: Bool.random(using: &random) ? .random(in: 1..<8, using: &random) : 0)
  }

  var description: String {
    "\(sampling.map { "\($0.0)x\($0.1)" }.joined(separator: ","))"
      + (isProgressive ? " progressive" : "") + (isArithmetic ? " arithmetic" : "")
      + (hasSeparateScans ? " separate" : "") + (restart > 0 ? " restart \(restart)" : "")
  }

  /// An image of edges and noise in this form.
  func file(
    width: Int, height: Int, using random: inout some RandomNumberGenerator
  ) -> [UInt8] {
    let channels = sampling.count
    let rows = (0..<height).map { y in
      (0..<width * channels).map { x in
        let edge = (x / 13 + y / 11) % 2 * 100
        return UInt8(truncatingIfNeeded: x * 3 + y * 5 + edge + Int(random.next() % 60))
      }
    }
    return file(of: rows, quality: .random(in: 60..<95, using: &random))
  }

  func file(of image: RGBImage) -> [UInt8] {
    let rows = (0..<image.height).map { y in
      Array(image.pixels[y * image.width * 3..<(y + 1) * image.width * 3])
    }
    return file(of: rows, quality: 90)
  }

  /// - Parameter rows: of samples, one for each component and pixel.
  private func file(of rows: [[UInt8]], quality: Int32) -> [UInt8] {
    let compress = UnsafeMutablePointer<jpeg_compress_struct>.allocate(capacity: 1)
    let errors = UnsafeMutablePointer<jpeg_error_mgr>.allocate(capacity: 1)
    let bytes = UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>.allocate(capacity: 1)
    let count = UnsafeMutablePointer<UInt>.allocate(capacity: 1)
    let scans = UnsafeMutablePointer<jpeg_scan_info>.allocate(capacity: sampling.count)
    (bytes.pointee, count.pointee) = (nil, 0)
    compress.pointee.err = jpeg_std_error(errors)
    jpeg_CreateCompress(compress, JPEG_LIB_VERSION, MemoryLayout<jpeg_compress_struct>.size)
    jpeg_mem_dest(compress, bytes, count)
    defer {
      jpeg_destroy_compress(compress)
      free(bytes.pointee)
      compress.deallocate()
      errors.deallocate()
      bytes.deallocate()
      count.deallocate()
      scans.deallocate()
    }
    let channels = sampling.count
    compress.pointee.image_width = JDIMENSION(rows[0].count / channels)
    compress.pointee.image_height = JDIMENSION(rows.count)
    compress.pointee.input_components = Int32(channels)
    compress.pointee.in_color_space =
      channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK
    jpeg_set_defaults(compress)
    if channels == 4 { jpeg_set_colorspace(compress, JCS_YCCK) }
    jpeg_set_quality(compress, quality, 1)
    for (component, size) in sampling.enumerated() {
      compress.pointee.comp_info[component].h_samp_factor = size.0
      compress.pointee.comp_info[component].v_samp_factor = size.1
      var scan = jpeg_scan_info()
      scan.comps_in_scan = 1
      scan.component_index.0 = Int32(component)
      scan.Se = 63
      scans[component] = scan
    }
    if hasSeparateScans {
      compress.pointee.scan_info = UnsafePointer(scans)
      compress.pointee.num_scans = Int32(channels)
    }
    if isProgressive { jpeg_simple_progression(compress) }
    compress.pointee.arith_code = isArithmetic ? 1 : 0
    compress.pointee.restart_interval = restart
    jpeg_start_compress(compress, 1)
    for var row in rows {
      row.withUnsafeMutableBufferPointer { row in
        var pointer = row.baseAddress
        jpeg_write_scanlines(compress, &pointer, 1)
      }
    }
    jpeg_finish_compress(compress)
    return Array(UnsafeBufferPointer(start: bytes.pointee, count: Int(count.pointee)))
  }
}
