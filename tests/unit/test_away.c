/*
 * Lanes that are away: nothing of them changes, and who tries is told so at once.
 * The test is who says which are.
 */

#include "unit/api_crowd.h"

#define REFUSAL "the state store is away, nothing was changed: no route to host\n"

enum { TIMEOUT_MS = 30000, LANES = 3, FAMILIES = 10000, SERIES = 20000 };

static struct crowd crowd;

/* Jobs "0", "1" and so on, told apart by the last byte of their names. */
static size_t lane_of(const struct group_key *key)
{
	const struct label *job = &key->labels.pairs[key->labels.count - 1];
	return (size_t)(job->value.ptr[job->value.len - 1] - '0') % LANES;
}

static void begin_with(const struct api_options *options)
{
	crowd_init_with(&crowd, options);
	api_set_lanes(&crowd.d.api, LANES, lane_of);
}

static void begin(void)
{
	struct api_options options = api_driver_options();
	begin_with(&options);
}

static void end(void)
{
	crowd_finish(&crowd);
}

static void set_away(size_t lane)
{
	api_set_away(&crowd.d.api, lane, SLICE("no route to host"));
}

static uint64_t version(void)
{
	return crowd.d.store.changed;
}

static int next(size_t number)
{
	return crowd_next(&crowd, number).status;
}

static void check_refusal(struct api_response response)
{
	CHECK_INT(response.status, 503);
	CHECK_STRING(response.body, REFUSAL);
	CHECK_STRING(api_driver_header(&response, "Retry-After"), "1");
	CHECK_STRING(api_driver_header(&response, "Content-Type"), "text/plain; charset=utf-8");
}

static void check_refused(const char *line, const char *body)
{
	int failures = check_failures;
	uint64_t before = version();
	check_refusal(api_driver_do(&crowd.d, line, "", slice_of_string(body)));
	CHECK_INT(version(), before);
	if (failures != check_failures) {
		fprintf(stderr, "of %s\n", line);
	}
}

/* Of a family each, or of one. */
static const char *lines(size_t count, const char *head, const char *tail, const char *value)
{
	struct buf text;
	buf_init(&text, 0);
	for (size_t i = 0; i < count; i++) {
		buf_printf(&text, "%s%zu%s %s\n", head, i, tail, value);
	}
	buf_append_byte(&text, '\0');
	const char *copy = arena_copy(&crowd.d.arena, buf_slice(&text)).ptr;
	buf_finish(&text);
	return copy;
}

/* So many families that they are made on a thread and go into the store in slices. */
static const char *families(const char *value)
{
	return lines(FAMILIES, "family_", "", value);
}

/* So many series of one that they are made, or spliced, on a thread. */
static const char *series(const char *value)
{
	return lines(SERIES, "m{number=\"", "\"}", value);
}

static struct slice page(void)
{
	return api_driver_do(&crowd.d, "GET /metrics", "", SLICE("")).body;
}

/* ---- At once ---- */

static void test_what_is_refused(void)
{
	begin();
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/1", "m 1\n"), 200);
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/2", "m 2\n"), 200);
	set_away(1);
	check_refused("PUT /metrics/job/1", "m 2\n"); /* as a splice */
	check_refused("POST /metrics/job/1", "n 2\n");
	check_refused("PUT /metrics/job/1", "");
	check_refused("PUT /metrics/job/new1", "m 1\n");
	check_refused("DELETE /metrics/job/1", "");
	check_refused("DELETE /metrics/job/1", "with a body");
	check_refused("PUT /api/v1/admin/wipe", "");
	check_refused("POST /api/v1/import", "{}\n");
	CHECK_INT(crowd.d.stats.rejected[STATS_REJECTED_STATE], 4);
	CHECK_INT(stats_requests(&crowd.d.stats, STATS_HANDLER_PUSH, STATS_METHOD_PUT, 503), 3);
	CHECK_INT(stats_requests(&crowd.d.stats, STATS_HANDLER_PUSH, STATS_METHOD_POST, 503), 1);
	CHECK_INT(stats_requests(&crowd.d.stats, STATS_HANDLER_DELETE, STATS_METHOD_DELETE, 503), 2);
	CHECK_INT(stats_requests(&crowd.d.stats, STATS_HANDLER_WIPE, STATS_METHOD_PUT, 503), 1);
	CHECK_INT(stats_requests(&crowd.d.stats, STATS_HANDLER_API_IMPORT, STATS_METHOD_POST, 503), 1);
	CHECK_STRING(api_driver_page(&crowd.d),
			"m{instance=\"\",job=\"1\"} 1\nm{instance=\"\",job=\"2\"} 2\n");
	end();
}

