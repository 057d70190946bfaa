//===- Replay.cpp - The inputs of a folder through a target ---------------===//
//
// Instead of libFuzzer: for the tests, with every compiler.
//
//===----------------------------------------------------------------------===//
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern "C" __attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

int main(int argc, char **argv) {
  if (LLVMFuzzerInitialize && LLVMFuzzerInitialize(&argc, &argv))
    return 1;
  int count = 0;
  for (int i = 1; i < argc; ++i)
    for (const auto &entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file())
        continue;
      std::cerr << entry.path().filename().string() << "\n"; // what it dies of is the last one
      std::ifstream file(entry.path(), std::ios::binary);
      std::string input((std::istreambuf_iterator<char>(file)), {});
      LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t *>(input.data()), input.size());
      ++count;
    }
  std::cerr << count << " inputs\n";
  return count == 0;
}
