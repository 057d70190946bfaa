/* Which device an instance gets, which image of the code, and what is said where there is none.
   RUN: %cc -shared -fPIC -g -fsanitize=address %S/Inputs/fake_cuda.c -lm -o %t.so
   RUN: %cc -shared -fPIC -g -fsanitize=address -DFAKE_WITHOUT_LAUNCH %S/Inputs/fake_cuda.c -lm -o %t.broken.so
   RUN: %cc -fsanitize=address,undefined -fno-sanitize-recover=all %s %cuda_sources %runtime -o %t
   RUN: %t %t.so %t.broken.so
*/
#include "FakeDeviceModel.h"

static tl_error error;
static tl_instance *instance;

static tl_status open(const tl_model *model, int32_t device, int32_t id) {
  tl_options options = {.device = device, .device_id = id};
  memset(&error, 0, sizeof error);
  return tl_instance_create(model, &options, &instance, &error);
}

/* After whatever has failed, the CPU serves. */
static void testProcessor(void) {
  float data[] = {1, 2, 3, 4, 5, 6};
  int64_t shape[] = {2, 3};
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape);
  tl_value arguments[] = {tl_tensor(&x), tl_float(3)}, result = tl_none();
  for (int32_t device = TL_DEVICE_DEFAULT; device <= TL_DEVICE_CPU; ++device) {
    EXPECT(open(&device_model, device, 0) == TL_OK);
    EXPECT(tl_call(instance, "affine", arguments, 2, &result, &error) == TL_OK);
    EXPECT(((float *)result.as.items.data[0].as.tensor.tensor->data)[5] == 78);
    x.device.device_type = kDLCUDA;
    EXPECT_ERROR(TL_INVALID_ARGUMENT, tl_call(instance, "affine", arguments, 2, &result, &error),
                 "affine: argument 0 'x': expected a tensor in the processor's memory, got one on "
                 "cuda:0");
    x.device.device_type = kDLCPU;
    EXPECT_ERROR(TL_NO_DEVICE, tl_call(instance, "tick", NULL, 0, &result, &error),
                 "tick: not compiled for the CPU");
    tl_instance_destroy(instance);
  }
  tl_value_clear(&result);
}

/* No driver, or none that works. */
static void testDrivers(const char *broken) {
  setenv("TORCHLITE_LIBCUDA", "/nowhere/libcuda.so", 1);
  EXPECT_ERROR(
      TL_NO_DEVICE, open(&device_model, TL_DEVICE_CUDA, 0),
      "no NVIDIA driver: /nowhere/libcuda.so: cannot open shared object file: No such file or "
      "directory; install the driver (in a container, start it with the GPUs); without a GPU, "
      "run on the CPU (--device=cpu) what is compiled for it");
  testProcessor();
  setenv("TORCHLITE_LIBCUDA", broken, 1);
  EXPECT(open(&device_model, TL_DEVICE_CUDA, 0) == TL_NO_DEVICE);
  EXPECT(strstr(error.message, "the NVIDIA driver cannot be used: /"));
  EXPECT(strstr(error.message, " has no function cuLaunchKernel; install a driver for CUDA 11.0 or "
                               "newer; without a GPU, run on the CPU"));
  testProcessor();
}

