/* The recurrent blend's work at half size, and what brings whole frames there. */

#include "rows.h"

/* An image at half size, and the squared Laplacian of its luma; see
   ``vidstyle.kernels.half.halve_image``. */
KERNEL int halve_image(int height, int width, const float *image, float *half, float *edges) {
    const size_t row = 3 * (size_t)width;
    EdgeRows rows;
    if (!open_edges(&rows, height, width, edges)) return 0;
    for (int y = 0; y < height; y++) {
        const float *now = image + y * row;
        take_row(&rows, y, now);
        if (y % 2) halve_pixels(now - row, now, width / 2, half + (y / 2) * (row / 2));
    }
    take_row(&rows, height, NULL);
    close_edges(&rows);
    return 1;
}

/* Luma of an image, and both of them at half size; see ``vidstyle.kernels.half.halve_source``. */
KERNEL int halve_source(int height, int width, const float *image, float *luma, float *half,
                        float *half_luma) {
    const size_t row = (size_t)width;
    for (int y = 0; y < height; y++) {
        const float *now = image + 3 * y * row;
        float *lumas = luma + y * row;
        luma_row(now, width, lumas);
        if (y % 2) {
            const size_t at = (y / 2) * (row / 2);
            halve_pixels(now - 3 * row, now, width / 2, half + 3 * at);
            halve_plane(lumas - row, lumas, width / 2, half_luma + at);
        }
    }
    return 1;
}

/* Where the flow of every other pixel leads at half size, in parts of a pixel. */
PART void half_positions(const float *flow, int height, int width, int y, int *restrict across,
                         int *restrict down) {
    const int half_height = height / 2, half_width = width / 2;
    const float *row = flow + 4 * (ptrdiff_t)width * y;
    for (int x = 0; x < half_width; x++) {
        across[x] = to_parts(0.5f * row[4 * x] + (float)x, half_width);
        down[x] = to_parts(0.5f * row[4 * x + 1] + (float)y, half_height);
    }
}

/* A row of an image of three channels, sampled bilinearly; the edge is repeated. One number more
   than the row is written. */
PART void sample_pixels(const float *image, int height, int width, const int *across,
                        const int *down, float *out) {
    for (int x = 0; x < width; x++) {
        const int left = across[x] >> PART_BITS, top = down[x] >> PART_BITS;
        const float part_x = (float)(across[x] & (PARTS - 1)) / PARTS;
        const float part_y = (float)(down[x] & (PARTS - 1)) / PARTS;
        const float *upper = image + 3 * (ptrdiff_t)width * clamp_int(top, 0, height - 1);
        const float *lower = image + 3 * (ptrdiff_t)width * clamp_int(top + 1, 0, height - 1);
        /* Four numbers are read for a pixel of three: the last one has to have a neighbor. */
        if (left >= 0 && left + 2 < width) {
            pixel4 first = load4(upper + 3 * left), second = load4(lower + 3 * left);
            first += part_x * (load4(upper + 3 * left + 3) - first);
            second += part_x * (load4(lower + 3 * left + 3) - second);
            store4(out + 3 * x, first + part_y * (second - first));
        } else {
            const int near = 3 * clamp_int(left, 0, width - 1);
            const int far = 3 * clamp_int(left + 1, 0, width - 1);
            for (int c = 0; c < 3; c++) {
                float first = upper[near + c] + part_x * (upper[far + c] - upper[near + c]);
                float second = lower[near + c] + part_x * (lower[far + c] - lower[near + c]);
                out[3 * x + c] = first + part_y * (second - first);
            }
        }
    }
}

/* The same of a plane. */
PART void sample_plane(const float *plane, int height, int width, const int *across,
                       const int *down, float *restrict out) {
    for (int x = 0; x < width; x++) {
        const int left = across[x] >> PART_BITS, top = down[x] >> PART_BITS;
        const float part_x = (float)(across[x] & (PARTS - 1)) / PARTS;
        const float part_y = (float)(down[x] & (PARTS - 1)) / PARTS;
        const int near = clamp_int(left, 0, width - 1), far = clamp_int(left + 1, 0, width - 1);
        const float *upper = plane + (ptrdiff_t)width * clamp_int(top, 0, height - 1);
        const float *lower = plane + (ptrdiff_t)width * clamp_int(top + 1, 0, height - 1);
        float first = upper[near] + part_x * (upper[far] - upper[near]);
        float second = lower[near] + part_x * (lower[far] - lower[near]);
        out[x] = first + part_y * (second - first);
    }
}

/* The squared difference in luma of two rows of pixels. */
PART void luma_distance(const float *one, const float *other, int width, float *restrict out) {
    for (int x = 0; x < width; x++) {
        float difference = 0.299f * (one[3 * x] - other[3 * x]);
        difference += 0.587f * (one[3 * x + 1] - other[3 * x + 1]);
        difference += 0.114f * (one[3 * x + 2] - other[3 * x + 2]);
        out[x] = difference * difference;
    }
}

