/* Opens the package that the command line names, and prints its pattern. */
#include <runtime/core/c_api.h>
#include <stdio.h>

int main(int argc, char **argv) {
  linmu_kernel *kernel;
  if (argc != 2 || linmu_kernel_open_file(argv[1], &kernel) != LINMU_OK) {
    fprintf(stderr, "%s\n", linmu_last_error());
    return 1;
  }
  printf("%s %s\n", linmu_version(), linmu_kernel_name(kernel));
  linmu_kernel_close(kernel);
  return 0;
}
