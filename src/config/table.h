#pragma once

/*
 * The table of all settings. Rows of one group stand together; groups and rows
 * are listed in this order by --help, --print-config and docs/config.md.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "config/config.h"

enum setting_type {
	SETTING_BOOL,
	SETTING_STRING,
	SETTING_LIST, /* of strings */
	SETTING_DURATION,
	SETTING_BYTES,
	SETTING_COUNT,
	SETTING_ENUM,
};

struct setting {
	const char *name; /* of the flag, without its dashes */
	const char *group;
	const char *initial; /* the default, written as it is shown; commas separate a list's items */
	const char *help;
	const char *placeholder;    /* of the value in --help; NULL: the type's */
	const char *const *choices; /* of an enum, by value, ended by NULL */
	int64_t min;                /* of a number; bytes of a text */
	int64_t max;
	/* Of a text, beside its length; NULL: any. If it does not fit, the error says why. */
	bool (*fits)(const char *text, struct buf *error);
	/* What an error shows of a text that does not fit, which may hold a secret; NULL: all of it. */
	void (*print_wrong)(const char *text, struct buf *out);
	size_t offset; /* of its field in struct config */
	enum setting_type type;
	bool is_flag_only;  /* or environment: the file cannot set it */
	bool is_reloadable; /* takes effect at SIGHUP; the others at the next start */
};

extern const struct setting settings[];
extern const size_t settings_count;

/* NULL when there is none of that name. */
const struct setting *settings_find(const char *name, size_t len);

/* All of them, sorted by name. */
void settings_by_name(const struct setting *ret_sorted[static CONFIG_SETTINGS_MAX]);

static inline size_t setting_index(const struct setting *setting)
{
	return (size_t)(setting - settings);
}
