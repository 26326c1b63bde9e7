/*
 * The folds of weighted rows, for Node-API, in the arithmetic that packages/consensus/src/fold-reference.ts defines. Results agree with
 * the reference to the bit.
 *
 * The owners of a row mostly hold the same columns. Then the weights of all of them stand side by side in memory, and the fold goes
 * down them in vectors, which is as fast as memory is read. Where columns differ, a mean or a maximum is gathered in a dense row; for an
 * order statistic the few columns that enough owners hold are laid side by side first.
 *
 * The columns statistics are compiled for each instruction set, and the widest that the processor has is chosen when the addon is loaded.
 * There is no mutable static state: the addon loads in any number of threads and unloads with them.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Edges of a row at most (MAX_ROW_EDGES of packages/consensus/src/limits.ts), and columns that are sorted together. */
enum { ROW_EDGES = 64, TILE = 64 };

/* How much is asked for before it is used, in owners of rows, half a KiB each, and in rows; and what one request brings. */
enum { AHEAD = 512, MOST_ROWS = 64, CACHE_LINE = 64 };

/* The statistics, in the order of native-fold-kernel.ts. */
enum statistic { MEAN, GREATEST, TRIMMED, MEDIAN, STATISTICS };

typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef float f32x2 __attribute__((vector_size(8)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x8 __attribute__((vector_size(32)));
typedef float f32x16 __attribute__((vector_size(64)));
typedef double f64x2 __attribute__((vector_size(16)));
typedef double f64x4 __attribute__((vector_size(32)));
typedef double f64x8 __attribute__((vector_size(64)));

#define STORE(to, vector)                        \
  do {                                           \
    const __typeof__(vector) stored_ = (vector); \
    memcpy((to), &stored_, sizeof stored_);      \
  } while (0)

/* One way through the arithmetic: an instruction set and its statistics. */
struct path {
  /* As people read it; lanes of 32 bits. */
  const char *name;
  bool (*supported)(void);
  void (*mean)(const float *const *rows, const double *weights, size_t k, double divisor, size_t width, float *out);
  void (*greatest)(const float *const *rows, size_t k, size_t width, float *out);
  void (*middle)(const float *const *rows, size_t k, size_t from, size_t to, size_t width, float *tile, float *out);
  size_t (*at_least)(const uint32_t *words, size_t count, uint32_t least);
};

static bool always(void) { return true; }

#if defined(__x86_64__)

#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl")))
#define NAME(function) function##_avx512
#define LANES 16
#define floats f32x16
#define doubles f64x8
#define MIN(a, b) ((f32x16)_mm512_min_ps((__m512)(a), (__m512)(b)))
#define MAX(a, b) ((f32x16)_mm512_max_ps((__m512)(a), (__m512)(b)))
#define LOAD(from) ((f32x16)_mm512_loadu_ps(from))
#define WIDEN(from) ((f64x8)_mm512_cvtps_pd(_mm256_loadu_ps(from)))
#define NARROW(d) ((f32x8)_mm512_cvtpd_ps((__m512d)(d)))
#include "fold-columns.h"

#define TARGET __attribute__((target("avx2")))
#define NAME(function) function##_avx2
#define LANES 8
#define floats f32x8
#define doubles f64x4
#define MIN(a, b) ((f32x8)_mm256_min_ps((__m256)(a), (__m256)(b)))
#define MAX(a, b) ((f32x8)_mm256_max_ps((__m256)(a), (__m256)(b)))
#define LOAD(from) ((f32x8)_mm256_loadu_ps(from))
#define WIDEN(from) ((f64x4)_mm256_cvtps_pd(_mm_loadu_ps(from)))
#define NARROW(d) ((f32x4)_mm256_cvtpd_ps((__m256d)(d)))
#include "fold-columns.h"

#define TARGET
#define NAME(function) function##_sse2
#define LANES 4
#define floats f32x4
#define doubles f64x2
#define MIN(a, b) ((f32x4)_mm_min_ps((__m128)(a), (__m128)(b)))
#define MAX(a, b) ((f32x4)_mm_max_ps((__m128)(a), (__m128)(b)))
#define LOAD(from) ((f32x4)_mm_loadu_ps(from))
#define WIDEN(from) ((f64x2){(from)[0], (from)[1]})
#define NARROW(d) ((f32x2){(float)(d)[0], (float)(d)[1]})
#include "fold-columns.h"

/* These ask the operating system too, whether it keeps the wide registers. */
static bool has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
static bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }

static const struct path PATHS[] = {
    {"AVX-512, 16 lanes", has_avx512, mean_avx512, greatest_avx512, middle_avx512, at_least_avx512},
    {"AVX2, 8 lanes", has_avx2, mean_avx2, greatest_avx2, middle_avx2, at_least_avx2},
    {"SSE2, 4 lanes", always, mean_sse2, greatest_sse2, middle_sse2, at_least_sse2},
};

#elif defined(__aarch64__)

#define TARGET
#define NAME(function) function##_neon
#define LANES 4
#define floats f32x4
#define doubles f64x2
#define MIN(a, b) ((f32x4)vminq_f32((float32x4_t)(a), (float32x4_t)(b)))
#define MAX(a, b) ((f32x4)vmaxq_f32((float32x4_t)(a), (float32x4_t)(b)))
#define LOAD(from) ((f32x4)vld1q_f32(from))
#define WIDEN(from) ((f64x2)vcvt_f64_f32(vld1_f32(from)))
#define NARROW(d) ((f32x2)vcvt_f32_f64((float64x2_t)(d)))
#include "fold-columns.h"

static const struct path PATHS[] = {{"NEON, 4 lanes", always, mean_neon, greatest_neon, middle_neon, at_least_neon}};

#else

#define TARGET
#define NAME(function) function##_plain
#define LANES 4
#define floats f32x4
#define doubles f64x2
/* Where a < b, its bits; elsewhere those of b. */
#define PICKED(mask, a, b) ((f32x4)((mask & (i32x4)(a)) | (~mask & (i32x4)(b))))
typedef int32_t i32x4 __attribute__((vector_size(16)));
static inline f32x4 min_plain(f32x4 a, f32x4 b) { return PICKED((a < b), a, b); }
static inline f32x4 max_plain(f32x4 a, f32x4 b) { return PICKED((a < b), b, a); }
static inline f32x4 load_plain(const float *from) {
  f32x4 vector;
  memcpy(&vector, from, sizeof vector);
  return vector;
}
#define MIN(a, b) min_plain(a, b)
#define MAX(a, b) max_plain(a, b)
#define LOAD(from) load_plain(from)
#define WIDEN(from) ((f64x2){(from)[0], (from)[1]})
#define NARROW(d) ((f32x2){(float)(d)[0], (float)(d)[1]})
#include "fold-columns.h"

static const struct path PATHS[] = {{"plain C", always, mean_plain, greatest_plain, middle_plain, at_least_plain}};

#endif

/* The index-th path that this processor has, the fastest first; NULL when there are not as many. */
static const struct path *path_at(uint32_t index) {
  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
    if (PATHS[i].supported() && index-- == 0) return &PATHS[i];
  }
  return NULL;
}

