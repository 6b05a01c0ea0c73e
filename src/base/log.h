#pragma once

/*
 * The log: one event a line on stderr, in logfmt or JSON, in one write(2).
 *
 *	log_warn("connection refused address=%s connections=%zu", address, count);
 *
 * The words before the first one with a '=' are the message. Each further
 * word is key=value, and its value, once printed, is escaped as a whole: it
 * may hold anything. A single %d or %u alone is a number in JSON. Understood
 * are %s, %.*s, %c, %d, %i, %u, %x, %g and %f, with l, ll, z and j.
 *
 * Allocates nothing, may be called from any thread. A line that gets longer
 * than LOG_LINE_BYTES loses the end of the value that did not fit, and what
 * comes after it.
 */

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR,
};

enum log_format {
	LOG_FORMAT_LOGFMT,
	LOG_FORMAT_JSON,
};

/* One write of that much to a pipe is never mixed with another's. */
enum { LOG_LINE_BYTES = 4096 };

/* Info and logfmt until said otherwise. */
void log_configure(enum log_level level, enum log_format format);

/* For tests: where lines go instead of stderr. */
void log_redirect(int fd);

/* For events that are expensive to describe. */
bool log_shows(enum log_level level);

void log_debug(const char *event, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *event, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *event, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *event, ...) __attribute__((format(printf, 1, 2)));
