/* The recurrent blend's previous output, on the grid of a new frame. */

#include "rows.h"

/* Rows on both sides that the small Gaussian reads. */
#define REACH 2
#define SIDE (2 * REACH + 1)
/* Below it a confidence, exp of it, is less than a thousandth: as good as none. */
#define LEAST_EXPONENT -7.0f
/* Pixels between two runs that are worked on as one. */
#define GAP (2 * SIDE)

/* How an image is sampled at each part of a pixel: weights of the pixels -1 to 2. */
typedef struct {
    float cubic[PARTS][4];
    float linear[PARTS][2];
} Weights;

static void fill_weights(Weights *weights) {
    for (int part = 0; part < PARTS; part++) {
        float x = (float)part / PARTS;
        cubic_weights(x, weights->cubic[part]);
        weights->linear[part][0] = 1 - x;
        weights->linear[part][1] = x;
    }
}

/* One pixel near the image's edge, which is repeated. */
static void sample_at_edge(const float *image, int height, int width, int x, int y,
                           const float *across, const float *down, int taps, float *out) {
    int first = taps == 4 ? -1 : 0;
    out[0] = out[1] = out[2] = 0.0f;
    for (int j = 0; j < taps; j++) {
        const float *row = image + 3 * (ptrdiff_t)width * clamp_int(y + first + j, 0, height - 1);
        for (int i = 0; i < taps; i++) {
            const float *pixel = row + 3 * clamp_int(x + first + i, 0, width - 1);
            for (int c = 0; c < 3; c++) out[c] += across[i] * down[j] * pixel[c];
        }
    }
}

/* A row ``y`` of RGB sampled at positions in parts of a pixel: bicubic, and ``softness`` of it
   bilinear. One number more than the row is written. */
PART void sample_row(const float *image, int height, int width, int y, const int *across,
                     const int *down, const Weights *weights, float softness, float *out) {
    const ptrdiff_t stride = 3 * (ptrdiff_t)width;
    for (int x = 0; x < width; x++) {
        /* A shift rounds down, below 0 too. */
        int left = across[x] >> PART_BITS, top = down[x] >> PART_BITS;
        int part_x = across[x] & (PARTS - 1), part_y = down[x] & (PARTS - 1);
        const float *wx = weights->cubic[part_x], *wy = weights->cubic[part_y];
        const float *lx = weights->linear[part_x], *ly = weights->linear[part_y];
        float *to = out + 3 * x;
        /* Most of a scene at rest. */
        if (across[x] == x * PARTS && down[x] == y * PARTS) {
            memcpy(to, image + y * stride + 3 * x, 3 * sizeof *to);
            continue;
        }
        /* Four numbers are read for a pixel of three: the last one has to have a neighbor. */
        if (left >= 1 && left + 3 < width && top >= 1 && top + 2 < height) {
            const float *corner = image + (top - 1) * stride + 3 * (left - 1);
            pixel4 sum = {0.0f, 0.0f, 0.0f, 0.0f};
            for (int j = 0; j < 4; j++) {
                const float *row = corner + j * stride;
                pixel4 line = wx[0] * load4(row) + wx[1] * load4(row + 3);
                line += wx[2] * load4(row + 6) + wx[3] * load4(row + 9);
                sum += wy[j] * line;
            }
            if (softness > 0.0f) {
                const float *upper = corner + stride + 3, *lower = upper + stride;
                pixel4 soft = ly[0] * (lx[0] * load4(upper) + lx[1] * load4(upper + 3));
                soft += ly[1] * (lx[0] * load4(lower) + lx[1] * load4(lower + 3));
                sum += softness * (soft - sum);
            }
            store4(to, sum);
        } else {
            float soft[3];
            sample_at_edge(image, height, width, left, top, wx, wy, 4, to);
            if (softness > 0.0f) {
                sample_at_edge(image, height, width, left, top, lx, ly, 2, soft);
                for (int c = 0; c < 3; c++) to[c] += softness * (soft[c] - to[c]);
            }
        }
    }
}

/* What ``warp_change`` works on. */
typedef struct {
    int height, width;
    const float *flow;      /* (H, W, 2) */
    const float *moves;     /* (h, w), or null: 1 everywhere */
    const float *luma;      /* (H, W) of this source */
    const float *before;    /* (H, W) of the source before */
} Motion;

