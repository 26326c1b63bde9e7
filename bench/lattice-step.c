// The stable step as plain C: CSR loops over both matrices, sums in double. Reads a lattice from the file named first and prints
// milliseconds of processor time per step and the sum of the last state: `lattice-step FILE STEPS`.
//
// File, little-endian: u32 rows, u32 edges of Wtau, u32 edges of Wrho, u32 0; f64 keep; f64 scales of Wtau, of Wrho and bias, one per
// row each; then for each matrix u32 ptr[rows + 1], u32 cols[edges], f32 vals[edges].
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct {
  uint32_t *ptr, *cols;
  float *vals;
} matrix;

static void *take(FILE *file, size_t bytes) {
  void *at = malloc(bytes + 1);
  if (at == NULL || fread(at, 1, bytes, file) != bytes) exit(1);
  return at;
}

static matrix take_matrix(FILE *file, size_t rows, size_t edges) {
  matrix m;
  m.ptr = take(file, 4 * (rows + 1));
  m.cols = take(file, 4 * edges);
  m.vals = take(file, 4 * edges);
  return m;
}

static double sum_of(const matrix *m, size_t row, const float *x) {
  double sum = 0;
  for (uint32_t e = m->ptr[row]; e < m->ptr[row + 1]; e++) sum += (double)m->vals[e] * x[m->cols[e]];
  return sum;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  FILE *file = fopen(argv[1], "rb");
  if (file == NULL) return 1;
  uint32_t *head = take(file, 16);
  size_t rows = head[0];
  double keep = *(double *)take(file, 8);
  double *tau_scale = take(file, 8 * rows), *rho_scale = take(file, 8 * rows), *bias = take(file, 8 * rows);
  matrix tau = take_matrix(file, rows, head[1]), rho = take_matrix(file, rows, head[2]);
  float *from = calloc(rows, 4), *to = calloc(rows, 4);
  int steps = atoi(argv[2]);
  double squared = 0;
  clock_t began = clock();
  for (int step = 0; step < steps; step++) {
    squared = 0;
    for (size_t row = 0; row < rows; row++) {
      double moved = keep * from[row] + sum_of(&tau, row, from) * tau_scale[row] - sum_of(&rho, row, from) * rho_scale[row] + bias[row];
      to[row] = (float)(moved < 0 ? 0 : moved > 1 ? 1 : moved);
      double gap = (double)to[row] - from[row];
      squared += gap * gap;
    }
    float *swap = from;
    from = to;
    to = swap;
  }
  double ms = 1e3 * (double)(clock() - began) / CLOCKS_PER_SEC / steps;
  double sum = 0;
  for (size_t row = 0; row < rows; row++) sum += from[row];
  printf("%.9f %.9f %g\n", ms, sum, squared);
  return 0;
}
