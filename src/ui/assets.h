#pragma once

/*
 * The web page's files, built into the program: assets.c is made of them by
 * scripts/embed. To add one: its name in src/meson.build.
 */

#include "base/slice.h"

struct asset {
	struct slice name; /* style.css */
	struct slice content_type;
	struct slice etag; /* in quotes; another one for other content */
	struct slice content;
};

extern const struct asset assets[];
extern const size_t assets_count;

/* NULL when there is none of that name. */
const struct asset *assets_find(struct slice name);