/* Where the pixels of a row come from, in parts of a pixel. ``scratch`` holds a row and a half. */
PART void positions_of_row(const Motion *motion, int y, float *scratch, int *across, int *down) {
    const int height = motion->height, width = motion->width;
    const float *flow = motion->flow + 2 * (ptrdiff_t)width * y;
    float *factor = scratch + width;
    if (motion->moves)
        double_plane(motion->moves, height / 2, width / 2, y, scratch, factor);
    else
        for (int x = 0; x < width; x++) factor[x] = 1.0f;
    for (int x = 0; x < width; x++) {
        across[x] = to_parts(flow[2 * x] * factor[x] + (float)x, width);
        down[x] = to_parts(flow[2 * x + 1] * factor[x] + (float)y, height);
    }
}

/* Squared difference in luma of a pixel to where it comes from. */
PART float distance_of_pixel(const Motion *motion, int across, int down, float luma) {
    const int height = motion->height, width = motion->width;
    int left = across >> PART_BITS, right = left + 1, top = down >> PART_BITS, bottom = top + 1;
    if (left < 0 || right >= width || top < 0 || bottom >= height) {
        left = clamp_int(left, 0, width - 1);
        right = clamp_int(right, 0, width - 1);
        top = clamp_int(top, 0, height - 1);
        bottom = clamp_int(bottom, 0, height - 1);
    }
    const float *first = motion->before + (ptrdiff_t)top * width;
    const float *second = motion->before + (ptrdiff_t)bottom * width;
    float part_x = (float)(across & (PARTS - 1)) / PARTS;
    float part_y = (float)(down & (PARTS - 1)) / PARTS;
    float upper = first[left] + part_x * (first[right] - first[left]);
    float lower = second[left] + part_x * (second[right] - second[left]);
    float difference = upper + part_y * (lower - upper) - luma;
    return difference * difference;
}

/* The rows around the one that is worked on: as many as the small Gaussian reads. A row lies in
   the place that is its number by SIDE. */
typedef struct {
    int *across, *down;  /* Positions, SIDE rows each. */
    float *distance;     /* Squared differences in luma, where they were needed so far. */
    unsigned char *held; /* 1 where they are there. */
} Window;

/* Find the differences of a row ``y`` from ``first`` to ``last``, not included. */
PART void fill_distances(const Motion *motion, Window *window, int y, int first, int last) {
    const ptrdiff_t at = (ptrdiff_t)(y % SIDE) * motion->width;
    const int *across = window->across + at, *down = window->down + at;
    const float *luma = motion->luma + (ptrdiff_t)motion->width * y;
    unsigned char *held = window->held + at;
    for (int x = first; x < last; x++) {
        /* Of the five rows that a pixel needs, four are mostly there. */
        const unsigned char *missing = memchr(held + x, 0, last - x);
        if (!missing) break;
        for (x = (int)(missing - held); x < last && !held[x]; x++) {
            held[x] = 1;
            window->distance[at + x] = distance_of_pixel(motion, across[x], down[x], luma[x]);
        }
    }
}

/* Add the confidence in what the flow says is hidden, from ``first`` to ``last``, not included.

   There the sources decide, pixel for pixel: ``pixels`` is a row of their distance, ``small``
   one side of the Gaussian that smooths the one in luma. */
PART void add_hidden(const Motion *motion, Window *window, int y, int first, int last,
                     const float *visible, const float *pixels, const float *small,
                     float exponent, float *scratch, float *restrict confidence) {
    const int height = motion->height, width = motion->width;
    const int from = clamp_int(first - REACH, 0, width), to = clamp_int(last + REACH, 0, width);
    float *sums = scratch + REACH;
    memset(sums + from, 0, (to - from) * sizeof *sums);
    for (int j = -REACH; j <= REACH; j++) {
        int row = clamp_int(y + j, 0, height - 1);
        fill_distances(motion, window, row, from, to);
        const float *distance = window->distance + (ptrdiff_t)(row % SIDE) * width;
        float weight = small[abs(j)];
        for (int x = from; x < to; x++) sums[x] += weight * distance[x];
    }
    for (int i = 1; i <= REACH; i++) {
        if (from == 0) sums[-i] = sums[0];
        if (to == width) sums[width - 1 + i] = sums[width - 1];
    }
    const int *across = window->across + (ptrdiff_t)(y % SIDE) * width;
    const int *down = window->down + (ptrdiff_t)(y % SIDE) * width;
    const int right = (width - 1) * PARTS + MARGIN, bottom = (height - 1) * PARTS + MARGIN;
    for (int x = first; x < last; x++) {
        float thin = small[0] * sums[x] + small[1] * (sums[x - 1] + sums[x + 1]);
        thin += small[2] * (sums[x - 2] + sums[x + 2]);
        float agreed = exp_of_negative(exponent * larger(thin, pixels[x])) * (1.0f - visible[x]);
        int inside = (across[x] >= -MARGIN) & (across[x] <= right);
        inside &= (down[x] >= -MARGIN) & (down[x] <= bottom);
        confidence[x] += agreed * (float)inside;
    }
}

