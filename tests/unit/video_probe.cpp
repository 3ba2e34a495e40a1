// video_probe FILE OUT: what a model sees of a video, for tests/python. OUT is text "width height frames\n",
// then the seconds of each frame as f64, then its pixels, RGB.
#include "models/media/video_reader.h"
#include "runtime/core/error.h"
#include <cstdio>
#include <fmt/format.h>
#include <fstream>

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  try {
    linmu::media::VideoReader reader(argv[1]);
    std::vector<std::uint8_t> rgb, all;
    std::vector<double> seconds;
    while (reader.next(rgb)) {
      seconds.push_back(reader.seconds());
      all.insert(all.end(), rgb.begin(), rgb.end());
    }
    std::ofstream out(argv[2], std::ios::binary);
    out << fmt::format("{} {} {}\n", reader.frameSize().width, reader.frameSize().height, seconds.size());
    out.write(reinterpret_cast<const char *>(seconds.data()),
              static_cast<std::streamsize>(seconds.size() * sizeof(double)));
    out.write(reinterpret_cast<const char *>(all.data()), static_cast<std::streamsize>(all.size()));
    return out.good() ? 0 : 1;
  } catch (const linmu::Error &error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
