/* Between the planes of 8-bit video and RGB, each pixel once. */

#include "rows.h"

/* Chroma samples on both sides of one that its enlargement reads. */
#define NEAR 2
#define TAPS (2 * NEAR + 1)

/* A plane of 8-bit samples; rows may end in padding. */
typedef struct {
    uint8_t *samples;
    ptrdiff_t stride;
} Plane;

/* Filters come four in a row, of TAPS whole numbers each: weights of the samples around one for what
   lies on it or before it (0), and behind it (1); the first and the third number along a side have
   their own (2 and 3). A matrix has the three rows of four that ``vidstyle.media`` gives it. */

/* Which filter a number along a side has. */
PART int filter_at(int place) { return place == 0 ? 2 : place == 2 ? 3 : place % 2; }

/* A row of chroma, doubled across in 15 bits. ``scratch`` holds the row and twice NEAR. */
PART void widen_chroma(const uint8_t *row, int count, const int *filters, int16_t *scratch,
                       int16_t *restrict out) {
    for (int i = 0; i < count; i++) scratch[NEAR + i] = row[i];
    for (int i = 0; i < NEAR; i++) {
        scratch[i] = row[0];
        scratch[NEAR + count + i] = row[count - 1];
    }
    const int *even = filters, *odd = filters + TAPS;
    for (int i = 0; i < count; i++) {
        const int16_t *near = scratch + i;
        int before = even[0] * near[0] + even[1] * near[1] + even[2] * near[2] +
                     even[3] * near[3] + even[4] * near[4];
        int behind = odd[1] * near[1] + odd[2] * near[2] + odd[3] * near[3] + odd[4] * near[4];
        before >>= 7;
        behind >>= 7;
        out[2 * i] = (int16_t)(before < INT16_MAX ? before : INT16_MAX);
        out[2 * i + 1] = (int16_t)(behind < INT16_MAX ? behind : INT16_MAX);
    }
    for (int place = 0; place <= 2 && place < 2 * count; place += 2) {
        const int *special = filters + filter_at(place) * TAPS;
        int sum = 0;
        for (int j = 0; j < TAPS; j++) sum += special[j] * scratch[place / 2 + j];
        out[place] = (int16_t)(sum >> 7 < INT16_MAX ? sum >> 7 : INT16_MAX);
    }
}

