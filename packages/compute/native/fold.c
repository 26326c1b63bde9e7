/*
 * The folds of weighted rows, for Node-API, in the arithmetic that packages/consensus/src/fold-reference.ts defines. Results agree with
 * the reference to the bit.
 *
 * The owners of a row mostly hold the same columns. Then the weights of all of them stand side by side in memory, and the fold goes
 * down them in vectors, which is as fast as memory is read. Where columns differ, a mean or a maximum is gathered in a dense row; for an
 * order statistic the few columns that enough owners hold are laid side by side first.
 *
 * The statistics of columns (fold-columns.h) are compiled for each instruction set, and the widest that the processor has is chosen when the addon is loaded.
 * There is no mutable static state: the addon loads in any number of threads and unloads with them.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "fold-rows.h"

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

/* The sides of `count` members out of a flat list of ptr, cols, vals, shapes; NULL when it is none. */
static struct side *sides_of(napi_env env, napi_value list, size_t count) {
  struct side *sides = calloc(count + 1, sizeof *sides);
  for (size_t m = 0; sides != NULL && m < count; m++) {
    size_t ptr, vals, shapes;
    struct side *side = &sides[m];
    side->ptr = element_of(env, list, (uint32_t)(4 * m), napi_uint32_array, &ptr);
    side->cols = element_of(env, list, (uint32_t)(4 * m + 1), napi_uint32_array, &side->edges);
    side->vals = element_of(env, list, (uint32_t)(4 * m + 2), napi_float32_array, &vals);
    side->shapes = element_of(env, list, (uint32_t)(4 * m + 3), napi_float64_array, &shapes);
    if (side->shapes == NULL || (shapes != 0 && shapes + 1 != ptr) || side->ptr == NULL || side->cols == NULL || side->vals == NULL || ptr == 0 || vals != side->edges) {
      free(sides);
      return NULL;
    }
    side->rows = ptr - 1;
    if (shapes == 0) side->shapes = NULL;
  }
  return sides;
}

/*
 * foldRows(statistic, columns, ptr, member, at, sides, weights, intoPtr, intoCols, intoVals, path = 0): see FoldKernel.rows. `statistic` is an index
 * into `statistics`; sides is a flat list of ptr, cols, vals and shapes of each member. What does not fit together is refused.
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
  if (sides == NULL) return refuse(env, "the sides are not four arrays of each member");
  struct room room;
  void *memory = make_room(&room, columns, most);
  const struct task task = {path, (enum statistic)statistic, columns, members, sides, weights, ptrs - 1, most, ptr, member, at};
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
