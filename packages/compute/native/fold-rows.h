/* Rows of fold.c: who owns them, what is asked for ahead, and how they are put together. */
#include <stdlib.h>
#include "fold-paths.h"

/* Edges of a row at most (MAX_ROW_EDGES of packages/consensus/src/limits.ts). */
enum { ROW_EDGES = 64 };

/* How much is asked for before it is used, in owners of rows, half a KiB each, and in rows; and what one request brings. */
enum { AHEAD = 256, MOST_ROWS = 64, CACHE_LINE = 64 };

/* The statistics, in the order of native-fold-kernel.ts. */
enum statistic { MEAN, GREATEST, TRIMMED, MEDIAN, STATISTICS };

/* Rows of one matrix that one member holds. */
struct side {
  const uint32_t *ptr, *cols;
  const float *vals;
  /* Of each row; equal ones stand for equal columns. NULL when they are not known. */
  const double *shapes;
  size_t rows, edges;
};

struct task {
  const struct path *path;
  enum statistic statistic;
  size_t columns, members;
  const struct side *sides;
  const double *weights;
  /* Owners of the i-th row: [ptr[i], ptr[i + 1]), at most `most`. */
  size_t rows, most;
  const uint32_t *ptr, *member, *at;
};

/* Memory to work in. Dense arrays have an entry for each column and are all 0 between rows. */
struct room {
  /* For each owner of the row at hand: its edges, how many, its weight. */
  const uint32_t **cols;
  const float **vals;
  uint32_t *lengths;
  double *weights;
  /* 0 where it is not known. */
  double *shapes;
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

ALWAYS_INLINE double shape_of(const struct side *side, uint32_t at) { return side->shapes == NULL ? 0 : side->shapes[at]; }

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
    room->shapes[o] = shape_of(side, at);
  }
  return k;
}

/* The shape of an owner's row, 0 where it is not known or the task does not fit the sides. */
static double shape_at(const struct task *task, size_t owner) {
  const uint32_t member = task->member[owner], at = task->at[owner];
  return member < task->members && at < task->sides[member].rows ? shape_of(&task->sides[member], at) : 0;
}

/* Has the edges of the owners [from, to) of a row, the first of which is `first`, brought into the second cache: of those that are known to hold its columns the weights only. */
static void ask_for(const struct task *task, size_t first, size_t from, size_t to) {
  const double shape = from < to ? shape_at(task, first) : 0;
  for (size_t o = from; o < to; o++) {
    const uint32_t member = task->member[o], at = task->at[o];
    if (member >= task->members || at >= task->sides[member].rows) return;
    const struct side *side = &task->sides[member];
    const uint32_t begin = side->ptr[at], end = side->ptr[at + 1];
    const bool known = o > first && shape > 0 && shape_of(side, at) == shape;
    for (uint32_t edge = begin; edge < end; edge += CACHE_LINE / 4) __builtin_prefetch(side->vals + edge, 0, 2);
    for (uint32_t edge = begin; edge < end && !known; edge += CACHE_LINE / 4) __builtin_prefetch(side->cols + edge, 0, 2);
  }
}

/*
 * While a block of rows is worked on, the next one is asked for, some owners after the other: what one member holds lies in a row in
 * memory, and read that way comes two to three times as fast as row by row from all members at once.
 */
static void ask_ahead(const struct task *task, size_t i, size_t block) {
  const size_t part = i % block, first = i - part + block;
  const size_t last = first + block < task->rows ? first + block : task->rows;
  const size_t low = task->most * part / block, high = task->most * (part + 1) / block;
  for (size_t row = first; low < high && row < last; row++) {
    const size_t from = task->ptr[row], k = task->ptr[row + 1] - from;
    ask_for(task, from, from + (low < k ? low : k), from + (high < k ? high : k));
  }
}

static bool same_columns(const struct room *room, size_t k) {
  size_t same = 1;
  while (same < k && room->shapes[0] > 0 && room->shapes[same] == room->shapes[0] && room->lengths[same] == room->lengths[0]) same++;
  if (same == k) return true;
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
  const size_t rows = AHEAD / task->most;
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
      {&room->shapes, most * sizeof *room->shapes},
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
