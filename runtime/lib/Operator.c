/*===- Operator.c - Calls of LibTorch's operators -----------------------------===*\
|*
|* The fallback library and users' libraries of operators are loaded when a call first needs them,
|* and stay. What cannot be loaded is an error of the call, and is tried again by the next one.
\*===----------------------------------------------------------------------===*/
#include "Internal.h"
#include "TorchLite/Runtime/Fallback.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t libraries_lock = PTHREAD_MUTEX_INITIALIZER;
static const tl_fallback_table *_Atomic loaded_table;
/* The list of libraries that was last seen loaded: mostly there is one. */
static const char *_Atomic loaded_libraries;

/* The folder of the library or program that this code is part of, with a slash; "" if unknown. */
static void findOwnFolder(char *folder, size_t size) {
  Dl_info info;
  folder[0] = 0;
  if (!dladdr((void *)(uintptr_t)&findOwnFolder, &info) || !info.dli_fname)
    return;
  char *path = realpath(info.dli_fname, NULL);
  char *slash = path ? strrchr(path, '/') : NULL;
  if (slash && (size_t)(slash - path) + 2 <= size) {
    memcpy(folder, path, (size_t)(slash - path) + 1);
    folder[slash - path + 1] = 0;
  }
  free(path);
}

/* The table of one library, or null with a reason. */
static const tl_fallback_table *openFallback(const char *path, tl_text *why) {
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    tl_text_add(why, "%s", dlerror());
    return NULL;
  }
  tl_fallback_function get;
  *(void **)&get = dlsym(handle, TL_FALLBACK_FUNCTION);
  const tl_fallback_table *table = get ? get() : NULL;
  if (table && table->version == TL_FALLBACK_VERSION)
    return table;
  if (table)
    tl_text_add(why, "'%s' is of version %d, this model needs version %d", path,
                (int)table->version, TL_FALLBACK_VERSION);
  else
    tl_text_add(why, "'%s' is no fallback library", path);
  dlclose(handle);
  return NULL;
}

/* Looks where docs/Fallback.md says. `given` is the path that the model was compiled with, or "".
 */
static const tl_fallback_table *findFallback(const char *given, tl_text *why) {
  static const char name[] = "libTorchLiteFallback.so";
  const char *environment = getenv("TORCHLITE_FALLBACK");
  if (environment && *environment)
    return openFallback(environment, why);
  if (*given)
    return openFallback(given, why);
  char folder[4096], path[4096 + 64];
  findOwnFolder(folder, sizeof folder);
  static const char *const places[] = {"", "../lib/torchlite/"};
  for (size_t i = 0; i < sizeof places / sizeof *places; ++i) {
    snprintf(path, sizeof path, "%s%s%s", folder, places[i], name);
    if (*folder && !access(path, R_OK))
      return openFallback(path, why);
  }
  tl_text_add(why,
              "%s was not found beside '%s'; put it there, or name it in the environment variable "
              "TORCHLITE_FALLBACK",
              name, folder);
  return NULL;
}

/* A user's library: beside the model first, then where it was when the model was compiled. */
static bool openLibrary(const char *path, tl_text *why) {
  char folder[4096], beside[4096 + 512];
  findOwnFolder(folder, sizeof folder);
  const char *slash = strrchr(path, '/');
  snprintf(beside, sizeof beside, "%s%s", folder, slash ? slash + 1 : path);
  const char *found = *folder && !access(beside, R_OK) ? beside : path;
  if (dlopen(found, RTLD_NOW | RTLD_GLOBAL))
    return true;
  tl_text_add(why, "the library of operators cannot be loaded: %s", dlerror());
  return false;
}

/* Users' libraries, a line each. */
static bool openLibraries(const char *lines, tl_text *why) {
  char line[4096];
  for (const char *at = lines; *at;) {
    size_t length = strcspn(at, "\n");
    snprintf(line, sizeof line, "%.*s", (int)length, at);
    if (!openLibrary(line, why))
      return false;
    at += length + (at[length] == '\n');
  }
  return true;
}

