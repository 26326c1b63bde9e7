/* Instruction sets of fold.c: the statistics of fold-columns.h for each of them, and which of them the processor has. */
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

/* Columns that are sorted together. */
enum { TILE = 64 };

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
