/*===- Model.c - Models, their methods, and the way to a library's runtime --===*/
#include "Internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const tl_runtime_table tl_runtime = {TL_DESCRIPTOR_VERSION,   1,
                                     tl_instance_create_here, tl_instance_destroy_here,
                                     tl_instance_reset_here,  tl_call_here,
                                     tl_instance_seed_here};

/* Libraries that tl_model_open has loaded. */
typedef struct loaded {
  struct loaded *next;
  const tl_model *model;
  void *handle;
} loaded;
static loaded *libraries;
static pthread_mutex_t libraries_lock = PTHREAD_MUTEX_INITIALIZER;

/* Whether this process can run a model. */
static tl_status checkModel(const tl_model *model, const char *name, tl_error *error) {
  if (model->version != TL_DESCRIPTOR_VERSION || model->runtime->version != TL_DESCRIPTOR_VERSION)
    return tl_fail(error, TL_INCOMPATIBLE,
                   "%s: compiled for version %d of the runtime, this is version %d", name,
                   (int)model->version, TL_DESCRIPTOR_VERSION);
  size_t length = 0;
  const char *missing = tl_missing_feature(model->features, &length);
  if (missing)
    return tl_fail(
        error, TL_INCOMPATIBLE,
        "%s: compiled for a processor with '%.*s', which this one lacks; compile it with "
        "another --target-cpu",
        name, (int)length, missing);
  return TL_OK;
}

tl_status tl_model_open(const char *path, const tl_model **model, tl_error *error) {
  if (!path || !model)
    return tl_fail(error, TL_INVALID_ARGUMENT, "tl_model_open: the %s is null",
                   path ? "place for the model" : "path");
  *model = NULL;
  if (access(path, R_OK))
    return tl_fail(error, TL_NOT_FOUND, "%s: %s", path, strerror(errno));
  /* dlopen looks for a name without a slash in the system's folders. */
  char *local = NULL;
  if (!strchr(path, '/')) {
    local = malloc(strlen(path) + 3);
    if (!local)
      return tl_fail(error, TL_OUT_OF_MEMORY, "%s: out of memory", path);
    local[0] = '.', local[1] = '/';
    strcpy(local + 2, path);
  }
  void *handle = dlopen(local ? local : path, RTLD_NOW | RTLD_LOCAL);
  free(local);
  if (!handle)
    return tl_fail(error, TL_INCOMPATIBLE, "%s: not a library that can be loaded: %s", path,
                   dlerror());
  const tl_model *(*get)(void);
  *(void **)&get = dlsym(handle, "tl_library_model");
  if (!get) {
    dlclose(handle);
    return tl_fail(error, TL_INCOMPATIBLE, "%s: not a library that tl-compile has made", path);
  }
  const tl_model *found = get();
  tl_status status = checkModel(found, path, error);
  loaded *entry = status ? NULL : malloc(sizeof *entry);
  if (!entry) {
    dlclose(handle);
    return status ? status : tl_fail(error, TL_OUT_OF_MEMORY, "%s: out of memory", path);
  }
  entry->model = found;
  entry->handle = handle;
  pthread_mutex_lock(&libraries_lock);
  entry->next = libraries;
  libraries = entry;
  pthread_mutex_unlock(&libraries_lock);
  *model = found;
  return TL_OK;
}

void tl_model_close(const tl_model *model) {
  pthread_mutex_lock(&libraries_lock);
  loaded **at = &libraries, *entry;
  while (*at && (*at)->model != model)
    at = &(*at)->next;
  entry = *at;
  if (entry)
    *at = entry->next;
  pthread_mutex_unlock(&libraries_lock);
  if (entry)
    dlclose(entry->handle);
  free(entry);
}

const char *tl_model_name(const tl_model *model) { return model ? model->name : NULL; }
size_t tl_model_method_count(const tl_model *model) {
  return model ? (size_t)model->method_count : 0;
}
const tl_method *tl_model_method(const tl_model *model, size_t index) {
  return index < tl_model_method_count(model) ? &model->methods[index] : NULL;
}

