/* Prints the PTX of the runtime's own kernel. */
#include "Cuda.h"

#include <stdio.h>

int main(void) {
  fputs(tl_cuda_strided_ptx, stdout);
  return 0;
}
