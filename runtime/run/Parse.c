/*===- Parse.c - Values as text -----------------------------------------------===*/
#include "Internal.h"
#include "Run.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct parser {
  tl_store *store;
  const char *text; /* all of it, for messages */
  const char *at;
  tl_error *error;
  int depth;
} parser;

static bool parseValue(parser *p, tl_value *value);

static bool fail(parser *p, const char *message) {
  tl_fail(p->error, TL_INVALID_ARGUMENT, "cannot read the value '%.200s' at '%.40s': %s", p->text,
          p->at, message);
  return false;
}

static void skipSpace(parser *p) {
  while (isspace((unsigned char)*p->at))
    ++p->at;
}

static bool take(parser *p, char c) {
  skipSpace(p);
  if (*p->at != c)
    return false;
  ++p->at;
  return true;
}

static bool takeWord(parser *p, const char *word) {
  size_t length = strlen(word);
  unsigned char after = (unsigned char)p->at[strncmp(p->at, word, length) ? 0 : length];
  if (strncmp(p->at, word, length) || isalnum(after) || after == '_')
    return false;
  p->at += length;
  return true;
}

/* Where a token that is not quoted ends. */
static size_t tokenLength(const char *text) { return strcspn(text, ",()[]{} \t\n"); }

int32_t tl_parse_dtype(const char *name, size_t length) {
  for (int32_t dtype = TL_F32; dtype <= TL_COMPLEX128; ++dtype)
    if (strlen(tl_dtype_name(dtype)) == length && memcmp(tl_dtype_name(dtype), name, length) == 0)
      return dtype;
  return -1;
}

/*===-- Strings ------------------------------------------------------------===*/

static char *parseString(parser *p) {
  size_t length = 0;
  const char *from = ++p->at;
  char *out = tl_store_alloc(p->store, strlen(from) + 1);
  if (!out) {
    fail(p, "out of memory");
    return NULL;
  }
  for (; *p->at && *p->at != '"'; ++p->at) {
    char c = *p->at;
    if (c == '\\') {
      c = *++p->at;
      c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
      if (!c)
        break;
    }
    out[length++] = c;
  }
  if (*p->at != '"') {
    fail(p, "a text that does not end with '\"'");
    return NULL;
  }
  ++p->at;
  return out;
}

/*===-- Tensors ------------------------------------------------------------===*/

/* Rounds to nearest, ties to even. `mantissa` bits of the 23 and `exponent` bits of the 8 stay. */
static uint16_t narrow(float value, int32_t dtype) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  if (dtype == TL_BF16) {
    if (value != value)
      return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
  bits &= 0x7fffffff;
  if (bits > 0x7f800000)
    return sign | 0x7e00;
  if (bits >= 0x477ff000)
    return sign | 0x7c00;
  if (bits < 0x38800000) { /* subnormal: a multiple of 2^-24 */
    float magnitude;
    memcpy(&magnitude, &bits, 4);
    return sign | (uint16_t)lrintf(ldexpf(magnitude, 24));
  }
  bits -= 0x38000000;
  return sign | (uint16_t)((bits + 0xfff + (bits >> 13 & 1)) >> 13);
}

static void store(void *data, int64_t index, int32_t dtype, double f, long long i) {
  switch (dtype) {
  case TL_F32:
    ((float *)data)[index] = (float)f;
    return;
  case TL_F64:
    ((double *)data)[index] = f;
    return;
  case TL_F16:
  case TL_BF16:
    ((uint16_t *)data)[index] = narrow((float)f, dtype);
    return;
  case TL_COMPLEX64:
    ((float *)data)[2 * index] = (float)f;
    return;
  case TL_COMPLEX128:
    ((double *)data)[2 * index] = f;
    return;
  case TL_I8:
  case TL_UI8:
  case TL_I1:
    ((uint8_t *)data)[index] = (uint8_t)i;
    return;
  case TL_I16:
    ((int16_t *)data)[index] = (int16_t)i;
    return;
  case TL_I32:
    ((int32_t *)data)[index] = (int32_t)i;
    return;
  default:
    ((int64_t *)data)[index] = i;
  }
}

static bool isFloat(int32_t dtype) { return dtype <= TL_BF16 || dtype >= TL_COMPLEX64; }

static bool inRange(int32_t dtype, long long i) {
  switch (dtype) {
  case TL_I8:
    return i >= INT8_MIN && i <= INT8_MAX;
  case TL_UI8:
    return i >= 0 && i <= UINT8_MAX;
  case TL_I16:
    return i >= INT16_MIN && i <= INT16_MAX;
  case TL_I32:
    return i >= INT32_MIN && i <= INT32_MAX;
  case TL_I1:
    return i == 0 || i == 1;
  default:
    return true;
  }
}

