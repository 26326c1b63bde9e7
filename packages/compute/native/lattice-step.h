/*
 * One step of the lattice for one instruction set: lattice.c includes this once for each, with
 *
 *   STEP      name of the function
 *   TARGET    attribute that lets it use the instruction set
 *   WIDTH     lanes of a vector: 8, 4 or 2
 *   WIDEN     FLOATS -> DOUBLES: compilers take their own __builtin_convertvector apart
 *   MULADD    (a, b, c) -> a * b + c of DOUBLES, rounded once or twice: a * b is exact, so both give the same bits
 *
 * and undefines them at its end.
 */
#define JOINED(a, b) a##b
#define NAMED(a, b) JOINED(a, b)
#define DOUBLES NAMED(f64x, WIDTH)
#define FLOATS NAMED(f32x, WIDTH)
#define BITS NAMED(i64x, WIDTH)
#define PICK NAMED(PICK, WIDTH)
#define TURN NAMED(STEP, _turn)
#define SUM_PHASE NAMED(STEP, _sum)
#define SETTLE NAMED(STEP, _settle)

/* One turn of a phase: the next edge of each lane of the first `live` chunks. Returns where the next turn begins. */
TARGET ALWAYS_INLINE const uint8_t *TURN(const uint8_t *at, const uint32_t *order, size_t live, int matrices, const float *state, uint32_t *columns,
                                         double (*sums)[TILE_LANES]) {
  const size_t bytes = LANES * (sizeof(uint16_t) + (size_t)matrices * sizeof(float));
  /* The columns of all chunks first: once they have left the vector unit, reading them back as words costs less than taking a vector apart. */
  for (size_t c = 0; c < live; c++) {
    for (int lane = 0; lane < LANES; lane += 8) {
      u16x8 deltas;
      memcpy(&deltas, at + c * bytes + (size_t)lane * sizeof(uint16_t), sizeof deltas);
      *(u32x8 *)(columns + c * LANES + lane) += __builtin_convertvector(deltas, u32x8);
    }
  }
  for (size_t c = 0; c < live; c++, at += bytes) {
    const size_t chunk = order[c] % CHUNK_BASE;
    for (size_t line = 0; line < bytes; line += CACHE_LINE) __builtin_prefetch(at + PREFETCH_BYTES + line);
    for (int lane = 0; lane < LANES; lane += WIDTH) {
      const DOUBLES values = WIDEN(PICK(state, columns + c * LANES + lane));
      for (int matrix = 0; matrix < matrices; matrix++) {
        FLOATS weights;
        DOUBLES *sum = (DOUBLES *)(sums[matrix] + chunk * LANES + lane);
        memcpy(&weights, at + LANES * (sizeof(uint16_t) + (size_t)matrix * sizeof(float)) + (size_t)lane * sizeof(float), sizeof weights);
        *sum = MULADD(WIDEN(weights), values, *sum);
      }
    }
  }
  return at;
}

/* Adds up one phase of a tile: sums[matrix][chunk * LANES + lane] of `matrices` matrices that share their columns. */
TARGET ALWAYS_INLINE void SUM_PHASE(const uint8_t *at, const uint32_t *order, size_t chunks, int matrices, const float *state, double (*sums)[TILE_LANES]) {
  uint32_t columns[TILE_LANES] __attribute__((aligned(64)));
  memset(columns, 0, chunks * LANES * sizeof(uint32_t));
  for (size_t turn = 0, live = chunks;; turn++) {
    while (live > 0 && order[live - 1] / CHUNK_BASE <= turn) live--;
    if (live == 0) return;
    /* a number of chunks that the compiler knows is worth 5 % */
    at = live == TILE_CHUNKS ? TURN(at, order, TILE_CHUNKS, matrices, state, columns, sums) : TURN(at, order, live, matrices, state, columns, sums);
  }
}

