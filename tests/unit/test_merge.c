/*
 * Deliveries: what the group has after one, who may come in between, and when they are done. The
 * test does the work of threads, lets time pass, and makes changes durable.
 */

#include "api/merge.h"
#include "api/merged.h"
#include "unit/api_crowd.h"

#define GROUP "{instance=\"h\",job=\"node\"}"

enum { TTL_SECONDS = 60, DELIVERIES_MAX = 4 };

struct delivered {
	struct merge_delivery delivery;
	struct slice text;
	bool is_done;
	enum merge_result result;
};

struct scene {
	struct crowd crowd;
	struct merges merges;
	struct delivered all[DELIVERIES_MAX];
	size_t count;
};

static void begin(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	crowd_init(&scene->crowd);
	merges_init(&scene->merges, &scene->crowd.d.api, (int64_t)TTL_SECONDS * 1000000000,
			SLICE("redis-list"));
}

static void end(struct scene *scene)
{
	crowd_settle(&scene->crowd);
	api_set_durable(&scene->crowd.d.api, false, 0);
	CHECK_INT(scene->merges.working, 0);
	merges_finish(&scene->merges);
	crowd_finish(&scene->crowd);
}

static void on_done(struct merge_delivery *delivery, enum merge_result result, struct slice why)
{
	struct delivered *delivered = LIST_ENTRY(delivery, struct delivered, delivery);
	CHECK(!delivered->is_done);
	CHECK(result == MERGE_STORED || why.len > 0);
	delivered->is_done = true;
	delivered->result = result;
}

static struct delivered *start(struct scene *scene, const char *text)
{
	struct delivered *delivered = &scene->all[scene->count++ % DELIVERIES_MAX];
	*delivered = (struct delivered){ .text = slice_of_string(text) };
	delivered->delivery = (struct merge_delivery){
		.instance = SLICE("h"), .texts = &delivered->text, .text_count = 1, .done = on_done
	};
	merge_deliver(&scene->merges, &delivered->delivery);
	return delivered;
}

static struct delivered *deliver(struct scene *scene, const char *text)
{
	struct delivered *delivered = start(scene, text);
	crowd_settle(&scene->crowd);
	return delivered;
}

static void push(struct scene *scene, const char *line, const char *body)
{
	crowd_send(&scene->crowd, 1, line, body);
	CHECK_INT(crowd_next(&scene->crowd, 1).status, 200);
}

static struct slice page(struct scene *scene)
{
	crowd_send(&scene->crowd, 0, "GET /metrics", "");
	crowd_settle(&scene->crowd);
	struct api_response response = crowd_next(&scene->crowd, 0);
	CHECK_INT(response.status, 200);
	return response.body;
}

#define CHECK_PAGE(scene, line) CHECK(crowd_has(page(scene), line))
#define CHECK_NOT_ON_PAGE(scene, line) CHECK(!crowd_has(page(scene), line))

/* ---- What the group has ---- */

static void test_series_are_put_together(void)
{
	struct scene scene;
	begin(&scene);
	CHECK_INT(deliver(&scene, "m{a=\"1\"} 1\nn 1")->result, MERGE_STORED);
	deliver(&scene, "m{a=\"2\"} 2\n");
	deliver(&scene, "m{a=\"1\"} 3\n");
	CHECK_PAGE(&scene, "m{a=\"1\",instance=\"h\",job=\"node\"} 3\n");
	CHECK_PAGE(&scene, "m{a=\"2\",instance=\"h\",job=\"node\"} 2\n");
	CHECK_PAGE(&scene, "n" GROUP " 1\n");
	end(&scene);
}

static struct group *only_group(struct scene *scene)
{
	struct label pairs[] = { { SLICE("instance"), SLICE("h") }, { SLICE("job"), SLICE("node") } };
	struct group_key key;
	group_key_init(&key, (struct labels){ .pairs = pairs, .count = 2 });
	return store_find_group(&scene->crowd.d.store, &key);
}

static const void *block_of(struct scene *scene, struct slice name)
{
	struct family *family =
			families_find(&scene->crowd.d.store.contents->families, name, hash64(name));
	struct member *member = group_find_member(only_group(scene), family);
	return slot_content(*slots_at(&family->slots, member->slot));
}

static void test_what_is_the_same_is_not_written_again(void)
{
	struct scene scene;
	begin(&scene);
	deliver(&scene, "m 1\nn 1\n");
	const void *m = block_of(&scene, SLICE("m"));
	const void *n = block_of(&scene, SLICE("n"));
	int64_t pushed_ns = only_group(&scene)->times.pushed_ns;
	crowd_pass(&scene.crowd, 1000);
	deliver(&scene, "m 1\nn 2\n");
	CHECK(block_of(&scene, SLICE("m")) == m);
	CHECK(block_of(&scene, SLICE("n")) != n);
	deliver(&scene, "m 1\n");
	CHECK(only_group(&scene)->times.pushed_ns > pushed_ns);
	end(&scene);
}