PART uint8_t code_of(int value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

/* Enlarged rows of both chroma planes, as many as a row between them needs. */
typedef struct {
    int count, width;   /* Rows of chroma, and samples of an enlarged row. */
    int made;           /* Rows that were enlarged so far. */
    int16_t *rows;      /* TAPS of one plane. */
} Ring;

PART void fill_ring(Ring *ring, const Plane *plane, int until, const int *filters,
                    int16_t *scratch) {
    for (; ring->made <= until && ring->made < ring->count; ring->made++)
        widen_chroma(plane->samples + ring->made * plane->stride, ring->width / 2, filters, scratch,
                     ring->rows + (ptrdiff_t)(ring->made % TAPS) * ring->width);
}

PART const int16_t *ring_row(const Ring *ring, int row) {
    return ring->rows + (ptrdiff_t)(clamp_int(row, 0, ring->count - 1) % TAPS) * ring->width;
}

/* The row ``y`` of chroma that has half of the image's rows. */
PART void row_between(const Ring *ring, int y, const int *filters, uint8_t *restrict out) {
    const int first = y / 2 - NEAR + y % 2;
    const int *taps = filters + filter_at(y) * TAPS + y % 2;
    const int16_t *a = ring_row(ring, first), *b = ring_row(ring, first + 1);
    const int16_t *c = ring_row(ring, first + 2), *d = ring_row(ring, first + 3);
    const int wa = taps[0], wb = taps[1], wc = taps[2], wd = taps[3];
    for (int x = 0; x < ring->width; x++) {
        int sum = wa * a[x] + wb * b[x] + wc * c[x] + wd * d[x];
        out[x] = code_of((sum + (1 << 18)) >> 19);
    }
}

PART void row_of_codes(const int16_t *row, int width, uint8_t *restrict out) {
    for (int x = 0; x < width; x++) out[x] = code_of((row[x] + 64) >> 7);
}

/* A row of RGB. Luma is in all three by the same factor, and red has none of the blue difference,
   nor blue of the red one. */
PART void rgb_row(const uint8_t *luma, const uint8_t *blue, const uint8_t *red, int width,
                  const float *matrix, float *restrict out) {
    const float gain = matrix[0], r_red = matrix[2], r_zero = matrix[3];
    const float g_blue = matrix[5], g_red = matrix[6], g_zero = matrix[7];
    const float b_blue = matrix[9], b_zero = matrix[11];
    for (int x = 0; x < width; x++) {
        float y = luma[x], u = blue[x], v = red[x];
        out[3 * x] = clamp01(gain * y + (r_red * v + r_zero));
        out[3 * x + 1] = clamp01(gain * y + (g_blue * u + (g_red * v + g_zero)));
        out[3 * x + 2] = clamp01(gain * y + (b_blue * u + b_zero));
    }
}

/* RGB of the planes of a frame; see ``vidstyle.kernels.color.convert_planes``. */
KERNEL int rgb_of_planes(int height, int width, int across, int down, uint8_t *luma,
                         int luma_stride, uint8_t *blue, int blue_stride, uint8_t *red,
                         int red_stride, const int *filters_across, const int *filters_down,
                         const float *matrix, float *out) {
    const Plane planes[2] = {{blue, blue_stride}, {red, red_stride}};
    const size_t row = (size_t)width;
    int16_t *memory = malloc(sizeof *memory * (row * (2 * TAPS + 1) + 2 * TAPS));
    uint8_t *codes = malloc(2 * row);
    if (!memory || !codes) {
        free(memory);
        free(codes);
        return 0;
    }
    Ring rings[2];
    for (int i = 0; i < 2; i++) {
        Ring ring = {height / down, width, 0, memory + i * TAPS * row};
        rings[i] = ring;
    }
    int16_t *scratch = memory + 2 * TAPS * row;
    for (int y = 0; y < height; y++) {
        const uint8_t *chroma[2];
        for (int i = 0; i < 2; i++) {
            uint8_t *made = codes + i * row;
            chroma[i] = made;
            if (across == 1) {
                chroma[i] = planes[i].samples + y * planes[i].stride;
                continue;
            }
            fill_ring(&rings[i], &planes[i], y / down + NEAR, filters_across, scratch);
            if (down == 2)
                row_between(&rings[i], y, filters_down, made);
            else
                row_of_codes(ring_row(&rings[i], y), width, made);
        }
        rgb_row(luma + (ptrdiff_t)y * luma_stride, chroma[0], chroma[1], width, matrix,
                out + 3 * (ptrdiff_t)y * width);
    }
    free(memory);
    free(codes);
    return 1;
}

/* The nearest whole number, the even one of two; 255 at most. Values are not below 0. */
PART uint8_t nearest_code(float value) {
    /* 1.5 * 2^23: a sum with it has no fraction, and the whole number in its last bits. */
    float shifted = smaller(value, 255.0f) + 12582912.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return (uint8_t)bits;
}

/* A row of RGB to luma codes and to chroma without its offset, which is added to what is there
   where ``again`` says so. */
PART void separate_row(const float *rgb, int width, const float *m, int again,
                       uint8_t *restrict luma, float *restrict blue, float *restrict red) {
    for (int x = 0; x < width; x++) {
        float r = clamp01(rgb[3 * x]), g = clamp01(rgb[3 * x + 1]), b = clamp01(rgb[3 * x + 2]);
        luma[x] = nearest_code(m[0] * r + m[1] * g + m[2] * b + m[3]);
        float u = m[4] * r + m[5] * g + m[6] * b, v = m[8] * r + m[9] * g + m[10] * b;
        blue[x] = again ? blue[x] + u : u;
        red[x] = again ? red[x] + v : v;
    }
}

/* Sums of chroma to codes: ``part`` of each is taken. Across there are half as many where
   ``across`` is 2: means of pairs, or of three around the left of a pair. */
PART void chroma_codes(const float *sums, int count, int across, int left, float part,
                       float offset, uint8_t *restrict out) {
    if (across == 1) {
        for (int i = 0; i < count; i++) out[i] = nearest_code(part * sums[i] + offset);
    } else if (!left) {
        for (int i = 0; i < count; i++)
            out[i] = nearest_code(0.5f * part * (sums[2 * i] + sums[2 * i + 1]) + offset);
    } else {
        /* The number before the first one repeats it. */
        for (int i = 0; i < count; i++) {
            float around = sums[2 * i - 1] + sums[2 * i + 1] + 2.0f * sums[2 * i];
            out[i] = nearest_code(0.25f * part * around + offset);
        }
    }
}

/* Planes of RGB; see ``vidstyle.kernels.color.fill_planes``. */
KERNEL int planes_of_rgb(int height, int width, int across, int down, int left, const float *image,
                         const float *matrix, uint8_t *luma, int luma_stride, uint8_t *blue,
                         int blue_stride, uint8_t *red, int red_stride) {
    float *memory = malloc(sizeof *memory * 2 * ((size_t)width + 1));
    if (!memory) return 0;
    float *blues = memory + 1, *reds = blues + width + 1;
    for (int y = 0; y < height; y++) {
        const float *row = image + 3 * (ptrdiff_t)y * width;
        uint8_t *codes = luma + (ptrdiff_t)y * luma_stride;
        if (y % down)
            separate_row(row, width, matrix, 1, codes, blues, reds);
        else
            separate_row(row, width, matrix, 0, codes, blues, reds);
        if (y % down != down - 1) continue;
        const ptrdiff_t at = y / down;
        const float part = 1.0f / (float)down;
        blues[-1] = blues[0];
        reds[-1] = reds[0];
        chroma_codes(blues, width / across, across, left, part, matrix[7],
                     blue + at * blue_stride);
        chroma_codes(reds, width / across, across, left, part, matrix[11], red + at * red_stride);
    }
    free(memory);
    return 1;
}
