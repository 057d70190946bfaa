/* Loads a compiled two_x_plus_y model and calls it, from C.
 *
 *   python3 examples/two_x_plus_y.py .
 *   tl-compile two_x_plus_y.pt --input-type=3xf32 --input-type=3xf32 -o two_x_plus_y.so
 *   cc -Iruntime/include examples/c/call.c libTorchLiteRuntime.a -lm -lpthread -ldl -o call
 *   ./call ./two_x_plus_y.so
 */
#include "TorchLite.h"

#include <stdio.h>

int main(int argc, char **argv) {
  const tl_model *model;
  tl_instance *instance;
  tl_error error;
  if (argc != 2) {
    fprintf(stderr, "usage: %s model.so\n", argv[0]);
    return 1;
  }
  if (tl_model_open(argv[1], &model, &error) ||
      tl_instance_create(model, NULL, &instance, &error)) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  for (size_t m = 0; m < tl_model_method_count(model); ++m) {
    const tl_method *method = tl_model_method(model, m);
    for (size_t v = 0; v < tl_method_variant_count(method); ++v) {
      char text[256];
      tl_method_format(method, v, text, sizeof text);
      printf("%s\n", text);
    }
  }

  float x[] = {1, 2, 3}, y[] = {10, 20, 30}, z[3];
  int64_t shape[] = {3};
  DLTensor tx = tl_dltensor(x, TL_F32, 1, shape), ty = tl_dltensor(y, TL_F32, 1, shape),
           tz = tl_dltensor(z, TL_F32, 1, shape);
  tl_value arguments[] = {tl_tensor(&tx), tl_tensor(&ty)};

  /* The result in memory of the library. */
  tl_value result = tl_none();
  int status = 1;
  if (tl_call(instance, "forward", arguments, 2, &result, &error)) {
    fprintf(stderr, "%s\n", error.message);
    goto done;
  }
  const float *values = result.as.tensor.tensor->data;
  printf("%g %g %g\n", values[0], values[1], values[2]);
  tl_value_clear(&result);

  /* The result in memory of ours: such a call allocates nothing. */
  result = tl_tensor(&tz);
  if (tl_call(instance, "forward", arguments, 2, &result, &error)) {
    fprintf(stderr, "%s\n", error.message);
    goto done;
  }
  printf("%g %g %g\n", z[0], z[1], z[2]);

  /* An error is a status with a message, and the instance works on. */
  if (tl_call(instance, "forward", arguments, 1, NULL, &error) == TL_OK)
    goto done;
  printf("%s\n", error.message);
  status = tl_call(instance, "forward", arguments, 2, &result, &error);
done:
  tl_instance_destroy(instance);
  tl_model_close(model);
  return status;
}
