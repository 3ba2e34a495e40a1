// Writes a package for the stand-in for the driver: fake_cuda_package sum2|total OUT.lmk
#include "tests/unit/runtime_fixture.h"
#include <cstdio>
#include <fstream>

int main(int argc, char **argv) {
  using namespace linmu;
  if (argc != 3)
    return 2;
  std::vector<std::byte> bytes =
      serialize(argv[1] == std::string("sum2") ? test::cudaAddPackage() : test::cudaTotalPackage());
  std::ofstream file(argv[2], std::ios::binary);
  file.write(reinterpret_cast<const char *>(bytes.data()), std::streamsize(bytes.size()));
  return file ? 0 : 1;
}
