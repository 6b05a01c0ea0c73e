#pragma once

/*
 * Text in HTML. Whatever a client sent is shown as text: markup is escaped,
 * what is not UTF-8 and control characters are replaced by U+FFFD.
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* Fit for an element's content and for an attribute in quotes. */
void html_append(struct buf *out, struct slice text);

/* At most about so many bytes of the text; an ellipsis stands for the rest. */
void html_append_cut(struct buf *out, struct slice text, size_t bytes);

/* The same of an escaped label value or help text: \\ \" \n undone. */
void html_append_escaped(struct buf *out, struct slice escaped, size_t bytes);

/* A time for people, in UTC, to the second. */
void html_append_time(struct buf *out, int64_t unix_ns);

/* A value in a URL's query: percent-encoded, which needs no escaping in HTML. */
void html_append_query(struct buf *out, struct slice text);
