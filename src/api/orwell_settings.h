#pragma once

/*
 * What /images and /collectors have in common: both are known by numbers and by names, of
 * which no two are the same.
 */

#include "api/orwell_read.h"
#include "api/orwell_write.h"
#include "api/route.h"
#include "targets/inventory.h"

struct orwell_setting_write {
	struct orwell_write write;
	const struct orwell_setting *setting;
	uint64_t number; /* of one that is there; of a new one the last that was tried */
	struct orwell_text name;
};

struct orwell_setting {
	enum target_mode mode;
	const char *path_name; /* "image_id" */
	struct slice missing;
	struct slice taken; /* said when another one has the name */
	size_t write_bytes; /* of its struct, a struct orwell_setting_write first */
	void (*append)(const struct registry *registry, struct buf *out, const struct target *target);
	/* The rest of what a body says. */
	void (*read)(struct orwell_body *body, struct orwell_setting_write *write);
	/* Adds to the attributes; false: it was refused. */
	bool (*apply)(struct orwell_setting_write *write, struct target_config *config);
	/* Why it may not be deleted; ptr NULL: it may. */
	struct slice (*use)(const struct registry *registry, uint64_t number);
	const char *const *required; /* fields of a new one, NULL at the end */
};

/* GET, POST and PUT of all of them; id: GET, PUT and DELETE of one. */
void orwell_setting_handle(struct api *api, struct exchange *exchange, struct slice id,
		const struct orwell_setting *setting);

/* For a request of another kind that changes one. */
struct orwell_setting_write *orwell_setting_write_create(struct api *api, struct exchange *exchange,
		const struct orwell_setting *setting, bool (*prepare)(struct orwell_write *write));

/* The one of that number becomes what was said. */
bool orwell_setting_prepare_change(struct orwell_write *write);

/* Sets attributes of one; ptr NULL takes one away. */
bool orwell_setting_set(struct orwell_setting_write *write, struct target_config *config,
		const struct label *changes, size_t count);
