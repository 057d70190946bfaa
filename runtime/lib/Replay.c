/*===- Replay.c - Calls that are recorded once and replayed ---------------------===*\
|*
|* The first call of a replayable variant runs as it is and shows which results it asks for. From
then
|* on the runtime provides those beforehand, so it knows all that a call depends on: the addresses
of
|* operands and results, and the scalars. A call that comes with the same ones a second time is
|* recorded into a graph, and replayed from then on. So a caller whose addresses never repeat pays
|* nothing but a look into a small table, and alternating state buffers take two graphs.
|*
|* Where the code reads from the device in between, as checks of indices do, the recording has
several
|* graphs, and after each what was read then. A replay reads the same; where it differs, the call
|* starts again without the recording. It may: until it ends, a call writes nothing that it or
|* another call reads.
\*===----------------------------------------------------------------------===*/
#include "Internal.h"

#include <stdlib.h>
#include <string.h>

#define RECORDINGS 8
/* A graph that this many calls have not used makes place for another. */
#define STALE_CALLS 64
/* A variant that has started again so often, and in a quarter of its calls, is not replayed any
   more. */
#define RESTARTS 16

/* A graph, and what the code read after it. */
typedef struct tl_part {
  void *graph;      /* null: nothing was queued, as after the last check of a call */
  const void *from; /* null: the last part */
  int64_t bytes;
  char value[16];
} tl_part;

typedef struct tl_recording {
  int64_t *key;
  tl_part *parts; /* none: the key has been seen once */
  int64_t part_count, part_limit;
  tl_slot *scalars; /* the scalar results of the call, with `parts` */
  int64_t last_use;
} tl_recording;

typedef struct tl_replay {
  struct tl_replay *next;
  const tl_variant *variant;
  tl_request *requests;
  int64_t request_count, request_limit;
  bool known;      /* the requests are complete */
  bool impossible; /* the backend cannot record this variant */
  int64_t calls, restarts, key_count, result_count;
  int64_t *key; /* of the call that runs */
  tl_recording recordings[RECORDINGS];
} tl_replay;

static int64_t operandCount(const tl_call_frame *frame) {
  return frame->plan->argument_leaf_count + frame->variant->state_operand_count;
}

static int64_t resultCount(const tl_call_frame *frame) {
  return frame->plan->result_leaf_count + frame->variant->change_count +
         frame->variant->state_result_count;
}

static tl_replay *find(tl_call_frame *frame) {
  tl_device_frame *device = frame->device;
  for (tl_replay *it = device->replays; it; it = it->next)
    if (it->variant == frame->variant)
      return it;
  tl_replay *created = calloc(1, sizeof *created);
  if (!created)
    return NULL;
  created->variant = frame->variant;
  created->result_count = resultCount(frame);
  created->next = device->replays;
  return device->replays = created;
}

static void clearRequests(tl_replay *replay) {
  for (int64_t i = 0; i < replay->request_count; ++i)
    free(replay->requests[i].sizes);
  replay->request_count = 0;
}

void tl_replay_note(tl_replay *replay, int64_t index, int64_t rank, const int64_t *sizes,
                    int64_t element_bytes, void *answer) {
  if (replay->request_count == replay->request_limit) {
    int64_t limit = replay->request_limit ? 2 * replay->request_limit : 8;
    tl_request *more = realloc(replay->requests, (size_t)limit * sizeof *more);
    if (!more) {
      replay->impossible = true;
      return;
    }
    replay->requests = more;
    replay->request_limit = limit;
  }
  int64_t *copy = malloc(((size_t)rank + 1) * sizeof *copy);
  if (!copy) {
    replay->impossible = true;
    return;
  }
  if (rank)
    memcpy(copy, sizes, (size_t)rank * sizeof *copy);
  tl_request request = {index, rank, element_bytes, copy, answer};
  replay->requests[replay->request_count++] = request;
}

void *tl_replay_answer(tl_replay *replay, int64_t index, int64_t rank, const int64_t *sizes) {
  for (int64_t i = 0; i < replay->request_count; ++i) {
    tl_request *it = &replay->requests[i];
    if (it->index == index && it->rank == rank &&
        (!rank || memcmp(it->sizes, sizes, (size_t)rank * sizeof *sizes) == 0))
      return it->answer;
  }
  return NULL;
}