static void test_what_is_not(void)
{
	begin();
	set_away(1);
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/0", "m 1\n"), 200);
	CHECK_INT(api_driver_status(&crowd.d, "DELETE /metrics/job/2", ""), 202);
	CHECK_INT(api_driver_status(&crowd.d, "GET /-/ready", ""), 200);
	CHECK_INT(api_driver_status(&crowd.d, "GET /metrics", ""), 200);
	CHECK_INT(api_driver_status(&crowd.d, "GET /api/v1/status", ""), 200);
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/1/x", "m 1\n"), 400); /* the path */
	CHECK_INT(api_driver_status(&crowd.d, "PATCH /metrics/job/1", "m 1\n"), 405);
	CHECK_INT(api_driver_status(&crowd.d, "PUT /nowhere", "m 1\n"), 404);
	end();
}

static void test_away_and_back(void)
{
	begin();
	api_set_back(&crowd.d.api, 1);
	api_set_away(&crowd.d.api, 1, SLICE("another reason"));
	set_away(1);
	set_away(2);
	check_refused("PUT /metrics/job/1", "m 1\n");
	check_refused("PUT /metrics/job/2", "m 1\n");
	api_set_back(&crowd.d.api, 1);
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/1", "m 1\n"), 200);
	check_refused("PUT /api/v1/admin/wipe", "");
	api_set_back(&crowd.d.api, 2);
	api_set_back(&crowd.d.api, 2);
	CHECK_INT(api_driver_status(&crowd.d, "PUT /api/v1/admin/wipe", ""), 202);
	end();
}

/* Before the body is there; the connection goes on behind it. */
static void test_by_the_head(void)
{
	begin();
	set_away(1);
	crowd_feed(&crowd, 1,
			SLICE("PUT /metrics/job/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
				  "Content-Encoding: gzip\r\n\r\n"));
	check_refusal(crowd_next(&crowd, 1));
	crowd_feed(&crowd, 1, SLICE("12345"));
	crowd_send(&crowd, 1, "PUT /metrics/job/2", "m 1\n");
	CHECK_INT(next(1), 200);
	end();
}

static void test_order_of_answers(void)
{
	begin();
	api_set_durable(&crowd.d.api, true, TIMEOUT_MS * UINT64_C(1000000));
	set_away(1);
	crowd_send(&crowd, 1, "PUT /metrics/job/2", "m 1\n");
	crowd_send(&crowd, 1, "PUT /metrics/job/1", "m 1\n");
	crowd_send(&crowd, 1, "GET /-/healthy", "");
	CHECK_INT(next(1), 0);
	api_on_durable(&crowd.d.api, 2, version());
	crowd_pump(&crowd);
	CHECK_INT(next(1), 200);
	CHECK_INT(next(1), 503);
	CHECK_INT(next(1), 200);
	end();
}

/* ---- While what is stored is being loaded ---- */

static void test_while_loading(void)
{
	begin();
	api_begin_loading(&crowd.d.api, TIMEOUT_MS * UINT64_C(1000000));
	set_away(1);
	crowd_send(&crowd, 1, "PUT /metrics/job/1", "m 1\n");
	check_refusal(crowd_next(&crowd, 1));
	crowd_send(&crowd, 2, "PUT /metrics/job/2", "m 1\n");
	crowd_send(&crowd, 2, "DELETE /metrics/job/1", "");
	crowd_send(&crowd, 2, "PUT /metrics/job/2", "m 2\n");
	CHECK_INT(next(2), 0);
	CHECK_INT(crowd.d.api.loading.count, 2);
	api_end_loading(&crowd.d.api);
	crowd_settle(&crowd);
	CHECK_INT(next(2), 200);
	CHECK_INT(next(2), 503);
	CHECK_INT(next(2), 200);
	CHECK_STRING(api_driver_page(&crowd.d), "m{instance=\"\",job=\"2\"} 2\n");
	end();
}