const tl_method *tl_model_find_method(const tl_model *model, const char *name) {
  for (size_t i = 0; name && i < tl_model_method_count(model); ++i)
    if (strcmp(model->methods[i].name, name) == 0)
      return &model->methods[i];
  return NULL;
}

/* Null where there is no such variant. */
static const tl_variant *variantOf(const tl_method *method, size_t variant) {
  return variant < tl_method_variant_count(method) ? &method->variants[variant] : NULL;
}
static const tl_argument *argumentOf(const tl_method *method, size_t variant, size_t index) {
  return index < tl_method_argument_count(method, variant)
             ? &method->variants[variant].arguments[index]
             : NULL;
}

const char *tl_method_name(const tl_method *method) { return method ? method->name : NULL; }
size_t tl_method_variant_count(const tl_method *method) {
  return method ? (size_t)method->variant_count : 0;
}
size_t tl_method_argument_count(const tl_method *method, size_t variant) {
  const tl_variant *it = variantOf(method, variant);
  return it ? (size_t)it->argument_count : 0;
}
const char *tl_method_argument_name(const tl_method *method, size_t variant, size_t index) {
  const tl_argument *it = argumentOf(method, variant, index);
  return it ? it->name : NULL;
}
const tl_type *tl_method_argument_type(const tl_method *method, size_t variant, size_t index) {
  const tl_argument *it = argumentOf(method, variant, index);
  return it ? it->type : NULL;
}
const tl_type *tl_method_result_type(const tl_method *method, size_t variant) {
  const tl_variant *it = variantOf(method, variant);
  return it ? it->result : NULL;
}

size_t tl_method_format(const tl_method *method, size_t variant, char *buffer, size_t size) {
  tl_text text = {buffer, buffer ? size : 0, 0};
  const tl_variant *it = variantOf(method, variant);
  if (!it)
    return 0;
  tl_text_add(&text, "%s(", method->name);
  for (int32_t i = 0; i < it->argument_count; ++i) {
    tl_text_add(&text, "%s%s: ", i ? ", " : "", it->arguments[i].name);
    tl_type_text(&text, it->arguments[i].type);
  }
  tl_text_add(&text, ") -> ");
  tl_type_text(&text, it->result);
  return text.length;
}

tl_status tl_instance_create(const tl_model *model, const tl_options *options,
                             tl_instance **instance, tl_error *error) {
  if (!instance)
    return tl_fail(error, TL_INVALID_ARGUMENT,
                   "tl_instance_create: the place for the instance is null");
  *instance = NULL;
  if (!model)
    return tl_fail(error, TL_INVALID_ARGUMENT, "tl_instance_create: the model is null");
  tl_status status = checkModel(model, model->name, error);
  return status ? status : model->runtime->instance_create(model, options, instance, error);
}

void tl_instance_destroy(tl_instance *instance) {
  if (instance)
    instance->model->runtime->instance_destroy(instance);
}

tl_status tl_instance_reset(tl_instance *instance, tl_error *error) {
  if (!instance)
    return tl_fail(error, TL_INVALID_ARGUMENT, "tl_instance_reset: the instance is null");
  return instance->model->runtime->instance_reset(instance, error);
}

tl_status tl_instance_seed(tl_instance *instance, uint64_t seed, tl_error *error) {
  if (!instance)
    return tl_fail(error, TL_INVALID_ARGUMENT, "tl_instance_seed: the instance is null");
  const tl_runtime_table *runtime = instance->model->runtime;
  if (runtime->functions < 1)
    return tl_fail(error, TL_INCOMPATIBLE, "%s: was compiled before there were seeds",
                   instance->model->name);
  runtime->instance_seed(instance, seed);
  return TL_OK;
}

tl_status tl_call(tl_instance *instance, const char *method, const tl_value *arguments,
                  size_t count, tl_value *result, tl_error *error) {
  const char *missing = !instance                 ? "instance is null"
                        : !method                 ? "method's name is null"
                        : !arguments && count > 0 ? "array of arguments is null"
                                                  : NULL;
  if (missing)
    return tl_fail(error, TL_INVALID_ARGUMENT, "tl_call: the %s", missing);
  return instance->model->runtime->call(instance, method, arguments, count, result, error);
}
