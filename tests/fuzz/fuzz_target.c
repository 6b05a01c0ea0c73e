/*
 * A target as JSON: read, written as the API shows it and read again, which must
 * come to the same.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "targets/targets_json.h"
#include "targets/targets_read.h"
#include "transfer/line_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct format_options limits = {
	.labels = 20,
	.label_bytes = 1000,
	.utf8_names = true,
};

static void expect(bool is_so, const char *what)
{
	if (!is_so) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

static bool read_text(struct slice text, struct targets_read *read, struct arena *arena)
{
	struct slice why;
	cJSON *tree = line_json_parse(text, arena, &why);
	*read = (struct targets_read){ 0 };
	bool is_good = tree != NULL && targets_read(read, tree, &limits, arena, &why);
	cJSON_Delete(tree);
	expect(is_good || why.len > 0, "no word of what is wrong");
	return is_good;
}

/* From there to a registry and back. */
static void check(const struct targets_read *read, struct arena *arena)
{
	const struct registry_options options = { .limit = 1, .silent_after = 3 };
	struct registry registry;
	struct target *target;
	struct targets_read again;
	struct buf out;
	buf_init(&out, 0);
	registry_init(&registry, &options);
	registry_create(&registry, &read->key, &read->config, read->has_id ? &read->id : NULL, &target);
	targets_json_append(&out, &registry, target, true);
	expect(read_text(buf_slice(&out), &again, arena), "what was written is not taken");
	expect(group_key_equal(&read->key, &again.key), "other labels");
	expect(target_config_equal(&read->config, &again.config), "another configuration");
	expect(!read->has_id || target_id_equal(&read->id, &again.id), "another id");
	registry_finish(&registry);
	buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool has_key;
	struct targets_read read;
	struct arena arena;
	if (!has_key) {
		hash_init();
		has_key = true;
	}
	arena_init(&arena);
	if (read_text(slice_make((const char *)data, size), &read, &arena)
			&& read.key.labels.count > 0) {
		check(&read, &arena);
	}
	arena_finish(&arena);
	return 0;
}
