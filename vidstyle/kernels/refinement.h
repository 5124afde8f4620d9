/* The variational refinement of a flow by inverse search (Kroeger et al. 2016, section 2.3).

   The energy is that of Brox et al. 2004, High Accuracy Optical Flow Estimation Based on a Theory
   for Warping: constancy of brightness and of its slopes, each divided by the steepness there
   (Zimmer et al. 2011, Optic Flow in Harmony), and a smooth flow. It is linear in a small change of
   the flow, whose weights are found again in each round, and which is solved by sweeps over the
   black and then the white pixels of a checkerboard. */

#ifndef VIDSTYLE_REFINEMENT_H
#define VIDSTYLE_REFINEMENT_H

#include "rows.h"

/* Passes of the sweeps that go over the rows together; an even number. */
#define TOGETHER 10
/* A number beside a row on each side, and room for whole vectors. */
#define ASIDE 16
/* What is written lies apart from what is read. Too many pairs of planes to find that out by
   looking at them, before they are worked on with vectors. */
#if defined(__clang__)
#define APART _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define APART _Pragma("GCC ivdep")
#else
#define APART
#endif
/* Squared: below them a slope, and what a term punishes, is as good as none. */
#define LEAST_SLOPE 0.01f
#define LEAST_ERROR 1e-6f
/* How far a sweep goes beyond what solves a pixel. */
#define RELAXATION 1.6f

/* Planes of one size of images; a row begins ``ASIDE`` behind the row before it ends. */
typedef struct {
    float *mean, *change;                              /* Of both images, and between them. */
    float *x, *y, *xx, *xy, *yy, *change_x, *change_y; /* Slopes. */
    float *flat, *flat_x, *flat_y;                     /* One by the steepness. */
    float *u, *v, *du, *dv;                            /* The flow, and what is added to it. */
    float *right, *below;                              /* How much two neighbors want to agree. */
    float *first, *both, *last, *goal_u, *goal_v;      /* The equations of a pixel. */
    float *zeros, *marks, *fresh_u, *fresh_v;          /* A row each. */
} Planes;

PART void take_planes(Arena *arena, int height, int width, Planes *planes) {
    const size_t row = (size_t)width + 2 * ASIDE, all = row * (size_t)height;
    float **each[] = {&planes->mean, &planes->change, &planes->x, &planes->y, &planes->xx,
                      &planes->xy, &planes->yy, &planes->change_x, &planes->change_y,
                      &planes->flat, &planes->flat_x, &planes->flat_y, &planes->u, &planes->v,
                      &planes->du, &planes->dv, &planes->right, &planes->below, &planes->first,
                      &planes->both, &planes->last, &planes->goal_u, &planes->goal_v};
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) *each[i] = take(arena, all);
    planes->zeros = take(arena, row);
    planes->marks = take(arena, row);
    planes->fresh_u = take(arena, row);
    planes->fresh_v = take(arena, row);
}

PART float *row_of(float *plane, int width, int y) {
    return plane + ((ptrdiff_t)width + 2 * ASIDE) * y + ASIDE;
}

PART void repeat_ends(float *row, int width) {
    row[-1] = row[0];
    row[width] = row[width - 1];
}

/* A row of the second image where the flow leads to, beside the first. */
PART void compare_row(const Level *first, const Level *second, int y, const float *u,
                      const float *v, float *restrict mean, float *restrict change) {
    const float *now = first->gray + first->stride * y;
    const float *there = second->gray;
    const int stride = (int)second->stride;
    APART
    for (int x = 0; x < first->width; x++) {
        float column = smaller(larger(u[x] + (float)x, 0.0f), (float)(second->width - 1));
        float row = smaller(larger(v[x] + (float)y, 0.0f), (float)(second->height - 1));
        int left = (int)column, top = (int)row, at = top * stride + left;
        float part_x = column - (float)left, part_y = row - (float)top;
        float upper = there[at] + part_x * (there[at + 1] - there[at]);
        float lower =
            there[at + stride] + part_x * (there[at + stride + 1] - there[at + stride]);
        float value = upper + part_y * (lower - upper);
        mean[x] = 0.5f * (value + now[x]);
        change[x] = value - now[x];
    }
}

