#pragma once

/*
 * Labels: a set of name-value pairs, sorted by name.
 *
 * Names and values are kept as the text formats write them inside quotes:
 * backslash, quote and newline escaped as \\ \" \n, everything else as it is.
 * That form is unique, so it is compared, hashed and exposed without being
 * decoded. Names of metrics are kept likewise.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

struct label {
	struct slice name;  /* escaped */
	struct slice value; /* escaped */
};

struct labels {
	struct label *pairs;
	size_t count;
};

/* Bytes that a copy takes with all its texts. */
size_t labels_copy_bytes(const struct labels *labels);

/* A copy in so many bytes of the caller's, aligned for pointers. */
struct labels labels_copy(const struct labels *labels, void *memory);

/* Sorts by name; equal names keep their order. */
void labels_sort(struct labels *labels);

/* The escaped value; ptr NULL when there is no such label. */
struct slice labels_find(const struct labels *labels, struct slice name);

/* [a-zA-Z_][a-zA-Z0-9_]*: a name that needs no quotes */
bool labels_is_name(struct slice name);

/* [a-zA-Z_:][a-zA-Z0-9_:]*: likewise */
bool labels_is_metric_name(struct slice name);

/* The escaped form of a name or value; itself when nothing needs escaping. */
struct slice labels_escape(struct arena *arena, struct slice value);

/* What an escaped form stands for. */
struct slice labels_unescape(struct arena *arena, struct slice escaped);
