/* Optical flow by dense inverse search (Kroeger et al. 2016), both ways between two images.

   Each image is reduced once, and its slopes are found once. See ``vidstyle.kernels.dis``. */

#include "rows.h"

/* Side of a patch: a row of it is one vector. */
#define PATCH 8
#define PIXELS (PATCH * PATCH)
/* That images are extended beyond their edges, which are repeated. A patch may begin so far outside
   that nothing of it is left inside. */
#define BORDER (PATCH + 4)
#define MOST_LEVELS 12

typedef float row8 __attribute__((vector_size(32)));

#define LOAD8(to, from) memcpy(&(to), from, sizeof(row8))
#define STORE8(to, from) memcpy(to, &(from), sizeof(row8))

/* An image at one size. Rows are ``stride`` apart in each plane; gray has a border on all sides. */
typedef struct {
    int height, width;
    ptrdiff_t stride;
    float *gray, *across, *down;
} Level;

typedef struct {
    float across, down;
} Motion2;

/* Memory that is taken piece by piece. Without a beginning it only counts. */
typedef struct {
    float *start;
    size_t used;
} Arena;

PART float *take(Arena *arena, size_t count) {
    float *piece = arena->start ? arena->start + arena->used : NULL;
    arena->used += (count + 15) / 16 * 16;
    return piece;
}

PART void take_level(Arena *arena, int height, int width, Level *level) {
    const size_t stride = (size_t)width + 2 * BORDER;
    const size_t origin = stride * BORDER + BORDER;
    float *gray = take(arena, stride * (size_t)(height + 2 * BORDER));
    level->height = height;
    level->width = width;
    level->stride = (ptrdiff_t)stride;
    level->gray = arena->start ? gray + origin : NULL;
    level->across = take(arena, stride * (size_t)height);
    level->down = take(arena, stride * (size_t)height);
}

/* Repeat the edge of the gray plane in its border, and find the slopes. */
PART void finish_level(Level *level) {
    const int height = level->height, width = level->width;
    for (int y = 0; y < height; y++) {
        float *row = level->gray + level->stride * y;
        for (int i = 1; i <= BORDER; i++) {
            row[-i] = row[0];
            row[width - 1 + i] = row[width - 1];
        }
    }
    float *top = level->gray - BORDER, *bottom = top + level->stride * (height - 1);
    for (int i = 1; i <= BORDER; i++) {
        memcpy(top - level->stride * i, top, sizeof(float) * (size_t)level->stride);
        memcpy(bottom + level->stride * i, bottom, sizeof(float) * (size_t)level->stride);
    }
    for (int y = 0; y < height; y++) {
        const float *row = level->gray + level->stride * y;
        const float *above = row - level->stride, *below = row + level->stride;
        float *restrict across = level->across + level->stride * y;
        float *restrict down = level->down + level->stride * y;
        for (int x = 0; x < width; x++) {
            float left = above[x - 1] + below[x - 1], right = above[x + 1] + below[x + 1];
            across[x] = 0.125f * (right - left) + 0.25f * (row[x + 1] - row[x - 1]);
            float under = below[x - 1] + below[x + 1], over = above[x - 1] + above[x + 1];
            down[x] = 0.125f * (under - over) + 0.25f * (below[x] - above[x]);
        }
    }
}

/* All sizes of an image, the largest first. */
PART void fill_levels(const uint8_t *image, Level *levels, int count) {
    for (int y = 0; y < levels->height; y++) {
        float *restrict row = levels->gray + levels->stride * y;
        for (int x = 0; x < levels->width; x++) row[x] = image[(ptrdiff_t)levels->width * y + x];
    }
    finish_level(levels);
    for (int i = 1; i < count; i++) {
        const Level *large = levels + i - 1;
        Level *small = levels + i;
        for (int y = 0; y < small->height; y++) {
            const float *upper = large->gray + large->stride * (2 * y);
            halve_plane(upper, upper + large->stride, small->width,
                        small->gray + small->stride * y);
        }
        finish_level(small);
    }
}

PART float sum8(row8 row) {
    return ((row[0] + row[4]) + (row[1] + row[5])) + ((row[2] + row[6]) + (row[3] + row[7]));
}

/* What is looked for, and what its pixels say of a small motion. */
typedef struct {
    row8 gray[PATCH], across[PATCH], down[PATCH];
    float sum_across, sum_down;
    float inverse[3]; /* Of the Hessian: its corners, and what is beside them. */
} Template;