/* All that the call's launches depend on. Sizes are static. */
static void computeKey(tl_call_frame *frame, tl_replay *replay) {
  int64_t operands = operandCount(frame);
  for (int64_t i = 0; i < operands; ++i)
    /* The first 8 bytes: a tensor's address, or the scalar. */
    memcpy(&replay->key[i], &frame->arguments[i], sizeof replay->key[i]);
  for (int64_t i = 0; i < replay->request_count; ++i)
    replay->key[operands + i] = (int64_t)(intptr_t)replay->requests[i].answer;
}

static tl_recording *lookUp(tl_replay *replay) {
  size_t bytes = (size_t)replay->key_count * sizeof *replay->key;
  for (int i = 0; i < RECORDINGS; ++i) {
    tl_recording *it = &replay->recordings[i];
    if (it->key && memcmp(it->key, replay->key, bytes) == 0)
      return it;
  }
  return NULL;
}

static void forget(tl_call_frame *frame, tl_recording *recording) {
  for (int64_t i = 0; i < recording->part_count; ++i)
    if (recording->parts[i].graph)
      frame->device->backend->graph_destroy(frame->device->stream, recording->parts[i].graph);
  recording->part_count = 0;
}

/* Notes that a call with this key has been made. */
static void remember(tl_call_frame *frame, tl_replay *replay) {
  tl_recording *place = NULL;
  for (int i = 0; i < RECORDINGS; ++i) {
    tl_recording *it = &replay->recordings[i];
    bool replaceable = !it->part_count || replay->calls - it->last_use > STALE_CALLS;
    if (replaceable && (!place || it->last_use < place->last_use))
      place = it;
  }
  if (!place)
    return;
  forget(frame, place);
  if (!place->key)
    place->key = malloc(((size_t)replay->key_count + 1) * sizeof *place->key);
  if (!place->key)
    return;
  memcpy(place->key, replay->key, (size_t)replay->key_count * sizeof *place->key);
  place->last_use = replay->calls;
}

/* Ends a part and runs it. */
static bool endPart(tl_call_frame *frame, tl_recording *recording) {
  tl_device_frame *device = frame->device;
  device->capturing = false;
  if (recording->part_count == recording->part_limit) {
    int64_t limit = recording->part_limit ? 2 * recording->part_limit : 1;
    tl_part *more = realloc(recording->parts, (size_t)limit * sizeof *more);
    if (more) {
      recording->parts = more;
      recording->part_limit = limit;
    }
  }
  tl_part part = {0};
  if (device->backend->graph_end(device->stream, &part.graph, NULL) || !part.graph)
    return false;
  bool kept = recording->part_count < recording->part_limit && !device->dynamic;
  if (!kept || device->empty) {
    device->backend->graph_destroy(device->stream, part.graph);
    part.graph = NULL;
  }
  if (!kept)
    return false;
  recording->parts[recording->part_count++] = part;
  if (!part.graph)
    return true;
  device->queued = true;
  return device->backend->graph_launch(device->stream, part.graph, NULL) == TL_OK;
}

static bool beginPart(tl_call_frame *frame) {
  tl_device_frame *device = frame->device;
  device->empty = true;
  device->capturing = device->backend->graph_begin(device->stream, NULL) == TL_OK;
  return device->capturing;
}

void tl_replay_read(tl_call_frame *frame, void *to, const void *from, int64_t bytes) {
  tl_recording *recording = frame->device->recording;
  tl_part *part = NULL;
  bool ok = bytes <= (int64_t)sizeof part->value && endPart(frame, recording);
  if (ok) {
    tl_device_read(frame, to, from, bytes);
    part = &recording->parts[recording->part_count - 1];
    part->from = from;
    part->bytes = bytes;
    memcpy(part->value, to, (size_t)bytes);
    ok = beginPart(frame);
  }
  if (!ok)
    tl_frame_leave(frame);
}

static void enter(tl_call_frame *frame) {
  tl_opened_code(frame->device->opened, frame->variant)->entry(&frame->frame);
}

/* Makes the call once while the stream records. Only then does the code's own way out, through
   tl_rt_raise, end here: it means that this call cannot be recorded, and is made again. */