/* Rows of one matrix that one member holds. */
struct side {
  const uint32_t *ptr, *cols;
  const float *vals;
  size_t rows, edges;
};

struct task {
  const struct path *path;
  enum statistic statistic;
  size_t columns, members;
  const struct side *sides;
  const double *weights;
  /* Owners of the i-th row: [ptr[i], ptr[i + 1]). */
  size_t rows;
  const uint32_t *ptr, *member, *at;
};

/* Memory to work in. Dense arrays have an entry for each column and are all 0 between rows. */
struct room {
  /* For each owner of the row at hand: its edges, how many, its weight. */
  const uint32_t **cols;
  const float **vals;
  uint32_t *lengths;
  double *weights;
  /* A bit for each column in use. */
  uint64_t *used;
  double *sums;
  uint32_t *counts;
  /* The row as it comes out, before the cap; vals has 15 entries more. */
  uint32_t *out_cols;
  float *out_vals;
  /* Columns of an order statistic, an owner to a line, and the pointers to the lines. */
  float *panel;
  const float **lines;
  float *tile;
};

/* Which values of k in ascending order a statistic takes the mean of: [from, to). */
static void middle_of(enum statistic statistic, size_t k, size_t *from, size_t *to) {
  *from = statistic == TRIMMED ? k / 3 : (k - 1) / 2;
  *to = statistic == TRIMMED ? k - k / 3 : k / 2 + 1;
}