static void testDevices(void) {
  setenv("FAKE_CUDA_VERSION", "10020", 1);
  EXPECT_ERROR(
      TL_NO_DEVICE, open(&device_model, TL_DEVICE_CUDA, 0),
      "the NVIDIA driver is too old: it supports CUDA 10.2, and 11.0 is needed; update the "
      "driver; without a GPU, run on the CPU (--device=cpu) what is compiled for it");
  unsetenv("FAKE_CUDA_VERSION");
  setenv("FAKE_CUDA_INIT", "100", 1);
  EXPECT_ERROR(TL_NO_DEVICE, open(&device_model, TL_DEVICE_CUDA, 0),
               "the NVIDIA driver finds no GPU that it can use: CUDA_ERROR_NO_DEVICE (as the name "
               "says); see nvidia-smi and CUDA_VISIBLE_DEVICES; without a GPU, run on the CPU "
               "(--device=cpu) what is compiled for it");
  testProcessor();
  setenv("FAKE_CUDA_INIT", "803", 1);
  EXPECT_ERROR(
      TL_NO_DEVICE, open(&device_model, TL_DEVICE_CUDA, 0),
      "the NVIDIA driver finds no GPU that it can use: error 803 of the CUDA driver; the "
      "driver's library and its kernel module are of different versions: restart the machine");
  unsetenv("FAKE_CUDA_INIT");
  setenv("FAKE_CUDA_DEVICES", "0", 1);
  EXPECT(open(&device_model, TL_DEVICE_CUDA, 0) == TL_NO_DEVICE);
  EXPECT(strstr(error.message, "finds no GPU that it can use: CUDA_ERROR_NO_DEVICE"));
  unsetenv("FAKE_CUDA_DEVICES");
  EXPECT_ERROR(TL_NO_DEVICE, open(&device_model, TL_DEVICE_CUDA, 7),
               "there is no cuda:7 here, only cuda:0 to cuda:1");
  EXPECT_ERROR(TL_NO_DEVICE, open(&device_model, TL_DEVICE_CUDA, -1),
               "there is no cuda:-1 here, only cuda:0 to cuda:1");
  EXPECT_ERROR(TL_NO_DEVICE, open(&device_model, TL_DEVICE_CPU, 1),
               "fake: there is no device cpu:1, only cpu");
  EXPECT_ERROR(TL_INVALID_ARGUMENT, open(&device_model, 9, 0), "fake: 9 is no kind of device");
  tl_options options = {.device = TL_DEVICE_CPU, .stream = &options};
  EXPECT_ERROR(TL_INVALID_ARGUMENT, tl_instance_create(&device_model, &options, &instance, &error),
               "fake: a stream is given, but cpu has none");
}

static void testTargets(void) {
  EXPECT_ERROR(
      TL_NO_DEVICE, open(&fake_model, TL_DEVICE_CUDA, 0),
      "fake: compiled for cpu, not for cuda; compile it with --target=cpu,cuda, or run it on "
      "cpu");
  EXPECT_ERROR(TL_NO_DEVICE, open(&device_model, TL_DEVICE_EMULATED, 0),
               "fake: compiled for cpu, cuda, not for emulated; compile it with "
               "--target=cpu,cuda,emulated, or run it on cpu, cuda");
  tl_method tick = device_methods[5];
  tl_model gpu_only = device_model;
  gpu_only.methods = &tick;
  gpu_only.method_count = 1;
  EXPECT_ERROR(
      TL_NO_DEVICE, open(&gpu_only, TL_DEVICE_CPU, 0),
      "fake: compiled for cuda, not for cpu; compile it with --target=cuda,cpu, or run it on "
      "cuda");
  tl_value result = tl_none();
  EXPECT(open(&gpu_only, TL_DEVICE_DEFAULT, 0) == TL_OK);
  EXPECT(tl_call(instance, "tick", NULL, 0, &result, &error) == TL_OK && result.as.i == 8);
  tl_instance_destroy(instance);
}

static void expectImage(const char *capability, const char *refused, const char *image) {
  setenv("FAKE_CUDA_CAPABILITY", capability, 1);
  setenv("FAKE_CUDA_REFUSE", refused, 1);
  tl_status status = open(&device_model, TL_DEVICE_CUDA, 1);
  if (status || strcmp(fakeCuda()->image, image) != 0) {
    fprintf(stderr, "%s: expected %s, got %s %s\n", capability, image, fakeCuda()->image,
            error.message);
    exit(1);
  }
  tl_instance_destroy(instance);
}