/* The source before, along the flow; see ``vidstyle.kernels.half.follow_source``. */
KERNEL int follow_source(int height, int width, const float *flow, const float *now,
                         const float *before, float *source, float *length, float *moved,
                         float *stood) {
    const int half_height = height / 2, half_width = width / 2;
    const size_t row = (size_t)half_width;
    int *across = malloc(sizeof(int) * 2 * row + sizeof(float) * (3 * row + 1));
    if (!across) return 0;
    int *down = across + row;
    float *sampled = (float *)(down + row);
    for (int y = 0; y < half_height; y++) {
        const ptrdiff_t at = (ptrdiff_t)y * half_width;
        const float *vectors = flow + 4 * (ptrdiff_t)width * y;
        half_positions(flow, height, width, y, across, down);
        sample_pixels(before, half_height, half_width, across, down, sampled);
        memcpy(source + 3 * at, sampled, 3 * row * sizeof *sampled);
        float *restrict lengths = length + at;
        for (int x = 0; x < half_width; x++) {
            float u = vectors[4 * x], v = vectors[4 * x + 1];
            lengths[x] = sqrtf(u * u + v * v);
        }
        luma_distance(now + 3 * at, sampled, half_width, moved + at);
        luma_distance(now + 3 * at, before + 3 * at, half_width, stood + at);
    }
    free(across);
    return 1;
}

/* The luma of squares: weights as of luma, for each pixel. */
PART void square_luma(const float *pixels, int width, float *restrict out) {
    for (int x = 0; x < width; x++) {
        const float *pixel = pixels + 3 * x;
        float sum = 0.299f * pixel[0] * pixel[0] + 0.587f * pixel[1] * pixel[1];
        out[x] = sum + 0.114f * pixel[2] * pixel[2];
    }
}

/* What ``compare_sources`` holds of the rows around the one that it works on. A row lies at its
   number by HELD. */
#define HELD 16
/* Pixels on each side that its filters read. */
#define NOISE_REACH 4
#define PIXEL_REACH 2
#define REST_REACH 5

/* How well two sources agree, and where nothing moves; see
   ``vidstyle.kernels.half.compare_sources``. */
KERNEL int compare_sources(int height, int width, const float *now, const float *before,
                           const float *still, const float *length, const float *noise,
                           const float *pixel, const float *rest, float exponent, float shortest,
                           float *source, float *near, float *pixels, float *resting) {
    const size_t row = (size_t)width;
    float *memory = malloc(sizeof(float) * (row * (5 * HELD + 3 + 3 + 3) + 32));
    if (!memory) return 0;
    float *differences = memory, *distances = differences + 3 * HELD * row;
    float *shorts = distances + HELD * row, *stays = shorts + HELD * row;
    float *soft = stays + 3 * row, *scratch = soft + 3 * row;
    memset(stays, 0, 3 * row * sizeof *stays);
    for (int y = 0; y < height + REST_REACH; y++) {
        if (y < height) {
            const size_t at = y * row, place = (y % HELD) * row;
            const float *image = now + 3 * at, *unmoved = before + 3 * at;
            float *there = source + 3 * at, *left = differences + 3 * place;
            if (still) repeat3(still + at, width, stays);
            for (int i = 0; i < 3 * width; i++) {
                there[i] += stays[i] * (unmoved[i] - there[i]);
                left[i] = image[i] - there[i];
            }
            square_luma(left, width, distances + place);
            for (int x = 0; x < width; x++) shorts[place + x] = (float)(length[at + x] < shortest);
        }
        const int middle = y - REST_REACH;
        if (middle < 0) continue;
        const size_t at = middle * row;
        smooth_row(differences, HELD, height, width, 3, middle, noise, NOISE_REACH, scratch, soft);
        square_luma(soft, width, near + at);
        for (int x = 0; x < width; x++) near[at + x] = exp_of_negative(exponent * near[at + x]);
        smooth_row(distances, HELD, height, width, 1, middle, pixel, PIXEL_REACH, scratch,
                   pixels + at);
        smooth_row(shorts, HELD, height, width, 1, middle, rest, REST_REACH, scratch, soft);
        for (int x = 0; x < width; x++) {
            float inside = clamp01(2.0f * soft[x] - 1.0f);
            resting[at + x] = still ? larger(inside, still[at + x]) : inside;
        }
    }
    free(memory);
    return 1;
}

