/*
 * Pairs of sets by coverage and exclusion, for Node-API: the walk that packages/compute/src/join/plan.ts prepares.
 *
 * For each set A its rarer ids are walked through the inverted index and counted in 16 bits per other set; its `skip` most frequent
 * ids are not, because a pair that passes shares more than that. The counters of each size of B, which lie side by side, are then
 * searched for those that are at least the needed shares less skip, and only these few candidates are looked at: how many of the
 * skipped ids they hold. When a row has as many pairs as are wanted, the worst of them raises what is needed.
 *
 * Only the search is in vectors; it is compiled for each instruction set, and the widest that the processor has is chosen when the
 * addon is loaded. There is no mutable static state: the addon loads in any number of threads and unloads with them.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/* Counters that the search may read behind the last set's: one block of the widest vectors. native-kernel.ts makes room for them. */
enum { PADDING = 128 };

/* First place in [from, to) whose counter is at least `least`, which is not 0; `to` when there is none. May read PADDING counters more. */
typedef uint32_t search(const uint16_t *counters, uint32_t from, uint32_t to, uint16_t least);

/* One way through the search: an instruction set. */
struct path {
  const char *name;
  bool (*supported)(void);
  search *find;
};

static bool always(void) { return true; }

static inline uint32_t at_most(uint32_t a, uint32_t b) { return a < b ? a : b; }

#if defined(__x86_64__)

#define AVX512 __attribute__((target("avx512f,avx512bw")))
#define AVX2 __attribute__((target("avx2")))

AVX512 static uint32_t find_avx512(const uint16_t *counters, uint32_t from, uint32_t to, uint16_t least) {
  const __m512i floor = _mm512_set1_epi16((short)least);
  for (uint32_t at = from; at < to; at += 128) {
    __m512i v[4];
    for (int i = 0; i < 4; i++) v[i] = _mm512_loadu_si512(counters + at + 32 * i);
    __m512i most = _mm512_max_epu16(_mm512_max_epu16(v[0], v[1]), _mm512_max_epu16(v[2], v[3]));
    if (_mm512_cmpge_epu16_mask(most, floor) == 0) continue;
    for (int i = 0; i < 4; i++) {
      uint32_t mask = _mm512_cmpge_epu16_mask(v[i], floor);
      if (mask != 0) return at_most(at + 32 * (uint32_t)i + (uint32_t)__builtin_ctz(mask), to);
    }
  }
  return to;
}

AVX2 static uint32_t find_avx2(const uint16_t *counters, uint32_t from, uint32_t to, uint16_t least) {
  const __m256i floor = _mm256_set1_epi16((short)least);
  for (uint32_t at = from; at < to; at += 64) {
    __m256i v[4];
    for (int i = 0; i < 4; i++) v[i] = _mm256_loadu_si256((const __m256i *)(counters + at + 16 * i));
    __m256i most = _mm256_max_epu16(_mm256_max_epu16(v[0], v[1]), _mm256_max_epu16(v[2], v[3]));
    if (_mm256_movemask_epi8(_mm256_cmpeq_epi16(_mm256_max_epu16(most, floor), most)) == 0) continue;
    for (int i = 0; i < 4; i++) {
      uint32_t mask = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi16(_mm256_max_epu16(v[i], floor), v[i]));
      if (mask != 0) return at_most(at + 16 * (uint32_t)i + (uint32_t)__builtin_ctz(mask) / 2, to);
    }
  }
  return to;
}

/* SSE2 has no maximum of unsigned words: what saturating subtraction from the floor leaves at 0 is at least the floor. */
static uint32_t find_sse2(const uint16_t *counters, uint32_t from, uint32_t to, uint16_t least) {
  const __m128i floor = _mm_set1_epi16((short)least), zero = _mm_setzero_si128();
  for (uint32_t at = from; at < to; at += 32) {
    __m128i hit[4];
    for (int i = 0; i < 4; i++) {
      __m128i v = _mm_loadu_si128((const __m128i *)(counters + at + 8 * i));
      hit[i] = _mm_cmpeq_epi16(_mm_subs_epu16(floor, v), zero);
    }
    if (_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(hit[0], hit[1]), _mm_or_si128(hit[2], hit[3]))) == 0) continue;
    for (int i = 0; i < 4; i++) {
      uint32_t mask = (uint32_t)_mm_movemask_epi8(hit[i]);
      if (mask != 0) return at_most(at + 8 * (uint32_t)i + (uint32_t)__builtin_ctz(mask) / 2, to);
    }
  }
  return to;
}