static void testImages(void) {
  expectImage("80", "", "cubin 80");
  expectImage("86", "", "cubin 86");
  expectImage("89", "", "cubin 86");
  expectImage("90", "", "cubin 90");
  expectImage("90", "cubin", "ptx 80");
  expectImage("120", "", "ptx 80");
  setenv("FAKE_CUDA_REFUSE", "", 1);
  setenv("FAKE_CUDA_CAPABILITY", "75", 1);
  EXPECT_ERROR(
      TL_INCOMPATIBLE, open(&device_model, TL_DEVICE_CUDA, 0),
      "cuda:0: Fake GPU 0 is too old a GPU: it has compute capability 7.5, and the model is "
      "compiled for sm_80 (PTX), sm_80, sm_90, sm_86; compile it with --cuda-arch=sm_75, or run "
      "on the CPU (--device=cpu) what is compiled for it");
  setenv("FAKE_CUDA_CAPABILITY", "61", 1);
  EXPECT_ERROR(
      TL_INCOMPATIBLE, open(&device_model, TL_DEVICE_CUDA, 0),
      "cuda:0: Fake GPU 0 is too old a GPU: it has compute capability 6.1, and the model is "
      "compiled for sm_80 (PTX), sm_80, sm_90, sm_86; run on the CPU (--device=cpu) what is "
      "compiled for it");
  setenv("FAKE_CUDA_CAPABILITY", "100", 1);
  tl_gpu_set set = device_sets[0];
  tl_gpu_code cubins = device_code;
  tl_model model = device_model;
  set.images = device_images + 1;
  set.image_count = 2;
  cubins.sets = &set;
  model.gpu = &cubins;
  EXPECT_ERROR(
      TL_INCOMPATIBLE, open(&model, TL_DEVICE_CUDA, 0),
      "cuda:0: the model is compiled for sm_80, sm_90, which Fake GPU 0 of compute capability "
      "10.0 cannot run; compile it with --cuda-arch=sm_100");
  setenv("FAKE_CUDA_CAPABILITY", "90", 1);
  setenv("FAKE_CUDA_REFUSE", "cubin", 1);
  EXPECT_ERROR(
      TL_INCOMPATIBLE, open(&model, TL_DEVICE_CUDA, 0),
      "cuda:0: loading the kernels for sm_90 into Fake GPU 0 of compute capability 9.0: "
      "ptxas: no: CUDA_ERROR_UNSUPPORTED_PTX_VERSION (as the name says); the driver is older "
      "than the CUDA toolkit that the model was compiled with: update the driver, or compile "
      "for this GPU (--cuda-arch)");
  setenv("FAKE_CUDA_REFUSE", "", 1);
  static const char *const unknown[] = {"scale", "mystery"};
  set.kernels = unknown;
  cubins.kernel_count = 2;
  EXPECT_ERROR(TL_DEVICE_FAILED, open(&model, TL_DEVICE_CUDA, 0),
               "cuda:0: looking for the kernel 'mystery': CUDA_ERROR_NOT_FOUND (as the name says)");
  EXPECT(!fakeCuda()->live_contexts && !fakeCuda()->live_modules && !fakeCuda()->live_memory);
}

/* tick() as each set of kernels makes it. */
static void tickAs(tl_frame *frame, int64_t answer) { frame->results[0].i = answer; }
static void tick75(tl_frame *frame) { tickAs(frame, 75); }
static void tick80(tl_frame *frame) { tickAs(frame, 80); }
static void tick86(tl_frame *frame) { tickAs(frame, 86); }
static void tick90a(tl_frame *frame) { tickAs(frame, 91); }

static void expectSet(const tl_model *model, const char *capability, const char *refused,
                      int64_t answer, const char *image) {
  tl_value result = tl_none();
  setenv("FAKE_CUDA_CAPABILITY", capability, 1);
  setenv("FAKE_CUDA_REFUSE", refused, 1);
  EXPECT(open(model, TL_DEVICE_CUDA, 0) == TL_OK);
  EXPECT(tl_call(instance, "tick", NULL, 0, &result, &error) == TL_OK);
  if (result.as.i != answer || strcmp(fakeCuda()->image, image) != 0) {
    fprintf(stderr, "%s: expected %d by %s, got %d by %s\n", capability, (int)answer, image,
            (int)result.as.i, fakeCuda()->image);
    exit(1);
  }
  tl_instance_destroy(instance);
}

/* A device runs what was made for the newest architecture that it has: kernels and the code that
   launches them go together. */
