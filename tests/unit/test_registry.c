/*
 * Targets: how they come about, live, fall silent and go, with a real store.
 * The clocks stand still between the tests' steps.
 */

#include "base/clock.h"
#include "check.h"
#include "targets/registry.h"
#include "unit/store_driver.h"

enum { LIMIT = 10, SECONDS_AT_START = 1000000 };

static const int64_t SECOND_NS = 1000000000;
static const int64_t MINUTE_NS = 60 * INT64_C(1000000000);
static const int64_t HOUR_NS = 3600 * INT64_C(1000000000);

static struct store_driver d;
static struct registry registry;
static int64_t now_ns; /* since the start of the test */
static struct buf events;

static void pass(int64_t ns)
{
	now_ns += ns;
	clock_freeze((uint64_t)(SECOND_NS + now_ns), SECONDS_AT_START * SECOND_NS + now_ns);
	d.now_ns = clock_wall_ns() - SECOND_NS; /* each push is a second on */
}

static void tell(const char *what, const struct target *target)
{
	buf_printf(&events, "%s " SLICE_FMT "\n", what,
			SLICE_ARG(labels_find(&target->key.labels, SLICE("job"))));
}

static void on_config(void *data, struct target *target)
{
	tell("config", target);
}

static void on_freshness(void *data, struct target *target)
{
	tell("fresh", target);
}

static void on_deleted(void *data, struct target *target)
{
	tell("deleted", target);
}

static void begin_with(bool only_known)
{
	const struct registry_options options = {
		.only_known = only_known,
		.limit = LIMIT,
		.silent_after = 3,
		.retention_ns = 720 * HOUR_NS,
	};
	store_driver_init(&d, NULL);
	now_ns = 0;
	pass(0);
	registry_init(&registry, &options);
	registry_watch(&registry, &d.store);
	buf_init(&events, 0);
	registry.events = (struct registry_events){
		.on_config = on_config,
		.on_freshness = on_freshness,
		.on_deleted = on_deleted,
	};
}

static void begin(void)
{
	begin_with(false);
}

static void end(void)
{
	registry_finish(&registry);
	store_driver_finish(&d);
	buf_finish(&events);
	clock_thaw();
}

static struct target *find(const char *key)
{
	struct group_key wanted = store_driver_key(&d, key);
	return registry_find(&registry, &wanted);
}

/* Each at a time of its own, as pushes are. */
static void push(const char *key)
{
	pass(1);
	CHECK_INT(store_driver_push(&d, STORE_PUT, key, "m 1\n"), PUSH_OK);
}

static void push_every(const char *key, int64_t gap_ns, int count)
{
	for (int i = 0; i < count; i++) {
		push(key);
		pass(gap_ns);
	}
}

static void check_state(const char *key, const char *wanted)
{
	struct target *target = find(key);
	CHECK(target != NULL);
	if (target != NULL) {
		CHECK_STRING(target_state_name(registry_state(&registry, target)), wanted);
		registry_step(&registry, LIMIT);
		CHECK_INT(registry.counts[registry_state(&registry, target)] > 0, 1);
	}
}

static void check_events(const char *wanted)
{
	CHECK_STRING(buf_slice(&events), wanted);
	buf_reset(&events, 0);
}

static const struct target_config by_default;

static struct target *create(const char *key, const struct target_config *config)
{
	struct group_key wanted = store_driver_key(&d, key);
	struct target *target = NULL;
	CHECK_INT(registry_create(&registry, &wanted, config, NULL, &target), REGISTRY_OK);
	return target;
}

/* ---- Coming about ---- */

static void test_first_push_makes_a_target(void)
{
	begin();
	push("job=a,instance=i");
	struct target *target = find("job=a,instance=i");
	CHECK(target != NULL);
	CHECK_INT(registry_len(&registry), 1);
	CHECK_INT(target->fresh.pushes, 1);
	CHECK_INT(target->fresh.first_seen_ns, d.now_ns);
	CHECK_INT(target->fresh.last_seen_ns, d.now_ns);
	CHECK(!target->is_configured);
	CHECK(registry_find_by_id(&registry, &target->id) == target);
	CHECK(registry_group(&registry, target) != NULL);
	check_state("job=a,instance=i", "active");
	check_events("config a\nfresh a\n");
	push("job=a,instance=i");
	CHECK_INT(registry_len(&registry), 1);
	CHECK_INT(target->fresh.pushes, 2);
	check_events("fresh a\n");
	end();
}