/* What is held while a delivery is at work is given back, whoever lets go last. */
static void test_memory(void)
{
	struct scene scene;
	begin(&scene);
	const struct store *store = &scene.crowd.d.store;
	uint64_t empty = store->contents->bytes;
	uint64_t bytes = 0;
	for (int i = 0; i < 20; i++) {
		char text[200];
		snprintf(
				text, sizeof(text), "m{a=\"1\"} %d\nm{a=\"2\"} %d\nn %d\n", i % 10, i % 10, i % 10);
		deliver(&scene, text);
		bytes = i == 1 ? store->contents->bytes : bytes;
	}
	CHECK_INT(store->contents->bytes, bytes);
	/* While one is at work everything is wiped. */
	start(&scene, crowd_series(&scene.crowd, "m", 3000));
	for (int i = 0; i < 4; i++) {
		api_driver_do_job(&scene.crowd.d, 0);
	}
	CHECK(store_wipe(&scene.crowd.d.store));
	crowd_settle(&scene.crowd);
	CHECK_INT(only_group(&scene)->series, 3000);
	crowd_send(&scene.crowd, 1, "DELETE /metrics/job/node/instance/h", "");
	crowd_settle(&scene.crowd);
	while (store_tidy(&scene.crowd.d.store)) {
	}
	CHECK_INT(store->contents->bytes, empty);
	end(&scene);
}

static void test_nothing_good_makes_no_group(void)
{
	struct scene scene;
	begin(&scene);
	struct delivered *delivered = deliver(&scene, "m one\npush_time_seconds 1\n");
	CHECK_INT(delivered->result, MERGE_STORED);
	CHECK_INT(delivered->delivery.counts.lines, 2);
	CHECK_INT(delivered->delivery.counts.rejected[INGEST_VALUE], 1);
	CHECK_INT(delivered->delivery.counts.rejected[INGEST_INCONSISTENT], 1);
	CHECK(only_group(&scene) == NULL);
	end(&scene);
}

/* Every family that contradicts another group is left out; a hundred of them, and all others are
 * taken. */
static void test_contradictions(void)
{
	struct scene scene;
	struct buf typed, untyped;
	buf_init(&typed, 0);
	buf_init(&untyped, 0);
	begin(&scene);
	for (int i = 0; i < 100; i++) {
		buf_printf(&typed, "# TYPE m%d gauge\nm%d 1\n", i, i);
		buf_printf(&untyped, "m%d 1\nn%d 1\n", i, i);
	}
	buf_printf(&typed,
			"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"
			"same{instance=\"h\",job=\"node\"} 1\n");
	buf_printf(&untyped, "h_count 1\nh_sum 1\n");
	buf_append_byte(&typed, '\0');
	buf_append_byte(&untyped, '\0');
	push(&scene, "PUT /metrics/job/x", typed.ptr);
	struct delivered *delivered = deliver(&scene, untyped.ptr);
	CHECK_INT(delivered->delivery.counts.rejected[INGEST_TYPE], 100);
	CHECK_INT(delivered->delivery.counts.rejected[INGEST_INCONSISTENT], 2);
	CHECK_INT(only_group(&scene)->series, 100);
	end(&scene);
	buf_finish(&typed);
	buf_finish(&untyped);
}

/* ---- Who comes in between ---- */

static void test_a_push_in_between(void)
{
	struct scene scene;
	begin(&scene);
	deliver(&scene, "old 1\nm{number=\"x\"} 1\n");
	/* On a thread: the push comes while that is at work. */
	struct delivered *delivered = start(&scene, crowd_series(&scene.crowd, "m", 3000));
	for (int i = 0; i < 4; i++) {
		api_driver_do_job(&scene.crowd.d, 0);
	}
	CHECK(!delivered->is_done);
	push(&scene, "PUT /metrics/job/node/instance/h", "m{number=\"y\"} 2\nother 1\n");
	crowd_settle(&scene.crowd);
	CHECK(delivered->is_done);
	CHECK_INT(only_group(&scene)->series, 3002);
	CHECK_PAGE(&scene, "m{instance=\"h\",job=\"node\",number=\"y\"} 2\n");
	CHECK_NOT_ON_PAGE(&scene, "number=\"x\"");
	CHECK_NOT_ON_PAGE(&scene, "old");
	end(&scene);
}

static void test_one_after_the_other(void)
{
	struct scene scene;
	begin(&scene);
	start(&scene, crowd_series(&scene.crowd, "m", 3000));
	struct delivered *second = start(&scene, "m{number=\"1\"} 2\n");
	struct delivered *third = start(&scene, "m{number=\"1\"} 3\n");
	crowd_settle(&scene.crowd);
	CHECK(second->is_done && third->is_done);
	CHECK_INT(only_group(&scene)->series, 3000);
	CHECK_PAGE(&scene, "m{instance=\"h\",job=\"node\",number=\"1\"} 3\n");
	end(&scene);
}

/* ---- When it is done ---- */

