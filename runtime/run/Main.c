/*===- Main.c - main() of compiled executables ----------------------------------===*/
#include "Run.h"

int main(int argc, char **argv) { return tl_run_main(tl_library_model(), argc, argv); }
