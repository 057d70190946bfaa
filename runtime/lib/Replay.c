/*===- Replay.c - Calls that are recorded once and replayed ---------------------===*\
|*
|* The first call of a replayable variant runs as it is and shows which results it asks for. From then
|* on the runtime provides those beforehand, so it knows all that a call depends on: the addresses of
|* operands and results, and the scalars. A call that comes with the same ones a second time is
|* recorded into a graph, and replayed from then on. So a caller whose addresses never repeat pays
|* nothing but a look into a small table, and alternating state buffers take two graphs.
\*===----------------------------------------------------------------------===*/
#include "Internal.h"

#include <stdlib.h>
#include <string.h>

#define RECORDINGS 8
/* A graph that this many calls have not used makes place for another. */
#define STALE_CALLS 64

typedef struct tl_recording {
  int64_t *key;
  void *graph;      /* null: the key has been seen once */
  tl_slot *scalars; /* the scalar results of the call, with `graph` */
  int64_t last_use;
} tl_recording;

typedef struct tl_replay {
  struct tl_replay *next;
  const tl_variant *variant;
  tl_request *requests;
  int64_t request_count, request_limit;
  bool known;      /* the requests are complete */
  bool impossible; /* the backend cannot record this variant */
  int64_t calls, key_count, result_count;
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

void *tl_replay_answer(tl_replay *replay, int64_t index) {
  for (int64_t i = 0; i < replay->request_count; ++i)
    if (replay->requests[i].index == index)
      return replay->requests[i].answer;
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
  if (recording->graph)
    frame->device->backend->graph_destroy(frame->device->stream, recording->graph);
  recording->graph = NULL;
}

/* Notes that a call with this key has been made. */
static void remember(tl_call_frame *frame, tl_replay *replay) {
  tl_recording *place = NULL;
  for (int i = 0; i < RECORDINGS; ++i) {
    tl_recording *it = &replay->recordings[i];
    bool replaceable = !it->graph || replay->calls - it->last_use > STALE_CALLS;
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

/* Runs the code once while the stream records. Only then does the code's own way out, through
   tl_rt_raise, end here: it means that this variant cannot be recorded. */
static bool record(tl_call_frame *frame, tl_replay *replay, tl_recording *recording) {
  tl_device_frame *device = frame->device;
  jmp_buf environment, *outer = frame->leave;
  tl_error *error = frame->error;
  frame->error = NULL;
  volatile bool complete = false;
  if (device->backend->capture_begin(device->stream, NULL) == TL_OK) {
    frame->leave = &environment;
    if (!_setjmp(environment)) {
      frame->variant->device_entry(&frame->frame);
      complete = !device->dynamic;
    }
    frame->leave = outer;
    void *graph = NULL;
    if (device->backend->capture_end(device->stream, &graph, NULL) == TL_OK && graph) {
      if (complete)
        recording->graph = graph;
      else
        device->backend->graph_destroy(device->stream, graph);
    }
  }
  frame->error = error;
  frame->status = TL_OK;
  size_t bytes = (size_t)replay->result_count * sizeof(tl_slot);
  if (recording->graph && !recording->scalars)
    recording->scalars = malloc(bytes + 1);
  if (recording->graph && !recording->scalars)
    forget(frame, recording);
  if (recording->graph)
    memcpy(recording->scalars, frame->result_slots, bytes);
  return recording->graph != NULL;
}

static void replayRecording(tl_call_frame *frame, tl_replay *replay, tl_recording *recording) {
  tl_device_frame *device = frame->device;
  recording->last_use = replay->calls;
  memcpy(frame->result_slots, recording->scalars, (size_t)replay->result_count * sizeof(tl_slot));
  device->queued = true;
  tl_status status =
      device->backend->graph_launch(device->stream, recording->graph, frame->error);
  if (status) {
    frame->status = status;
    tl_frame_leave(frame);
  }
}

/* The first call: runs the code and notes what it asks for. */
static void runFirst(tl_call_frame *frame, tl_replay *replay) {
  clearRequests(replay);
  frame->device->noting = replay;
  frame->variant->device_entry(&frame->frame);
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
      frame->variant->replayable && device->backend->capture_begin ? find(frame) : NULL;
  if (!replay || replay->impossible) {
    frame->variant->device_entry(&frame->frame);
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
  if (recording && !recording->graph && !record(frame, replay, recording)) {
    replay->impossible = true;
    recording = NULL;
  }
  if (recording) {
    replayRecording(frame, replay, recording);
  } else {
    frame->variant->device_entry(&frame->frame);
    if (!replay->impossible)
      remember(frame, replay);
  }
  device->assigned = NULL;
}

void tl_replays_destroy(tl_call_frame *frame) {
  while (frame->device->replays) {
    tl_replay *replay = frame->device->replays;
    frame->device->replays = replay->next;
    for (int i = 0; i < RECORDINGS; ++i) {
      forget(frame, &replay->recordings[i]);
      free(replay->recordings[i].key);
      free(replay->recordings[i].scalars);
    }
    clearRequests(replay);
    free(replay->requests);
    free(replay->key);
    free(replay);
  }
}
