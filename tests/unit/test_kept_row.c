/*
 * Targets as rows of a database, and changes that are asked for.
 */

#include "base/hash.h"
#include "base/memory.h"
#include "check.h"
#include "targets/change.h"
#include "targets/kept_row.h"

static const struct format_options limits = {
	.samples = 100,
	.labels = 10,
	.label_bytes = 100,
};

static const int64_t SECOND_NS = 1000000000;

static struct group_key make_key(struct label *pairs, const char *job, const char *instance)
{
	struct group_key key;
	pairs[0] = (struct label){ SLICE("job"), slice_of_string(job) };
	pairs[1] = (struct label){ SLICE("instance"), slice_of_string(instance) };
	group_key_init(&key, (struct labels){ .pairs = pairs, .count = instance[0] == '\0' ? 1 : 2 });
	return key;
}

/* A row as a database may have it. */
static struct storage_target plain_row(void)
{
	return (struct storage_target){
		.id = SLICE("f81d4fae-7dec-41d0-a765-00a0c91e6bf6"),
		.job = SLICE("j"),
		.instance = SLICE(""),
		.labels = SLICE("{\"job\":\"j\"}"),
		.mode = SLICE("push"),
		.attributes = SLICE("{}"),
		.thresholds = SLICE("[]"),
		.is_enabled = true,
		.created_ns = 7,
		.version = 3,
	};
}

static void test_there_and_back(void)
{
	struct label pairs[2];
	struct label attribute = { SLICE("note"), SLICE("a \\\"b\\\" \\n") };
	struct target_threshold threshold = { SLICE("Hot"), SLICE("t"), TARGET_ABOVE, 80.5,
		5 * SECOND_NS, SLICE("page") };
	struct target_row row = {
		.key = make_key(pairs, "j\\\"", "i"),
		.id = target_id_make(),
		.config = {
			.mode = TARGET_PULL,
			.is_disabled = true,
			.address = SLICE("db:1"),
			.scheme = SLICE("https"),
			.path = SLICE("/m"),
			.scrape_interval_ns = 30 * SECOND_NS,
			.scrape_timeout_ns = SECOND_NS * 3 / 2,
			.interval_ns = 60 * SECOND_NS,
			.silent_after = 5,
			.attributes = { &attribute, 1 },
			.thresholds = &threshold,
			.threshold_count = 1,
		},
		.is_configured = true,
	};
	struct arena arena;
	struct target_row back;
	struct slice why;
	arena_init(&arena);
	struct storage_target stored = kept_row_write(&row, 4, &arena);
	CHECK_STRING(stored.job, "j\"");
	CHECK_STRING(stored.labels, "{\"instance\":\"i\",\"job\":\"j\\\"\"}");
	CHECK_INT(stored.version, 4);
	CHECK(kept_row_read(&stored, &limits, &arena, &back, &why));
	CHECK(target_id_equal(&back.id, &row.id));
	CHECK(group_key_equal(&back.key, &row.key));
	CHECK(target_config_equal(&back.config, &row.config));
	CHECK(back.is_configured);
	arena_finish(&arena);
}

static void check_refused(const struct storage_target *row, const char *wanted)
{
	struct arena arena;
	struct target_row read;
	struct slice why = SLICE("");
	arena_init(&arena);
	CHECK(!kept_row_read(row, &limits, &arena, &read, &why));
	CHECK_STRING(why, wanted);
	arena_finish(&arena);
}

static void test_what_others_wrote_wrong(void)
{
	struct storage_target row = plain_row();
	row.id = SLICE("F81D4FAE-7DEC-41D0-A765-00A0C91E6BF6");
	check_refused(&row, "id is no UUID in small letters");
	row = plain_row();
	row.labels = SLICE("{\"instance\":\"i\"}");
	check_refused(&row, "\"labels\" has to have a job");
	row = plain_row();
	row.silent_after = 2.5;
	check_refused(&row, "\"silent_after\" has to be a whole number from 0 to 1000");
	row = plain_row();
	row.mode = SLICE("pull");
	check_refused(&row, "\"address\" is needed for a target that is scraped there");
	row = plain_row();
	row.attributes = SLICE("{\"__x\":\"y\"}");
	check_refused(&row, "\"__x\" is no name for an attribute");
	row = plain_row();
	row.thresholds = SLICE("[7]");
	check_refused(&row, "\"thresholds\" has to be an array of objects");
}

/* In SQL it is enough to say the job. */
static void test_without_labels(void)
{
	struct arena arena;
	struct target_row row;
	struct slice why;
	struct storage_target stored = plain_row();
	stored.labels = SLICE("{}");
	stored.instance = SLICE("a\"b");
	arena_init(&arena);
	CHECK(kept_row_read(&stored, &limits, &arena, &row, &why));
	CHECK_INT(row.key.labels.count, 2);
	CHECK_STRING(labels_find(&row.key.labels, SLICE("instance")), "a\\\"b");
	arena_finish(&arena);
}

