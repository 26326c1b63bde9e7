/*
 * Statistics down columns for one instruction set: fold.c includes this once for each, with
 *   NAME(function)  what the function is called
 *   TARGET          attribute of the instruction set
 *   LANES           floats in a vector; doubles come half as many to a vector
 *   floats, doubles the vector types
 *   MIN, MAX        of two vectors of floats
 *   LOAD(p)         the LANES floats at p
 *   WIDEN(p)        the LANES / 2 floats at p as doubles
 *   NARROW(d)       doubles, rounded to floats, as half a vector that memcpy takes
 *
 * Each column adds up in the order of the members, multiplication and addition rounded each by itself, so that vectors of any width give
 * the same sums.
 */

#define HALF (LANES / 2)

TARGET static void NAME(mean)(const float *const *rows, const double *weights, size_t k, double divisor, size_t width, float *out) {
  size_t at = 0;
  for (; at + 4 * HALF <= width; at += 4 * HALF) {
    doubles a = {0}, b = {0}, c = {0}, d = {0};
    for (size_t m = 0; m < k; m++) {
      const float *row = rows[m] + at;
      const doubles weight = weights[m] - (doubles){0};
      a += weight * WIDEN(row);
      b += weight * WIDEN(row + HALF);
      c += weight * WIDEN(row + 2 * HALF);
      d += weight * WIDEN(row + 3 * HALF);
    }
    const doubles by = divisor - (doubles){0};
    STORE(out + at, NARROW(a / by));
    STORE(out + at + HALF, NARROW(b / by));
    STORE(out + at + 2 * HALF, NARROW(c / by));
    STORE(out + at + 3 * HALF, NARROW(d / by));
  }
  for (; at + HALF <= width; at += HALF) {
    doubles sum = {0};
    for (size_t m = 0; m < k; m++) sum += (weights[m] - (doubles){0}) * WIDEN(rows[m] + at);
    STORE(out + at, NARROW(sum / (divisor - (doubles){0})));
  }
  for (; at < width; at++) {
    double sum = 0;
    for (size_t m = 0; m < k; m++) sum += weights[m] * rows[m][at];
    out[at] = (float)(sum / divisor);
  }
}

TARGET static void NAME(greatest)(const float *const *rows, size_t k, size_t width, float *out) {
  size_t at = 0;
  for (; at + 4 * LANES <= width; at += 4 * LANES) {
    floats a = {0}, b = {0}, c = {0}, d = {0};
    for (size_t m = 0; m < k; m++) {
      const float *row = rows[m] + at;
      a = MAX(LOAD(row), a);
      b = MAX(LOAD(row + LANES), b);
      c = MAX(LOAD(row + 2 * LANES), c);
      d = MAX(LOAD(row + 3 * LANES), d);
    }
    STORE(out + at, a);
    STORE(out + at + LANES, b);
    STORE(out + at + 2 * LANES, c);
    STORE(out + at + 3 * LANES, d);
  }
  for (; at + LANES <= width; at += LANES) {
    floats most = {0};
    for (size_t m = 0; m < k; m++) most = MAX(LOAD(rows[m] + at), most);
    STORE(out + at, most);
  }
  for (; at < width; at++) {
    float most = 0;
    for (size_t m = 0; m < k; m++) most = rows[m][at] > most ? rows[m][at] : most;
    out[at] = most;
  }
}

/* Puts the lower of each two floats of rows `low` and `high` of a tile into `low`. */
TARGET ALWAYS_INLINE void NAME(exchange)(float *low, float *high) {
  for (int i = 0; i < TILE; i += LANES) {
    const floats a = LOAD(low + i), b = LOAD(high + i);
    STORE(low + i, MIN(a, b));
    STORE(high + i, MAX(a, b));
  }
}

/* Sorts each column of a tile of k rows, ascending: Batcher's merge exchange (Knuth, TAOCP 3, 5.2.2, algorithm M), which no value changes the course of. */
TARGET static void NAME(sort)(float *tile, size_t k) {
  size_t top = 1;
  while (2 * top < k) top *= 2;
  for (size_t p = top; k > 1 && p > 0; p /= 2) {
    size_t q = top, r = 0, d = p;
    for (;;) {
      for (size_t i = 0; i + d < k; i++)
        if ((i & p) == r) NAME(exchange)(tile + i * TILE, tile + (i + d) * TILE);
      if (q == p) break;
      d = q - p;
      q /= 2;
      r = p;
    }
  }
}

/* The middle one of three values of each column: most rows of an order statistic have three owners. Adding 0 makes a 0 of -0. */
TARGET static void NAME(middle_of_three)(const float *const *rows, size_t width, float *out) {
  const float *x = rows[0], *y = rows[1], *z = rows[2];
  size_t at = 0;
  for (; at + LANES <= width; at += LANES) {
    const floats a = LOAD(x + at), b = LOAD(y + at), c = LOAD(z + at);
    STORE(out + at, MAX(MIN(a, b), MIN(MAX(a, b), c)) + 0.0f);
  }
  for (; at < width; at++) {
    const float low = x[at] < y[at] ? x[at] : y[at], high = x[at] < y[at] ? y[at] : x[at];
    const float least = high < z[at] ? high : z[at];
    out[at] = (low < least ? least : low) + 0.0f;
  }
}

/* The mean of the rows [from, to) of each column in ascending order. `tile` has room for k rows of TILE. */
TARGET static void NAME(middle)(const float *const *rows, size_t k, size_t from, size_t to, size_t width, float *tile, float *out) {
  if (k == 3) {
    NAME(middle_of_three)(rows, width, out);
    return;
  }
  for (size_t at = 0; at < width; at += TILE) {
    const size_t part = width - at < TILE ? width - at : TILE;
    for (size_t m = 0; m < k; m++) {
      memcpy(tile + m * TILE, rows[m] + at, part * sizeof(float));
      if (part < TILE) memset(tile + m * TILE + part, 0, (TILE - part) * sizeof(float));
    }
    NAME(sort)(tile, k);
    float means[TILE];
    const doubles by = (double)(to - from) - (doubles){0};
    for (int i = 0; i < TILE; i += HALF) {
      doubles sum = {0};
      for (size_t m = from; m < to; m++) sum += WIDEN(tile + m * TILE + i);
      STORE(means + i, NARROW(sum / by));
    }
    memcpy(out + at, means, part * sizeof(float));
  }
}

/* How many of `count` words, a multiple of 16 and each below 2^31, are at least `least`. */
TARGET static size_t NAME(at_least)(const uint32_t *words, size_t count, uint32_t least) {
  i32x16 hits = {0};
  const i32x16 floor = (int32_t)least - (i32x16){0};
  for (size_t i = 0; i < count; i += 16) {
    i32x16 some;
    memcpy(&some, words + i, sizeof some);
    hits -= some >= floor;
  }
  int32_t sum = 0;
  for (int i = 0; i < 16; i++) sum += hits[i];
  return (size_t)sum;
}

#undef HALF
#undef NAME
#undef TARGET
#undef LANES
#undef floats
#undef doubles
#undef LOAD
#undef MIN
#undef MAX
#undef WIDEN
#undef NARROW