/* The same numbers on every machine and in every run (splitmix64). */
static uint64_t nextRandom(void) {
  static uint64_t state = 0x746f7263686c6974ull;
  uint64_t z = state += 0x9e3779b97f4a7c15ull;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return z ^ z >> 31;
}

static bool parseElement(parser *p, int32_t dtype, double *f, long long *i) {
  char *end = NULL;
  errno = 0;
  if (isFloat(dtype)) {
    *f = strtod(p->at, &end);
  } else if (takeWord(p, "true") || takeWord(p, "false")) {
    *i = p->at[-2] == 'u';
    return true;
  } else {
    *i = strtoll(p->at, &end, 10);
    if (errno == ERANGE || (end != p->at && !inRange(dtype, *i)))
      return fail(p, "an element that the type cannot hold");
  }
  if (end == p->at || (*end && !strchr(" \t\n,)]}", *end)))
    return fail(p, isFloat(dtype) ? "expected a number" : "expected an integer");
  p->at = end;
  return true;
}

/* Whether a token starts like `2x3xf32=`. */
static bool startsTensor(const char *at) {
  for (;;) {
    size_t digits = strspn(at, "0123456789");
    if (!digits || at[digits] != 'x')
      break;
    at += digits + 1;
  }
  size_t name = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789");
  return at[name] == '=' && tl_parse_dtype(at, name) >= 0;
}

static bool parseTensor(parser *p, tl_value *value) {
  int64_t *shape = tl_store_alloc(p->store, sizeof(int64_t) * (strlen(p->at) / 2 + 1));
  DLTensor *tensor = tl_store_alloc(p->store, sizeof *tensor);
  int32_t rank = 0;
  if (!shape || !tensor)
    return fail(p, "out of memory");
  while (isdigit((unsigned char)*p->at)) {
    errno = 0;
    shape[rank++] = strtoll(p->at, (char **)&p->at, 10);
    if (errno == ERANGE)
      return fail(p, "a size that is too large");
    ++p->at; /* the x */
  }
  size_t name = strcspn(p->at, "=");
  int32_t dtype = tl_parse_dtype(p->at, name);
  p->at += name + 1;
  int64_t bytes = tl_byte_count(rank, shape, (int64_t)tl_dtype_bytes(dtype));
  void *data = bytes < 0 ? NULL : tl_store_alloc(p->store, (size_t)bytes);
  if (!data)
    return fail(p, "out of memory for the tensor");
  int64_t count = bytes / (int64_t)tl_dtype_bytes(dtype);
  *tensor = tl_dltensor(data, (tl_dtype)dtype, rank, shape);
  *value = tl_tensor(tensor);
  skipSpace(p);
  if (takeWord(p, "rand")) {
    for (int64_t i = 0; i < count; ++i) {
      uint64_t random = nextRandom();
      store(data, i, dtype, (double)(random >> 40) * 0x1p-24,
            (long long)(random >> 40) % (dtype == TL_I1 ? 2 : 10));
    }
    return true;
  }
  int64_t given = 0;
  double f = 0;
  long long i = 0;
  for (skipSpace(p); *p->at && !strchr(",)]}", *p->at); skipSpace(p)) {
    if (!parseElement(p, dtype, &f, &i))
      return false;
    if (given < count)
      store(data, given, dtype, f, i);
    ++given;
  }
  if (given == 1)
    for (int64_t j = 1; j < count; ++j)
      store(data, j, dtype, f, i);
  else if (given != count) {
    tl_fail(p->error, TL_INVALID_ARGUMENT,
            "cannot read the value '%.200s': expected %lld elements (or one for all), got %lld",
            p->text, (long long)count, (long long)given);
    return false;
  }
  return true;
}

/* `@path` or `@"path"`, with `:bf16` where 16-bit integers are to be read so. */
static bool parseFile(parser *p, tl_value *value) {
  int32_t dtype = -1;
  char *path;
  ++p->at;
  if (*p->at == '"') {
    if (!(path = parseString(p)))
      return false;
  } else {
    size_t length = tokenLength(p->at);
    path = tl_store_alloc(p->store, length + 1);
    if (!path)
      return fail(p, "out of memory");
    memcpy(path, p->at, length);
    p->at += length;
  }
  char *colon = strrchr(path, ':');
  if (*p->at == ':') {
    size_t length = tokenLength(p->at + 1);
    dtype = tl_parse_dtype(p->at + 1, length);
    p->at += length + 1;
    if (dtype < 0)
      return fail(p, "unknown element type");
  } else if (colon && (dtype = tl_parse_dtype(colon + 1, strlen(colon + 1))) >= 0) {
    *colon = 0;
  }
  DLTensor *tensor = tl_npy_read(p->store, path, dtype, p->error);
  if (!tensor)
    return false;
  *value = tl_tensor(tensor);
  return true;
}

