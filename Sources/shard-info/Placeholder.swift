// placeholder
@main struct Placeholder { static func main() {} }
