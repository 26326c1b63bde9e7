/* The loops that the colour engines are measured against. Usage: colour-loops KERNEL COUNT; prints G colours per second of processor time, and the XOR. As WebAssembly: the loops alone. */
#ifdef __wasm__
#include <stdint.h>
#define LOOP(name) __attribute__((noinline, export_name(#name))) uint64_t name
#else
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#define LOOP(name) __attribute__((noinline)) static uint64_t name
#endif

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)
#define M1 UINT64_C(0xbf58476d1ce4e5b9)
#define M2 UINT64_C(0x94d049bb133111eb)

LOOP(turbo32)(uint64_t seed, uint64_t count) {
  uint32_t x = 0;
  for (uint64_t i = 0; i < count; i++) {
    uint32_t z = (uint32_t)seed + (uint32_t)i * (uint32_t)GOLDEN + (uint32_t)GOLDEN;
    z = (z ^ z >> 15) * (uint32_t)M1;
    z = (z ^ z >> 13) * (uint32_t)M2;
    x ^= z ^ z >> 16;
  }
  return x;
}

LOOP(spi64)(uint64_t seed, uint64_t count) {
  uint64_t x = 0;
  for (uint64_t i = 0; i < count; i++) {
    uint64_t z = seed + i * GOLDEN + GOLDEN;
    z = (z ^ z >> 30) * M1;
    z = (z ^ z >> 27) * M2;
    x ^= z ^ z >> 31;
  }
  return x;
}

/* The same with the last step of the finaliser, which distributes over XOR, taken out of the loop, as the wasm engine has it. */
LOOP(turbo32_folded)(uint64_t seed, uint64_t count) {
  uint32_t x = 0;
  for (uint64_t i = 0; i < count; i++) {
    uint32_t z = (uint32_t)seed + (uint32_t)i * (uint32_t)GOLDEN + (uint32_t)GOLDEN;
    z = (z ^ z >> 15) * (uint32_t)M1;
    x ^= (z ^ z >> 13) * (uint32_t)M2;
  }
  return x ^ x >> 16;
}

LOOP(spi64_folded)(uint64_t seed, uint64_t count) {
  uint64_t x = 0;
  for (uint64_t i = 0; i < count; i++) {
    uint64_t z = seed + i * GOLDEN + GOLDEN;
    z = (z ^ z >> 30) * M1;
    x ^= (z ^ z >> 27) * M2;
  }
  return x ^ x >> 31;
}

#ifndef __wasm__
int main(int argc, char **argv) {
  if (argc != 3) return 2;
  uint64_t (*loop)(uint64_t, uint64_t) = !strcmp(argv[1], "turbo32")          ? turbo32
                                         : !strcmp(argv[1], "spi64")          ? spi64
                                         : !strcmp(argv[1], "turbo32-folded") ? turbo32_folded
                                         : !strcmp(argv[1], "spi64-folded")   ? spi64_folded
                                                                              : NULL;
  if (loop == NULL) return 2;
  uint64_t count = strtoull(argv[2], NULL, 10);
  struct timespec began, ended;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began);
  uint64_t xor = loop(7202985, count);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
  double seconds = (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
  printf("%.6f %016" PRIx64 "\n", (double)count / seconds / 1e9, xor);
  return 0;
}
#endif
