#pragma once

/*
 * The values of a line, each checked for being what its key says. What is
 * missing is left as it is nothing: an empty slice without a pointer, 0, false.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/labels.h"

/* A line while it is read. */
struct line_reader {
	struct arena *arena;
	struct slice what;   /* is wrong; ptr NULL: nothing yet */
	struct slice labels; /* of the group, as they are exposed; ptr NULL: not read yet */
	const struct labels *key;
	struct slice family; /* the one that is being read; ptr NULL: none */
	size_t sample;       /* the number of its sample, from 1; 0: none */
};

/* Says what is wrong, and where; false. The first fault counts. */
bool line_fail(struct line_reader *r, const char *what);

/* Likewise: its KEY "VALUE" WHAT */
bool line_fail_at(struct line_reader *r, const char *key, struct slice value, const char *what);

bool line_read_fields(struct line_reader *r, const cJSON *item, const char *const *names,
		size_t count, const cJSON **ret_fields);

bool line_read_text(
		struct line_reader *r, const cJSON *item, const char *key, struct slice *ret_text);
bool line_read_flag(struct line_reader *r, const cJSON *item, const char *key, bool *ret_flag);
bool line_read_count(
		struct line_reader *r, const cJSON *item, const char *key, uint64_t *ret_count);

/* The number of a slot; SLOT_NONE when it is missing. */
bool line_read_place(
		struct line_reader *r, const cJSON *item, const char *key, uint32_t *ret_place);

/* "1795779540.123456789" */
bool line_read_time(struct line_reader *r, const cJSON *item, const char *key, int64_t *ret_ns);

/* An object of texts: labels by name, escaped. Missing: none. */
bool line_read_labels(
		struct line_reader *r, const cJSON *item, const char *key, struct labels *ret_labels);

/* Bytes in base64, with padding. */
bool line_read_base64(
		struct line_reader *r, const cJSON *item, const char *key, struct slice *ret_bytes);