static void test_keys_that_normalise_to_the_same(void)
{
	begin();
	push("job=a");
	CHECK(find("job=a,instance=") == find("job=a"));
	/* The group has forgotten the target that is gone. */
	registry_delete(&registry, find("job=a"));
	struct target *target = create("job=a,instance=,x=", &by_default);
	CHECK(registry_group(&registry, target) != NULL);
	push("job=a");
	push("job=a");
	CHECK_INT(target->fresh.pushes, 2);
	registry_delete(&registry, target);
	push("job=a");
	CHECK_INT(find("job=a")->fresh.pushes, 1);
	end();
}

static void test_what_the_api_adds(void)
{
	begin();
	push("job=a");
	struct group_key key = store_driver_key(&d, "job=a");
	registry_note_push(&registry, &key, SLICE("text"), SLICE("192.0.2.1"));
	CHECK_STRING(slice_of_string(find("job=a")->fresh.format), "text");
	CHECK_STRING(slice_of_string(find("job=a")->fresh.source), "192.0.2.1");
	CHECK_INT(find("job=a")->fresh.own_pushes, 1);
	registry_note_push(&registry, &key, SLICE("a-format-of-a-very-long-name"), SLICE(""));
	CHECK_STRING(slice_of_string(find("job=a")->fresh.format), "a-format-of-a-v");
	registry_note_rejection(&registry, &key, SLICE("bad line\nand where\n"));
	CHECK_STRING(slice_of_string(find("job=a")->fresh.rejection), "bad line");
	struct group_key other = store_driver_key(&d, "job=other");
	registry_note_push(&registry, &other, SLICE("text"), SLICE("192.0.2.1"));
	registry_note_rejection(&registry, &other, SLICE("bad line"));
	CHECK_INT(registry_len(&registry), 1);
	end();
}

static void test_refused_push_that_left_a_trace(void)
{
	const struct store_job_limits no_limits = { 0 };
	begin();
	struct group_key key = store_driver_key(&d, "job=a");
	store_record_failure(&d.store, &key, &no_limits, d.now_ns, 0);
	check_state("job=a", "silent");
	CHECK_INT(find("job=a")->fresh.pushes, 0);
	push("job=a");
	check_state("job=a", "active");
	end();
}

static void test_known_only(void)
{
	begin_with(true);
	struct group_key key = store_driver_key(&d, "job=a");
	CHECK_INT(registry_admit(&registry, &key), REGISTRY_UNKNOWN);
	registry.is_loading = true;
	CHECK_INT(registry_admit(&registry, &key), REGISTRY_LOADING);
	registry.is_loading = false;
	push("job=a");
	CHECK_INT(registry_len(&registry), 0);
	create("job=a", &by_default);
	CHECK_INT(registry_admit(&registry, &key), REGISTRY_ADMITTED);
	push("job=a");
	CHECK_INT(find("job=a")->fresh.pushes, 1);
	end();
}

static void test_limit(void)
{
	begin();
	for (int i = 0; i < LIMIT + 2; i++) {
		char key[32];
		snprintf(key, sizeof(key), "job=j%d", i);
		push(key);
	}
	CHECK_INT(registry_len(&registry), LIMIT);
	CHECK_INT(registry.refused, 2);
	struct group_key key = store_driver_key(&d, "job=by hand");
	struct target *target;
	CHECK_INT(registry_create(&registry, &key, &by_default, NULL, &target), REGISTRY_E_LIMIT);
	end();
}

static void test_create_what_exists(void)
{
	begin();
	struct target *first = create("job=a", &by_default);
	struct group_key same = store_driver_key(&d, "job=a,instance=");
	struct group_key other = store_driver_key(&d, "job=b");
	struct target *target = NULL;
	CHECK_INT(registry_create(&registry, &same, &by_default, NULL, &target), REGISTRY_E_EXISTS);
	CHECK(target == first);
	CHECK_INT(registry_create(&registry, &other, &by_default, &first->id, &target),
			REGISTRY_E_EXISTS);
	CHECK_INT(registry_create(&registry, &other, &by_default, NULL, &target), REGISTRY_OK);
	CHECK(target != first);
	end();
}