/*===-- Containers and scalars ---------------------------------------------===*/

static bool parseItems(parser *p, char close, tl_kind kind, tl_value *value) {
  size_t count = 0, room = 8;
  tl_value *items = tl_store_alloc(p->store, room * sizeof *items);
  ++p->at;
  if (p->depth > 200)
    return fail(p, "nested too deep");
  while (items && !take(p, close)) {
    if (count && kind != TL_DICT && !take(p, ','))
      return fail(p, "expected ',' or the closing bracket");
    if (count && kind == TL_DICT && !take(p, count % 2 ? ':' : ','))
      return fail(p, count % 2 ? "expected ':'" : "expected ',' or '}'");
    if (count == 1 && kind == TL_TUPLE && take(p, close))
      break; /* (a,) */
    if (count == room) {
      tl_value *more = tl_store_alloc(p->store, 2 * room * sizeof *items);
      if (more)
        memcpy(more, items, count * sizeof *items);
      items = more;
      room *= 2;
    }
    ++p->depth;
    if (items && !parseValue(p, &items[count++]))
      return false;
    --p->depth;
  }
  if (!items)
    return fail(p, "out of memory");
  if (kind == TL_DICT && count % 2)
    return fail(p, "a key without a value");
  *value = tl_items(kind, items, kind == TL_DICT ? count / 2 : count);
  return true;
}

static bool parseNumber(parser *p, tl_value *value) {
  size_t length = tokenLength(p->at);
  size_t end_of_key = strcspn(p->at, ":");
  length = end_of_key < length ? end_of_key : length;
  char *end;
  errno = 0;
  long long i = strtoll(p->at, &end, 10);
  if (end == p->at + length && length && errno != ERANGE) {
    *value = tl_int(i);
    p->at = end;
    return true;
  }
  double f = strtod(p->at, &end);
  if (end != p->at + length || !length)
    return fail(p,
                "expected a value, such as 3, 1.5, true, none, \"text\", @x.npy, 2x2xf32=1 2 3 4, "
                "[...], (...), {...}");
  *value = tl_float(f);
  p->at = end;
  return true;
}

static bool parseValue(parser *p, tl_value *value) {
  *value = tl_none();
  skipSpace(p);
  switch (*p->at) {
  case '@':
    return parseFile(p, value);
  case '[':
    return parseItems(p, ']', TL_LIST, value);
  case '(':
    return parseItems(p, ')', TL_TUPLE, value);
  case '{':
    return parseItems(p, '}', TL_DICT, value);
  case '"': {
    char *text = parseString(p);
    *value = tl_string(text);
    return text != NULL;
  }
  default:
    break;
  }
  if (startsTensor(p->at))
    return parseTensor(p, value);
  if (takeWord(p, "none") || takeWord(p, "None"))
    return true;
  bool isTrue = takeWord(p, "true") || takeWord(p, "True");
  if (isTrue || takeWord(p, "false") || takeWord(p, "False")) {
    *value = tl_bool(isTrue);
    return true;
  }
  return parseNumber(p, value);
}

bool tl_parse_value(tl_store *memory, const char *text, tl_value *value, tl_error *error) {
  parser p = {memory, text, text, error, 0};
  if (!parseValue(&p, value))
    return false;
  skipSpace(&p);
  return !*p.at || fail(&p, "expected the end of the value");
}

bool tl_parse_call(tl_store *memory, const char *text, const char **method, tl_value **arguments,
                   size_t *count, tl_error *error) {
  parser p = {memory, text, text, error, 0};
  skipSpace(&p);
  const char *name = p.at;
  while (isalnum((unsigned char)*p.at) || *p.at == '_' || *p.at == '.')
    ++p.at;
  size_t length = (size_t)(p.at - name);
  skipSpace(&p);
  if (!length || *p.at != '(') {
    tl_fail(error, TL_INVALID_ARGUMENT,
            "cannot read the call '%.200s': expected method(value, ...)", text);
    return false;
  }
  char *copy = tl_store_alloc(memory, length + 1);
  tl_value all;
  if (!copy || !parseItems(&p, ')', TL_TUPLE, &all))
    return false;
  memcpy(copy, name, length);
  *method = copy;
  *arguments = all.as.items.data;
  *count = all.as.items.count;
  skipSpace(&p);
  return !*p.at || fail(&p, "expected the end of the call");
}