static void down_columns(const struct task *task, const struct room *room, const float *const *rows, size_t k, double divisor, size_t width, float *out) {
  size_t from, to;
  switch (task->statistic) {
    case MEAN: task->path->mean(rows, room->weights, k, divisor, width, out); return;
    case GREATEST: task->path->greatest(rows, k, width, out); return;
    default:
      middle_of(task->statistic, k, &from, &to);
      task->path->middle(rows, k, from, to, width, room->tile, out);
  }
}

/* The 64th greatest of `count` weights, more than 64: the greatest bit pattern that 64 of them reach, found bit by bit. */
static uint32_t sixty_fourth(const struct path *path, float *vals, size_t count) {
  const size_t padded = (count + 15) & ~(size_t)15;
  memset(vals + count, 0, (padded - count) * sizeof *vals);
  uint32_t least = 0;
  for (uint32_t bit = 1u << 29; bit > 0; bit >>= 1) {
    const size_t reach = path->at_least((const uint32_t *)(const void *)vals, padded, least | bit);
    if (reach >= ROW_EDGES) least |= bit;
    if (reach == ROW_EDGES) break;
  }
  return least;
}

/* Writes a row without zeros, at most 64 edges, the heaviest, of equal ones those with the lower columns. Returns how many. */
static size_t emit(const struct path *path, const uint32_t *cols, float *vals, size_t count, uint32_t *into_cols, float *into_vals) {
  size_t end = 0;
  if (count <= ROW_EDGES) {
    for (size_t i = 0; i < count; i++) {
      into_cols[end] = cols[i];
      into_vals[end] = vals[i];
      end += vals[i] > 0;
    }
    return end;
  }
  /* weights below 1 or equal to it: bit patterns below 2^30 */
  const uint32_t least = sixty_fourth(path, vals, count);
  const uint32_t *words = (const uint32_t *)(const void *)vals;
  size_t heavier = 0;
  for (size_t i = 0; i < count; i++) heavier += words[i] > least;
  size_t ties = heavier < ROW_EDGES && least > 0 ? ROW_EDGES - heavier : 0;
  for (size_t i = 0; i < count && end < ROW_EDGES; i++) {
    const bool tie = words[i] == least && ties > 0;
    ties -= tie;
    into_cols[end] = cols[i];
    into_vals[end] = vals[i];
    end += tie || words[i] > least;
  }
  return end;
}

/* The owners' edges of the i-th row, into `room`. Returns how many owners, 0 when the task does not fit the sides. */
static size_t owners_of(const struct task *task, const struct room *room, size_t i) {
  const size_t from = task->ptr[i], k = task->ptr[i + 1] - from;
  for (size_t o = 0; o < k; o++) {
    const uint32_t member = task->member[from + o], at = task->at[from + o];
    if (member >= task->members || at >= task->sides[member].rows) return 0;
    const struct side *side = &task->sides[member];
    const uint32_t begin = side->ptr[at], end = side->ptr[at + 1];
    if (begin > end || end > side->edges || end - begin > ROW_EDGES) return 0;
    room->cols[o] = side->cols + begin;
    room->vals[o] = side->vals + begin;
    room->lengths[o] = end - begin;
    room->weights[o] = task->weights[member];
  }
  return k;
}

/* Has the edges of the owners [from, to) of a row brought into the second cache. */
static void ask_for(const struct task *task, size_t from, size_t to) {
  for (size_t o = from; o < to; o++) {
    const uint32_t member = task->member[o], at = task->at[o];
    if (member >= task->members || at >= task->sides[member].rows) return;
    const struct side *side = &task->sides[member];
    const uint32_t begin = side->ptr[at], end = side->ptr[at + 1];
    for (uint32_t edge = begin; edge < end; edge += CACHE_LINE / 4) {
      __builtin_prefetch(side->cols + edge, 0, 2);
      __builtin_prefetch(side->vals + edge, 0, 2);
    }
  }
}