/* ---- States ---- */

static void test_silent_and_back(void)
{
	begin();
	push_every("job=a", 5 * MINUTE_NS, 4);
	CHECK_INT(registry_interval_ns(find("job=a")) / SECOND_NS, 300);
	pass(9 * MINUTE_NS);
	check_state("job=a", "active");
	CHECK_INT(registry.overdue, 0);
	pass(MINUTE_NS + 1);
	check_state("job=a", "silent");
	CHECK_INT(registry.overdue, 1);
	CHECK_INT(registry.counts[TARGET_SILENT], 1);
	push("job=a");
	CHECK_INT(registry.counts[TARGET_SILENT], 0);
	CHECK_INT(registry.overdue, 0);
	check_state("job=a", "active");
	end();
}

static void test_nightly_job_is_not_silent_at_noon(void)
{
	begin();
	for (int night = 0; night < 6; night++) {
		push("job=backup");
		pass(20 * MINUTE_NS);
		push("job=backup");
		pass(12 * HOUR_NS);
		check_state("job=backup", "active");
		pass(12 * HOUR_NS - 20 * MINUTE_NS);
	}
	CHECK_INT(registry_interval_ns(find("job=backup")) / HOUR_NS, 24);
	pass(3 * 24 * HOUR_NS);
	check_state("job=backup", "silent");
	end();
}

static void test_configured_interval(void)
{
	begin();
	struct target_config config = { .interval_ns = 10 * MINUTE_NS };
	struct target *target = create("job=a", &config);
	check_state("job=a", "silent");
	CHECK(!registry_is_overdue(&registry, target));
	push("job=a");
	pass(30 * MINUTE_NS);
	check_state("job=a", "active");
	pass(1);
	check_state("job=a", "silent");
	CHECK(registry_is_overdue(&registry, target));
	registry_heartbeat(&registry, target);
	check_state("job=a", "active");
	CHECK_INT(target->fresh.pushes, 1);
	end();
}

/* With a time to live of ten minutes. */
static void push_with_ttl(const char *key)
{
	push(key);
	struct group *group = registry_group(&registry, find(key));
	contents_set_deadline(d.store.contents, group, (int64_t)clock_monotonic_ns() + 10 * MINUTE_NS);
}

/* As it is, and whether it is listed. */
static int64_t seconds_to_expiry(const char *key)
{
	struct target *target = find(key);
	int64_t expiry_ns = registry_expiry_ns(&registry, target);
	registry_step(&registry, LIMIT);
	CHECK_INT(list_is_empty(&registry.expiring), expiry_ns == 0);
	return expiry_ns == 0 ? -1 : (expiry_ns - clock_wall_ns()) / SECOND_NS;
}

static void test_group_is_about_to_expire(void)
{
	begin();
	struct target_config config = { .interval_ns = MINUTE_NS };
	struct target *target = create("job=a", &config);
	CHECK_INT(seconds_to_expiry("job=a"), -1);
	push_with_ttl("job=a");
	pass(8 * MINUTE_NS);
	CHECK_INT(seconds_to_expiry("job=a"), -1);
	pass(SECOND_NS);
	CHECK_INT(seconds_to_expiry("job=a"), 119);
	push_with_ttl("job=a");
	CHECK_INT(seconds_to_expiry("job=a"), -1);
	pass(9 * MINUTE_NS);
	CHECK_INT(seconds_to_expiry("job=a"), 60);
	/* Who pushes seldom is expected to expire. */
	config.interval_ns = 10 * MINUTE_NS;
	registry_configure(&registry, target, &config);
	CHECK_INT(seconds_to_expiry("job=a"), -1);
	config.interval_ns = MINUTE_NS;
	config.is_disabled = true;
	registry_configure(&registry, target, &config);
	CHECK_INT(seconds_to_expiry("job=a"), -1);
	config.is_disabled = false;
	registry_configure(&registry, target, &config);
	CHECK_INT(seconds_to_expiry("job=a"), 60);
	store_wipe(&d.store);
	CHECK_INT(seconds_to_expiry("job=a"), -1);
	registry_delete(&registry, target);
	end();
}