/* ``x`` and ``y`` are the patch's first pixel. Means do not count (section 2.1 of the paper). */
PART void fill_template(const Level *level, int x, int y, float damping, Template *patch) {
    const row8 zero = {0.0f};
    row8 sums[5] = {zero, zero, zero, zero, zero};
    for (int j = 0; j < PATCH; j++) {
        const ptrdiff_t at = level->stride * (y + j) + x;
        row8 across, down;
        LOAD8(patch->gray[j], level->gray + at);
        LOAD8(across, level->across + at);
        LOAD8(down, level->down + at);
        patch->across[j] = across;
        patch->down[j] = down;
        sums[0] += across;
        sums[1] += down;
        sums[2] += across * across;
        sums[3] += across * down;
        sums[4] += down * down;
    }
    float sum_across = sum8(sums[0]), sum_down = sum8(sums[1]);
    /* More on the diagonal, as Levenberg and Marquardt have it: where there is little to see, what
       the smaller images say is kept. */
    float first = sum8(sums[2]) - sum_across * sum_across / PIXELS + damping;
    float both = sum8(sums[3]) - sum_across * sum_down / PIXELS;
    float last = sum8(sums[4]) - sum_down * sum_down / PIXELS + damping;
    float factor = 1.0f / (first * last - both * both);
    patch->sum_across = sum_across;
    patch->sum_down = sum_down;
    patch->inverse[0] = last * factor;
    patch->inverse[1] = -both * factor;
    patch->inverse[2] = first * factor;
}

/* Where a moved patch lies: its first pixel, and how far beside it. */
typedef struct {
    const float *corner;
    float part_x, part_y;
} Place;

PART Place place_of(const Level *level, int x, int y, Motion2 motion) {
    float left = (float)x + motion.across, top = (float)y + motion.down;
    left = smaller(larger(left, -(float)PATCH), (float)level->width);
    top = smaller(larger(top, -(float)PATCH), (float)level->height);
    float column = floorf(left), row = floorf(top);
    Place place = {level->gray + level->stride * (int)row + (int)column, left - column, top - row};
    return place;
}

/* How a moved patch differs: squares, and the step that the inverse search takes from it. */
PART float compare_patch(const Template *patch, const Level *level, int x, int y, Motion2 motion,
                         Motion2 *step) {
    const Place place = place_of(level, x, y, motion);
    const row8 zero = {0.0f};
    row8 squares = zero, sum = zero, along_x = zero, along_y = zero, left, right;
    LOAD8(left, place.corner);
    LOAD8(right, place.corner + 1);
    row8 upper = left + place.part_x * (right - left);
    for (int j = 0; j < PATCH; j++) {
        const float *row = place.corner + level->stride * (j + 1);
        LOAD8(left, row);
        LOAD8(right, row + 1);
        row8 lower = left + place.part_x * (right - left);
        row8 difference = upper + place.part_y * (lower - upper) - patch->gray[j];
        squares += difference * difference;
        sum += difference;
        along_x += difference * patch->across[j];
        along_y += difference * patch->down[j];
        upper = lower;
    }
    float total = sum8(sum), mean = total / PIXELS;
    float across = sum8(along_x) - mean * patch->sum_across;
    float down = sum8(along_y) - mean * patch->sum_down;
    step->across = patch->inverse[0] * across + patch->inverse[1] * down;
    step->down = patch->inverse[1] * across + patch->inverse[2] * down;
    return sum8(squares) - total * mean;
}

/* A grid of patches; the last ones end at the image's edge. */
typedef struct {
    int rows, columns, spacing;
    Motion2 *motions;
} Grid;

PART int count_patches(int side, int spacing) { return (side - PATCH + spacing - 1) / spacing + 1; }

PART int patch_start(int index, int spacing, int side) {
    return index * spacing < side - PATCH ? index * spacing : side - PATCH;
}