/* Writes s' of one chunk. Returns the lanes' (s' - s)^2, added to `squared`. */
TARGET ALWAYS_INLINE DOUBLES SETTLE(const struct lattice *lattice, const double *tau, const double *rho, const double *scales, const float *state,
                                    const float *teacher, float *out, DOUBLES squared) {
  const DOUBLES zero = {0}, one = zero + 1;
  for (int lane = 0; lane < LANES; lane += WIDTH) {
    FLOATS state32, teacher32;
    memcpy(&state32, state + lane, sizeof state32);
    memcpy(&teacher32, teacher + lane, sizeof teacher32);
    const DOUBLES before = WIDEN(state32);
    DOUBLES tau_scales, rho_scales;
    memcpy(&tau_scales, scales + lane, sizeof tau_scales);
    memcpy(&rho_scales, scales + LANES + lane, sizeof rho_scales);
    const DOUBLES climbed = lattice->keep * before + *(const DOUBLES *)(tau + lane) * tau_scales;
    DOUBLES after = climbed - *(const DOUBLES *)(rho + lane) * rho_scales + lattice->gamma * WIDEN(teacher32);
    /* max(0, min(1, after)), where no lane stays -0 */
    after = (DOUBLES)((BITS)after & (after > zero));
    after = (DOUBLES)(((BITS)after & (after < one)) | ((BITS)one & (after >= one)));
    const FLOATS after32 = __builtin_convertvector(after, FLOATS);
    memcpy(out + lane, &after32, sizeof after32);
    const DOUBLES gap = WIDEN(after32) - before;
    squared += gap * gap;
  }
  return squared;
}

/* One step over all tiles. Returns |s' - s|^2, in no order that another engine would repeat. */
TARGET static double STEP(const struct lattice *lattice, const float *state, float *out) {
  double sums[2][TILE_LANES] __attribute__((aligned(64)));
  DOUBLES squared = {0};
  for (const struct tile *tile = lattice->tiles, *end = tile + lattice->count; tile < end; tile++) {
    const uint32_t *rows = lattice->rows + tile->first_chunk * LANES;
    const double *scales = lattice->scales + tile->first_chunk * LANES * 2;
    ask_for(scales, tile->chunks * LANES * 2 * sizeof *scales);
    if (tile->in_order) {
      ask_for(state + rows[0], tile->chunks * LANES * sizeof *state);
      ask_for(lattice->teacher + rows[0], tile->chunks * LANES * sizeof *state);
      ask_for(out + rows[0], tile->chunks * LANES * sizeof *state);
    }
    memset(sums[0], 0, tile->chunks * LANES * sizeof(double));
    memset(sums[1], 0, tile->chunks * LANES * sizeof(double));
    if (tile->joint) {
      SUM_PHASE(lattice->stream + (size_t)tile->tau * STREAM_UNIT, tile->tau_order, tile->chunks, 2, state, sums);
    } else {
      SUM_PHASE(lattice->stream + (size_t)tile->tau * STREAM_UNIT, tile->tau_order, tile->chunks, 1, state, sums);
      SUM_PHASE(lattice->stream + (size_t)tile->rho * STREAM_UNIT, tile->rho_order, tile->chunks, 1, state, sums + 1);
    }
    for (size_t at = 0; at < tile->chunks * LANES; at += LANES) {
      if (tile->in_order) {
        const uint32_t row = rows[at];
        squared = SETTLE(lattice, sums[0] + at, sums[1] + at, scales + 2 * at, state + row, lattice->teacher + row, out + row, squared);
      } else {
        float before[LANES], teacher[LANES], after[LANES];
        for (int lane = 0; lane < LANES; lane++) {
          before[lane] = state[rows[at + lane]];
          teacher[lane] = lattice->teacher[rows[at + lane]];
        }
        squared = SETTLE(lattice, sums[0] + at, sums[1] + at, scales + 2 * at, before, teacher, after, squared);
        for (int lane = 0; lane < LANES; lane++) out[rows[at + lane]] = after[lane];
      }
    }
  }
  double total = 0;
  for (int lane = 0; lane < WIDTH; lane++) total += squared[lane];
  return total;
}

#undef SETTLE
#undef SUM_PHASE
#undef TURN
#undef PICK
#undef FLOATS
#undef BITS
#undef DOUBLES
#undef NAMED
#undef JOINED
#undef MULADD
#undef WIDEN
#undef WIDTH
#undef TARGET
#undef STEP