/* These ask the operating system too, whether it keeps the wide registers. */
static bool has_avx512(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"); }
static bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }

static const struct path PATHS[] = {
    {"AVX-512, 32 lanes", has_avx512, find_avx512},
    {"AVX2, 16 lanes", has_avx2, find_avx2},
    {"SSE2, 8 lanes", always, find_sse2},
};

#elif defined(__aarch64__)

static uint32_t find_neon(const uint16_t *counters, uint32_t from, uint32_t to, uint16_t least) {
  for (uint32_t at = from; at < to; at += 32) {
    uint16x8_t v[4];
    for (int i = 0; i < 4; i++) v[i] = vld1q_u16(counters + at + 8 * i);
    if (vmaxvq_u16(vmaxq_u16(vmaxq_u16(v[0], v[1]), vmaxq_u16(v[2], v[3]))) < least) continue;
    uint32_t place = at;
    while (counters[place] < least) place++;
    return at_most(place, to);
  }
  return to;
}

static const struct path PATHS[] = {{"NEON, 8 lanes", always, find_neon}};

#else

static uint32_t find_plain(const uint16_t *counters, uint32_t from, uint32_t to, uint16_t least) {
  while (from < to && counters[from] < least) from++;
  return from;
}

static const struct path PATHS[] = {{"plain C", always, find_plain}};

#endif

/* The index-th path that this processor has, the fastest first; NULL when there are not as many. */
static const struct path *path_at(uint32_t index) {
  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
    if (PATHS[i].supported() && index-- == 0) return &PATHS[i];
  }
  return NULL;
}

/* A plan (plan.ts), and memory to work in: a counter for each position and PADDING more, a mark for each rank; all 0 between calls. */
struct plan {
  uint32_t rows, ranks, classes;
  const uint32_t *row_of, *ptr, *tokens, *post_ptr, *posts, *sizes, *starts, *skips;
  uint16_t *counters;
  uint8_t *marks;
};

/* Pairs of a row, the worst of them first (a heap) once there are `top`. */
struct kept {
  uint32_t *positions, *shared;
  uint32_t length, top;
};

static inline uint32_t size_of(const struct plan *plan, uint32_t position) { return plan->ptr[position + 1] - plan->ptr[position]; }

/* Whether (position x, shared s) comes behind (y, t) among the pairs of a set of `size` ids: in whole numbers, as share-order.ts does. */
static bool is_worse(const struct plan *plan, uint32_t size, uint32_t x, uint32_t s, uint32_t y, uint32_t t) {
  uint64_t size_x = size_of(plan, x), size_y = size_of(plan, y);
  uint64_t tau_x = s * size_y, tau_y = t * size_x;
  if (tau_x != tau_y) return tau_x < tau_y;
  uint64_t rho_x = (size - s) * size_y, rho_y = (size - t) * size_x;
  if (rho_x != rho_y) return rho_x > rho_y;
  return plan->row_of[x] > plan->row_of[y];
}

static void sift_down(const struct plan *plan, uint32_t size, struct kept *kept, uint32_t at) {
  uint32_t *p = kept->positions, *s = kept->shared, x = p[at], t = s[at];
  for (uint32_t child; (child = 2 * at + 1) < kept->length; at = child) {
    if (child + 1 < kept->length && is_worse(plan, size, p[child + 1], s[child + 1], p[child], s[child])) child++;
    if (!is_worse(plan, size, p[child], s[child], x, t)) break;
    p[at] = p[child];
    s[at] = s[child];
  }
  p[at] = x;
  s[at] = t;
}

