/* What the kernels share: rows of float32 pixels, doubled, repeated and sampled.

   Images lie as numpy has them: rows from the top, channels side by side. Work goes row by row
   through a few rows of scratch, which stay in the processor's nearest cache. */

#ifndef VIDSTYLE_ROWS_H
#define VIDSTYLE_ROWS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#define EXPORTED __declspec(dllexport)
#else
#define EXPORTED __attribute__((visibility("default")))
#endif

/* One compilation for each generation of processors; which one runs is decided when the library is
   loaded. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(VIDSTYLE_ONE_TARGET)
#define KERNEL EXPORTED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KERNEL EXPORTED
#endif

/* Parts of a kernel. They are compiled with it, for the same processor. */
#define PART static inline __attribute__((always_inline))

/* A pixel of three channels, and a fourth number that nobody reads. */
typedef float pixel4 __attribute__((vector_size(16)));

PART pixel4 load4(const float *from) {
    pixel4 pixel;
    memcpy(&pixel, from, sizeof pixel);
    return pixel;
}

PART void store4(float *to, pixel4 pixel) { memcpy(to, &pixel, sizeof pixel); }

PART int clamp_int(int value, int least, int most) {
    return value < least ? least : value > most ? most : value;
}

/* The C library's fminf and fmaxf are calls, since they have rules for what is no number. */
PART float larger(float first, float second) { return first > second ? first : second; }

PART float smaller(float first, float second) { return first < second ? first : second; }

/* What is no number becomes 0. */
PART float clamp01(float value) { return smaller(larger(value, 0.0f), 1.0f); }

/* Between two rows of an image at half size: the row ``y`` of the whole one, before it is widened.

   Bilinear, with the edge repeated: a pixel of the whole image lies a quarter of a small pixel
   beside the middle of the small one that it is part of. ``count`` numbers a row. */
PART void between_rows(const float *half, int half_height, ptrdiff_t count, int y, float *out) {
    int near = y / 2;
    int other = clamp_int(y % 2 ? near + 1 : near - 1, 0, half_height - 1);
    const float *first = half + near * count, *second = half + other * count;
    for (ptrdiff_t i = 0; i < count; i++) out[i] = 0.75f * first[i] + 0.25f * second[i];
}

/* Widen a row of a plane, ``width`` numbers, to twice as many. */
PART void widen_plane(const float *row, int width, float *out) {
    out[0] = row[0];
    for (int i = 0; i < width - 1; i++) {
        out[2 * i + 1] = 0.75f * row[i] + 0.25f * row[i + 1];
        out[2 * i + 2] = 0.25f * row[i] + 0.75f * row[i + 1];
    }
    out[2 * width - 1] = row[width - 1];
}

/* The same of a row of pixels of three channels. One number more than the row is read, and one
   more than twice the row is written. */
PART void widen_pixels(const float *row, int width, float *out) {
    pixel4 left = load4(row);
    store4(out, left);
    for (int i = 0; i < width - 1; i++) {
        pixel4 right = load4(row + 3 * i + 3);
        store4(out + 6 * i + 3, 0.75f * left + 0.25f * right);
        store4(out + 6 * i + 6, 0.25f * left + 0.75f * right);
        left = right;
    }
    store4(out + 6 * width - 3, left);
}

/* A row ``y`` of a plane at half size, doubled. ``scratch`` holds half of the row. */
PART void double_plane(const float *half, int half_height, int half_width, int y, float *scratch,
                       float *out) {
    between_rows(half, half_height, half_width, y, scratch);
    widen_plane(scratch, half_width, out);
}

/* The same of an image of three channels. Both rows have room for one number more. */
PART void double_pixels(const float *half, int half_height, int half_width, int y, float *scratch,
                        float *out) {
    between_rows(half, half_height, 3 * (ptrdiff_t)half_width, y, scratch);
    scratch[3 * half_width] = 0.0f;
    widen_pixels(scratch, half_width, out);
}

/* Each number of a row three times, for the channels of a pixel. */
PART void repeat3(const float *row, int width, float *out) {
    for (int i = 0; i < width; i++) out[3 * i] = out[3 * i + 1] = out[3 * i + 2] = row[i];
}

/* The mean of 2x2 pixels of two rows of a plane, ``width`` numbers of the half. */
PART void halve_plane(const float *upper, const float *lower, int width, float *out) {
    for (int i = 0; i < width; i++)
        out[i] = 0.25f * (upper[2 * i] + upper[2 * i + 1] + lower[2 * i] + lower[2 * i + 1]);
}

/* The same of pixels of three channels. */
PART void halve_pixels(const float *upper, const float *lower, int width, float *out) {
    for (int i = 0; i < width; i++) {
        for (int c = 0; c < 3; c++) {
            int left = 6 * i + c, right = left + 3;
            out[3 * i + c] = 0.25f * (upper[left] + upper[right] + lower[left] + lower[right]);
        }
    }
}

/* A row ``y`` of an image averaged with a Gaussian, down and then across; the edge is repeated.

   A row of the image lies at its number by ``held``, and has ``channels`` numbers a pixel.
   ``kernel`` is the Gaussian's middle and one side of it. ``scratch`` holds a row and ``reach``
   pixels more on both sides. */
