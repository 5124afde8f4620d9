/* Enlarging a stylized image, and giving it the detail of the image that it was made of. */

#include "rows.h"

/* How one side is enlarged: for each pixel of the result, where its four pixels begin in a row that
   is repeated by two on both sides, and the weights of these; the two in the middle linearly. */
typedef struct {
    int *first;
    float *cubic, *linear;
} Taps;

PART void fill_taps(Taps taps, int large, int small) {
    const float scale = (float)small / (float)large;
    for (int i = 0; i < large; i++) {
        float position = ((float)i + 0.5f) * scale - 0.5f, whole = floorf(position);
        float x = position - whole;
        cubic_weights(x, taps.cubic + 4 * i);
        taps.linear[2 * i] = 1.0f - x;
        taps.linear[2 * i + 1] = x;
        taps.first[i] = (int)whole + 1;
    }
}

/* A row of pixels with two more on both sides. */
PART void repeat_edges(float *row, int width) {
    for (int c = 0; c < 4; c++) {
        row[c] = row[4 + c] = row[8 + c];
        row[4 * width + 8 + c] = row[4 * width + 12 + c] = row[4 * width + 4 + c];
    }
}

/* See ``vidstyle.kernels.detail.enlarge_with_detail``. */
KERNEL int enlarge_with_detail(int height, int width, int small_height, int small_width,
                               const float *image, const float *stylized, const float *luma,
                               const float *weights, float *out) {
    const size_t row = 4 * ((size_t)small_width + 4);
    const size_t sides = (size_t)height + width;
    float *memory = malloc(sizeof(float) * (2 * row + 6 * sides) + sizeof(int) * sides);
    if (!memory) return 0;
    /* Red, green, blue and luma of a row, and the three weights with a number that nobody reads. */
    float *colors = memory, *gains = colors + row, *cubic = gains + row, *linear = cubic + 4 * sides;
    int *first = (int *)(linear + 2 * sides);
    const Taps down = {first, cubic, linear};
    const Taps across = {first + height, cubic + 4 * (size_t)height, linear + 2 * (size_t)height};
    fill_taps(down, height, small_height);
    fill_taps(across, width, small_width);
    for (int y = 0; y < height; y++) {
        const float *wy = down.cubic + 4 * y, *ly = down.linear + 2 * y;
        const float *lines[4], *lumas[4], *amounts[4];
        for (int j = 0; j < 4; j++) {
            /* One of the two that the row was repeated by. */
            ptrdiff_t line = clamp_int(down.first[y] - 2 + j, 0, small_height - 1);
            lines[j] = stylized + 3 * line * small_width;
            lumas[j] = luma + line * small_width;
            amounts[j] = weights + 3 * line * small_width;
        }
        for (int x = 0; x < small_width; x++) {
            float *color = colors + 4 * x + 8, *gain = gains + 4 * x + 8;
            for (int c = 0; c < 3; c++) {
                const int i = 3 * x + c;
                color[c] = wy[0] * lines[0][i] + wy[1] * lines[1][i] + wy[2] * lines[2][i] +
                           wy[3] * lines[3][i];
                gain[c] = ly[0] * amounts[1][i] + ly[1] * amounts[2][i];
            }
            color[3] = wy[0] * lumas[0][x] + wy[1] * lumas[1][x] + wy[2] * lumas[2][x] +
                       wy[3] * lumas[3][x];
            gain[3] = 0.0f;
        }
        repeat_edges(colors, small_width);
        repeat_edges(gains, small_width);
        const float *source = image + 3 * (ptrdiff_t)width * y;
        float *to = out + 3 * (ptrdiff_t)width * y;
        for (int x = 0; x < width; x++) {
            const float *wx = across.cubic + 4 * x, *lx = across.linear + 2 * x;
            const float *color = colors + 4 * across.first[x];
            const float *gain = gains + 4 * across.first[x];
            pixel4 large = wx[0] * load4(color) + wx[1] * load4(color + 4);
            large += wx[2] * load4(color + 8) + wx[3] * load4(color + 12);
            pixel4 amount = lx[0] * load4(gain + 4) + lx[1] * load4(gain + 8);
            float full = 0.299f * source[3 * x] + 0.587f * source[3 * x + 1];
            float lost = full + 0.114f * source[3 * x + 2] - large[3];
            large += amount * lost;
            for (int c = 0; c < 3; c++) to[3 * x + c] = clamp01(large[c]);
        }
    }
    free(memory);
    return 1;
}
