/* The recurrent blend's last pass over a frame: the change is added, and fine detail restored. */

#include "rows.h"

/* Pixels of the halved image over which the contrast of detail is averaged, on each side. */
#define AREA_REACH 4
/* Rows of the mixed frame that are held: a row is sharpened when those are there that its gain
   depends on, some 2 * (AREA_REACH + 1) behind it. */
#define HELD 16

/* See ``vidstyle.kernels.mixing.mix_change``. */
typedef struct {
    int height, width;
    const float *image, *change, *confidence;
    const float *fine, *coarse;       /* (h, w) and (h, w, 3) */
    const float *ahead, *ahead_fine;  /* (h, w, 3) and (H, W, 3), or null */
} Change;

/* One mixed row; it is written to ``mixed``. ``scratch`` holds twelve rows of a plane, and a few
   numbers more. */
PART void mix_row(const Change *given, int y, float *scratch, float *restrict mixed) {
    const int width = given->width, half_height = given->height / 2, half_width = width / 2;
    const ptrdiff_t row = width, at = y * row;
    const float *now = given->image + 3 * at, *changed = given->change + 3 * at;
    float *plane = scratch + 3 * (row / 2) + 4, *times = plane + row, *sure = times + 3 * row;
    float *more = sure + 3 * row;
    double_plane(given->fine, half_height, half_width, y, scratch, plane);
    repeat3(plane, width, times);
    repeat3(given->confidence + at, width, sure);
    double_pixels(given->coarse, half_height, half_width, y, scratch, more);
    for (int i = 0; i < 3 * width; i++)
        mixed[i] = now[i] + changed[i] * times[i] + more[i] * sure[i];
    if (given->ahead) {
        double_pixels(given->ahead, half_height, half_width, y, scratch, more);
        for (int i = 0; i < 3 * width; i++) mixed[i] += more[i];
    }
    if (given->ahead_fine) {
        const float *finer = given->ahead_fine + 3 * at;
        for (int i = 0; i < 3 * width; i++) mixed[i] += finer[i];
    }
    for (int i = 0; i < 3 * width; i++) mixed[i] = clamp01(mixed[i]);
}

/* What restores fine detail, and how far it has come. */
typedef struct {
    const float *target, *part;  /* (h, w) */
    const float *average;        /* Half of the Gaussian that averages contrast: AREA_REACH + 1. */
    const float *kernel;         /* What finds fine detail: its middle, a side and a corner. */
    float limit, floor;
    float *rows;                 /* HELD rows of the mixed frame; y lies at y % HELD. */
    float *edges, *gain;         /* (h, w) */
    float *scratch;              /* Eleven rows of a plane, and a few numbers more. */
    float *out;
    int gains, sharpened;        /* Rows that are done. */
} Sharpener;

/* A row of the gain of detail, at half size. */
PART void find_gain(const Sharpener *sharpener, int height, int width, int y) {
    const ptrdiff_t at = (ptrdiff_t)y * width;
    float *scratch = sharpener->scratch, *energy = scratch + width + 2 * AREA_REACH;
    float *target = energy + width, *gain = sharpener->gain + at;
    const float *part = sharpener->part + at;
    smooth_row(sharpener->edges, height, height, width, 1, y, sharpener->average, AREA_REACH,
               scratch, energy);
    smooth_row(sharpener->target, height, height, width, 1, y, sharpener->average, AREA_REACH,
               scratch, target);
    for (int x = 0; x < width; x++) {
        float ratio = sqrtf((target[x] + sharpener->floor) / (energy[x] + sharpener->floor));
        gain[x] = (smaller(larger(ratio, 1.0f), sharpener->limit) - 1.0f) * part[x];
    }
}