PART void slopes_of_row(const float *above, const float *row, const float *below, int width,
                        float *restrict across, float *restrict down) {
    APART
    for (int x = 0; x < width; x++) {
        across[x] = 0.5f * (row[x + 1] - row[x - 1]);
        down[x] = 0.5f * (below[x] - above[x]);
    }
}

/* Everything that does not change from round to round. */
PART void prepare_planes(const Level *first, const Level *second, const Planes *p,
                         const float *flow) {
    const int height = first->height, width = first->width;
    const size_t plane = (size_t)height * (size_t)width;
    for (int y = 0; y < height; y++) {
        float *u = row_of(p->u, width, y), *v = row_of(p->v, width, y);
        memcpy(u, flow + (size_t)width * (size_t)y, sizeof *u * (size_t)width);
        memcpy(v, flow + plane + (size_t)width * (size_t)y, sizeof *v * (size_t)width);
        repeat_ends(u, width);
        repeat_ends(v, width);
        float *mean = row_of(p->mean, width, y), *change = row_of(p->change, width, y);
        compare_row(first, second, y, u, v, mean, change);
        repeat_ends(mean, width);
        repeat_ends(change, width);
        memset(row_of(p->du, width, y) - 1, 0, sizeof *u * ((size_t)width + 2));
        memset(row_of(p->dv, width, y) - 1, 0, sizeof *v * ((size_t)width + 2));
    }
    for (int y = 0; y < height; y++) {
        int above = clamp_int(y - 1, 0, height - 1), below = clamp_int(y + 1, 0, height - 1);
        float *x_row = row_of(p->x, width, y), *y_row = row_of(p->y, width, y);
        slopes_of_row(row_of(p->mean, width, above), row_of(p->mean, width, y),
                      row_of(p->mean, width, below), width, x_row, y_row);
        repeat_ends(x_row, width);
        repeat_ends(y_row, width);
        slopes_of_row(row_of(p->change, width, above), row_of(p->change, width, y),
                      row_of(p->change, width, below), width, row_of(p->change_x, width, y),
                      row_of(p->change_y, width, y));
    }
    for (int y = 0; y < height; y++) {
        int above = clamp_int(y - 1, 0, height - 1), below = clamp_int(y + 1, 0, height - 1);
        const float *ix = row_of(p->x, width, y), *iy = row_of(p->y, width, y);
        const float *y_above = row_of(p->y, width, above), *y_below = row_of(p->y, width, below);
        float *restrict xx = row_of(p->xx, width, y), *restrict xy = row_of(p->xy, width, y);
        float *restrict yy = row_of(p->yy, width, y), *restrict flat = row_of(p->flat, width, y);
        float *restrict flat_x = row_of(p->flat_x, width, y);
        float *restrict flat_y = row_of(p->flat_y, width, y);
        APART
        for (int x = 0; x < width; x++) {
            xx[x] = 0.5f * (ix[x + 1] - ix[x - 1]);
            xy[x] = 0.5f * (iy[x + 1] - iy[x - 1]);
            yy[x] = 0.5f * (y_below[x] - y_above[x]);
            flat[x] = 1.0f / (ix[x] * ix[x] + iy[x] * iy[x] + LEAST_SLOPE);
            flat_x[x] = 1.0f / (xx[x] * xx[x] + xy[x] * xy[x] + LEAST_SLOPE);
            flat_y[x] = 1.0f / (xy[x] * xy[x] + yy[x] * yy[x] + LEAST_SLOPE);
        }
    }
}

