// Opens the package that the command line names, and prints its inputs.
#include <iostream>
#include <runtime/core/error.h>
#include <runtime/core/kernel.h>
#include <runtime/core/package_file.h>

int main(int argc, char **argv) {
  try {
    const std::string path = argc == 2 ? argv[1] : "";
    const linmu::Kernel kernel = linmu::Kernel::open(linmu::deserialize(linmu::readPackageFile(path), path));
    for (const linmu::OperandSpec &input : kernel.signature().inputs)
      std::cout << input.name << ' ' << linmu::name(input.dtype) << '\n';
  } catch (const linmu::Error &error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
