#pragma once

/*
 * What people say of a service, read from JSON and checked by itself. What the API shows of one may
 * be given back as it is: what cannot be set is looked over.
 */

#include <cjson/cJSON.h>

#include "targets/service.h"

struct service_read {
	struct slice name; /* len 0: it was not said */
	struct target_config config;
};

/*
 * Changes the configuration by what is said; the rest stays as it is, and so do attributes that are
 * no fields of a service. Everything lies in the arena. False with a sentence.
 */
bool service_read(struct service_read *read, const cJSON *object, struct arena *arena,
		struct slice *reterr_text);

/* The configuration of a service that sets nothing, with what others have noted on it. */
struct target_config service_config_empty(const struct target_config *config, struct arena *arena);