/* What waited for it is refused when it is carried out. */
static void test_after_loading(void)
{
	begin();
	api_begin_loading(&crowd.d.api, TIMEOUT_MS * UINT64_C(1000000));
	crowd_send(&crowd, 1, "PUT /metrics/job/1", "m 1\n");
	set_away(1);
	api_end_loading(&crowd.d.api);
	crowd_settle(&crowd);
	check_refusal(crowd_next(&crowd, 1));
	CHECK_INT(version(), 0);
	end();
}

/* ---- Let in before ---- */

static void test_body_on_its_way(void)
{
	begin();
	crowd_feed(&crowd, 1,
			SLICE("PUT /metrics/job/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nm "));
	set_away(1);
	CHECK_INT(next(1), 0);
	crowd_feed(&crowd, 1, SLICE("1\n"));
	check_refusal(crowd_next(&crowd, 1));
	CHECK_INT(version(), 0);
	CHECK_INT(crowd.d.stats.rejected[STATS_REJECTED_STATE], 1);
	end();
}

/* Its time would be a change, too. */
static void test_no_failure_is_recorded(void)
{
	begin();
	crowd_send(&crowd, 1, "PUT /metrics/job/1",
			ARENA_JOIN(&crowd.d.arena, slice_of_string(families("1")),
					SLICE("family_0{a=\"b\"} 1\nfamily_0{a=\"b\"} 2\n\0"))
					.ptr);
	CHECK_INT(crowd.d.job_count, 1); /* on a thread */
	set_away(1);
	crowd_settle(&crowd);
	check_refusal(crowd_next(&crowd, 1));
	CHECK_INT(version(), 0);
	CHECK(!crowd_has(page(), "push_failure_time_seconds{"));
	end();
}

/* Away after so many steps of a push: it changes nothing, or all. True when it was refused. */
static bool away_after(size_t steps, const char *body, const char *value)
{
	uint64_t before = version();
	crowd_send(&crowd, 1, "PUT /metrics/job/1", body);
	for (size_t i = 0; i < steps && crowd.d.job_count > 0; i++) {
		api_driver_do_job(&crowd.d, 0);
	}
	set_away(1);
	crowd_settle(&crowd);
	api_set_back(&crowd.d.api, 1);
	struct api_response response = crowd_next(&crowd, 1);
	bool is_refused = response.status == 503;
	bool is_new = crowd_has(page(), value);
	if (is_refused) {
		check_refusal(response);
		CHECK_INT(version(), before);
	} else {
		CHECK_INT(response.status, 200);
	}
	CHECK_INT(is_new, !is_refused);
	CHECK(crowd.d.store.slicing == NULL);
	return is_refused;
}

static void check_every_step(const char *body, const char *value, size_t least)
{
	size_t steps = 0;
	while (away_after(steps, body, value)) {
		steps++;
	}
	CHECK(steps >= least);
}

static void test_push_in_slices(void)
{
	begin();
	const char *first = families("1");
	check_every_step(first, "family_9999{instance=\"\",job=\"1\"} 1\n", 5);
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/1", "m 1\n"), 200);
	CHECK(families_find(
				  &crowd.d.store.contents->families, SLICE("family_1"), hash64(SLICE("family_1")))
			== NULL);
	end();
}

/* Other values for many lines are put into copies of them on a thread. */
static void test_splice_on_a_thread(void)
{
	begin();
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/1", series("1")), 200);
	uint64_t spliced = crowd.d.stats.unchanged_layouts;
	check_every_step(series("2"), "m{instance=\"\",job=\"1\",number=\"19999\"} 2\n", 2);
	CHECK_INT(crowd.d.stats.unchanged_layouts, spliced + 1);
	end();
}

/* One that waits for another's slices. */
static void test_push_that_waits(void)
{
	begin();
	crowd_send(&crowd, 1, "PUT /metrics/job/2", families("1"));
	while (crowd.d.store.slicing == NULL) {
		api_driver_do_job(&crowd.d, 0);
	}
	crowd_send(&crowd, 2, "PUT /metrics/job/1", "m 1\n");
	CHECK_INT(next(2), 0);
	set_away(1);
	crowd_settle(&crowd);
	CHECK_INT(next(1), 200);
	check_refusal(crowd_next(&crowd, 2));
	CHECK_INT(crowd.d.store.contents->group_count, 1);
	end();
}

/* ---- Deletions ---- */