static void test_durable(void)
{
	struct scene scene;
	begin(&scene);
	/* Others need not wait; a delivery does. */
	api_set_durable(&scene.crowd.d.api, false, UINT64_C(30) * 1000000000);
	struct delivered *delivered = deliver(&scene, "m 1\n");
	CHECK(!delivered->is_done);
	CHECK_PAGE(&scene, "m" GROUP " 1\n");
	api_on_durable(&scene.crowd.d.api, 0, scene.crowd.d.store.changed);
	CHECK(delivered->is_done && delivered->result == MERGE_STORED);
	delivered = deliver(&scene, "m 2\n");
	api_on_failed(&scene.crowd.d.api, 0, scene.crowd.d.store.changed, SLICE("disk full"));
	CHECK(delivered->is_done && delivered->result == MERGE_LATER);
	delivered = deliver(&scene, "m 2\n");
	crowd_pass(&scene.crowd, 40000);
	CHECK(delivered->is_done && delivered->result == MERGE_LATER);
	api_set_away(&scene.crowd.d.api, 0, SLICE("it is gone"));
	delivered = deliver(&scene, "m 3\n");
	CHECK(delivered->is_done && delivered->result == MERGE_LATER);
	api_set_back(&scene.crowd.d.api, 0);
	CHECK_PAGE(&scene, "m" GROUP " 2\n");
	end(&scene);
}

/* ---- What goes ---- */

static void pass(struct scene *scene, uint64_t seconds)
{
	crowd_pass(&scene->crowd, seconds * 1000);
	merges_step(&scene->merges);
	crowd_settle(&scene->crowd);
}

static void test_series_go(void)
{
	struct scene scene;
	begin(&scene);
	push(&scene, "PUT /metrics/job/node/instance/h", "pushed 1\nm{a=\"0\"} 1\n");
	deliver(&scene, "m{a=\"1\"} 1\nm{a=\"2\"} 1\ngone 1\n");
	pass(&scene, 0);
	pass(&scene, TTL_SECONDS / 2);
	deliver(&scene, "m{a=\"1\"} 1\n");
	push(&scene, "POST /metrics/job/node/instance/h", "pushed 2\n");
	int64_t pushed_ns = only_group(&scene)->times.pushed_ns;
	int64_t deadline_ns = only_group(&scene)->deadline_ns;
	pass(&scene, TTL_SECONDS / 2);
	CHECK_PAGE(&scene, "m{a=\"1\",instance=\"h\",job=\"node\"} 1\n");
	CHECK_PAGE(&scene, "pushed" GROUP " 2\n");
	CHECK_INT(only_group(&scene)->series, 2);
	CHECK_INT(only_group(&scene)->member_count, 2);
	CHECK_INT(only_group(&scene)->times.pushed_ns, pushed_ns);
	CHECK_INT(only_group(&scene)->deadline_ns, deadline_ns);
	end(&scene);
}

/* A weir that was started anew knows nothing: what it finds lives as long as if it had. */
static void test_found_series_go(void)
{
	struct scene scene;
	begin(&scene);
	deliver(&scene, "m{a=\"1\"} 1\nold 1\n");
	pass(&scene, 0);
	merges_finish(&scene.merges);
	merges_init(&scene.merges, &scene.crowd.d.api, (int64_t)TTL_SECONDS * 1000000000,
			SLICE("redis-list"));
	pass(&scene, TTL_SECONDS - 10);
	deliver(&scene, "m{a=\"2\"} 1\n");
	pass(&scene, 5);
	CHECK_INT(only_group(&scene)->series, 3);
	pass(&scene, 5);
	CHECK_INT(only_group(&scene)->series, 2); /* m was posted since, all of it */
	CHECK_NOT_ON_PAGE(&scene, "old");
	pass(&scene, TTL_SECONDS);
	CHECK_INT(only_group(&scene)->series, 0);
	end(&scene);
}

static void test_ages(void)
{
	const struct merge_series first[] = { { 1, 10 }, { 2, 10 }, { 3, 20 } };
	const struct merge_series older[] = { { 4, 5 }, { 2, 7 }, { 5, 15 }, { 1, 30 } };
	struct merged *merged = merged_create(SLICE("h"));
	CHECK(merged_oldest_ns(merged) == UINT64_MAX);
	merged_see(merged, first, 3);
	merged_see(merged, older, 4);
	CHECK_INT(merged_oldest_ns(merged), 5);
	CHECK_INT(merged_seen_ns(merged, 1), 30);
	CHECK_INT(merged_seen_ns(merged, 2), 10);
	merged_forget(merged, 10, 1);
	CHECK_INT(merged_oldest_ns(merged), 10);
	merged_forget(merged, 10, 100);
	CHECK_INT(merged_oldest_ns(merged), 15);
	CHECK_INT(merged_seen_ns(merged, 2), 0);
	CHECK_INT(merged_seen_ns(merged, 4), 0);
	merged_forget(merged, 20, 100);
	CHECK_INT(merged_oldest_ns(merged), 30);
	merged_destroy(merged);
}

int main(void)
{
	RUN(test_series_are_put_together);
	RUN(test_what_is_the_same_is_not_written_again);
	RUN(test_memory);
	RUN(test_nothing_good_makes_no_group);
	RUN(test_contradictions);
	RUN(test_a_push_in_between);
	RUN(test_one_after_the_other);
	RUN(test_durable);
	RUN(test_series_go);
	RUN(test_found_series_go);
	RUN(test_ages);
	return check_done();
}
