/*===- Warp.c - What the lanes of a warp tell each other
 * -----------------------------------------===*/
#include "Internal.h"

#define FOR_LANES(i, lanes)                                                                        \
  for (uint32_t i = 0, rest = (lanes); rest && (i = (uint32_t)__builtin_ctz(rest), 1);             \
       rest &= rest - 1)

/*===-- shfl.sync ------------------------------------------------------------===*/

typedef struct shuffle {
  uint32_t value, lane, clamp;
  uint32_t result;
  uint8_t in_range;
} shuffle;

/* PTX ISA, shfl.sync: the pseudo code of its semantics. */
static void perform_shuffle(emu_worker *worker, emu_thread *warp, uint32_t lanes, uint32_t mode) {
  FOR_LANES(i, lanes) {
    shuffle *it = warp[i].request;
    uint32_t b = it->lane & 31, clamp = it->clamp & 31, segment = it->clamp >> 8 & 31;
    uint32_t last = (i & segment) | (clamp & ~segment), first = i & segment, from;
    switch (mode) {
    case TL_EMU_SHFL_UP:
      from = i - b;
      it->in_range = (int32_t)from >= (int32_t)last;
      break;
    case TL_EMU_SHFL_DOWN:
      from = i + b;
      it->in_range = from <= last;
      break;
    case TL_EMU_SHFL_BFLY:
      from = i ^ b;
      it->in_range = from <= last;
      break;
    default:
      from = first | (b & ~segment);
      it->in_range = from <= last;
      break;
    }
    if (!it->in_range)
      from = i;
    if (!(lanes >> from & 1))
      emu_fail(&warp[i].base, "shfl.sync from lane %u, which %s", from,
               worker->warps[warp->base.linear_id / EMU_WARP].exist >> from & 1
                   ? "takes no part in it"
                   : "does not exist");
    it->result = ((shuffle *)warp[from].request)->value;
  }
}
static void shuffle_idx(emu_worker *worker, emu_thread *warp, uint32_t lanes) {
  perform_shuffle(worker, warp, lanes, TL_EMU_SHFL_IDX);
}
static void shuffle_up(emu_worker *worker, emu_thread *warp, uint32_t lanes) {
  perform_shuffle(worker, warp, lanes, TL_EMU_SHFL_UP);
}
static void shuffle_down(emu_worker *worker, emu_thread *warp, uint32_t lanes) {
  perform_shuffle(worker, warp, lanes, TL_EMU_SHFL_DOWN);
}
static void shuffle_bfly(emu_worker *worker, emu_thread *warp, uint32_t lanes) {
  perform_shuffle(worker, warp, lanes, TL_EMU_SHFL_BFLY);
}
static const emu_operation shuffles[] = {{"shfl.sync.idx", shuffle_idx},
                                         {"shfl.sync.up", shuffle_up},
                                         {"shfl.sync.down", shuffle_down},
                                         {"shfl.sync.bfly", shuffle_bfly}};

uint32_t tl_emu_shfl(tl_emu_thread *thread, uint32_t site, uint32_t mode, uint32_t mask,
                     uint32_t value, uint32_t lane, uint32_t clamp, uint8_t *in_range) {
  shuffle it = {value, lane, clamp, 0, 0};
  emu_meet(thread, &shuffles[mode], site, mask, &it);
  *in_range = it.in_range;
  return it.result;
}

/*===-- vote.sync ------------------------------------------------------------===*/

typedef struct vote {
  uint32_t mode, value;
} vote;

static void perform_vote(emu_worker *worker, emu_thread *warp, uint32_t lanes) {
  uint32_t yes = 0;
  FOR_LANES(i, lanes) yes |= (uint32_t)(((vote *)warp[i].request)->value != 0) << i;
  FOR_LANES(i, lanes) {
    vote *it = warp[i].request;
    it->value = it->mode == TL_EMU_VOTE_BALLOT ? yes
                : it->mode == TL_EMU_VOTE_ALL  ? yes == lanes
                : it->mode == TL_EMU_VOTE_ANY  ? yes != 0
                                               : yes == lanes || !yes;
  }
}
static const emu_operation vote_operation = {"vote.sync", perform_vote};

uint32_t tl_emu_vote(tl_emu_thread *thread, uint32_t site, uint32_t mode, uint32_t mask,
                     uint32_t predicate) {
  vote it = {mode, predicate};
  emu_meet(thread, &vote_operation, site, mask, &it);
  return it.value;
}

/*===-- match.sync -----------------------------------------------------------===*/

typedef struct match {
  uint64_t value;
  uint32_t all, result;
  uint8_t agree;
} match;

static void perform_match(emu_worker *worker, emu_thread *warp, uint32_t lanes) {
  FOR_LANES(i, lanes) {
    match *it = warp[i].request;
    uint32_t equal = 0;
    for (uint32_t j = 0; j < EMU_WARP; ++j)
      if (lanes >> j & 1 && ((match *)warp[j].request)->value == it->value)
        equal |= 1u << j;
    it->agree = equal == lanes;
    it->result = it->all && !it->agree ? 0 : equal;
  }
}
static const emu_operation match_operation = {"match.sync", perform_match};

uint32_t tl_emu_match(tl_emu_thread *thread, uint32_t site, uint32_t all, uint32_t mask,
                      uint64_t value, uint8_t *agree) {
  match it = {value, all, 0, 0};
  emu_meet(thread, &match_operation, site, mask, &it);
  *agree = it.agree;
  return it.result;
}

/*===-- redux.sync -----------------------------------------------------------===*/

typedef struct redux {
  uint32_t mode, value;
} redux;

static uint32_t combine(uint32_t mode, uint32_t a, uint32_t b) {
  switch (mode) {
  case TL_EMU_REDUX_ADD:
    return a + b;
  case TL_EMU_REDUX_MIN:
    return (int32_t)a < (int32_t)b ? a : b;
  case TL_EMU_REDUX_MAX:
    return (int32_t)a > (int32_t)b ? a : b;
  case TL_EMU_REDUX_UMIN:
    return a < b ? a : b;
  case TL_EMU_REDUX_UMAX:
    return a > b ? a : b;
  case TL_EMU_REDUX_AND:
    return a & b;
  case TL_EMU_REDUX_OR:
    return a | b;
  default:
    return a ^ b;
  }
}
static void perform_redux(emu_worker *worker, emu_thread *warp, uint32_t lanes) {
  uint32_t first = (uint32_t)__builtin_ctz(lanes);
  const redux *any = warp[first].request;
  uint32_t mode = any->mode, value = any->value;
  FOR_LANES(i, lanes & (lanes - 1)) value = combine(mode, value, ((redux *)warp[i].request)->value);
  FOR_LANES(i, lanes)((redux *)warp[i].request)->value = value;
}
static const emu_operation redux_operation = {"redux.sync", perform_redux};

uint32_t tl_emu_redux(tl_emu_thread *thread, uint32_t site, uint32_t mode, uint32_t mask,
                      uint32_t value) {
  redux it = {mode, value};
  emu_meet(thread, &redux_operation, site, mask, &it);
  return it.value;
}
