// Serves one instance from many threads at once and checks every answer, in C++. The model is
// linked to the program; its header declares typed functions.
//
//   tl-compile two_x_plus_y.pt --input-type=3xf32 --input-type=3xf32 -o two_x_plus_y.a
//   c++ -I. -Iruntime/include examples/cpp/serve.cpp two_x_plus_y.a -lm -lpthread -ldl -o serve
#include "two_x_plus_y.h"

#include <atomic>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

struct Destroy {
  void operator()(tl_instance *instance) const { tl_instance_destroy(instance); }
};

int main() {
  tl_error error;
  tl_instance *raw;
  if (tl_instance_create(two_x_plus_y_model(), nullptr, &raw, &error)) {
    std::fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  std::unique_ptr<tl_instance, Destroy> instance(raw);

  constexpr int numThreads = 8, numCalls = 20000;
  std::atomic<int> wrong{0}, failed{0};
  auto serve = [&](int id) {
    float x[3], y[3], z[3];
    int64_t shape[] = {3}, wrongShape[] = {2};
    DLTensor tx = tl_dltensor(x, TL_F32, 1, shape), ty = tl_dltensor(y, TL_F32, 1, shape),
             tz = tl_dltensor(z, TL_F32, 1, shape), bad = tl_dltensor(x, TL_F32, 1, wrongShape);
    tl_value result = tl_tensor(&tz);
    for (int call = 0; call < numCalls; ++call) {
      for (int i = 0; i < 3; ++i) {
        x[i] = static_cast<float>(id * 1000 + call % 977 + i);
        y[i] = static_cast<float>(call % 31 - i);
      }
      tl_error mine;
      if (two_x_plus_y_forward(instance.get(), &tx, &ty, &result, &mine))
        ++failed;
      for (int i = 0; i < 3; ++i)
        wrong += z[i] != 2 * x[i] + y[i];
      // A wrong request in between disturbs nobody.
      if (call % 100 == 0 &&
          two_x_plus_y_forward(instance.get(), &bad, &ty, nullptr, &mine) != TL_INVALID_ARGUMENT)
        ++failed;
    }
  };
  std::vector<std::thread> threads;
  for (int id = 0; id < numThreads; ++id)
    threads.emplace_back(serve, id);
  for (std::thread &thread : threads)
    thread.join();
  std::printf("%d calls on %d threads: %d failed, %d wrong values\n", numThreads * numCalls,
              numThreads, failed.load(), wrong.load());
  return failed || wrong;
}