static void test_what_was_seen(void)
{
	struct storage_seen row = {
		.last_seen_ns = 5,
		.pushes = 12,
		.format = SLICE("a format with a long name"),
		.source = SLICE("::1"),
		.gaps = SLICE("[1000,2000,3000,-1,\"x\",4e99]"),
		.learnt_interval = 60,
		.rejected_at_ns = 3,
		.rejected_reason = SLICE("bad"),
	};
	struct arena arena;
	arena_init(&arena);
	struct target_freshness fresh = kept_row_read_seen(&row, &arena);
	CHECK_INT(fresh.pushes, 12);
	CHECK_STRING(slice_of_string(fresh.format), "a format with a");
	CHECK_STRING(slice_of_string(fresh.source), "::1");
	CHECK_INT(fresh.gaps.count, 3);
	CHECK_INT(fresh.gaps.ms[1], 2000);
	CHECK_INT(fresh.stored_interval_ns, 60 * SECOND_NS);
	CHECK_STRING(slice_of_string(fresh.rejection), "bad");
	row.gaps = SLICE("");
	CHECK_INT(kept_row_read_seen(&row, &arena).gaps.count, 0);
	arena_finish(&arena);
}

static void test_ids_of_keys(void)
{
	struct label pairs[4][2];
	struct group_key a = make_key(pairs[0], "j", "i");
	struct group_key b = make_key(pairs[1], "j", "k");
	struct group_key c = make_key(pairs[2], "j", "");
	struct group_key d = make_key(pairs[3], "j", "x");
	d.labels.pairs[0].value = SLICE(""); /* instance="", which is none */
	struct target_id id = target_id_of_key(&a);
	struct target_id others[] = { target_id_of_key(&b), target_id_of_key(&c) };
	struct target_id same = target_id_of_key(&d);
	char text[TARGET_ID_TEXT];
	CHECK(!target_id_equal(&id, &others[0]));
	CHECK(!target_id_equal(&id, &others[1]));
	CHECK(target_id_equal(&same, &others[1]));
	target_id_format(&others[1], text); /* for ever, since databases have it */
	CHECK_STRING(slice_make(text, sizeof(text)), "63a34602-edcb-836a-8cee-5a70cd2fe21d");
}

/* ---- Changes ---- */

static enum target_change_result told;

static void on_done(struct target_change *change)
{
	told = change->result;
}

static struct target_change make_change(
		enum target_change_kind kind, struct target_change_item *items, size_t count)
{
	return (struct target_change){ .kind = kind, .items = items, .count = count, .done = on_done };
}

static void test_changes_where_nothing_is_stored(void)
{
	struct registry registry;
	const struct registry_options options = { .limit = 3, .silent_after = 3, .retention_ns = 1 };
	struct label pairs[2];
	struct target_change_item item = { .key = make_key(pairs, "j", "i") };
	registry_init(&registry, &options);
	struct target_change change = make_change(TARGET_CHANGE_CREATE, &item, 1);
	target_change_submit(&registry, &change);
	CHECK_INT(told, TARGET_CHANGE_OK);
	struct target *target = registry_find_by_id(&registry, &change.id);
	CHECK(target != NULL && target->is_configured);
	change = make_change(TARGET_CHANGE_CREATE, &item, 1);
	target_change_submit(&registry, &change);
	CHECK_INT(told, TARGET_CHANGE_E_EXISTS);

	struct target_change_item other = { .id = target->id, .edits = target->edits };
	change = make_change(TARGET_CHANGE_CONFIGURE, &other, 1);
	target_change_submit(&registry, &change);
	CHECK_INT(told, TARGET_CHANGE_OK);
	target_change_submit(&registry, &change); /* made of what is not there any more */
	CHECK_INT(told, TARGET_CHANGE_E_CONFLICT);
	change = make_change(TARGET_CHANGE_DELETE, &other, 1);
	target_change_submit(&registry, &change);
	CHECK_INT(told, TARGET_CHANGE_OK);
	target_change_submit(&registry, &change);
	CHECK_INT(told, TARGET_CHANGE_E_GONE);
	CHECK_INT(registry_len(&registry), 0);
	registry_finish(&registry);
}

static void test_import_of_equal_keys(void)
{
	struct registry registry;
	const struct registry_options options = { .limit = 2, .silent_after = 3, .retention_ns = 1 };
	struct label pairs[4][2];
	struct target_change_item items[4] = { 0 };
	registry_init(&registry, &options);
	for (size_t i = 0; i < 4; i++) {
		items[i].key = make_key(pairs[i], "j", i == 3 ? "b" : "a");
		items[i].config.silent_after = i + 1;
		items[i].has_id = true; /* the same one for all */
	}
	struct target_change change = make_change(TARGET_CHANGE_IMPORT, items, 4);
	target_change_submit(&registry, &change);
	CHECK_INT(told, TARGET_CHANGE_OK);
	CHECK_INT(change.created, 2);
	CHECK_INT(registry_len(&registry), 2);
	CHECK_INT(registry_find(&registry, &items[0].key)->config.silent_after, 3);
	items[0].key = make_key(pairs[0], "j", "c");
	items[0].is_void = false;
	change = make_change(TARGET_CHANGE_IMPORT, items, 1);
	target_change_submit(&registry, &change);
	CHECK_INT(told, TARGET_CHANGE_E_LIMIT);
	registry_finish(&registry);
}

int main(void)
{
	hash_init();
	RUN(test_there_and_back);
	RUN(test_what_others_wrote_wrong);
	RUN(test_without_labels);
	RUN(test_what_was_seen);
	RUN(test_ids_of_keys);
	RUN(test_changes_where_nothing_is_stored);
	RUN(test_import_of_equal_keys);
	return check_done();
}
