/*
 * The stable step of the lattice, for Node-API, in the arithmetic that packages/lattice/src/step.ts defines: states and weights in
 * binary32, everything between in binary64, row sums in the order of the columns. Results agree with the reference to the bit.
 *
 * Rows lie in the lanes of vectors, sixteen rows to a chunk and up to twelve chunks to a tile, as sell-layout.ts describes, which
 * makes the tables. Each lane adds up its own row in order, so that vectors of any width give the same sums. A tile takes the first
 * edge of all its rows, then the second, and so on: as the columns of a row ascend, the rows of a tile read the same part of the state
 * at the same time, which then comes from the nearest cache.
 *
 * Gather instructions lose to plain loads on the processors at hand, and the edges are asked for well ahead: reading a state at random
 * keeps a processor from seeing that they come in a row (bench/README.md).
 *
 * There is no mutable static state: the addon loads in any number of threads and unloads with them.
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

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The sizes of sell-layout.ts. */
enum { LANES = 16, TILE_CHUNKS = 12, TILE_LANES = LANES * TILE_CHUNKS, CHUNK_BASE = 16, STREAM_UNIT = 32 };

/* How far ahead of their use the edges are asked for, and what one request brings. */
enum { PREFETCH_BYTES = 6144, CACHE_LINE = 64 };

/* Longest that ordered and unordered sums of squares differ, in parts: 2^-53 for each of up to four million rows. */
#define SUM_DOUBT 1e-9

typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef uint32_t u32x8 __attribute__((vector_size(32)));
typedef float f32x2 __attribute__((vector_size(8)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x8 __attribute__((vector_size(32)));
typedef int64_t i64x2 __attribute__((vector_size(16)));
typedef int64_t i64x4 __attribute__((vector_size(32)));
typedef int64_t i64x8 __attribute__((vector_size(64)));
typedef double f64x2 __attribute__((vector_size(16)));
typedef double f64x4 __attribute__((vector_size(32)));
typedef double f64x8 __attribute__((vector_size(64)));

/* One tile as sell-layout.ts writes it, in words. */
struct tile {
  uint32_t chunks, first_chunk;
  /* Both matrices in one phase, edge by edge; otherwise one after the other. */
  uint32_t joint;
  /* The rows follow each other. */
  uint32_t in_order;
  /* Where the phases begin, in STREAM_UNIT bytes. */
  uint32_t tau, rho;
  /* length * CHUNK_BASE + chunk, the longest first. */
  uint32_t tau_order[TILE_CHUNKS], rho_order[TILE_CHUNKS];
};

struct lattice {
  const struct tile *tiles;
  size_t count;
  const uint8_t *stream;
  /* Row of each lane; lanes without one name the place behind the last row. */
  const uint32_t *rows;
  /* For each chunk what its lanes' sums of Wtau are multiplied by, then of Wrho. */
  const double *scales;
  const float *teacher;
  double keep, gamma;
};

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the C lattice engine is for little-endian processors"
#endif

/* Two columns in one word: one load instead of two. */
ALWAYS_INLINE uint64_t pair(const uint32_t *columns) {
  uint64_t both;
  memcpy(&both, columns, sizeof both);
  return both;
}

/* The state at as many columns as a vector has lanes. */
#define LOW(columns, at) state[(uint32_t)pair((columns) + (at))]
#define HIGH(columns, at) state[pair((columns) + (at)) >> 32]
#define PICK2(state, columns) ((f32x2){LOW(columns, 0), HIGH(columns, 0)})
#define PICK4(state, columns) ((f32x4){LOW(columns, 0), HIGH(columns, 0), LOW(columns, 2), HIGH(columns, 2)})
#define PICK8(state, columns) \
  ((f32x8){LOW(columns, 0), HIGH(columns, 0), LOW(columns, 2), HIGH(columns, 2), LOW(columns, 4), HIGH(columns, 4), LOW(columns, 6), HIGH(columns, 6)})

/* Has memory brought near while something else is worked on. */
ALWAYS_INLINE void ask_for(const void *memory, size_t bytes) {
  for (size_t at = 0; at < bytes; at += CACHE_LINE) __builtin_prefetch((const char *)memory + at);
}

#define PLAIN_WIDEN(floats) __builtin_convertvector(floats, f64x2)
#define PLAIN_MULADD(a, b, c) ((a) * (b) + (c))

/* One way through the arithmetic: an instruction set and its step. */
struct path {
  /* As people read it; lanes of 64 bits. */
  const char *name;
  bool (*supported)(void);
  double (*step)(const struct lattice *lattice, const float *state, float *out);
};

static bool always(void) { return true; }

#if defined(__x86_64__)

#define STEP step_avx512
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl")))
#define WIDTH 8
#define WIDEN(floats) ((f64x8)_mm512_cvtps_pd((__m256)(floats)))
#define MULADD(a, b, c) ((f64x8)_mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c)))
#include "lattice-step.h"

#define STEP step_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define WIDTH 4
#define WIDEN(floats) ((f64x4)_mm256_cvtps_pd((__m128)(floats)))
#define MULADD(a, b, c) ((f64x4)_mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c)))
#include "lattice-step.h"

#define STEP step_sse2
#define TARGET
#define WIDTH 2
#define WIDEN PLAIN_WIDEN
#define MULADD PLAIN_MULADD
#include "lattice-step.h"

/* These ask the operating system too, whether it keeps the wide registers. */
static bool has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
static bool has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

static const struct path PATHS[] = {
    {"AVX-512, 8 lanes", has_avx512, step_avx512},
    {"AVX2, 4 lanes", has_avx2, step_avx2},
    {"SSE2, 2 lanes", always, step_sse2},
};

#elif defined(__aarch64__)

#define STEP step_neon
#define TARGET
#define WIDTH 2
#define WIDEN PLAIN_WIDEN
#define MULADD(a, b, c) ((f64x2)vfmaq_f64((float64x2_t)(c), (float64x2_t)(a), (float64x2_t)(b)))
#include "lattice-step.h"

static const struct path PATHS[] = {{"NEON, 2 lanes", always, step_neon}};

#else

#define STEP step_plain
#define TARGET
#define WIDTH 2
#define WIDEN PLAIN_WIDEN
#define MULADD PLAIN_MULADD
#include "lattice-step.h"

static const struct path PATHS[] = {{"plain C", always, step_plain}};

#endif

/* The index-th path that this processor has, the fastest first; NULL when there are not as many. */
static const struct path *path_at(uint32_t index) {
  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
    if (PATHS[i].supported() && index-- == 0) return &PATHS[i];
  }
  return NULL;
}

/* |b - a|^2 in the order of the rows. */
static double squared_distance(const float *a, const float *b, size_t rows) {
  double sum = 0;
  for (size_t row = 0; row < rows; row++) {
    const double gap = (double)b[row] - a[row];
    sum += gap * gap;
  }
  return sum;
}

/* Whether |b - a|^2 < limit, as the sum in the order of the rows would decide. */
static bool is_settled(double unordered, double limit, const float *a, const float *b, size_t rows) {
  if (unordered < limit * (1 - SUM_DOUBT)) return true;
  if (unordered > limit * (1 + SUM_DOUBT)) return false;
  return squared_distance(a, b, rows) < limit;
}

static napi_value refuse(napi_env env, const char *why) {
  napi_throw_type_error(env, NULL, why);
  return NULL;
}

/* The memory of a typed array of that type; NULL for anything else. */
static void *array_of(napi_env env, napi_value value, napi_typedarray_type wanted, size_t *length) {
  napi_typedarray_type type;
  void *data;
  static char none;
  if (napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) != napi_ok || type != wanted) return NULL;
  return data == NULL ? &none : data;
}

