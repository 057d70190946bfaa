/*===- Error.c - Statuses, messages and text --------------------------------===*/
#include "Internal.h"

#include <stdarg.h>
#include <stdio.h>

const char *tl_status_name(tl_status status) {
  switch (status) {
  case TL_OK:
    return "ok";
  case TL_INVALID_ARGUMENT:
    return "invalid argument";
  case TL_NOT_FOUND:
    return "not found";
  case TL_RAISED:
    return "raised";
  case TL_OUT_OF_MEMORY:
    return "out of memory";
  case TL_INCOMPATIBLE:
    return "incompatible";
  case TL_NO_DEVICE:
    return "no device";
  case TL_DEVICE_FAILED:
    return "device failed";
  }
  return "unknown status";
}

const char *tl_version(void) { return TORCHLITE_VERSION; }

tl_status tl_fail(tl_error *error, tl_status status, const char *format, ...) {
  if (error) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
  }
  return status;
}

void tl_text_add(tl_text *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  size_t room = text->length < text->size ? text->size - text->length : 0;
  int written = vsnprintf(room ? text->data + text->length : NULL, room, format, arguments);
  va_end(arguments);
  if (written > 0)
    text->length += (size_t)written;
}