static void test_deletion_in_slices(void)
{
	begin();
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/1", families("1")), 200);
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/x1", "m 1\n"), 200);
	crowd_send(&crowd, 1, "DELETE /metrics/job/1", "");
	CHECK(crowd.d.store.deleting != NULL);
	crowd_send(&crowd, 2, "DELETE /metrics/job/x1", "");
	CHECK_INT(next(2), 0);
	set_away(1);
	crowd_settle(&crowd);
	CHECK_INT(next(1), 202); /* half of it was gone */
	check_refusal(crowd_next(&crowd, 2));
	CHECK_INT(crowd.d.store.contents->group_count, 1);
	end();
}

static void test_wipe_that_waits(void)
{
	begin();
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/1", families("1")), 200);
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/2", "m 1\n"), 200);
	crowd_send(&crowd, 1, "DELETE /metrics/job/1", "");
	crowd_send(&crowd, 2, "PUT /api/v1/admin/wipe", "");
	CHECK_INT(next(2), 0);
	set_away(0);
	crowd_settle(&crowd);
	CHECK_INT(next(1), 202);
	check_refusal(crowd_next(&crowd, 2));
	CHECK_INT(crowd.d.store.contents->group_count, 1);
	end();
}

/* ---- Imports ---- */

#define LINE(job) "{\"labels\":{\"job\":\"" job "\"},\"pushed\":\"1795161000\",\"families\":[]}\n"

/* Groups that are put into the store after their lane is away are refused one by one. */
static void test_import_under_way(void)
{
	begin();
	struct buf body;
	buf_init(&body, 0);
	for (int i = 0; i < 100; i++) { /* more than one turn takes */
		buf_printf(&body,
				"{\"labels\":{\"job\":\"%d\"},\"pushed\":\"1795161000\",\"families\":[]}\n", i);
	}
	buf_append_string(&body, LINE("last1") LINE("last2"));
	buf_append_byte(&body, '\0');
	crowd_send(&crowd, 1, "POST /api/v1/import", body.ptr);
	while (crowd.d.store.contents->group_count == 0) {
		api_driver_do_job(&crowd.d, 0);
	}
	size_t taken = crowd.d.store.contents->group_count;
	CHECK(taken < 100);
	set_away('1' % LANES);
	crowd_settle(&crowd);
	struct api_response response = crowd_next(&crowd, 1);
	CHECK_INT(response.status, 200);
	CHECK(crowd_has(response.body,
			"\"group\":\"instance=\\\"\\\",job=\\\"last1\\\"\",\"reason\":\"the state store is "
			"away, nothing was changed: no route to host\""));
	CHECK(!crowd_has(response.body, "last2"));
	buf_finish(&body);
	end();
}

/* Of two at a time the second has not begun. */
static void test_import_that_waits(void)
{
	begin();
	struct buf body;
	buf_init(&body, 0);
	for (int i = 0; i < 1000; i++) {
		buf_printf(&body,
				"{\"labels\":{\"job\":\"%d\"},\"pushed\":\"1795161000\",\"families\":[]}\n", 3 * i);
	}
	buf_append_byte(&body, '\0');
	crowd_send(&crowd, 1, "POST /api/v1/import", body.ptr);
	crowd_send(&crowd, 2, "POST /api/v1/import", LINE("a1"));
	crowd_send(&crowd, 3, "POST /api/v1/import", LINE("b2"));
	set_away(1);
	api_driver_settle(&crowd.d, NULL);
	crowd_pump(&crowd);
	check_refusal(crowd_next(&crowd, 2));
	check_refusal(crowd_next(&crowd, 3));
	api_set_back(&crowd.d.api, 1);
	CHECK_INT(api_driver_status(&crowd.d, "POST /api/v1/import", LINE("a1")), 200);
	buf_finish(&body);
	end();
}

int main(void)
{
	RUN(test_what_is_refused);
	RUN(test_what_is_not);
	RUN(test_away_and_back);
	RUN(test_by_the_head);
	RUN(test_order_of_answers);
	RUN(test_while_loading);
	RUN(test_after_loading);
	RUN(test_body_on_its_way);
	RUN(test_no_failure_is_recorded);
	RUN(test_push_in_slices);
	RUN(test_splice_on_a_thread);
	RUN(test_push_that_waits);
	RUN(test_deletion_in_slices);
	RUN(test_wipe_that_waits);
	RUN(test_import_under_way);
	RUN(test_import_that_waits);
	return check_done();
}
