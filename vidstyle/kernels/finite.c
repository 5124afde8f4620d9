/* Whether an image holds nothing but numbers. */

#include "rows.h"

/* See ``vidstyle.kernels.finite.all_finite``. */
KERNEL int all_finite(int count, const float *values, int *answer) {
    /* As whole numbers, without their sign, infinity and what is no number are the largest. */
    int32_t most = 0;
    for (int i = 0; i < count; i++) {
        int32_t bits;
        memcpy(&bits, values + i, sizeof bits);
        bits &= INT32_MAX;
        most = bits > most ? bits : most;
    }
    *answer = most < 0x7f800000;
    return 1;
}