/* Mark the pixels of a row that are hidden, where the sources may agree nevertheless. */
PART void mark_open(const float *visible, const float *pixels, float exponent, int width,
                    unsigned char *restrict open) {
    for (int x = 0; x < width; x++)
        open[x] = (visible[x] < 1.0f) & (exponent * pixels[x] > LEAST_EXPONENT);
}

/* Where marked pixels begin at or behind ``x``; the row's width where there are none. */
PART int next_open(const unsigned char *open, int width, int x) {
    const unsigned char *found = x < width ? memchr(open + x, 1, width - x) : NULL;
    return found ? (int)(found - open) : width;
}

/* Where they end. Few others between them are taken along: each run costs a start. */
PART int end_of_open(const unsigned char *open, int width, int x) {
    for (;;) {
        const unsigned char *found = memchr(open + x, 0, width - x);
        if (!found) return width;
        int end = (int)(found - open);
        x = next_open(open, width, end);
        if (x > end + GAP || x == width) return end;
    }
}

/* Bring the previous output onto this frame's grid; see ``vidstyle.kernels.blend.warp_change``.

   Returns 0 where there is no memory. */
KERNEL int warp_change(int height, int width, const float *previous, const float *image,
                       const float *flow, const float *moves, const float *near,
                       const float *visible, const float *pixels, const float *luma,
                       const float *luma_before, const float *small, float exponent,
                       float softness, float *change, float *confidence, float *half_change,
                       float *half_confidence) {
    const int half_height = height / 2, half_width = width / 2;
    const size_t row = (size_t)width;
    const Motion motion = {height, width, flow, moves, luma, luma_before};
    Weights weights;
    float *memory = malloc(sizeof(float) * (row * (SIDE + 3 + 3 + 3) + 16));
    int *numbers = malloc(sizeof(int) * row * 2 * SIDE + row * (SIDE + 1));
    if (!memory || !numbers) {
        free(memory);
        free(numbers);
        return 0;
    }
    unsigned char *open = (unsigned char *)(numbers + 2 * SIDE * row);
    Window window = {numbers, numbers + SIDE * row, memory, open + row};
    float *warped = memory + SIDE * row, *times = warped + 3 * row + 4, *scratch = times + 3 * row;
    fill_weights(&weights);
    for (int y = 0, ahead = 0; y < height; y++) {
        const ptrdiff_t at = (ptrdiff_t)y * width;
        float *sure = confidence + at, *changed = change + 3 * at;
        const float *seen = visible + at, *now = image + 3 * at;
        for (; ahead <= y + REACH && ahead < height; ahead++) {
            ptrdiff_t place = (ptrdiff_t)(ahead % SIDE) * width;
            positions_of_row(&motion, ahead, scratch, window.across + place, window.down + place);
            memset(window.held + place, 0, row);
        }
        const ptrdiff_t place = (ptrdiff_t)(y % SIDE) * width;
        sample_row(previous, height, width, y, window.across + place, window.down + place,
                   &weights, softness, warped);
        double_plane(near, half_height, half_width, y, scratch, times);
        for (int x = 0; x < width; x++) sure[x] = times[x] * seen[x];
        if (exponent != 0.0f) {
            double_plane(pixels, half_height, half_width, y, scratch, times);
            mark_open(seen, times, exponent, width, open);
            for (int x = next_open(open, width, 0); x < width;) {
                int end = end_of_open(open, width, x);
                add_hidden(&motion, &window, y, x, end, seen, times, small, exponent, scratch,
                           sure);
                x = next_open(open, width, end);
            }
        }
        repeat3(sure, width, times);
        for (int i = 0; i < 3 * width; i++) changed[i] = (warped[i] - now[i]) * times[i];
        if (y % 2) {
            const ptrdiff_t half = (ptrdiff_t)(y / 2) * half_width;
            halve_pixels(changed - 3 * row, changed, half_width, half_change + 3 * half);
            halve_plane(sure - row, sure, half_width, half_confidence + half);
        }
    }
    free(memory);
    free(numbers);
    return 1;
}