PART void smooth_row(const float *image, int held, int height, int width, int channels, int y,
                     const float *kernel, int reach, float *scratch, float *restrict out) {
    const int count = channels * width, beside = channels * reach;
    float *restrict sums = scratch + beside;
    const float *middle = image + (ptrdiff_t)(y % held) * count;
    for (int i = 0; i < count; i++) sums[i] = kernel[0] * middle[i];
    for (int j = 1; j <= reach; j++) {
        const float *above = image + (ptrdiff_t)(clamp_int(y - j, 0, height - 1) % held) * count;
        const float *below = image + (ptrdiff_t)(clamp_int(y + j, 0, height - 1) % held) * count;
        for (int i = 0; i < count; i++) sums[i] += kernel[j] * (above[i] + below[i]);
    }
    for (int i = 0; i < beside; i++) {
        sums[i - beside] = sums[i % channels];
        sums[count + i] = sums[count - channels + i % channels];
    }
    for (int i = 0; i < count; i++) out[i] = kernel[0] * sums[i];
    for (int j = 1; j <= reach; j++) {
        const int step = channels * j;
        for (int i = 0; i < count; i++) out[i] += kernel[j] * (sums[i - step] + sums[i + step]);
    }
}

/* Luma of a row of RGB by the weights of BT.601. */
PART void luma_row(const float *rgb, int width, float *out) {
    for (int i = 0; i < width; i++)
        out[i] = 0.299f * rgb[3 * i] + 0.587f * rgb[3 * i + 1] + 0.114f * rgb[3 * i + 2];
}

/* The squared Laplacian of a row of luma; the image's edge is repeated. */
PART void edges_of_row(const float *above, const float *row, const float *below, int width,
                       float *out) {
    for (int x = 1; x < width - 1; x++) {
        float edge = above[x] + below[x] + row[x - 1] + row[x + 1] - 4.0f * row[x];
        out[x] = edge * edge;
    }
    float left = above[0] + below[0] + row[1] - 3.0f * row[0];
    int last = width - 1;
    float right = above[last] + below[last] + row[last - 1] - 3.0f * row[last];
    out[0] = left * left;
    out[last] = right * right;
}

/* The mean squares of the Laplacian over 2x2 pixels, from rows of an image as they come.

   Three rows of luma are held, and two of edges. */
typedef struct {
    int height, width;
    float *luma, *edges, *out;
} EdgeRows;

/* Returns 0 where there is no memory. */
PART int open_edges(EdgeRows *rows, int height, int width, float *out) {
    float *memory = malloc(sizeof(float) * 5 * (size_t)width);
    *rows = (EdgeRows){height, width, memory, memory + 3 * (size_t)width, out};
    return memory != NULL;
}

PART void close_edges(EdgeRows *rows) { free(rows->luma); }

/* Take the row ``y`` of an image, and nothing as the row behind the last. */
PART void take_row(EdgeRows *rows, int y, const float *rgb) {
    int height = rows->height, width = rows->width, middle = y - 1;
    if (rgb) luma_row(rgb, width, rows->luma + (ptrdiff_t)(y % 3) * width);
    if (middle < 0) return;
    const float *above = rows->luma + (ptrdiff_t)(clamp_int(middle - 1, 0, height - 1) % 3) * width;
    const float *row = rows->luma + (ptrdiff_t)(middle % 3) * width;
    const float *below = rows->luma + (ptrdiff_t)(clamp_int(y, 0, height - 1) % 3) * width;
    edges_of_row(above, row, below, width, rows->edges + (ptrdiff_t)(middle % 2) * width);
    if (middle % 2)
        halve_plane(rows->edges, rows->edges + width, width / 2,
                    rows->out + (ptrdiff_t)(middle / 2) * (width / 2));
}

/* Positions are rounded to so many parts of a pixel, 1 << PART_BITS. */
#define PART_BITS 5
#define PARTS (1 << PART_BITS)
/* That a position may lie outside of an image, in these parts. */
#define MARGIN 1

/* In parts of a pixel; far outside of the image, and what is no number, is brought near it. */
PART int to_parts(float position, int side) {
    float low = position > -4.0f ? position : -4.0f;
    float bounded = low < side + 3.0f ? low : side + 3.0f;
    return (int)floorf(bounded * PARTS + 0.5f);
}

/* Weights of the pixels -1 to 2 at ``x`` behind pixel 0, in [0, 1): the bicubic kernel of Keys 1981
   with -0.75, which keeps more contrast than -0.5. */
PART void cubic_weights(float x, float *out) {
    const float a = -0.75f, y = 1.0f - x;
    out[0] = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
    out[1] = ((a + 2) * x - (a + 3)) * x * x + 1;
    out[2] = ((a + 2) * y - (a + 3)) * y * y + 1;
    out[3] = 1 - out[0] - out[1] - out[2];
}

/* exp(value) for values that are at most 0, to 1e-7 of 1; below -40 it is that of -40, 4e-18.

   The range is reduced to one octave, as in Cody and Waite (Software Manual for the Elementary
   Functions, 1980), and that is a Taylor polynomial. The C library's own is called one by one. */
PART float exp_of_negative(float value) {
    float bounded = smaller(larger(value, -40.0f), 0.0f);
    float octaves = floorf(bounded * 1.44269504f + 0.5f);
    float rest = (bounded - octaves * 0.693359375f) + octaves * 2.12194440e-4f;
    float sum = 1.0f / 5040 * rest + 1.0f / 720;
    sum = sum * rest + 1.0f / 120;
    sum = sum * rest + 1.0f / 24;
    sum = sum * rest + 1.0f / 6;
    sum = sum * rest + 0.5f;
    sum = sum * rest + 1.0f;
    sum = sum * rest + 1.0f;
    int32_t bits = ((int32_t)octaves + 127) * (1 << 23);
    float power;
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}

#endif