/*
 * While a block of rows is worked on, the next one is asked for, some owners after the other: what one member holds lies in a row in
 * memory, and read that way comes two to three times as fast as row by row from all members at once.
 */
static void ask_ahead(const struct task *task, size_t i, size_t block) {
  const size_t part = i % block, first = i - part + block;
  const size_t last = first + block < task->rows ? first + block : task->rows;
  for (size_t row = first; row < last; row++) {
    const size_t from = task->ptr[row], k = task->ptr[row + 1] - from;
    ask_for(task, from + k * part / block, from + k * (part + 1) / block);
  }
}

static bool same_columns(const struct room *room, size_t k) {
  for (size_t o = 1; o < k; o++) {
    if (room->lengths[o] != room->lengths[0]) return false;
    if (memcmp(room->cols[o], room->cols[0], room->lengths[0] * sizeof(uint32_t)) != 0) return false;
  }
  return true;
}

ALWAYS_INLINE void use(const struct room *room, uint32_t column) { room->used[column >> 6] |= 1ull << (column & 63); }

/* The columns in use, ascending, into out_cols; none is in use afterwards. Returns how many. */
static size_t take_used(const struct task *task, const struct room *room) {
  size_t count = 0;
  for (size_t w = 0; w < (task->columns + 63) / 64; w++) {
    uint64_t word = room->used[w];
    room->used[w] = 0;
    for (; word != 0; word &= word - 1) room->out_cols[count++] = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(word);
  }
  return count;
}

/* Owners with different columns: the mean or the maximum through a dense row. Returns the length of the row before the cap, or SIZE_MAX for a foreign column. */
static size_t gather(const struct task *task, const struct room *room, size_t k, double divisor) {
  double *sums = room->sums;
  for (size_t o = 0; o < k; o++) {
    const double weight = room->weights[o];
    for (uint32_t e = 0; e < room->lengths[o]; e++) {
      const uint32_t column = room->cols[o][e];
      if (column >= task->columns) return SIZE_MAX;
      use(room, column);
      const double value = room->vals[o][e];
      if (task->statistic == MEAN) sums[column] += weight * value;
      else if (value > sums[column]) sums[column] = value;
    }
  }
  const size_t count = take_used(task, room);
  for (size_t i = 0; i < count; i++) {
    room->out_vals[i] = (float)(sums[room->out_cols[i]] / divisor);
    sums[room->out_cols[i]] = 0;
  }
  return count;
}

/* The same for an order statistic: the columns that enough owners hold are laid side by side. */
static size_t line_up(const struct task *task, const struct room *room, size_t k) {
  uint32_t *counts = room->counts;
  const size_t tolerated = task->statistic == TRIMMED ? k / 3 : (k - 1) / 2;
  for (size_t o = 0; o < k; o++) {
    for (uint32_t e = 0; e < room->lengths[o]; e++) {
      const uint32_t column = room->cols[o][e];
      if (column >= task->columns) return SIZE_MAX;
      if (counts[column]++ == tolerated) use(room, column);
    }
  }
  const size_t width = take_used(task, room);
  for (size_t o = 0; o < k; o++)
    for (uint32_t e = 0; e < room->lengths[o]; e++) counts[room->cols[o][e]] = 0;
  for (size_t i = 0; i < width; i++) counts[room->out_cols[i]] = (uint32_t)i + 1;
  memset(room->panel, 0, k * width * sizeof(float));
  for (size_t o = 0; o < k; o++) {
    float *line = room->panel + o * width;
    for (uint32_t e = 0; e < room->lengths[o]; e++) {
      const uint32_t place = counts[room->cols[o][e]];
      if (place > 0) line[place - 1] = room->vals[o][e];
    }
    room->lines[o] = line;
  }
  for (size_t i = 0; i < width; i++) counts[room->out_cols[i]] = 0;
  down_columns(task, room, room->lines, k, 1, width, room->out_vals);
  return width;
}

