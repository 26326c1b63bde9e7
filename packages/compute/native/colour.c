/*
 * Range XOR of the colour kernels, for Node-API. Node, and nothing else, is needed at run time.
 *
 * A colour is finish(base + k*step) modulo 2^32 or 2^64, so the index multiplication becomes one addition. The finaliser ends in
 * z ^ z >> s, which distributes over XOR: it is applied once, to the XOR of the unfinished colours. What is left is written once,
 * in vectors of any width (vector extensions of GCC and Clang), and compiled for each instruction set; the widest that the
 * processor has is chosen when the addon is loaded. Scalar lanes run beside the vectors where 64-bit products are dear: they use
 * other execution units.
 *
 * There is no mutable static state: the addon loads in any number of threads and unloads with them.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define LANES_OF(vector) ((int)(sizeof(vector) / sizeof((vector){0}[0])))

/* The kernels, by the numbers that native-engine.ts gives them. PUBLISHED is spi64 with the low half of each multiplier in both halves. */
enum { TURBO32, SPI64, PUBLISHED, KERNELS };

static const uint64_t MULTIPLIERS[KERNELS][2] = {
    [TURBO32] = {UINT32_C(0x1ce4e5b9), UINT32_C(0x133111eb)},
    [SPI64] = {UINT64_C(0xbf58476d1ce4e5b9), UINT64_C(0x94d049bb133111eb)},
    [PUBLISHED] = {UINT64_C(0x1ce4e5b91ce4e5b9), UINT64_C(0x133111eb133111eb)},
};

/* The finalisers without their last step. */
ALWAYS_INLINE uint32_t mixed32(uint32_t s, uint32_t m1, uint32_t m2) {
  uint32_t z = (s ^ s >> 15) * m1;
  return (z ^ z >> 13) * m2;
}

ALWAYS_INLINE uint64_t mixed64(uint64_t s, uint64_t m1, uint64_t m2) {
  uint64_t z = (s ^ s >> 30) * m1;
  return (z ^ z >> 27) * m2;
}

/*
 * Defines FUNCTION(base, step, m1, m2, count): XOR of mixed(base + k*step) for k in [0, count).
 * A round takes SCALARS scalars, then VECTORS vectors, each into an accumulator of its own; single colours make up the rest.
 */
#define DEFINE_XOR(FUNCTION, TARGET, WORD, VECTOR, MIXED, MUL, SHIFT1, SHIFT2, VECTORS, SCALARS)                                          \
  TARGET static WORD FUNCTION(WORD base, WORD step, WORD m1, WORD m2, uint32_t count) {                                                   \
    enum { LANES = LANES_OF(VECTOR), ROUND = LANES * (VECTORS) + (SCALARS) };                                                             \
    VECTOR state, skip = (VECTOR){0} + (WORD)(LANES * step), leap = (VECTOR){0} + (WORD)((SCALARS) * step);                               \
    VECTOR factor1 = (VECTOR){0} + m1, factor2 = (VECTOR){0} + m2, sums[VECTORS] = {{0}};                                                 \
    WORD scalar = base, xor = 0;                                                                                                          \
    for (int lane = 0; lane < LANES; lane++) state[lane] = base + (WORD)((SCALARS) + lane) * step;                                        \
    for (uint32_t rounds = count / ROUND; rounds > 0; rounds--) {                                                                         \
      for (int v = 0; v < (VECTORS); v++) {                                                                                               \
        VECTOR z = MUL(state ^ state >> SHIFT1, factor1);                                                                                 \
        sums[v] ^= MUL(z ^ z >> SHIFT2, factor2);                                                                                         \
        state += skip;                                                                                                                    \
      }                                                                                                                                   \
      for (int s = 0; s < (SCALARS); s++) {                                                                                               \
        xor ^= MIXED(scalar, m1, m2);                                                                                                     \
        scalar += step;                                                                                                                   \
      }                                                                                                                                   \
      scalar += (WORD)(LANES * (VECTORS)) * step;                                                                                         \
      state += leap;                                                                                                                      \
    }                                                                                                                                     \
    for (uint32_t left = count % ROUND; left > 0; left--) {                                                                               \
      xor ^= MIXED(scalar, m1, m2);                                                                                                       \
      scalar += step;                                                                                                                     \
    }                                                                                                                                     \
    for (int v = 0; v < (VECTORS); v++)                                                                                                   \
      for (int lane = 0; lane < LANES; lane++) xor ^= sums[v][lane];                                                                      \
    return xor;                                                                                                                           \
  }