static void test_group_goes(void)
{
	begin();
	push("job=a");
	struct group_key key = store_driver_key(&d, "job=a");
	store_delete(&d.store, &key);
	check_state("job=a", "expired");
	push("job=a");
	check_state("job=a", "active");
	store_wipe(&d.store);
	check_state("job=a", "expired");
	registry_heartbeat(&registry, find("job=a"));
	check_state("job=a", "active");
	push("job=b");
	check_state("job=b", "active");
	end();
}

static void test_disabled_and_other_modes(void)
{
	begin();
	struct target_config config = { .is_disabled = true };
	struct target *target = create("job=a", &config);
	check_state("job=a", "disabled");
	push("job=a");
	check_state("job=a", "disabled");
	config = (struct target_config){ .mode = TARGET_VIRTUAL };
	registry_configure(&registry, target, &config);
	check_state("job=a", "active");
	pass(1000 * HOUR_NS);
	check_state("job=a", "active");
	end();
}

/* An image is kept like a target, and nobody sees it who does not ask for it. */
static void test_what_is_not_watched(void)
{
	begin();
	struct label name = { SLICE("name"), SLICE("x") };
	struct target_config config = { .mode = TARGET_IMAGE, .attributes = { &name, 1 } };
	struct target *target = create("job=a", &config);
	CHECK(target->info == NULL);
	CHECK(list_first(&registry.unwatched) == &target->described);
	CHECK_INT(registry.counts[TARGET_ACTIVE], 0);
	push("job=a");
	CHECK_INT(registry.counts[TARGET_ACTIVE], 0);
	config.mode = TARGET_PUSH;
	registry_configure(&registry, target, &config);
	CHECK(target->info != NULL && list_is_empty(&registry.unwatched));
	CHECK_INT(registry.counts[TARGET_ACTIVE], 1);
	config.mode = TARGET_COLLECTOR;
	registry_configure(&registry, target, &config);
	CHECK(target->info == NULL && !list_is_empty(&registry.unwatched));
	CHECK_INT(registry.counts[TARGET_ACTIVE], 0);
	target->is_configured = false;
	pass(100000 * HOUR_NS);
	registry_step(&registry, LIMIT);
	CHECK(find("job=a") == target);
	registry_delete(&registry, target);
	CHECK(list_is_empty(&registry.unwatched));
	end();
}

/* ---- Going ---- */

static void test_retention(void)
{
	begin();
	push("job=a");
	push("job=b");
	create("job=c", &by_default);
	pass(720 * HOUR_NS);
	push("job=b");
	buf_reset(&events, 0);
	registry_step(&registry, LIMIT);
	check_events("deleted a\n");
	CHECK_INT(registry_len(&registry), 2);
	CHECK(find("job=a") == NULL && find("job=b") != NULL && find("job=c") != NULL);
	end();
}

static void test_walk_over_what_goes(void)
{
	begin();
	struct registry_walk walk;
	push("job=a");
	push("job=b");
	push("job=c");
	registry_walk_begin(&walk, &registry);
	CHECK(registry_walk_next(&walk) == find("job=a"));
	registry_delete(&registry, find("job=b"));
	registry_delete(&registry, find("job=a"));
	CHECK(registry_walk_next(&walk) == find("job=c"));
	CHECK(registry_walk_next(&walk) == NULL);
	registry_walk_end(&walk);
	end();
}

static void test_delete_and_push_again(void)
{
	begin();
	push("job=a");
	registry_delete(&registry, find("job=a"));
	CHECK(find("job=a") == NULL);
	push("job=a");
	CHECK_INT(find("job=a")->fresh.pushes, 1);
	end();
}

/* ---- Configuration ---- */

static void test_configuration_is_copied(void)
{
	begin();
	char text[] = "10.0.0.1:9100";
	struct label pairs[] = { { SLICE("rack"), SLICE("r\\n1") }, { SLICE("site"), SLICE("x") } };
	struct target_threshold threshold = {
		.name = SLICE("Hot"),
		.metric = SLICE("temp"),
		.comparison = TARGET_AT_LEAST,
		.value = 80.5,
	};
	struct target_config config = {
		.mode = TARGET_PULL,
		.address = slice_of_string(text),
		.attributes = { pairs, 2 },
		.thresholds = &threshold,
		.threshold_count = 1,
	};
	struct target *target = create("job=a", &config);
	text[0] = 'x';
	threshold.value = 1;
	CHECK_STRING(target->config.address, "10.0.0.1:9100");
	CHECK_STRING(labels_find(&target->config.attributes, SLICE("rack")), "r\\n1");
	CHECK_STRING(target->config.thresholds[0].metric, "temp");
	CHECK(target->config.thresholds[0].value > 80);
	CHECK(!target_config_equal(&target->config, &config));
	registry_configure(&registry, target, &target->config);
	CHECK_STRING(target->config.address, "10.0.0.1:9100");
	registry_configure(&registry, target, &by_default);
	CHECK(target->config_memory == NULL);
	end();
}

