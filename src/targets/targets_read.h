#pragma once

/*
 * What people say of a target, read from JSON and checked. What the API shows of a
 * target may be given back as it is: what cannot be set is looked over.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/arena.h"
#include "format/format.h"
#include "targets/target.h"

enum {
	TARGETS_ATTRIBUTES_MAX = 64,
	TARGETS_ATTRIBUTE_BYTES_MAX = 1024,
	TARGETS_THRESHOLDS_MAX = 32,
};

struct targets_read {
	struct group_key key; /* no labels: none were given */
	struct target_id id;
	bool has_id;
	bool is_configured; /* false: it says so itself */
	struct target_config config;
};

/*
 * The attributes with those changes: of equal names the last counts, and a value of ptr NULL takes
 * the attribute away. In the arena, the texts not copied.
 */
struct labels targets_change_attributes(const struct labels *attributes,
		const struct label *changes, size_t count, struct arena *arena);

/*
 * Changes the configuration by what is said; the rest stays as it is, and so do attributes
 * that are not named. Everything lies in the arena. False with a sentence.
 */
bool targets_read(struct targets_read *read, const cJSON *object,
		const struct format_options *limits, struct arena *arena, struct slice *reterr_text);
