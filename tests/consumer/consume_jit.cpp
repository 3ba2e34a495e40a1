// Compiles the pattern file that the command line names, and prints how long sequences run.
#include <iostream>
#include <runtime/core/version.h>
#include <runtime/jit/compile.h>

int main(int argc, char **argv) {
  try {
    const linmu::Kernel kernel = linmu::compileFile(argc == 2 ? argv[1] : "");
    std::cout << linmu::version() << ' ' << kernel.algorithm(4096) << '\n';
  } catch (const linmu::Error &error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