/* The numbers of vectors and scalars in a round are the fastest of those tried on Zen 5 (bench/README.md). */
#define DEFINE_XOR32(FUNCTION, TARGET, VECTOR, VECTORS, SCALARS) \
  DEFINE_XOR(FUNCTION, TARGET, uint32_t, VECTOR, mixed32, PRODUCT, 15, 13, VECTORS, SCALARS)
#define DEFINE_XOR64(FUNCTION, TARGET, VECTOR, MUL, VECTORS, SCALARS) \
  DEFINE_XOR(FUNCTION, TARGET, uint64_t, VECTOR, mixed64, MUL, 30, 27, VECTORS, SCALARS)

#define PRODUCT(a, b) ((a) * (b))

typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef uint64_t u64x2 __attribute__((vector_size(16)));

/* One way through the arithmetic: an instruction set and its loops. */
struct path {
  /* As people read it; lanes of 64 bits. */
  const char *name;
  bool (*supported)(void);
  uint32_t (*xor32)(uint32_t base, uint32_t step, uint32_t m1, uint32_t m2, uint32_t count);
  uint64_t (*xor64)(uint64_t base, uint64_t step, uint64_t m1, uint64_t m2, uint32_t count);
};

static bool always(void) { return true; }

#if defined(__x86_64__)

typedef uint32_t u32x8 __attribute__((vector_size(32)));
typedef uint64_t u64x4 __attribute__((vector_size(32)));
typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef uint64_t u64x8 __attribute__((vector_size(64)));

#define AVX512 __attribute__((target("avx512f,avx512dq")))
#define AVX2 __attribute__((target("avx2")))
#define SSE41 __attribute__((target("sse4.1")))
#define SSE2

/*
 * 64-bit products out of 32-bit ones: lo*lo + ((hi*lo + lo*hi) << 32). One 32-bit multiplication by b with its halves swapped
 * gives both cross products; b is the same in every round, so the swap is not in the loop.
 */
AVX2 ALWAYS_INLINE u64x4 product_avx2(u64x4 a, u64x4 b) {
  u64x4 crossed = (u64x4)_mm256_mullo_epi32((__m256i)a, _mm256_shuffle_epi32((__m256i)b, _MM_SHUFFLE(2, 3, 0, 1)));
  u64x4 high = (crossed + (crossed << 32)) & ~UINT64_C(0xffffffff);
  return (u64x4)_mm256_mul_epu32((__m256i)a, (__m256i)b) + high;
}

SSE41 ALWAYS_INLINE u64x2 product_sse41(u64x2 a, u64x2 b) {
  u64x2 crossed = (u64x2)_mm_mullo_epi32((__m128i)a, _mm_shuffle_epi32((__m128i)b, _MM_SHUFFLE(2, 3, 0, 1)));
  u64x2 high = (crossed + (crossed << 32)) & ~UINT64_C(0xffffffff);
  return (u64x2)_mm_mul_epu32((__m128i)a, (__m128i)b) + high;
}

DEFINE_XOR32(xor32_avx512, AVX512, u32x16, 4, 4)
DEFINE_XOR64(xor64_avx512, AVX512, u64x8, PRODUCT, 4, 4)
DEFINE_XOR32(xor32_avx2, AVX2, u32x8, 4, 4)
DEFINE_XOR64(xor64_avx2, AVX2, u64x4, product_avx2, 1, 3)
DEFINE_XOR32(xor32_sse41, SSE41, u32x4, 4, 4)
DEFINE_XOR64(xor64_sse41, SSE41, u64x2, product_sse41, 1, 3)
DEFINE_XOR32(xor32_sse2, SSE2, u32x4, 2, 8)
DEFINE_XOR64(xor64_sse2, SSE2, u64x2, PRODUCT, 1, 4)

/* These ask the operating system too, whether it keeps the wide registers. */
static bool has_avx512(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"); }
static bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }
static bool has_sse41(void) { return __builtin_cpu_supports("sse4.1"); }

static const struct path PATHS[] = {
    {"AVX-512, 8 lanes", has_avx512, xor32_avx512, xor64_avx512},
    {"AVX2, 4 lanes", has_avx2, xor32_avx2, xor64_avx2},
    {"SSE4.1, 2 lanes", has_sse41, xor32_sse41, xor64_sse41},
    {"SSE2, 2 lanes", always, xor32_sse2, xor64_sse2},
};

#elif defined(__aarch64__)