/* How much neighbors want to agree: the less, the more the flow differs there. */
PART void weigh_neighbors(const Planes *p, int height, int width, int y, float alpha) {
    const int next = clamp_int(y + 1, 0, height - 1);
    const float *u = row_of(p->u, width, y), *v = row_of(p->v, width, y);
    const float *du = row_of(p->du, width, y), *dv = row_of(p->dv, width, y);
    const float *u_next = row_of(p->u, width, next), *v_next = row_of(p->v, width, next);
    const float *du_next = row_of(p->du, width, next), *dv_next = row_of(p->dv, width, next);
    float *restrict right = row_of(p->right, width, y);
    float *restrict below = row_of(p->below, width, y);
    APART
    for (int x = 0; x < width; x++) {
        float here_u = u[x] + du[x], here_v = v[x] + dv[x];
        float u_along = u[x + 1] + du[x + 1] - here_u, v_along = v[x + 1] + dv[x + 1] - here_v;
        float u_down = u_next[x] + du_next[x] - here_u, v_down = v_next[x] + dv_next[x] - here_v;
        float squares = u_along * u_along + v_along * v_along + u_down * u_down + v_down * v_down;
        right[x] = below[x] = alpha / sqrtf(squares + LEAST_ERROR);
    }
    right[-1] = right[width - 1] = 0.0f;
    if (y == height - 1) memset(below, 0, sizeof *below * (size_t)width);
}

/* The two equations of each pixel of a row. */
PART void fill_equations(const Planes *p, int height, int width, int y, float delta, float gamma) {
    const int over = clamp_int(y - 1, 0, height - 1), next = clamp_int(y + 1, 0, height - 1);
    const float *ix = row_of(p->x, width, y), *iy = row_of(p->y, width, y);
    const float *iz = row_of(p->change, width, y);
    const float *xx = row_of(p->xx, width, y), *xy = row_of(p->xy, width, y);
    const float *yy = row_of(p->yy, width, y);
    const float *xz = row_of(p->change_x, width, y), *yz = row_of(p->change_y, width, y);
    const float *flat = row_of(p->flat, width, y), *flat_x = row_of(p->flat_x, width, y);
    const float *flat_y = row_of(p->flat_y, width, y);
    const float *u = row_of(p->u, width, y), *v = row_of(p->v, width, y);
    const float *u_over = row_of(p->u, width, over), *v_over = row_of(p->v, width, over);
    const float *u_next = row_of(p->u, width, next), *v_next = row_of(p->v, width, next);
    const float *du = row_of(p->du, width, y), *dv = row_of(p->dv, width, y);
    const float *right = row_of(p->right, width, y), *below = row_of(p->below, width, y);
    const float *above = y ? row_of(p->below, width, y - 1) : p->zeros + ASIDE;
    float *restrict first = row_of(p->first, width, y), *restrict both = row_of(p->both, width, y);
    float *restrict last = row_of(p->last, width, y);
    float *restrict goal_u = row_of(p->goal_u, width, y);
    float *restrict goal_v = row_of(p->goal_v, width, y);
    APART
    for (int x = 0; x < width; x++) {
        float error = iz[x] + ix[x] * du[x] + iy[x] * dv[x];
        float sure = delta * flat[x] / sqrtf(error * error * flat[x] + LEAST_ERROR);
        float error_x = xz[x] + xx[x] * du[x] + xy[x] * dv[x];
        float error_y = yz[x] + xy[x] * du[x] + yy[x] * dv[x];
        float errors = error_x * error_x * flat_x[x] + error_y * error_y * flat_y[x];
        float slopes = gamma / sqrtf(errors + LEAST_ERROR);
        float sure_x = slopes * flat_x[x], sure_y = slopes * flat_y[x];
        float left = right[x - 1], sum = left + right[x] + above[x] + below[x];
        float one = sure * ix[x] * ix[x] + sure_x * xx[x] * xx[x] + sure_y * xy[x] * xy[x] + sum;
        float two = sure * iy[x] * iy[x] + sure_x * xy[x] * xy[x] + sure_y * yy[x] * yy[x] + sum;
        both[x] = sure * ix[x] * iy[x] + xy[x] * (sure_x * xx[x] + sure_y * yy[x]);
        first[x] = RELAXATION / (one + LEAST_ERROR);
        last[x] = RELAXATION / (two + LEAST_ERROR);
        goal_u[x] = left * (u[x - 1] - u[x]) + right[x] * (u[x + 1] - u[x]) +
                    above[x] * (u_over[x] - u[x]) + below[x] * (u_next[x] - u[x]) -
                    (sure * ix[x] * iz[x] + sure_x * xx[x] * xz[x] + sure_y * xy[x] * yz[x]);
        goal_v[x] = left * (v[x - 1] - v[x]) + right[x] * (v[x + 1] - v[x]) +
                    above[x] * (v_over[x] - v[x]) + below[x] * (v_next[x] - v[x]) -
                    (sure * iy[x] * iz[x] + sure_x * xy[x] * xz[x] + sure_y * yy[x] * yz[x]);
    }
}