/* The divisor of a mean; where all its weights are 0 they become 1. */
static double divisor_of(const struct room *room, size_t k) {
  double total = 0;
  for (size_t o = 0; o < k; o++) total += room->weights[o];
  if (total > 0) return total;
  for (size_t o = 0; o < k; o++) room->weights[o] = 1;
  return (double)k;
}

/* Rows of a block: as many as have AHEAD owners together, and MOST_ROWS at most. */
static size_t block_of(const struct task *task) {
  const size_t owners = task->rows == 0 ? 1 : task->ptr[task->rows] / task->rows;
  const size_t rows = AHEAD / (owners > 0 ? owners : 1);
  return rows < 1 ? 1 : rows > MOST_ROWS ? MOST_ROWS : rows;
}

/* Folds all rows; false when the task does not fit the sides. */
static bool fold(const struct task *task, const struct room *room, uint32_t *into_ptr, uint32_t *into_cols, float *into_vals) {
  size_t end = 0;
  into_ptr[0] = 0;
  const size_t block = block_of(task);
  for (size_t i = 0; i < task->rows; i++) {
    ask_ahead(task, i, block);
    const size_t k = owners_of(task, room, i);
    if (k == 0) return false;
    const double divisor = task->statistic == MEAN ? divisor_of(room, k) : 1;
    if (same_columns(room, k)) {
      const size_t width = room->lengths[0];
      down_columns(task, room, room->vals, k, divisor, width, room->out_vals);
      end += emit(task->path, room->cols[0], room->out_vals, width, into_cols + end, into_vals + end);
    } else {
      const size_t width = task->statistic <= GREATEST ? gather(task, room, k, divisor) : line_up(task, room, k);
      if (width == SIZE_MAX) return false;
      end += emit(task->path, room->out_cols, room->out_vals, width, into_cols + end, into_vals + end);
    }
    into_ptr[i + 1] = (uint32_t)end;
  }
  return true;
}

/* Sizes are rounded up, so that every array begins at a cache line. */
static size_t rounded(size_t bytes) { return (bytes + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1); }

/* Room for rows of at most `most` owners in a matrix of so many columns, zeroed; free(3) what it returns. NULL when there is not as much memory. */
static void *make_room(struct room *room, size_t columns, size_t most) {
  /* an order statistic of k values has less than 64 k / (k / 3) columns: it tolerates a third of the owners at least */
  const size_t widest = 3 * ROW_EDGES;
  const struct {
    void *array;
    size_t bytes;
  } arrays[] = {
      {&room->cols, most * sizeof *room->cols},
      {&room->vals, most * sizeof *room->vals},
      {&room->lengths, most * sizeof *room->lengths},
      {&room->weights, most * sizeof *room->weights},
      {&room->used, (columns / 64 + 1) * sizeof *room->used},
      {&room->sums, columns * sizeof *room->sums},
      {&room->counts, columns * sizeof *room->counts},
      {&room->out_cols, (columns + widest) * sizeof *room->out_cols},
      {&room->out_vals, (columns + widest) * sizeof *room->out_vals},
      {&room->panel, most * widest * sizeof *room->panel},
      {&room->lines, most * sizeof *room->lines},
      {&room->tile, most * TILE * sizeof *room->tile},
  };
  const size_t count = sizeof arrays / sizeof *arrays;
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++) bytes += rounded(arrays[i].bytes);
  char *memory = calloc(1, bytes + 1), *next = memory;
  for (size_t i = 0; memory != NULL && i < count; i++) {
    memcpy(arrays[i].array, &next, sizeof next);
    next += rounded(arrays[i].bytes);
  }
  return memory;
}

static napi_value refuse(napi_env env, const char *why) {
  napi_throw_type_error(env, NULL, why);
  return NULL;
}