/* Amplify the fine detail of a row. */
PART void sharpen_row(const Sharpener *sharpener, const Change *given, int y) {
    const int height = given->height, width = given->width;
    const ptrdiff_t row = width;
    const float middle = sharpener->kernel[0], beside = sharpener->kernel[1];
    const float corner = sharpener->kernel[2];
    const float *now = sharpener->rows + 3 * row * (y % HELD);
    const float *above = sharpener->rows + 3 * row * (clamp_int(y - 1, 0, height - 1) % HELD);
    const float *below = sharpener->rows + 3 * row * (clamp_int(y + 1, 0, height - 1) % HELD);
    const float *weight = given->confidence + y * row;
    float *plane = sharpener->scratch + row, *times = plane + row;
    /* What lies above and below, with a pixel more on both sides; and the row itself. */
    float *around = times + 3 * row, *line = around + 3 * row + 6;
    float *restrict sharp = sharpener->out + 3 * y * row;
    double_plane(sharpener->gain, height / 2, width / 2, y, sharpener->scratch, plane);
    for (int x = 0; x < width; x++) plane[x] *= weight[x];
    repeat3(plane, width, times);
    for (int i = 0; i < 3 * width; i++) around[3 + i] = above[i] + below[i];
    memcpy(line + 3, now, 3 * row * sizeof *now);
    for (int c = 0; c < 3; c++) {
        around[c] = around[3 + c];
        around[3 * row + 3 + c] = around[3 * row + c];
        line[c] = line[3 + c];
        line[3 * row + 3 + c] = line[3 * row + c];
    }
    for (int i = 0; i < 3 * width; i++) {
        float sides = around[3 + i] + line[i] + line[6 + i];
        float fine = middle * now[i] + beside * sides + corner * (around[i] + around[6 + i]);
        sharp[i] = clamp01(now[i] + fine * times[i]);
    }
}

/* Sharpen as many rows as can be, where ``there`` rows of edges are known. */
PART void sharpen_rows(Sharpener *sharpener, const Change *given, int there) {
    const int height = given->height, half_height = height / 2;
    for (; sharpener->gains < half_height; sharpener->gains++) {
        if (clamp_int(sharpener->gains + AREA_REACH, 0, half_height - 1) >= there) break;
        find_gain(sharpener, half_height, given->width / 2, sharpener->gains);
    }
    for (; sharpener->sharpened < height; sharpener->sharpened++) {
        /* Gains are enlarged: the next row of them has its part in this one. */
        int needed = clamp_int(sharpener->sharpened / 2 + 1, 0, half_height - 1);
        if (needed >= sharpener->gains) break;
        sharpen_row(sharpener, given, sharpener->sharpened);
    }
}

/* The mixed frame, sharpened where ``target`` is given; see ``vidstyle.kernels.mixing.mix_change``.

   Returns 0 where there is no memory. */
KERNEL int mix_change(int height, int width, const float *image, const float *change,
                      const float *confidence, const float *fine, const float *coarse,
                      const float *ahead, const float *ahead_fine, const float *target,
                      const float *part, const float *average, const float *kernel, float limit,
                      float floor, float *out) {
    const size_t row = (size_t)width, half = (size_t)(height / 2) * (row / 2);
    const Change given = {height, width, image, change, confidence,
                          fine, coarse, ahead, ahead_fine};
    float *memory = malloc(sizeof(float) * (row * (12 + 11) + 64));
    float *held = target ? malloc(sizeof(float) * (row * 3 * HELD + 2 * half)) : NULL;
    EdgeRows edges = {0};
    int done = 0;
    if (!memory || (target && !held)) goto failed;
    Sharpener sharpener = {.target = target, .part = part, .average = average, .kernel = kernel,
                           .limit = limit, .floor = floor, .out = out,
                           .scratch = memory + 12 * row + 32};
    if (!target) {
        for (int y = 0; y < height; y++) mix_row(&given, y, memory, out + 3 * row * y);
    } else {
        sharpener.rows = held;
        sharpener.edges = held + 3 * HELD * row;
        sharpener.gain = sharpener.edges + half;
        if (!open_edges(&edges, height, width, sharpener.edges)) goto failed;
        for (int y = 0; y < height; y++) {
            float *mixed = held + 3 * row * (y % HELD);
            mix_row(&given, y, memory, mixed);
            take_row(&edges, y, mixed);
            /* A row of edges takes the two rows that it is the mean of, and the one behind. */
            sharpen_rows(&sharpener, &given, y / 2);
        }
        take_row(&edges, height, NULL);
        sharpen_rows(&sharpener, &given, height / 2);
        close_edges(&edges);
    }
    done = 1;
failed:
    free(held);
    free(memory);
    return done;
}
