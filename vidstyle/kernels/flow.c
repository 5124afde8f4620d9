/* Flows enlarged, and where two of them agree. */

#include "rows.h"

/* Rows on both sides that the Gaussian of a mask reads. */
#define REACH 2
#define SIDE (2 * REACH + 1)

/* The first row or column that an enlarged one lies between, and how far it is from there in
   parts of ``2 * factor``. The middles of the outermost pixels lie inside of the small image. */
PART int split_position(int at, int factor, int *first) {
    int parts = 2 * at + 1 - factor + 2 * factor;
    *first = parts / (2 * factor) - 1;
    return parts % (2 * factor);
}

/* The same pair of numbers twice. */
PART pixel4 twice(const float *pair) {
    int64_t bits;
    memcpy(&bits, pair, sizeof bits);
    const int64_t both[2] = {bits, bits};
    pixel4 result;
    memcpy(&result, both, sizeof result);
    return result;
}

/* Widen a row of ``width`` pairs to ``factor`` times as many; that is a multiple of 2. */
PART void widen_pairs(const float *row, int width, int factor, float *restrict out) {
    const float part = 1.0f / (float)factor;
    const pixel4 start = {0.5f * part, 0.5f * part, 1.5f * part, 1.5f * part};
    pixel4 left = twice(row);
    for (int k = 0; k < factor / 2; k++) {
        out[2 * k] = row[0];
        out[2 * k + 1] = row[1];
    }
    float *to = out + factor;
    for (int i = 1; i < width; i++) {
        pixel4 right = twice(row + 2 * i), weight = start;
        for (int k = 0; k < factor / 2; k++) {
            store4(to, left + weight * (right - left));
            to += 4;
            weight += 2.0f * part;
        }
        left = right;
    }
    for (int k = 0; k < factor / 2; k++) {
        to[2 * k] = row[2 * width - 2];
        to[2 * k + 1] = row[2 * width - 1];
    }
}

/* Enlarge a flow by a constant factor; the numbers of a pixel grow with it. */
PART void enlarge_by(int height, int width, const float *flow, const int factor, float *row,
                     float *out) {
    const ptrdiff_t small = 2 * (ptrdiff_t)width, large = factor * small;
    for (int y = 0; y < factor * height; y++) {
        int first, parts = split_position(y, factor, &first);
        const float *upper = flow + small * clamp_int(first, 0, height - 1);
        const float *lower = flow + small * clamp_int(first + 1, 0, height - 1);
        const float below = 0.5f * (float)parts, above = (float)factor - below;
        for (ptrdiff_t i = 0; i < small; i++) row[i] = above * upper[i] + below * lower[i];
        widen_pairs(row, width, factor, out + y * large);
    }
}

/* Enlarge a flow twice or four times; see ``vidstyle.kernels.flow.enlarge_flow``. */
KERNEL int enlarge_flow(int height, int width, const float *flow, int factor, float *out) {
    float *row = malloc(sizeof(float) * 2 * (size_t)width);
    if (!row) return 0;
    if (factor == 2)
        enlarge_by(height, width, flow, 2, row, out);
    else
        enlarge_by(height, width, flow, 4, row, out);
    free(row);
    return 1;
}

/* Enlarge a mask twice; see ``vidstyle.kernels.flow.double_mask``. */
KERNEL int double_mask(int height, int width, const float *mask, float *out) {
    float *row = malloc(sizeof(float) * (size_t)width);
    if (!row) return 0;
    for (int y = 0; y < 2 * height; y++)
        double_plane(mask, height, width, y, row, out + 2 * (ptrdiff_t)width * y);
    free(row);
    return 1;
}

/* The two numbers of a flow's row apart, each with its outermost number once more on both sides. */
PART void split_pairs(const float *row, int width, float *restrict across, float *restrict down) {
    for (int x = 0; x < width; x++) {
        across[x + 1] = row[2 * x];
        down[x + 1] = row[2 * x + 1];
    }
    across[0] = across[1];
    across[width + 1] = across[width];
    down[0] = down[1];
    down[width + 1] = down[width];
}