/*
 * converge(tiles, count, rows, scales, stream, constants, teacher, a, b, maxSteps, path = 0): steps from the state in a, by turns into b
 * and a, until it settles or maxSteps are done. Returns the number of steps, negative when the state has not settled; the last state is
 * in b after an odd number. maxSteps >= 1.
 *
 * tiles, rows: Uint32Array, scales: Float64Array, stream: Uint8Array, as sell-layout.ts makes them; their contents are trusted.
 * constants: Float64Array of keep, gamma and the |s' - s|^2 below which a state has settled. teacher, a, b: Float32Array of one length,
 * the last place of which belongs to no row and stays 0.
 */
static napi_value converge(napi_env env, napi_callback_info info) {
  napi_value arguments[11], result;
  size_t given = 11, tile_words, lanes, scales, bytes, constants, length, a_length, b_length;
  uint32_t count, max_steps, place = 0;
  if (napi_get_cb_info(env, info, &given, arguments, NULL, NULL) != napi_ok || given < 10) return refuse(env, "converge takes 10 or 11 arguments");
  const uint32_t *tiles = array_of(env, arguments[0], napi_uint32_array, &tile_words);
  const uint32_t *rows = array_of(env, arguments[2], napi_uint32_array, &lanes);
  const double *factors = array_of(env, arguments[3], napi_float64_array, &scales);
  const uint8_t *stream = array_of(env, arguments[4], napi_uint8_array, &bytes);
  const double *constant = array_of(env, arguments[5], napi_float64_array, &constants);
  const float *teacher = array_of(env, arguments[6], napi_float32_array, &length);
  float *state[2] = {array_of(env, arguments[7], napi_float32_array, &a_length), array_of(env, arguments[8], napi_float32_array, &b_length)};
  if (tiles == NULL || rows == NULL || factors == NULL || stream == NULL || constant == NULL || teacher == NULL || state[0] == NULL || state[1] == NULL)
    return refuse(env, "an array is of the wrong type");
  if (napi_get_value_uint32(env, arguments[1], &count) != napi_ok) return refuse(env, "count is not a number");
  if (napi_get_value_uint32(env, arguments[9], &max_steps) != napi_ok || max_steps == 0) return refuse(env, "maxSteps is not a number from 1");
  if (given > 10 && napi_get_value_uint32(env, arguments[10], &place) != napi_ok) return refuse(env, "path is not a number");
  if (tile_words / (sizeof(struct tile) / sizeof(uint32_t)) < count || scales < 2 * lanes || constants < 3 || length == 0 || a_length != length || b_length != length)
    return refuse(env, "an array is too short");
  const struct path *path = path_at(place);
  if (path == NULL) return refuse(env, "this processor has no such path");
  const struct lattice lattice = {
      .tiles = (const struct tile *)tiles,
      .count = count,
      .stream = stream,
      .rows = rows,
      .scales = factors,
      .teacher = teacher,
      .keep = constant[0],
      .gamma = constant[1],
  };
  int32_t steps = 0;
  bool settled = false;
  while (!settled && steps < (int32_t)max_steps) {
    const float *from = state[steps % 2];
    float *to = state[++steps % 2];
    settled = is_settled(path->step(&lattice, from, to), constant[2], from, to, length - 1);
  }
  return napi_create_int32(env, settled ? steps : -steps, &result) == napi_ok ? result : NULL;
}

NAPI_MODULE_INIT() {
  napi_value paths, function;
  bool ok = napi_create_array(env, &paths) == napi_ok;
  for (uint32_t i = 0; ok && path_at(i) != NULL; i++) {
    napi_value name;
    ok = napi_create_string_utf8(env, path_at(i)->name, NAPI_AUTO_LENGTH, &name) == napi_ok && napi_set_element(env, paths, i, name) == napi_ok;
  }
  ok = ok && napi_create_function(env, "converge", NAPI_AUTO_LENGTH, converge, NULL, &function) == napi_ok;
  ok = ok && napi_set_named_property(env, exports, "paths", paths) == napi_ok;
  ok = ok && napi_set_named_property(env, exports, "converge", function) == napi_ok;
  return ok ? exports : NULL;
}