static bool record(tl_call_frame *frame, tl_replay *replay, tl_recording *recording) {
  tl_device_frame *device = frame->device;
  jmp_buf environment, *outer = frame->leave;
  tl_error *error = frame->error;
  frame->error = NULL;
  volatile bool complete = false;
  device->recording = recording;
  if (beginPart(frame)) {
    frame->leave = &environment;
    if (!_setjmp(environment)) {
      enter(frame);
      complete = endPart(frame, recording);
    }
    frame->leave = outer;
    void *graph = NULL;
    if (device->capturing && device->backend->graph_end(device->stream, &graph, NULL) == TL_OK &&
        graph)
      device->backend->graph_destroy(device->stream, graph);
  }
  device->capturing = false;
  device->recording = NULL;
  frame->error = error;
  frame->status = TL_OK;
  size_t bytes = (size_t)replay->result_count * sizeof(tl_slot);
  if (complete && !recording->scalars)
    recording->scalars = malloc(bytes + 1);
  if (complete && recording->scalars) {
    memcpy(recording->scalars, frame->result_slots, bytes);
    recording->last_use = replay->calls;
    return true;
  }
  /* What has run of it does no harm, but a graph must not go while it runs. */
  if (recording->part_count)
    device->backend->synchronize(device->stream, NULL);
  forget(frame, recording);
  return false;
}

/* False: the call has to be made without the recording. */
static bool replayRecording(tl_call_frame *frame, tl_replay *replay, tl_recording *recording) {
  tl_device_frame *device = frame->device;
  recording->last_use = replay->calls;
  for (int64_t i = 0; i < recording->part_count; ++i) {
    tl_part *part = &recording->parts[i];
    tl_status status = TL_OK;
    if (part->graph) {
      device->queued = true;
      status = device->backend->graph_launch(device->stream, part->graph, frame->error);
    }
    if (status) {
      frame->status = status;
      tl_frame_leave(frame);
    }
    char value[sizeof part->value];
    if (!part->from)
      continue;
    tl_device_read(frame, value, part->from, part->bytes);
    if (memcmp(value, part->value, (size_t)part->bytes) != 0) {
      forget(frame, recording); /* nothing of it runs any more */
      return false;
    }
  }
  memcpy(frame->result_slots, recording->scalars, (size_t)replay->result_count * sizeof(tl_slot));
  return true;
}

/* The first call: runs the code and notes what it asks for. */
static void runFirst(tl_call_frame *frame, tl_replay *replay) {
  clearRequests(replay);
  frame->device->noting = replay;
  enter(frame);
  frame->device->noting = NULL;
  replay->key_count = operandCount(frame) + replay->request_count;
  if (!replay->key)
    replay->key = malloc(((size_t)replay->key_count + 1) * sizeof *replay->key);
  replay->impossible |= !replay->key || frame->device->dynamic;
  replay->known = !replay->impossible;
}

void tl_device_run(tl_call_frame *frame) {
  tl_device_frame *device = frame->device;
  tl_replay *replay =
      tl_opened_code(device->opened, frame->variant)->replayable && device->backend->graph_begin
          ? find(frame)
          : NULL;
  if (!replay || replay->impossible) {
    enter(frame);
    return;
  }
  ++replay->calls;
  if (!replay->known) {
    runFirst(frame, replay);
    if (replay->known) {
      computeKey(frame, replay);
      remember(frame, replay);
    }
    return;
  }
  for (int64_t i = 0; i < replay->request_count; ++i) {
    tl_request *request = &replay->requests[i];
    request->answer = tl_device_output(frame, request->index, request->rank, request->sizes,
                                       request->element_bytes);
  }
  computeKey(frame, replay);
  device->assigned = replay;
  tl_recording *recording = lookUp(replay);
  bool done = false, recorded = recording && recording->part_count;
  if (recorded) {
    done = replayRecording(frame, replay, recording);
    replay->restarts += !done;
  } else if (recording) {
    done = record(frame, replay, recording);
  }
  if (!done) {
    enter(frame); /* does not return where the model raises */
    if (!recording)
      remember(frame, replay);
    else if (!recorded)
      replay->impossible = true;
  }
  replay->impossible |=
      device->dynamic || (replay->restarts > RESTARTS && 4 * replay->restarts > replay->calls);
  device->assigned = NULL;
}

void tl_replays_destroy(tl_call_frame *frame) {
  while (frame->device->replays) {
    tl_replay *replay = frame->device->replays;
    frame->device->replays = replay->next;
    for (int i = 0; i < RECORDINGS; ++i) {
      forget(frame, &replay->recordings[i]);
      free(replay->recordings[i].parts);
      free(replay->recordings[i].key);
      free(replay->recordings[i].scalars);
    }
    clearRequests(replay);
    free(replay->requests);
    free(replay->key);
    free(replay);
  }
}