static void testSets(void) {
  static const int32_t archs[] = {75, 80, 90, 86, 90};
  static const char *const kernels75[] = {"scale", NULL}, *const kernels[] = {NULL, "add"};
  static const tl_gpu_image images75[] = {{TL_IMAGE_CUBIN, 75, "cubin 75", 9},
                                          {TL_IMAGE_PTX, 75, "ptx 75", 7}},
                            images80[] = {{TL_IMAGE_CUBIN, 80, "cubin 80", 9},
                                          {TL_IMAGE_PTX, 80, "ptx 80", 7},
                                          {TL_IMAGE_CUBIN, 90, "cubin 90", 9},
                                          {TL_IMAGE_PTX, 90, "ptx 90", 7}},
                            images86[] = {{TL_IMAGE_CUBIN, 86, "cubin 86", 9},
                                          {TL_IMAGE_PTX, 86, "ptx 86", 7}},
                            images90a[] = {{TL_IMAGE_EXACT_CUBIN, 90, "exact 90a", 10}};
  static const tl_gpu_set sets[] = {{archs, 1, 2, images75, kernels75, NULL},
                                    {archs + 1, 2, 4, images80, kernels, NULL},
                                    {archs + 3, 1, 2, images86, kernels, NULL},
                                    {archs + 4, 1, 1, images90a, kernels, NULL}};
  static const tl_device_code code[] = {
      {tick75, 0, 0}, {tick80, 0, 0}, {tick86, 0, 0}, {tick90a, 0, 0}};
  static const tl_variant variants[] = {
      {NULL, 0, NULL, &int_type, NULL, NULL, NULL, 0, 0, 0, 0, -1, -1, code, 0}};
  static const tl_method methods[] = {{"tick", variants, 1}};
  tl_gpu_code gpu = {sets, 3, 2, device_backends, NULL, 0};
  tl_model model = device_model;
  model.methods = methods;
  model.method_count = 1;
  model.gpu = &gpu;
  expectSet(&model, "75", "", 75, "cubin 75");
  expectSet(&model, "80", "", 80, "cubin 80");
  expectSet(&model, "86", "", 86, "cubin 86");
  expectSet(&model, "89", "", 86, "cubin 86");
  expectSet(&model, "90", "", 80, "cubin 90");
  expectSet(&model, "100", "", 80, "ptx 90");
  /* What the driver does not take, other images of the set make good, then other sets. */
  expectSet(&model, "90", "cubin", 80, "ptx 90");
  expectSet(&model, "86", "cubin 86", 86, "ptx 86");
  gpu.set_count = 4;
  expectSet(&model, "90", "", 91, "exact 90a");
  expectSet(&model, "90", "exact", 80, "cubin 90");
  expectSet(&model, "91", "", 80, "cubin 90"); /* an `a` variant is for one architecture */
  expectSet(&model, "100", "", 80, "ptx 90");
  setenv("FAKE_CUDA_CAPABILITY", "70", 1);
  EXPECT_ERROR(
      TL_INCOMPATIBLE, open(&model, TL_DEVICE_CUDA, 0),
      "cuda:0: Fake GPU 0 is too old a GPU: it has compute capability 7.0, and the model is "
      "compiled for sm_75, sm_75 (PTX), sm_80, sm_80 (PTX), sm_90, sm_90 (PTX), sm_86, sm_86 "
      "(PTX), sm_90a; compile it with --cuda-arch=sm_70, or run on the CPU (--device=cpu) what "
      "is compiled for it");
  setenv("FAKE_CUDA_CAPABILITY", "90", 1);
  setenv("FAKE_CUDA_REFUSE", "", 1);
  EXPECT(!fakeCuda()->live_contexts && !fakeCuda()->live_modules && !fakeCuda()->live_memory);
}

/* A kernel has gone wrong: nothing works there any more, and nothing crashes. */
static void testBroken(void) {
  float data[] = {1, 2, 3, 4, 5, 6};
  int64_t shape[] = {2, 3};
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape);
  tl_value argument = tl_tensor(&x), result = tl_none(), kept = tl_none();
  tl_options options = {.device = TL_DEVICE_CUDA, .results_on_device = 1};
  tl_instance *second;
  for (int calls = 0; calls < 4; ++calls) {
    EXPECT(open(&device_model, TL_DEVICE_CUDA, 0) == TL_OK);
    EXPECT(tl_instance_create(&device_model, &options, &second, &error) == TL_OK);
    EXPECT(tl_call(second, "checked", &argument, 1, &kept, &error) == TL_OK);
    for (int i = 0; i < calls; ++i)
      EXPECT(tl_call(instance, "checked", &argument, 1, &result, &error) == TL_OK);
    fakeCuda()->broken = 1;
    for (int i = 0; i < 2; ++i) {
      EXPECT(tl_call(instance, "checked", &argument, 1, &result, &error) == TL_DEVICE_FAILED);
      EXPECT(strstr(error.message, "this process cannot use the GPU any more"));
    }
    tl_instance_destroy(instance);
    tl_instance_destroy(second);
    tl_value_clear(&kept);
    EXPECT(open(&device_model, TL_DEVICE_CUDA, 0) == TL_DEVICE_FAILED);
    testProcessor();
    fakeCuda()->broken = 0;
  }
  tl_value_clear(&result);
}

int main(int argc, char **argv) {
  EXPECT(argc == 3);
  testDrivers(argv[2]);
  setenv("TORCHLITE_LIBCUDA", argv[1], 1);
  testDevices();
  testTargets();
  testProcessor();
  testImages();
  testSets();
  testBroken();
  return 0;
}
