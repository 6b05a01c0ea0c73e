#pragma once

/*
 * Hints: what would be right, for the mistakes that are made most. Found by
 * looking at what stands where a line went wrong, after the error is set.
 *
 * All answer false, so that they can follow the error:
 *
 *     return text_fail(r, place, "...") || text_hint(r, "...");
 */

#include "format/text_family.h"
#include "format/text_reader.h"

bool text_hint(struct text_reader *r, const char *hint);

/* There is no name at the place. */
bool text_hint_metric_name(struct text_reader *r, const char *place);
bool text_hint_label_name(struct text_reader *r, const char *place);
bool text_hint_comment_name(struct text_reader *r, const char *place);

/* A name in quotes is not taken. */
bool text_hint_quoted_name(struct text_reader *r, struct slice name);

/* Something else than '=' is behind a label's name, or than a quote behind that. */
bool text_hint_equals(struct text_reader *r, const char *place);
bool text_hint_value_end(struct text_reader *r, const char *place);

bool text_hint_value(struct text_reader *r, struct slice value);
bool text_hint_timestamp(struct text_reader *r, struct slice token);
bool text_hint_behind_timestamp(struct text_reader *r, struct slice rest);

/* A type that there is not, and a second one. */
bool text_hint_type(struct text_reader *r, struct slice type);
bool text_hint_second_type(struct text_reader *r, const struct text_family *family);
