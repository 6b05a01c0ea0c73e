#pragma once

/*
 * Requests one after the other, and the page that comes of them.
 */

#include "unit/store_driver.h"

struct store_step {
	const char *what; /* put, post, delete, wipe; put! and post! are refused */
	const char *key;
	const char *body;
};

enum { STORE_STEPS_MAX = 6 };

struct store_scenario {
	const char *name;
	struct store_step steps[STORE_STEPS_MAX];
	const char *page;  /* without the push times */
	unsigned shadowed; /* blocks */
};

static inline void store_step_run(struct store_driver *d, const struct store_step *step)
{
	if (strcmp(step->what, "delete") == 0) {
		store_driver_delete(d, step->key);
	} else if (strcmp(step->what, "wipe") == 0) {
		CHECK(store_wipe(&d->store));
	} else {
		bool is_refused = strchr(step->what, '!') != NULL;
		enum store_method method = step->what[1] == 'u' ? STORE_PUT : STORE_POST;
		CHECK_INT(store_driver_push(d, method, step->key, step->body),
				is_refused ? PUSH_E_INCONSISTENT : PUSH_OK);
	}
}

/* In the end all is deleted, group by group, and nothing may be left. */
static inline void store_scenario_run(const struct store_scenario *scenario, bool is_checked)
{
	struct store_options options = { .is_checked = is_checked };
	struct store_driver d;
	int failures = check_failures;
	store_driver_init(&d, &options);
	for (size_t i = 0; i < STORE_STEPS_MAX && scenario->steps[i].what != NULL; i++) {
		store_step_run(&d, &scenario->steps[i]);
	}
	CHECK_STRING(store_driver_page(&d), scenario->page);
	CHECK_INT(d.store.contents->shadowed_blocks, scenario->shadowed);
	for (size_t i = 0; i < STORE_STEPS_MAX && scenario->steps[i].what != NULL; i++) {
		store_driver_delete(&d, scenario->steps[i].key);
	}
	store_driver_check_empty(&d);
	if (check_failures != failures) {
		fprintf(stderr, "in \"%s\"\n", scenario->name);
	}
	store_driver_finish(&d);
}

static inline void store_scenarios_run(
		const struct store_scenario *scenarios, size_t count, bool is_checked)
{
	for (size_t i = 0; i < count; i++) {
		store_scenario_run(&scenarios[i], is_checked);
	}
}