/* The memory of a typed array of that type; NULL for anything else. */
static void *array_of(napi_env env, napi_value value, napi_typedarray_type wanted, size_t *length) {
  static char none[8];
  napi_typedarray_type type;
  void *data;
  if (napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) != napi_ok || type != wanted) return NULL;
  return data == NULL ? none : data;
}

/* The memory of the index-th typed array of a list. */
static void *element_of(napi_env env, napi_value list, uint32_t index, napi_typedarray_type wanted, size_t *length) {
  napi_value value;
  return napi_get_element(env, list, index, &value) == napi_ok ? array_of(env, value, wanted, length) : NULL;
}

/* The path at the place that an argument names, the fastest without one; NULL when there is none. */
static const struct path *chosen(napi_env env, napi_value place, bool given) {
  uint32_t index = 0;
  return given && napi_get_value_uint32(env, place, &index) != napi_ok ? NULL : path_at(index);
}

/* The sides of `count` members out of a flat list of ptr, cols, vals; NULL when it is none. */
static struct side *sides_of(napi_env env, napi_value list, size_t count) {
  struct side *sides = calloc(count + 1, sizeof *sides);
  for (size_t m = 0; sides != NULL && m < count; m++) {
    size_t ptr, vals;
    struct side *side = &sides[m];
    side->ptr = element_of(env, list, (uint32_t)(3 * m), napi_uint32_array, &ptr);
    side->cols = element_of(env, list, (uint32_t)(3 * m + 1), napi_uint32_array, &side->edges);
    side->vals = element_of(env, list, (uint32_t)(3 * m + 2), napi_float32_array, &vals);
    if (side->ptr == NULL || side->cols == NULL || side->vals == NULL || ptr == 0 || vals != side->edges) {
      free(sides);
      return NULL;
    }
    side->rows = ptr - 1;
  }
  return sides;
}

/*
 * foldRows(statistic, columns, ptr, member, at, sides, weights, intoPtr, intoCols, intoVals, path = 0): see FoldKernel.rows. `statistic` is an index
 * into `statistics`; sides is a flat list of ptr, cols and vals of each member. What does not fit together is refused.
 */
static napi_value fold_rows(napi_env env, napi_callback_info info) {
  napi_value arguments[11];
  size_t given = 11, ptrs, owners, ats, members, into_ptrs, into_cols, into_vals;
  uint32_t statistic, columns;
  if (napi_get_cb_info(env, info, &given, arguments, NULL, NULL) != napi_ok || given < 10) return refuse(env, "foldRows takes 10 or 11 arguments");
  if (napi_get_value_uint32(env, arguments[0], &statistic) != napi_ok || statistic >= STATISTICS) return refuse(env, "there is no such statistic");
  if (napi_get_value_uint32(env, arguments[1], &columns) != napi_ok) return refuse(env, "columns is not a number");
  const uint32_t *ptr = array_of(env, arguments[2], napi_uint32_array, &ptrs);
  const uint32_t *member = array_of(env, arguments[3], napi_uint32_array, &owners);
  const uint32_t *at = array_of(env, arguments[4], napi_uint32_array, &ats);
  const double *weights = array_of(env, arguments[6], napi_float64_array, &members);
  uint32_t *out_ptr = array_of(env, arguments[7], napi_uint32_array, &into_ptrs);
  uint32_t *out_cols = array_of(env, arguments[8], napi_uint32_array, &into_cols);
  float *out_vals = array_of(env, arguments[9], napi_float32_array, &into_vals);
  if (ptr == NULL || member == NULL || at == NULL || weights == NULL || out_ptr == NULL || out_cols == NULL || out_vals == NULL)
    return refuse(env, "an array is of the wrong type");
  const struct path *path = chosen(env, arguments[10], given > 10);
  if (path == NULL) return refuse(env, "this processor has no such path");
  if (ptrs == 0 || ptr[0] != 0 || ptr[ptrs - 1] != owners || ats != owners) return refuse(env, "the arrays of the task do not fit together");
  size_t most = 1;
  for (size_t i = 1; i < ptrs; i++) {
    if (ptr[i] < ptr[i - 1]) return refuse(env, "the arrays of the task do not fit together");
    if (ptr[i] - ptr[i - 1] > most) most = ptr[i] - ptr[i - 1];
  }
  if (into_ptrs < ptrs || into_cols / ROW_EDGES < ptrs - 1 || into_vals / ROW_EDGES < ptrs - 1) return refuse(env, "there is no room for 64 edges a row");
  struct side *sides = sides_of(env, arguments[5], members);
  if (sides == NULL) return refuse(env, "the sides are not three arrays of each member");
  struct room room;
  void *memory = make_room(&room, columns, most);
  const struct task task = {path, (enum statistic)statistic, columns, members, sides, weights, ptrs - 1, ptr, member, at};
  const char *fault = memory == NULL ? "there is not enough memory" : fold(&task, &room, out_ptr, out_cols, out_vals) ? NULL : "the task does not fit the sides";
  free(memory);
  free(sides);
  return fault == NULL ? NULL : refuse(env, fault);
}

