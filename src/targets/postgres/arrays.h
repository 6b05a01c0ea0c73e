#pragma once

/*
 * Rows as parameters of one statement: an array for each column, as PostgreSQL reads it.
 *
 *     {"db1","say \"hi\"",NULL}
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

enum { ARRAYS_MAX = 20 };

struct arrays {
	struct buf texts[ARRAYS_MAX];
	const char *values[ARRAYS_MAX]; /* after arrays_end() */
	size_t count;                   /* of columns */
	size_t rows;
};

void arrays_init(struct arrays *arrays);
void arrays_finish(struct arrays *arrays);

/* For so many columns, without any row. */
void arrays_begin(struct arrays *arrays, size_t count);

/* A text of ptr NULL is SQL's NULL. False: one has a NUL in it, which no text of PostgreSQL has. */
bool arrays_add(struct arrays *arrays, const struct slice *row);

void arrays_end(struct arrays *arrays);