static void keep(const struct plan *plan, uint32_t size, struct kept *kept, uint32_t position, uint32_t shared) {
  if (kept->length < kept->top) {
    kept->positions[kept->length] = position;
    kept->shared[kept->length++] = shared;
    if (kept->length == kept->top)
      for (uint32_t at = kept->length / 2; at-- > 0;) sift_down(plan, size, kept, at);
  } else if (is_worse(plan, size, kept->positions[0], kept->shared[0], position, shared)) {
    kept->positions[0] = position;
    kept->shared[0] = shared;
    sift_down(plan, size, kept, 0);
  }
}

/* Least shares with a set of `size_b` ids that can still displace a kept pair. Sets of one size come in the order of their rows, so an equal one comes too late. */
static uint32_t raised(const struct plan *plan, const struct kept *kept, uint32_t need, uint32_t size_b) {
  if (kept->length < kept->top) return need;
  uint64_t shared = kept->shared[0], size = size_of(plan, kept->positions[0]);
  uint64_t least = size == size_b ? shared + 1 : (shared * size_b + size - 1) / size;
  return least > need ? (uint32_t)least : need;
}

/* First place in [from, to) of an ascending list whose entry is at least `least`. */
static uint32_t lower_bound(const uint32_t *list, uint32_t from, uint32_t to, uint32_t least) {
  while (from < to) {
    uint32_t middle = from + (to - from) / 2;
    if (list[middle] < least) from = middle + 1;
    else to = middle;
  }
  return from;
}

/* The pairs of the set at `row` with those of the classes [first, last]. */
static void join_row(const struct plan *plan, search *find, uint32_t row, const uint32_t *need, uint32_t first, uint32_t last, struct kept *kept) {
  uint16_t *counters = plan->counters;
  uint8_t *marks = plan->marks;
  const uint32_t *ids = plan->tokens + plan->ptr[row];
  uint32_t size = size_of(plan, row), skip = plan->skips[row], from = plan->starts[first], to = plan->starts[last + 1];
  for (uint32_t i = 0; i < skip; i++) marks[ids[i]] = 1;
  for (uint32_t i = skip; i < size; i++) {
    uint32_t begin = plan->post_ptr[ids[i]], end = plan->post_ptr[ids[i] + 1];
    if (from > 0) begin = lower_bound(plan->posts, begin, end, from);
    if (to < plan->rows) end = lower_bound(plan->posts, begin, end, to);
    for (; begin < end; begin++) counters[plan->posts[begin]]++;
  }
  if (from <= row && row < to) counters[row] = 0;
  for (uint32_t class = first; class <= last; class++) {
    if (need[class] == 0) continue;
    uint32_t size_b = plan->sizes[class], end = plan->starts[class + 1];
    uint32_t least = raised(plan, kept, need[class], size_b);
    for (uint32_t at = plan->starts[class]; least <= size && (at = find(counters, at, end, (uint16_t)(least - skip))) < end; at++) {
      uint32_t shared = counters[at];
      if (skip > 0) {
        const uint32_t *other = plan->tokens + plan->ptr[at], *stop = other + size_b;
        for (uint32_t rarest = ids[skip - 1]; other < stop && *other <= rarest; other++) shared += marks[*other];
      }
      if (shared < least) continue;
      keep(plan, size, kept, at, shared);
      least = raised(plan, kept, need[class], size_b);
    }
  }
  memset(counters + from, 0, (to - from) * sizeof *counters);
  for (uint32_t i = 0; i < skip; i++) marks[ids[i]] = 0;
}

static napi_value refuse(napi_env env, const char *why) {
  napi_throw_type_error(env, NULL, why);
  return NULL;
}

/* Arrays of a call, in the order of JoinAddon in native-kernel.ts. */
enum { ROW_OF, PTR, TOKENS, POST_PTR, POSTS, SIZES, STARTS, SKIPS, COUNTERS, MARKS, NEED, COUNTS, POSITIONS, SHARED, ARRAYS };

/*
 * joinRows(arrays, from, to, top, path = 0): pairs of the rows at positions [from, to), which are of one size; see kernel.ts.
 * Lengths are checked; that the entries of the plan stay within them is plan.ts's word.
 * Returns how many rows were finished.
 */