/* ---- What was stored ---- */

static struct target_row row_of(const char *key, unsigned char id)
{
	struct target_row row = { .id = { .bytes = { id } }, .key = store_driver_key(&d, key) };
	row.fresh.first_seen_ns = clock_wall_ns() - 10 * HOUR_NS;
	row.fresh.last_seen_ns = clock_wall_ns() - 5 * MINUTE_NS;
	row.fresh.pushes = 100;
	for (int i = 0; i < INTERVAL_GAPS_MAX; i++) {
		interval_add_gap(&row.fresh.gaps, (uint64_t)MINUTE_NS);
	}
	return row;
}

static void test_rows_that_were_stored(void)
{
	begin();
	struct target_row row = row_of("job=a", 7);
	char reason[] = "bad";
	row.fresh.rejection = reason;
	row.fresh.rejected_ns = 1;
	CHECK(registry_put_row(&registry, &row));
	check_events("");
	struct target *target = find("job=a");
	CHECK_INT(target->id.bytes[0], 7);
	CHECK_STRING(slice_of_string(target->fresh.rejection), "bad");
	check_state("job=a", "expired");
	CHECK_INT(registry.overdue, 1);
	registry.is_restoring = true;
	d.now_ns = row.fresh.last_seen_ns - SECOND_NS;
	store_driver_push(&d, STORE_PUT, "job=a", "m 1\n");
	registry.is_restoring = false;
	check_state("job=a", "silent");
	CHECK_INT(target->fresh.pushes, 100);
	push("job=a");
	check_state("job=a", "active");
	CHECK_INT(target->fresh.pushes, 101);
	CHECK_INT(registry_interval_ns(target), MINUTE_NS);
	end();
}

/* A row is later than the pushes, and others have given the target its name. */
static void test_row_of_a_target_that_is_there(void)
{
	begin();
	push("job=a");
	struct target *target = find("job=a");
	struct target_row row = row_of("job=a", 7);
	row.is_configured = true;
	row.config.is_disabled = true;
	int64_t seen_ns = target->fresh.last_seen_ns;
	CHECK(registry_put_row(&registry, &row));
	CHECK(find("job=a") == target);
	CHECK(registry_find_by_id(&registry, &row.id) == target);
	CHECK_INT(target->fresh.last_seen_ns, seen_ns);
	CHECK_INT(target->fresh.pushes, 100);
	check_state("job=a", "disabled");
	/* And now it has another key. */
	row.key = store_driver_key(&d, "job=b");
	CHECK(registry_put_row(&registry, &row));
	CHECK(find("job=a") == NULL && find("job=b") != NULL);
	CHECK_INT(registry_len(&registry), 1);
	end();
}

/* It is the same target, on the same lists of who stores it. */
static void test_another_key(void)
{
	begin();
	struct list unseen;
	struct group_key key = { 0 };
	list_init(&unseen);
	push("job=a");
	push("job=a");
	push("job=b");
	struct target *target = find("job=a");
	struct target_id id = target->id;
	uint32_t edits = target->edits;
	target->keep.version = 7;
	list_append(&unseen, &target->keep.unseen);
	registry_note_rejection(&registry, &target->key, SLICE("no"));
	struct label label = { SLICE("job"), SLICE("c") };
	key.labels = (struct labels){ &label, 1 };
	target = registry_rekey(&registry, target, &key);
	CHECK(find("job=a") == NULL && find("job=c") == target);
	CHECK(registry_find_by_id(&registry, &id) == target);
	CHECK_INT(target->fresh.pushes, 2);
	CHECK(target->fresh.rejection != NULL && target->edits > edits);
	CHECK_INT(target->keep.version, 7);
	CHECK(list_first(&unseen) == &target->keep.unseen);
	CHECK_INT(registry_len(&registry), 2);
	check_state("job=c", "expired");
	push("job=a"); /* another one is there now */
	CHECK(find("job=a") != target && !target_id_equal(&find("job=a")->id, &id));
	push("job=c");
	check_state("job=c", "active");
	CHECK_INT(target->fresh.pushes, 3);
	list_remove(&target->keep.unseen);
	end();
}

