// Eigenvalues of symmetric matrices, and factors of semidefinite ones, in double precision.
#include <math.h>
#include <string.h>

#include "kernels.h"
#include "wide.h"

#define ROWS 32L     // of a matrix, to a task
#define COLUMNS 256L

// ---- factors ----

struct factor {
  const double *a;
  double *rows, *diagonal;
  long n, rank, pivot;
  double root;
};

CK_WIDE static void factor_task(void *context, long block) {
#pragma clang fp contract(fast)
  const struct factor *f = context;
  const long from = block * COLUMNS, count = ck_minimum(COLUMNS, f->n - from);
  double sums[COLUMNS];
  for (long i = 0; i < count; i++) sums[i] = f->a[f->pivot * f->n + from + i];
  for (long r = 0; r < f->rank; r++) {
    const double *row = f->rows + r * f->n;
    const double scale = row[f->pivot];
    for (long i = 0; i < count; i++) sums[i] -= scale * row[from + i];
  }
  double *row = f->rows + f->rank * f->n;
  for (long i = 0; i < count; i++) {
    const double value = sums[i] / f->root;
    // A row that was a pivot is zero here but for rounding.
    row[from + i] = f->diagonal[from + i] > 0 ? value : 0;
  }
}

long ck_pivoted_cholesky(const double *a, double *rows, double *diagonal, long n, double tolerance) {
  for (long i = 0; i < n; i++) diagonal[i] = a[i * n + i];
  for (long rank = 0; rank < n; rank++) {
    long pivot = 0;
    for (long i = 1; i < n; i++)
      if (diagonal[i] > diagonal[pivot]) pivot = i;
    if (!(diagonal[pivot] > tolerance)) return rank;
    struct factor f = {a, rows, diagonal, n, rank, pivot, sqrt(diagonal[pivot])};
    ck_parallel(ck_chunks(n, COLUMNS), factor_task, &f);
    double *row = rows + rank * n;
    row[pivot] = f.root;
    for (long i = 0; i < n; i++) diagonal[i] = diagonal[i] > 0 ? diagonal[i] - row[i] * row[i] : diagonal[i];
    diagonal[pivot] = 0;
  }
  return n;
}

// ---- tridiagonal form (Householder) ----

struct reduction {
  double *a;
  const double *u, *w, *v;  // the update that is still to be made, u w^T + w u^T, and the new vector
  double *product;          // a v
  long n, from;
};

// Rows of the trailing matrix get the last step's update and are multiplied by the new vector, in one pass.
CK_WIDE static void reduction_task(void *context, long block) {
#pragma clang fp contract(fast) reassociate(on)
  const struct reduction *r = context;
  const long first = r->from + block * ROWS, end = ck_minimum(r->n, first + ROWS);
  for (long i = first; i < end; i++) {
    double *row = r->a + i * r->n;
    const double u = r->u[i], w = r->w[i];
    double sum = 0;
    for (long j = r->from; j < r->n; j++) {
      const double value = row[j] - u * r->w[j] - w * r->u[j];
      row[j] = value;
      sum += value * r->v[j];
    }
    r->product[i] = sum;
  }
}

static void reduce(double *a, double *diagonal, double *beside, double *work, long n) {
  double *u = work, *w = work + n, *v = work + 2 * n, *p = work + 3 * n;
  memset(work, 0, (size_t)(4 * n) * sizeof(double));
  for (long k = 0; k < n; k++) {
    // Column k with the update of the step before; the rest of the matrix waits for the pass below.
    for (long i = k; i < n; i++) v[i] = a[i * n + k] - u[i] * w[k] - w[i] * u[k];
    diagonal[k] = v[k];
    v[k] = 0;
    if (k + 1 == n) break;
    double scale = 0, norm = 0;
    for (long i = k + 1; i < n; i++) scale = fmax(scale, fabs(v[i]));
    double factor = 0, first = 0;
    if (scale > 0) {
      for (long i = k + 1; i < n; i++) norm += v[i] / scale * (v[i] / scale);
      norm = scale * sqrt(norm);
      first = v[k + 1] > 0 ? -norm : norm;
      // v = x - first e, H = I - factor v v^T
      factor = 1 / (norm * (norm + fabs(v[k + 1])));
      v[k + 1] -= first;
      if (!isfinite(factor)) factor = 0, first = 0;  // a column of denormal numbers
    }
    beside[k] = first;
    struct reduction r = {a, u, w, v, p, n, k + 1};
    ck_parallel(ck_chunks(n - k - 1, ROWS), reduction_task, &r);
    double dot = 0;
    for (long i = k + 1; i < n; i++) {
      p[i] *= factor;
      dot += p[i] * v[i];
    }
    for (long i = k + 1; i < n; i++) {
      w[i] = p[i] - factor / 2 * dot * v[i];
      u[i] = v[i];
    }
    if (factor == 0)
      for (long i = k + 1; i < n; i++) u[i] = w[i] = 0;
  }
}

// ---- eigenvalues of the tridiagonal form (implicit QL) ----

static int iterate(double *d, double *e, long n) {
  e[n - 1] = 0;
  // Beside eigenvalues that are zero but for rounding nothing is small relative to its neighbours: there what is small beside
  // the whole matrix, as its rounding errors are, ends the iteration.
  double norm = 0;
  for (long i = 0; i < n; i++) norm = fmax(norm, fabs(d[i]) + fabs(e[i]));
  const double least = norm * 0x1p-53;
  for (long l = 0; l < n; l++)
    for (int tries = 0;; tries++) {
      long m = l;
      while (m < n - 1 && fabs(e[m]) > fmax(least, 0x1p-53 * (fabs(d[m]) + fabs(d[m + 1])))) m++;
      if (m == l) break;
      if (tries == 100) return 0;
      double g = (d[l + 1] - d[l]) / (2 * e[l]), r = hypot(g, 1);
      g = d[m] - d[l] + e[l] / (g + copysign(r, g));
      double s = 1, c = 1, p = 0;
      long i = m - 1;
      for (; i >= l; i--) {
        double f = s * e[i];
        const double b = c * e[i];
        e[i + 1] = r = hypot(f, g);
        if (r == 0) {
          d[i + 1] -= p;
          e[m] = 0;
          break;
        }
        s = f / r, c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        d[i + 1] = g + (p = s * r);
        g = c * r - b;
      }
      if (r == 0 && i >= l) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  return 1;
}

int ck_symmetric_eigenvalues(double *a, double *values, double *work, long n) {
  if (n == 0) return 1;
  reduce(a, values, work, work + n, n);
  return iterate(values, work, n);
}