/* Search one patch: begin at the best of what it has and what two neighbors found, and descend. */
PART void search_patch(const Level *first, const Level *second, Grid *grid, int i, int j, int way,
                       int steps, float damping) {
    const int x = patch_start(i, grid->spacing, first->width);
    const int y = patch_start(j, grid->spacing, first->height);
    Motion2 *own = grid->motions + (ptrdiff_t)grid->columns * j + i;
    Template patch;
    fill_template(first, x, y, damping, &patch);
    Motion2 best = *own, step;
    float distance = compare_patch(&patch, second, x, y, best, &step);
    for (int k = 0; k < 2; k++) {
        int beside = k ? i : i - way, above = k ? j - way : j;
        if (beside < 0 || beside >= grid->columns || above < 0 || above >= grid->rows) continue;
        Motion2 other = grid->motions[(ptrdiff_t)grid->columns * above + beside], other_step;
        float far = compare_patch(&patch, second, x, y, other, &other_step);
        if (far < distance) {
            distance = far;
            best = other;
            step = other_step;
        }
    }
    const Motion2 start = best;
    for (int k = 0; k < steps; k++) {
        /* A hundredth of a pixel is as near as it gets. */
        if (step.across * step.across + step.down * step.down < 1e-4f) break;
        Motion2 next = {best.across - step.across, best.down - step.down};
        float far_x = next.across - start.across, far_y = next.down - start.down;
        /* What is no number fails, too. */
        if (!(far_x * far_x + far_y * far_y <= (float)PIXELS)) break;
        float found = compare_patch(&patch, second, x, y, next, &step);
        if (found >= distance) break;
        distance = found;
        best = next;
    }
    *own = best;
}

/* Patches begin at the flow of the smaller images, or at rest. */
PART void start_patches(const Level *level, Grid *grid, const Level *small, const float *flow) {
    for (int j = 0; j < grid->rows; j++) {
        for (int i = 0; i < grid->columns; i++) {
            Motion2 *motion = grid->motions + (ptrdiff_t)grid->columns * j + i;
            motion->across = motion->down = 0.0f;
            if (!small) continue;
            int x = (patch_start(i, grid->spacing, level->width) + PATCH / 2) / 2;
            int y = (patch_start(j, grid->spacing, level->height) + PATCH / 2) / 2;
            const size_t plane = (size_t)small->height * (size_t)small->width;
            const float *at = flow + (ptrdiff_t)small->width * clamp_int(y, 0, small->height - 1) +
                              clamp_int(x, 0, small->width - 1);
            motion->across = 2.0f * at[0];
            motion->down = 2.0f * at[plane];
        }
    }
}

/* Patches become a flow: where several lie, that of the nearest image counts most (equation 3).

   ``sums`` are three planes; the flow's planes lie one behind the other. */
PART void spread_patches(const Level *first, const Level *second, const Grid *grid, float *sums,
                         float *restrict flow) {
    const int width = first->width;
    const size_t plane = (size_t)first->height * (size_t)width;
    memset(sums, 0, 3 * plane * sizeof *sums);
    for (int j = 0; j < grid->rows; j++) {
        for (int i = 0; i < grid->columns; i++) {
            const int x = patch_start(i, grid->spacing, width);
            const int y = patch_start(j, grid->spacing, first->height);
            const Motion2 motion = grid->motions[(ptrdiff_t)grid->columns * j + i];
            const Place place = place_of(second, x, y, motion);
            for (int row = 0; row < PATCH; row++) {
                const float *at = place.corner + second->stride * row;
                row8 left, right, below_left, below_right, here, sum;
                LOAD8(left, at);
                LOAD8(right, at + 1);
                LOAD8(below_left, at + second->stride);
                LOAD8(below_right, at + second->stride + 1);
                LOAD8(here, first->gray + first->stride * (y + row) + x);
                row8 upper = left + place.part_x * (right - left);
                row8 lower = below_left + place.part_x * (below_right - below_left);
                row8 difference = upper + place.part_y * (lower - upper) - here;
                row8 weight;
                for (int k = 0; k < PATCH; k++)
                    weight[k] = 1.0f / larger(fabsf(difference[k]), 1.0f);
                float *to = sums + (size_t)width * (size_t)(y + row) + (size_t)x;
                LOAD8(sum, to);
                sum += weight;
                STORE8(to, sum);
                LOAD8(sum, to + plane);
                sum += weight * motion.across;
                STORE8(to + plane, sum);
                LOAD8(sum, to + 2 * plane);
                sum += weight * motion.down;
                STORE8(to + 2 * plane, sum);
            }
        }
    }
    for (size_t k = 0; k < plane; k++) {
        float factor = 1.0f / sums[k];
        flow[k] = sums[plane + k] * factor;
        flow[plane + k] = sums[2 * plane + k] * factor;
    }
}