/* `libraries`: the path of the fallback library or nothing, then those of users, a line each. These
   are loaded only for an operator that the process does not have: who uses it may have loaded them
   from elsewhere, and LibTorch ends the process where an operator is defined twice. */
static const tl_fallback_table *load(const char *libraries, const char *call, tl_text *why) {
  const tl_fallback_table *table = atomic_load(&loaded_table);
  if (table && atomic_load(&loaded_libraries) == libraries)
    return table;
  pthread_mutex_lock(&libraries_lock);
  size_t first = strcspn(libraries, "\n");
  const char *others = libraries + first + (libraries[first] == '\n');
  if (!table) {
    char path[4096];
    snprintf(path, sizeof path, "%.*s", (int)first, libraries);
    table = findFallback(path, why);
  }
  bool isLoaded = table && (!*others || (!table->knows(call) && openLibraries(others, why)));
  bool fits = isLoaded || (table && table->knows(call));
  if (table)
    atomic_store(&loaded_table, table);
  if (isLoaded)
    atomic_store(&loaded_libraries, libraries);
  pthread_mutex_unlock(&libraries_lock);
  return fits ? table : NULL;
}

/*===-- Calls --------------------------------------------------------------===*/

/* What an operator has given, until it is released or the call ends. */
struct tl_given {
  struct tl_given *previous, *next;
  const tl_fallback_table *table;
  void *results;
};

/* The operator's name and what went wrong, with the line of the program. */
static void raise(tl_call_frame *frame, tl_status status, const char *call, const char *where,
                  const char *message) {
  char text[sizeof frame->error->message];
  tl_text all = {text, sizeof text, 0};
  text[0] = 0;
  size_t line = strlen(where), room = sizeof text - line - 4;
  tl_text_add(&all, "%.*s: %s", (int)strcspn(call, "|"), call, message);
  if (all.length > room) /* the line is worth more than the message's end */
    all.length = room;
  if (line)
    tl_text_add(&all, " (%s)", where);
  tl_raise_text(frame, status, &all);
}

void *tl_rt_call_operator(tl_frame *it, const char *call, const char *where, const char *libraries,
                          const tl_operand *operands, int64_t *numbers) {
  tl_call_frame *frame = it->runtime;
  char message[2048];
  tl_text why = {message, sizeof message, 0};
  message[0] = 0;
  const tl_fallback_table *table = load(libraries, call, &why);
  if (!table)
    raise(frame, TL_INCOMPATIBLE, call, where, message);
  struct tl_given *given = malloc(sizeof *given);
  if (!given)
    raise(frame, TL_OUT_OF_MEMORY, call, where, "out of memory");
  given->table = table;
  given->results = table->call(call, operands, numbers, message, sizeof message);
  if (!given->results) {
    free(given);
    raise(frame, TL_RAISED, call, where, message);
  }
  given->previous = NULL;
  given->next = frame->given;
  if (given->next)
    given->next->previous = given;
  frame->given = given;
  return given;
}

void tl_rt_operator_result(tl_frame *it, void *results, int64_t index, void *data,
                           const int64_t *strides) {
  struct tl_given *given = results;
  char message[2048];
  if (!given->table->copy(given->results, index, data, strides, message, sizeof message))
    raise(it->runtime, TL_RAISED, "operator", "", message);
}

void tl_rt_operator_release(tl_frame *it, void *results) {
  tl_call_frame *frame = it->runtime;
  struct tl_given *given = results;
  if (given->previous)
    given->previous->next = given->next;
  else
    frame->given = given->next;
  if (given->next)
    given->next->previous = given->previous;
  given->table->release(given->results);
  free(given);
}

void tl_operators_release(tl_call_frame *frame) {
  while (frame->given)
    tl_rt_operator_release(&frame->frame, frame->given);
}