/* foldStates(statistic, states, weights, into, path = 0): see FoldKernel.states. */
static napi_value fold_states(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  size_t given = 5, members, width;
  uint32_t statistic;
  if (napi_get_cb_info(env, info, &given, arguments, NULL, NULL) != napi_ok || given < 4) return refuse(env, "foldStates takes 4 or 5 arguments");
  if (napi_get_value_uint32(env, arguments[0], &statistic) != napi_ok || statistic >= STATISTICS) return refuse(env, "there is no such statistic");
  const double *weights = array_of(env, arguments[2], napi_float64_array, &members);
  float *into = array_of(env, arguments[3], napi_float32_array, &width);
  const struct path *path = chosen(env, arguments[4], given > 4);
  if (weights == NULL || into == NULL || members == 0) return refuse(env, "an array is of the wrong type");
  if (path == NULL) return refuse(env, "this processor has no such path");
  struct room room;
  void *memory = make_room(&room, 0, members);
  const char *fault = memory == NULL ? "there is not enough memory" : NULL;
  for (size_t m = 0; fault == NULL && m < members; m++) {
    size_t length;
    room.vals[m] = element_of(env, arguments[1], (uint32_t)m, napi_float32_array, &length);
    room.weights[m] = weights[m];
    if (room.vals[m] == NULL || length != width) fault = "the states are not of one length";
  }
  if (fault == NULL) {
    const struct task task = {.path = path, .statistic = (enum statistic)statistic};
    down_columns(&task, &room, room.vals, members, statistic == MEAN ? divisor_of(&room, members) : 1, width, into);
  }
  free(memory);
  return fault == NULL ? NULL : refuse(env, fault);
}

static bool export_names(napi_env env, napi_value exports, const char *as, const char *const *names, size_t count) {
  napi_value list, name;
  bool ok = napi_create_array(env, &list) == napi_ok;
  for (size_t i = 0; ok && i < count; i++)
    ok = napi_create_string_utf8(env, names[i], NAPI_AUTO_LENGTH, &name) == napi_ok && napi_set_element(env, list, (uint32_t)i, name) == napi_ok;
  return ok && napi_set_named_property(env, exports, as, list) == napi_ok;
}

static bool export_function(napi_env env, napi_value exports, const char *as, napi_callback callback) {
  napi_value function;
  return napi_create_function(env, as, NAPI_AUTO_LENGTH, callback, NULL, &function) == napi_ok &&
         napi_set_named_property(env, exports, as, function) == napi_ok;
}

NAPI_MODULE_INIT() {
  static const char *const STATISTIC_NAMES[STATISTICS] = {"mean", "max", "trimmed", "median"};
  const char *paths[sizeof PATHS / sizeof PATHS[0]];
  size_t count = 0;
  for (; path_at((uint32_t)count) != NULL; count++) paths[count] = path_at((uint32_t)count)->name;
  const bool ok = export_names(env, exports, "paths", paths, count) && export_names(env, exports, "statistics", STATISTIC_NAMES, STATISTICS) &&
                  export_function(env, exports, "foldRows", fold_rows) && export_function(env, exports, "foldStates", fold_states);
  return ok ? exports : NULL;
}
