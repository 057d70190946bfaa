/*===- Settings.c - What the environment says -----------------------------------===*/
#include "Internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

tl_status emu_error(tl_error *error, tl_status status, const char *format, ...) {
  if (error) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
  }
  return status;
}

/* The number of the variable's value among `names`, 0 where it is not set, -1 for any other value.
 */
static int choose(const char *variable, const char *const *names, int count, tl_error *error) {
  const char *value = getenv(variable);
  if (!value)
    return 0;
  char expected[64] = "";
  for (int i = 0; i < count; ++i) {
    if (!strcmp(value, names[i]))
      return i;
    strcat(expected, i == 0 ? "'" : i == count - 1 ? "' or '" : "', '");
    strcat(expected, names[i]);
  }
  emu_error(error, TL_INVALID_ARGUMENT, "%s is '%s': expected %s'", variable, value, expected);
  return -1;
}

/* The whole of a variable as a number. */
static bool parse(const char *value, uint64_t *number) {
  char *end;
  errno = 0;
  *number = strtoull(value, &end, 10);
  return !errno && end != value && !*end;
}

/* The set of kernels that a GPU of the architecture would run; without a wish, the oldest. */
static tl_status read_arch(const tl_gpu_code *code, emu_settings *settings, tl_error *error) {
  static const char variable[] = "TORCHLITE_EMULATOR_ARCH";
  const char *value = getenv(variable);
  int32_t oldest = code->sets[0].archs[0], best = 0;
  uint64_t arch = (uint64_t)oldest;
  if (value && (!parse(value, &arch) || arch < (uint64_t)oldest || arch > 999))
    return emu_error(
        error, TL_INVALID_ARGUMENT,
        "%s is '%s': expected an architecture such as %d, which is the oldest that the "
        "kernels are compiled for",
        variable, value, oldest);
  settings->arch = (int32_t)arch;
  for (int32_t i = 0; i < code->set_count; ++i)
    for (int32_t j = 0; j < code->sets[i].arch_count; ++j) {
      int32_t made_for = code->sets[i].archs[j];
      if (made_for > settings->arch || made_for < best)
        continue;
      best = made_for;
      settings->set = &code->sets[i];
    }
  return TL_OK;
}

/* A wrong number tells the right ones, with what they are. */
static tl_status read_mutation(const tl_gpu_code *code, emu_settings *settings, tl_error *error) {
  static const char variable[] = "TORCHLITE_EMULATOR_MUTATION";
  settings->left_out = UINT32_MAX;
  const char *value = getenv(variable);
  if (!value)
    return TL_OK;
  const tl_emu_kernel *any = NULL;
  for (int32_t i = 0; i < code->kernel_count && !any; ++i)
    if (settings->set->emulated[i])
      any = emu_describe(settings->set->emulated[i]);
  uint64_t number, count = any ? (uint64_t)any->mutation_count : 0;
  if (!parse(value, &number) || number >= count)
    return emu_error(error, TL_INVALID_ARGUMENT, "%s is '%s': expected a number below %d%s%s",
                     variable, value, (int)count, count ? ", a line of\n" : "",
                     count ? any->mutations : "");
  settings->left_out = (uint32_t)number;
  return TL_OK;
}

tl_status emu_read_settings(const tl_gpu_code *code, emu_settings *settings, tl_error *error) {
  static const char *const checks[] = {"1", "0"};
  static const char *const races[] = {"0", "1"};
  static const char *const copies[] = {"lazy", "eager"};
  static const char *const orders[] = {"forward", "reverse", "random"};
  int check = choose("TORCHLITE_EMULATOR_CHECKS", checks, 2, error);
  int race = check < 0 ? -1 : choose("TORCHLITE_EMULATOR_RACES", races, 2, error);
  int copy = race < 0 ? -1 : choose("TORCHLITE_EMULATOR_COPIES", copies, 2, error);
  int order = copy < 0 ? -1 : choose("TORCHLITE_EMULATOR_ORDER", orders, 3, error);
  if (order < 0)
    return TL_INVALID_ARGUMENT;
  settings->checks = check == 0;
  settings->races = settings->checks && race == 1;
  settings->lazy = copy == 0;
  settings->order = (emu_order)order;
  settings->seed = 1;
  const char *seed = getenv("TORCHLITE_EMULATOR_SEED");
  if (seed && !parse(seed, &settings->seed))
    return emu_error(error, TL_INVALID_ARGUMENT,
                     "TORCHLITE_EMULATOR_SEED is '%s': expected an integer", seed);
  tl_status status = read_arch(code, settings, error);
  return status ? status : read_mutation(code, settings, error);
}