ALWAYS_INLINE u64x2 product_neon(u64x2 a, u64x2 b) {
  uint32x4_t crossed = vmulq_u32((uint32x4_t)a, vrev64q_u32((uint32x4_t)b));
  uint64x2_t high = vshlq_n_u64(vpaddlq_u32(crossed), 32);
  return (u64x2)vmlal_u32(high, vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
}

DEFINE_XOR32(xor32_neon, , u32x4, 4, 4)
DEFINE_XOR64(xor64_neon, , u64x2, product_neon, 1, 3)

static const struct path PATHS[] = {{"NEON, 2 lanes", always, xor32_neon, xor64_neon}};

#else

DEFINE_XOR32(xor32_plain, , u32x4, 1, 4)
DEFINE_XOR64(xor64_plain, , u64x2, PRODUCT, 1, 2)

static const struct path PATHS[] = {{"plain C", always, xor32_plain, xor64_plain}};

#endif

/* The index-th path that this processor has, the fastest first; NULL when there are not as many. */
static const struct path *path_at(uint32_t index) {
  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
    if (PATHS[i].supported() && index-- == 0) return &PATHS[i];
  }
  return NULL;
}

static void fill(const struct path *path, uint32_t kernel, uint64_t base, uint64_t step, uint32_t length, uint64_t *out, size_t runs) {
  uint64_t m1 = MULTIPLIERS[kernel][0], m2 = MULTIPLIERS[kernel][1], stride = length * step;
  for (size_t run = 0; run < runs; run++) {
    if (kernel == TURBO32) {
      uint32_t xor = path->xor32((uint32_t)base, (uint32_t)step, (uint32_t)m1, (uint32_t)m2, length);
      out[run] = xor ^ xor >> 16;
    } else {
      uint64_t xor = path->xor64(base, step, m1, m2, length);
      out[run] = xor ^ xor >> 31;
    }
    base += stride;
  }
}

static napi_value refuse(napi_env env, const char *why) {
  napi_throw_type_error(env, NULL, why);
  return NULL;
}

/*
 * xorRuns(kernel, base, step, length, out, path = 0): out[i] = XOR of finish(base + k*step) for k in [i*length, (i + 1)*length).
 * kernel, length, path: u32; base, step: BigInt, u64; out: BigUint64Array, its memory may be shared; path: index into `paths`.
 */
static napi_value xor_runs(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  size_t count = 6, runs;
  uint32_t kernel, length, place = 0;
  uint64_t base, step;
  bool lossless;
  napi_typedarray_type type;
  void *out;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count < 5) return refuse(env, "xorRuns takes 5 or 6 arguments");
  if (napi_get_value_uint32(env, arguments[0], &kernel) != napi_ok || kernel >= KERNELS) return refuse(env, "there is no such kernel");
  if (napi_get_value_bigint_uint64(env, arguments[1], &base, &lossless) != napi_ok) return refuse(env, "base is not a BigInt");
  if (napi_get_value_bigint_uint64(env, arguments[2], &step, &lossless) != napi_ok) return refuse(env, "step is not a BigInt");
  if (napi_get_value_uint32(env, arguments[3], &length) != napi_ok) return refuse(env, "length is not a number");
  if (napi_get_typedarray_info(env, arguments[4], &type, &runs, &out, NULL, NULL) != napi_ok || type != napi_biguint64_array)
    return refuse(env, "out is not a BigUint64Array");
  if (count > 5 && napi_get_value_uint32(env, arguments[5], &place) != napi_ok) return refuse(env, "path is not a number");
  const struct path *path = path_at(place);
  if (path == NULL) return refuse(env, "this processor has no such path");
  fill(path, kernel, base, step, length, out, runs);
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value paths, function;
  bool ok = napi_create_array(env, &paths) == napi_ok;
  for (uint32_t i = 0; ok && path_at(i) != NULL; i++) {
    napi_value name;
    ok = napi_create_string_utf8(env, path_at(i)->name, NAPI_AUTO_LENGTH, &name) == napi_ok && napi_set_element(env, paths, i, name) == napi_ok;
  }
  ok = ok && napi_create_function(env, "xorRuns", NAPI_AUTO_LENGTH, xor_runs, NULL, &function) == napi_ok;
  ok = ok && napi_set_named_property(env, exports, "paths", paths) == napi_ok;
  ok = ok && napi_set_named_property(env, exports, "xorRuns", function) == napi_ok;
  return ok ? exports : NULL;
}