static napi_value join_rows(napi_env env, napi_callback_info info) {
  napi_value arguments[5], result;
  size_t count = 5, lengths[ARRAYS];
  void *data[ARRAYS];
  uint32_t from, to, top, place = 0;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count < 4) return refuse(env, "joinRows takes 4 or 5 arguments");
  for (uint32_t i = 0; i < ARRAYS; i++) {
    napi_value array;
    napi_typedarray_type type, wanted = i == COUNTERS ? napi_uint16_array : i == MARKS ? napi_uint8_array : napi_uint32_array;
    if (napi_get_element(env, arguments[0], i, &array) != napi_ok || napi_get_typedarray_info(env, array, &type, &lengths[i], &data[i], NULL, NULL) != napi_ok || type != wanted)
      return refuse(env, "an array of the plan is missing or of another type");
  }
  if (napi_get_value_uint32(env, arguments[1], &from) != napi_ok || napi_get_value_uint32(env, arguments[2], &to) != napi_ok ||
      napi_get_value_uint32(env, arguments[3], &top) != napi_ok || (count > 4 && napi_get_value_uint32(env, arguments[4], &place) != napi_ok))
    return refuse(env, "from, to, top and path are numbers");
  const struct path *path = path_at(place);
  if (path == NULL) return refuse(env, "this processor has no such path");
  const struct plan plan = {(uint32_t)lengths[ROW_OF], (uint32_t)lengths[MARKS], (uint32_t)lengths[SIZES], data[ROW_OF], data[PTR], data[TOKENS],
                            data[POST_PTR], data[POSTS], data[SIZES], data[STARTS], data[SKIPS], data[COUNTERS], data[MARKS]};
  size_t rows = lengths[ROW_OF];
  if (lengths[PTR] != rows + 1 || lengths[SKIPS] != rows || lengths[COUNTERS] < rows + PADDING || lengths[POST_PTR] != lengths[MARKS] + 1 ||
      lengths[POSTS] != lengths[TOKENS] || lengths[STARTS] != lengths[SIZES] + 1 || lengths[NEED] != lengths[SIZES] || lengths[POSITIONS] != lengths[SHARED])
    return refuse(env, "the arrays of the plan do not fit together");
  if (from > to || to > rows || to - from > lengths[COUNTS] || top < 1) return refuse(env, "there are no such rows, or no room for them");

  const uint32_t *need = data[NEED];
  uint32_t *counts = data[COUNTS], *positions = data[POSITIONS], *shared = data[SHARED], first = 0, last = plan.classes;
  while (first < last && need[first] == 0) first++;
  while (last > first && need[last - 1] == 0) last--;
  uint32_t row = from, most = at_most(top, plan.rows);
  for (size_t written = 0; row < to && written + most <= lengths[POSITIONS]; row++) {
    struct kept kept = {positions + written, shared + written, 0, most};
    if (first < last) join_row(&plan, path->find, row, need, first, last - 1, &kept);
    counts[row - from] = kept.length;
    written += kept.length;
  }
  return napi_create_uint32(env, row - from, &result) == napi_ok ? result : NULL;
}

NAPI_MODULE_INIT() {
  napi_value paths, function, padding;
  bool ok = napi_create_array(env, &paths) == napi_ok;
  for (uint32_t i = 0; ok && path_at(i) != NULL; i++) {
    napi_value name;
    ok = napi_create_string_utf8(env, path_at(i)->name, NAPI_AUTO_LENGTH, &name) == napi_ok && napi_set_element(env, paths, i, name) == napi_ok;
  }
  ok = ok && napi_create_function(env, "joinRows", NAPI_AUTO_LENGTH, join_rows, NULL, &function) == napi_ok;
  ok = ok && napi_create_uint32(env, PADDING, &padding) == napi_ok;
  ok = ok && napi_set_named_property(env, exports, "paths", paths) == napi_ok;
  ok = ok && napi_set_named_property(env, exports, "padding", padding) == napi_ok;
  ok = ok && napi_set_named_property(env, exports, "joinRows", function) == napi_ok;
  return ok ? exports : NULL;
}