/* What the next frame changes; see ``vidstyle.kernels.half.change_of_next``. */
KERNEL int change_of_next(int height, int width, const float *flow, const float *luma,
                          const float *next_luma, const float *noise, const float *used,
                          float ahead, float exponent, const float *now, const float *next,
                          float *weight, float *out) {
    const int half_height = height / 2, half_width = width / 2;
    const int right = (half_width - 1) * PARTS + MARGIN;
    const int bottom = (half_height - 1) * PARTS + MARGIN;
    const size_t row = (size_t)half_width;
    float *memory = malloc(sizeof(float) * (row * (HELD + 3 + 3 + 1 + 1) + 32));
    int *positions = malloc(sizeof(int) * 2 * HELD * row);
    if (!memory || !positions) {
        free(memory);
        free(positions);
        return 0;
    }
    float *differences = memory, *times = differences + HELD * row, *sampled = times + 3 * row;
    float *soft = sampled + 3 * row + 4, *scratch = soft + row;
    for (int y = 0; y < half_height + NOISE_REACH; y++) {
        int *across = positions + 2 * (y % HELD) * row, *down = across + row;
        if (y < half_height) {
            float *difference = differences + (y % HELD) * row;
            half_positions(flow, height, width, y, across, down);
            sample_plane(next_luma, half_height, half_width, across, down, difference);
            for (int x = 0; x < half_width; x++)
                difference[x] = luma[y * row + x] - difference[x];
        }
        const int middle = y - NOISE_REACH;
        if (middle < 0) continue;
        const size_t at = middle * row;
        const float *image = now + 3 * at;
        float *weights = weight + at, *change = out + 3 * at;
        across = positions + 2 * (middle % HELD) * row;
        down = across + row;
        smooth_row(differences, HELD, half_height, half_width, 1, middle, noise, NOISE_REACH,
                   scratch, soft);
        for (int x = 0; x < half_width; x++) {
            int inside = (across[x] >= -MARGIN) & (across[x] <= right);
            inside &= (down[x] >= -MARGIN) & (down[x] <= bottom);
            float room = ahead * (1.0f - used[at + x]) * (float)inside;
            weights[x] = room * exp_of_negative(exponent * soft[x] * soft[x]);
        }
        sample_pixels(next, half_height, half_width, across, down, sampled);
        repeat3(weights, half_width, times);
        for (int i = 0; i < 3 * half_width; i++) change[i] = (sampled[i] - image[i]) * times[i];
    }
    free(memory);
    free(positions);
    return 1;
}

/* Pixels that are worked on at once, where rows do not matter. */
#define CHUNK 256

/* What coarse structure gets; see ``vidstyle.kernels.half.weigh_coarse``. */
KERNEL int weigh_coarse(int count, const float *half, const float *change, const float *confidence,
                        const float *still, const float *overshoot, const float *ahead,
                        float moving, float resting, float part, float least, float *coarse,
                        float *mixed) {
    float plane[4][CHUNK], fine[3 * CHUNK], both[3 * CHUNK], times[3 * CHUNK], sure[3 * CHUNK];
    for (int first = 0; first < count; first += CHUNK) {
        const int size = clamp_int(count - first, 0, CHUNK), at = 3 * first;
        for (int i = 0; i < size; i++) {
            float rest = still[first + i], trust = confidence[first + i];
            float more = (1.0f - part) * moving * (1.0f - rest);
            plane[0][i] = part * moving * (1.0f - rest) + resting * rest;
            plane[1][i] = plane[0][i] + more;
            plane[2][i] = more / larger(trust, least);
            plane[3][i] = trust;
        }
        repeat3(plane[0], size, fine);
        repeat3(plane[1], size, both);
        repeat3(plane[2], size, times);
        repeat3(plane[3], size, sure);
        for (int i = 0; i < 3 * size; i++) coarse[at + i] = times[i] * change[at + i];
        if (overshoot)
            for (int i = 0; i < 3 * size; i++) coarse[at + i] -= overshoot[at + i] * both[i];
        for (int i = 0; i < 3 * size; i++)
            mixed[at + i] = half[at + i] + fine[i] * change[at + i] + sure[i] * coarse[at + i];
        if (ahead)
            for (int i = 0; i < 3 * size; i++) mixed[at + i] += ahead[at + i];
    }
    return 1;
}

/* ``image + weight * (other - image)``; see ``vidstyle.kernels.half.move_towards``. */
KERNEL int move_towards(int count, const float *image, const float *other, const float *weight,
                        float *restrict out) {
    float times[3 * CHUNK];
    for (int first = 0; first < count; first += CHUNK) {
        const int size = clamp_int(count - first, 0, CHUNK), at = 3 * first;
        repeat3(weight + first, size, times);
        for (int i = 0; i < 3 * size; i++)
            out[at + i] = image[at + i] + times[i] * (other[at + i] - image[at + i]);
    }
    return 1;
}