/* A position brought into an image, since beyond its edge the edge is repeated. What is no number
   becomes 0. */
PART float bring_inside(float position, int side) {
    return smaller(larger(position, 0.0f), (float)(side - 1));
}

/* The flow back where a row of flow leads to, (height, width) both at least 2.

   ``places`` holds two numbers for a pixel. */
PART void sample_back(const float *back, int height, int width, int y, const float *across,
                      const float *down, int *restrict places, float *restrict weights,
                      float *restrict back_across, float *restrict back_down) {
    const ptrdiff_t stride = 2 * (ptrdiff_t)width;
    int *lefts = places, *tops = places + width;
    float *parts_x = weights, *parts_y = weights + width;
    for (int x = 0; x < width; x++) {
        float column = bring_inside(across[x] + (float)x, width);
        float row = bring_inside(down[x] + (float)y, height);
        int left = (int)column < width - 2 ? (int)column : width - 2;
        int top = (int)row < height - 2 ? (int)row : height - 2;
        lefts[x] = left;
        tops[x] = top;
        parts_x[x] = column - (float)left;
        parts_y[x] = row - (float)top;
    }
    for (int x = 0; x < width; x++) {
        /* A pixel and its right neighbor lie side by side. */
        const float *corner = back + stride * tops[x] + 2 * (ptrdiff_t)lefts[x];
        pixel4 upper = load4(corner), lower = load4(corner + stride);
        pixel4 pair = upper + parts_y[x] * (lower - upper);
        back_across[x] = pair[0] + parts_x[x] * (pair[2] - pair[0]);
        back_down[x] = pair[1] + parts_x[x] * (pair[3] - pair[1]);
    }
}

/* What the inequalities of ``vidstyle.imaging.visibility`` compare with. */
typedef struct {
    float slope, floor, boundary_slope, boundary_floor, margin;
} Limits;

/* Mark a row: 255 where the flows agree, away from motion boundaries and inside of the frame. Rows
   of flow have a number more on both sides. */
PART void mark_row(const float *const across[3], const float *const down[3],
                   const float *back_across, const float *back_down, int height, int width, int y,
                   Limits limits, uint8_t *restrict out) {
    const float *u = across[1] + 1, *v = down[1] + 1;
    const float *u_above = across[0] + 1, *v_above = down[0] + 1;
    const float *u_below = across[2] + 1, *v_below = down[2] + 1;
    const float right = (float)(width - 1) + limits.margin;
    const float bottom = (float)(height - 1) + limits.margin;
    for (int x = 0; x < width; x++) {
        float length = u[x] * u[x] + v[x] * v[x];
        float lengths = length + back_across[x] * back_across[x] + back_down[x] * back_down[x];
        float gap_u = u[x] + back_across[x], gap_v = v[x] + back_down[x];
        float gap = gap_u * gap_u + gap_v * gap_v;
        float u_down = u_below[x] - u_above[x], v_down = v_below[x] - v_above[x];
        float u_along = u[x + 1] - u[x - 1], v_along = v[x + 1] - v[x - 1];
        /* Differences over two pixels: their squares are four times too large. */
        float steep = u_down * u_down + v_down * v_down + u_along * u_along + v_along * v_along;
        float column = u[x] + (float)x, row = v[x] + (float)y;
        /* Differences, so that nothing holds where both sides are infinite. */
        int white = gap - limits.slope * lengths - limits.floor <= 0.0f;
        white &= 0.25f * steep - limits.boundary_slope * length - limits.boundary_floor <= 0.0f;
        white &= (column >= -limits.margin) & (column <= right);
        white &= (row >= -limits.margin) & (row <= bottom);
        out[x] = (uint8_t)(white ? 255 : 0);
    }
}