#include "refinement.h"

/* Sizes of the images at each level; the number of levels. */
static int plan_levels(int height, int width, int sizes[MOST_LEVELS][2]) {
    int count = 0;
    /* As long as the longer side has about four patches, and the shorter one has one. */
    while (count < MOST_LEVELS && height >= PATCH && width >= PATCH) {
        int longer = height > width ? height : width;
        if (count && longer * 10 < 4 * PATCH * 7) break;
        sizes[count][0] = height;
        sizes[count][1] = width;
        count++;
        height /= 2;
        width /= 2;
    }
    return count;
}

/* What is taken for both directions, in one piece. */
typedef struct {
    Level levels[2][MOST_LEVELS];
    float *flows[2]; /* Of one level and the one before it, as two planes. */
    float *sums;
    Motion2 *motions;
    Planes planes;
} Work;

static void take_all(Arena *arena, int count, int sizes[MOST_LEVELS][2], int spacing, Work *work) {
    const int height = sizes[0][0], width = sizes[0][1];
    const size_t pixels = (size_t)height * (size_t)width;
    for (int image = 0; image < 2; image++)
        for (int i = 0; i < count; i++)
            take_level(arena, sizes[i][0], sizes[i][1], &work->levels[image][i]);
    for (int i = 0; i < 2; i++) work->flows[i] = take(arena, 2 * pixels);
    work->sums = take(arena, 3 * pixels);
    size_t patches = (size_t)count_patches(height, spacing) * (size_t)count_patches(width, spacing);
    work->motions = (Motion2 *)take(arena, 2 * patches);
    take_planes(arena, height, width, &work->planes);
}

/* Flow both ways between two images of 8 bits; see ``vidstyle.kernels.dis.search_both``.

   ``numbers`` are the spacing of patches, steps of the descent, and rounds and sweeps of the
   refinement; ``weights`` those of its three terms, and the search's damping. */
KERNEL int search_both(int height, int width, const uint8_t *first, const uint8_t *second,
                       const int *numbers, const float *weights, float *there, float *back) {
    const int spacing = numbers[0], steps = numbers[1];
    const float damping = weights[3];
    int sizes[MOST_LEVELS][2];
    const int count = plan_levels(height, width, sizes);
    Arena arena = {NULL, 0};
    Work work;
    take_all(&arena, count, sizes, spacing, &work);
    float *memory = malloc(sizeof(float) * (arena.used + 16));
    if (!memory) return 0;
    /* At the start of a cache line, so that vectors lie in one each. */
    arena.start = (float *)(((uintptr_t)memory + 63) & ~(uintptr_t)63);
    arena.used = 0;
    take_all(&arena, count, sizes, spacing, &work);
    fill_levels(first, work.levels[0], count);
    fill_levels(second, work.levels[1], count);
    for (int way = 0; way < 2; way++) {
        for (int i = count - 1; i >= 0; i--) {
            const Level *from = &work.levels[way][i], *to = &work.levels[1 - way][i];
            const Level *smaller_one = i + 1 < count ? from + 1 : NULL;
            float *flow = work.flows[i % 2];
            Grid grid = {count_patches(from->height, spacing), count_patches(from->width, spacing),
                         spacing, work.motions};
            start_patches(from, &grid, smaller_one, work.flows[(i + 1) % 2]);
            for (int j = 0; j < grid.rows; j++)
                for (int k = 0; k < grid.columns; k++)
                    search_patch(from, to, &grid, k, j, 1, (steps + 1) / 2, damping);
            for (int j = grid.rows - 1; j >= 0; j--)
                for (int k = grid.columns - 1; k >= 0; k--)
                    search_patch(from, to, &grid, k, j, -1, steps / 2, damping);
            spread_patches(from, to, &grid, work.sums, flow);
            refine(from, to, &work.planes, numbers[2], numbers[3], weights, flow);
        }
        const size_t plane = (size_t)height * (size_t)width;
        float *restrict out = way ? back : there;
        for (size_t k = 0; k < plane; k++) {
            out[2 * k] = work.flows[0][k];
            out[2 * k + 1] = work.flows[0][plane + k];
        }
    }
    free(memory);
    return 1;
}