/* Every other pixel of a row nearer to its solution, and beyond: successive overrelaxation. */
PART void sweep_row(const Planes *p, int height, int width, int y, int color) {
    const int over = clamp_int(y - 1, 0, height - 1), next = clamp_int(y + 1, 0, height - 1);
    const float *marks = p->marks + ((y + color) & 1);
    const float *first = row_of(p->first, width, y), *both = row_of(p->both, width, y);
    const float *last = row_of(p->last, width, y);
    const float *goal_u = row_of(p->goal_u, width, y), *goal_v = row_of(p->goal_v, width, y);
    const float *right = row_of(p->right, width, y), *below = row_of(p->below, width, y);
    const float *above = y ? row_of(p->below, width, y - 1) : p->zeros + ASIDE;
    const float *du_over = row_of(p->du, width, over), *dv_over = row_of(p->dv, width, over);
    const float *du_next = row_of(p->du, width, next), *dv_next = row_of(p->dv, width, next);
    float *du = row_of(p->du, width, y), *dv = row_of(p->dv, width, y);
    float *new_du = p->fresh_u + ASIDE, *new_dv = p->fresh_v + ASIDE;
    APART
    for (int x = 0; x < width; x++) {
        float sum_u = goal_u[x] + right[x - 1] * du[x - 1] + right[x] * du[x + 1] +
                      above[x] * du_over[x] + below[x] * du_next[x];
        float sum_v = goal_v[x] + right[x - 1] * dv[x - 1] + right[x] * dv[x + 1] +
                      above[x] * dv_over[x] + below[x] * dv_next[x];
        float step_u = first[x] * (sum_u - both[x] * dv[x]) - RELAXATION * du[x];
        float fresh = du[x] + marks[x] * step_u;
        new_du[x] = fresh;
        new_dv[x] = dv[x] + marks[x] * (last[x] * (sum_v - both[x] * fresh) - RELAXATION * dv[x]);
    }
    memcpy(du, new_du, sizeof *du * (size_t)width);
    memcpy(dv, new_dv, sizeof *dv * (size_t)width);
}

/* A few passes over black and white in turns. Each follows the one before it by a row, which is as
   if it began behind its end, and rows are still in the nearest cache. */
PART void sweep_together(const Planes *p, int height, int width, int passes) {
    for (int front = 0; front < height + passes - 1; front++) {
        int last = front < passes ? front : passes - 1;
        for (int pass = clamp_int(front - height + 1, 0, passes); pass <= last; pass++)
            sweep_row(p, height, width, front - pass, pass & 1);
    }
}

/* Refine a flow of two planes, one behind the other. ``weights`` are those of smoothness, of
   brightness and of its slopes. */
PART void refine(const Level *from, const Level *to, const Planes *planes, int rounds, int sweeps,
                 const float *weights, float *flow) {
    const int height = from->height, width = from->width;
    const size_t plane = (size_t)height * (size_t)width;
    if (!rounds) return;
    memset(planes->zeros, 0, sizeof(float) * ((size_t)width + 2 * ASIDE));
    for (int x = 0; x <= width; x++) planes->marks[x] = (float)(x & 1);
    prepare_planes(from, to, planes, flow);
    for (int round = 0; round < rounds; round++) {
        for (int y = 0; y < height; y++) {
            weigh_neighbors(planes, height, width, y, weights[0]);
            fill_equations(planes, height, width, y, weights[1], weights[2]);
        }
        for (int passes = 2 * sweeps; passes > 0; passes -= TOGETHER)
            sweep_together(planes, height, width, passes < TOGETHER ? passes : TOGETHER);
    }
    for (int y = 0; y < height; y++) {
        const float *du = row_of(planes->du, width, y), *dv = row_of(planes->dv, width, y);
        float *restrict u = flow + (size_t)width * (size_t)y, *restrict v = u + plane;
        for (int x = 0; x < width; x++) {
            u[x] += du[x];
            v[x] += dv[x];
        }
    }
}

#endif
