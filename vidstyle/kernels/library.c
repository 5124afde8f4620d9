/* What the library was compiled from. */

#include "rows.h"

EXPORTED const char *compiled_sources(void) { return VIDSTYLE_SOURCES; }
