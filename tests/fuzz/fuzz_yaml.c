/*
 * The two files of settings: --config.file with its rules for jobs, and
 * --web.config.file.
 *
 *     c SETTINGS
 *     w WEB CONFIG
 *
 * Whatever is in it, reading ends, in memory that the size of the file bounds;
 * what is refused has a reason with a line, and rules that were taken can be
 * applied.
 */

#include <stdint.h>
#include <stdlib.h>

#include "config/config.h"
#include "config/file.h"
#include "config/jobs.h"
#include "config/web_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char path[] = "/etc/weir/f.yml";

static void require(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* Each line of it begins with the file's name and ends. */
static void check_errors(bool is_taken, struct slice errors)
{
	require(is_taken == (errors.len == 0));
	require(is_taken || slice_starts_with(errors, slice_of_string(path)));
	require(is_taken || slice_ends_with(errors, SLICE("\n")));
}

/* Of jobs that a client may choose. */
static void apply_rules(const struct job_rules *rules)
{
	static const struct slice jobs[] = {
		SLICE_INIT(""),
		SLICE_INIT("a"),
		SLICE_INIT("backup"),
		SLICE_INIT("a\0b\xff\xed\xa0\x80"),
		SLICE_INIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
	};
	struct arena arena;
	arena_init(&arena);
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		const struct job_rule *rule;
		(void)job_rules_find(rules, jobs[i], &arena, &rule);
		arena_reset(&arena);
	}
	arena_finish(&arena);
}

static void read_settings(struct slice text)
{
	struct config config = { .jobs = job_rules_create() };
	struct buf errors;
	buf_init(&errors, 0);
	bool is_taken = file_read_text(&config, path, text, &errors);
	check_errors(is_taken, buf_slice(&errors));
	if (is_taken) {
		apply_rules(config.jobs);
	}
	buf_finish(&errors);
	config_finish(&config);
}

static void read_web_config(struct slice text)
{
	struct web_config config;
	struct buf errors;
	buf_init(&errors, 0);
	bool is_taken = web_config_read_text(&config, path, text, &errors);
	check_errors(is_taken, buf_slice(&errors));
	for (size_t i = 0; is_taken && i < config.header_count; i++) {
		require(slice_find_byte(config.headers[i].value, '\n') == NULL);
	}
	for (size_t i = 0; is_taken && i < config.user_count; i++) {
		require(strlen(config.users[i].hash) == 60);
	}
	buf_finish(&errors);
	web_config_finish(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_make((const char *)data, size);
	if (size > 0 && input.ptr[0] == 'c') {
		read_settings(slice_skip(input, 1));
	} else if (size > 0 && input.ptr[0] == 'w') {
		read_web_config(slice_skip(input, 1));
	}
	return 0;
}