/* Where two flows agree; see ``vidstyle.kernels.flow.mark_consistent``. */
KERNEL int mark_consistent(int height, int width, const float *flow, const float *back,
                           const float *five_limits, uint8_t *out) {
    const size_t row = (size_t)width, padded = row + 2;
    const Limits limits = {five_limits[0], five_limits[1], five_limits[2], five_limits[3],
                           five_limits[4]};
    float *memory = malloc(sizeof(float) * (6 * padded + 4 * row) + sizeof(int) * 2 * row);
    if (!memory) return 0;
    float *across = memory, *down = across + 3 * padded, *weights = down + 3 * padded;
    float *back_across = weights + 2 * row, *back_down = back_across + row;
    int *places = (int *)(back_down + row);
    split_pairs(flow, width, across, down);
    for (int y = 0; y < height; y++) {
        /* A row lies in the place that is its number by 3. */
        int below = clamp_int(y + 1, 0, height - 1), above = clamp_int(y - 1, 0, height - 1);
        if (below > y)
            split_pairs(flow + 2 * row * below, width, across + padded * (below % 3),
                        down + padded * (below % 3));
        const float *const rows_across[3] = {across + padded * (above % 3),
                                             across + padded * (y % 3),
                                             across + padded * (below % 3)};
        const float *const rows_down[3] = {down + padded * (above % 3), down + padded * (y % 3),
                                           down + padded * (below % 3)};
        sample_back(back, height, width, y, rows_across[1] + 1, rows_down[1] + 1, places, weights,
                    back_across, back_down);
        mark_row(rows_across, rows_down, back_across, back_down, height, width, y, limits,
                 out + row * y);
    }
    free(memory);
    return 1;
}

/* Smooth a row of a mask across; in 256ths of its numbers. ``line`` holds the row and REACH
   numbers on both sides. */
PART void smooth_across(const uint8_t *mask, int width, const uint16_t *weights,
                        uint16_t *restrict line, uint16_t *restrict out) {
    for (int x = 0; x < width; x++) line[REACH + x] = mask[x];
    for (int i = 0; i < REACH; i++) {
        line[i] = line[REACH];
        line[REACH + width + i] = line[REACH + width - 1];
    }
    for (int x = 0; x < width; x++) {
        unsigned sides = (unsigned)line[x + 1] + line[x + 3], far = (unsigned)line[x] + line[x + 4];
        out[x] = (uint16_t)(weights[0] * line[x + 2] + weights[1] * sides + weights[2] * far);
    }
}

/* Soften a mask of bytes; see ``vidstyle.kernels.flow.soften_mask``. */
KERNEL int soften_mask(int height, int width, const uint8_t *mask, const uint16_t *weights,
                       float *out) {
    const size_t row = (size_t)width;
    uint16_t *memory = malloc(sizeof(uint16_t) * (SIDE * row + row + 2 * REACH));
    if (!memory) return 0;
    uint16_t *line = memory + SIDE * row;
    int held = 0;
    for (int y = 0; y < height; y++) {
        for (; held <= y + REACH && held < height; held++)
            smooth_across(mask + row * held, width, weights, line, memory + row * (held % SIDE));
        const uint16_t *rows[SIDE];
        for (int j = 0; j < SIDE; j++)
            rows[j] = memory + row * (clamp_int(y + j - REACH, 0, height - 1) % SIDE);
        float *soft = out + row * y;
        for (int x = 0; x < width; x++) {
            unsigned sides = (unsigned)rows[1][x] + rows[3][x];
            unsigned far = (unsigned)rows[0][x] + rows[4][x];
            unsigned sum = weights[0] * rows[2][x] + weights[1] * sides + weights[2] * far;
            soft[x] = (float)(int)((sum + (1u << 15)) >> 16) * (1.0f / 255);
        }
    }
    free(memory);
    return 1;
}