/* A row that was read before comes back with another key: somebody has edited it. */
static void test_row_with_another_key(void)
{
	begin();
	struct target_row row = row_of("job=a", 1);
	CHECK(registry_put_row(&registry, &row));
	push("job=a");
	find("job=a")->keep.version = 1;
	row = row_of("job=b", 1);
	CHECK(registry_put_row(&registry, &row));
	CHECK(find("job=a") == NULL);
	CHECK_INT(find("job=b")->fresh.pushes, 101);
	end();
}

static void test_restored_groups_of_long_ago(void)
{
	begin();
	registry.is_restoring = true;
	d.now_ns = clock_wall_ns() - 721 * HOUR_NS;
	store_driver_push(&d, STORE_PUT, "job=old", "m 1\n");
	d.now_ns = clock_wall_ns() - 1 * HOUR_NS;
	store_driver_push(&d, STORE_PUT, "job=new", "m 1\n");
	CHECK(find("job=old") == NULL);
	CHECK_INT(find("job=new")->fresh.first_seen_ns, d.now_ns);
	check_state("job=new", "active");
	end();
}

/* Without the gaps it came from, as a database may have it. */
static void test_stored_interval(void)
{
	begin();
	struct target_row row = row_of("job=a", 7);
	row.fresh.gaps = (struct interval_gaps){ 0 };
	row.fresh.stored_interval_ns = 10 * MINUTE_NS;
	CHECK(registry_put_row(&registry, &row));
	push_every("job=a", 2 * MINUTE_NS, 3);
	CHECK_INT(registry_interval_ns(find("job=a")) / SECOND_NS, 600);
	push("job=a");
	CHECK_INT(registry_interval_ns(find("job=a")) / SECOND_NS, 120);
	end();
}

static void test_ids(void)
{
	struct target_id id = target_id_make();
	struct target_id back;
	char text[TARGET_ID_TEXT];
	target_id_format(&id, text);
	CHECK(target_id_parse(slice_make(text, sizeof(text)), &back));
	CHECK(target_id_equal(&id, &back));
	CHECK_INT(text[14], '4');
	CHECK(target_id_parse(SLICE("F81D4FAE-7DEC-41D0-A765-00A0C91E6BF6"), &back));
	CHECK(!target_id_parse(SLICE("f81d4fae-7dec-41d0-a765-00a0c91e6bf"), &back));
	CHECK(!target_id_parse(SLICE("f81d4fae-7dec-41d0-a765-00a0c91e6bfx"), &back));
	CHECK(!target_id_parse(SLICE("f81d4fae+7dec-41d0-a765-00a0c91e6bf6"), &back));
	CHECK(!target_id_parse(SLICE(""), &back));
}

int main(void)
{
	RUN(test_first_push_makes_a_target);
	RUN(test_keys_that_normalise_to_the_same);
	RUN(test_what_the_api_adds);
	RUN(test_refused_push_that_left_a_trace);
	RUN(test_known_only);
	RUN(test_limit);
	RUN(test_create_what_exists);
	RUN(test_silent_and_back);
	RUN(test_nightly_job_is_not_silent_at_noon);
	RUN(test_configured_interval);
	RUN(test_group_is_about_to_expire);
	RUN(test_group_goes);
	RUN(test_disabled_and_other_modes);
	RUN(test_what_is_not_watched);
	RUN(test_retention);
	RUN(test_walk_over_what_goes);
	RUN(test_delete_and_push_again);
	RUN(test_configuration_is_copied);
	RUN(test_rows_that_were_stored);
	RUN(test_row_of_a_target_that_is_there);
	RUN(test_another_key);
	RUN(test_row_with_another_key);
	RUN(test_restored_groups_of_long_ago);
	RUN(test_stored_interval);
	RUN(test_ids);
	return check_done();
}
