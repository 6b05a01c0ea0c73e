/*
 * Answers that wait until what they acknowledge is durable. The test is who makes
 * it durable, or fails to.
 */

#include "unit/api_crowd.h"

#define J "{instance=\"\",job=\"j\"}"

enum { TIMEOUT_MS = 30000, WINDOW = 32 };

static void begin(struct crowd *crowd)
{
	crowd_init(crowd);
	api_set_durable(&crowd->d.api, true, TIMEOUT_MS * UINT64_C(1000000));
}

static void end(struct crowd *crowd)
{
	api_on_durable(&crowd->d.api, 0, UINT64_MAX);
	crowd_pump(crowd);
	crowd_finish(crowd);
}

static uint64_t version(const struct crowd *crowd)
{
	return crowd->d.store.changed;
}

static void make_durable(struct crowd *crowd, uint64_t number)
{
	api_on_durable(&crowd->d.api, 0, number);
	crowd_pump(crowd);
}

static void fail(struct crowd *crowd, uint64_t number)
{
	api_on_failed(&crowd->d.api, 0, number, SLICE("database or disk is full"));
	crowd_pump(crowd);
}

static int next(struct crowd *crowd, size_t number)
{
	return crowd_next(crowd, number).status;
}

/* ---- Waiting ---- */

static void test_what_waits(void)
{
	static const struct {
		const char *line;
		const char *body;
		int status;
	} cases[] = {
		{ "PUT /metrics/job/j", "m 1\n", 200 },
		{ "PUT /metrics/job/j", "m 2\n", 200 }, /* spliced */
		{ "POST /metrics/job/j", "n 2\n", 200 },
		{ "PUT /metrics/job/j", "", 200 },
		{ "DELETE /metrics/job/j", "", 202 },
		{ "PUT /metrics/job/j", "m 1\n", 200 },
		{ "PUT /api/v1/admin/wipe", "", 202 },
	};
	struct crowd crowd;
	begin(&crowd);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int failures = check_failures;
		crowd_send(&crowd, 0, cases[i].line, cases[i].body);
		crowd_settle(&crowd);
		CHECK_INT(next(&crowd, 0), 0);
		CHECK_INT(crowd.d.api.acks.count, 1);
		make_durable(&crowd, version(&crowd) - 1);
		CHECK_INT(next(&crowd, 0), 0);
		make_durable(&crowd, version(&crowd));
		CHECK_INT(next(&crowd, 0), cases[i].status);
		CHECK_INT(crowd.d.api.acks.count, 0);
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].line);
		}
	}
	end(&crowd);
}

static void test_what_does_not(void)
{
	struct crowd crowd;
	begin(&crowd);
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/j", "m{\n"), 400);
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/j", "m 1\nm 2\n"), 400);
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/x/p", "m 1\n"), 400);
	make_durable(&crowd, version(&crowd));
	CHECK_INT(api_driver_status(&crowd.d, "DELETE /metrics/job/nothing", ""), 202);
	crowd_send(&crowd, 1, "PUT /metrics/job/j", "m 1\n");
	CHECK_INT(api_driver_status(&crowd.d, "GET /metrics", ""), 200);
	CHECK_STRING(api_driver_page(&crowd.d), "m" J " 1\n");
	end(&crowd);
}

static void test_unchecked(void)
{
	struct crowd crowd;
	struct api_options options = api_driver_options();
	options.is_checked = false;
	crowd_init_with(&crowd, &options);
	api_set_durable(&crowd.d.api, true, TIMEOUT_MS * UINT64_C(1000000));
	crowd_send(&crowd, 0, "PUT /metrics/job/j", "m 1\n");
	CHECK_INT(next(&crowd, 0), 0);
	make_durable(&crowd, version(&crowd));
	CHECK_INT(next(&crowd, 0), 202);
	end(&crowd);
}

/* Who hears that a group is gone may rely on it, whoever deleted it. */
static void test_deleted_by_another(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 0, "PUT /metrics/job/j", "m 1\n");
	make_durable(&crowd, version(&crowd));
	CHECK_INT(next(&crowd, 0), 200);
	crowd_send(&crowd, 1, "DELETE /metrics/job/j", "");
	crowd_send(&crowd, 2, "DELETE /metrics/job/j", "");
	CHECK_INT(next(&crowd, 2), 0);
	make_durable(&crowd, version(&crowd));
	CHECK_INT(next(&crowd, 1), 202);
	CHECK_INT(next(&crowd, 2), 202);
	end(&crowd);
}

static void test_not_needed(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 1, "PUT /metrics/job/j", "m 1\n");
	api_set_durable(&crowd.d.api, false, 0);
	crowd_pump(&crowd);
	CHECK_INT(next(&crowd, 1), 200);
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/j", "m 2\n"), 200);
	end(&crowd);
}

/* ---- Order ---- */

/* One client's requests are all carried out before the first is durable. */
static void test_window(void)
{
	struct crowd crowd;
	begin(&crowd);
	for (int i = 0; i < WINDOW; i++) {
		char line[40];
		snprintf(line, sizeof(line), "PUT /metrics/job/%d", i);
		crowd_send(&crowd, 0, line, "m 1\n");
	}
	CHECK_INT(crowd.d.store.contents->group_count, WINDOW);
	CHECK_INT(crowd.d.api.acks.count, WINDOW);
	CHECK_INT(next(&crowd, 0), 0);
	make_durable(&crowd, version(&crowd));
	for (int i = 0; i < WINDOW; i++) {
		CHECK_INT(next(&crowd, 0), 200);
	}
	CHECK_INT(crowd.d.connection.out.len, 0);
	end(&crowd);
}

static void test_several_clients(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 1, "PUT /metrics/job/a", "m 1\n");
	uint64_t first = version(&crowd);
	crowd_send(&crowd, 2, "PUT /metrics/job/b", "m 1\n");
	crowd_send(&crowd, 1, "PUT /metrics/job/c", "m 1\n");
	uint64_t third = version(&crowd);
	crowd_send(&crowd, 3, "PUT /metrics/job/d", "m 1\n");
	make_durable(&crowd, first);
	CHECK_INT(next(&crowd, 1), 200);
	CHECK_INT(next(&crowd, 1), 0);
	CHECK_INT(next(&crowd, 2), 0);
	make_durable(&crowd, third);
	CHECK_INT(next(&crowd, 2), 200);
	CHECK_INT(next(&crowd, 1), 200);
	CHECK_INT(next(&crowd, 3), 0);
	CHECK_INT(crowd.d.api.acks.count, 1);
	end(&crowd);
}

/* What is behind a push is carried out, and answered in its place. */
static void test_behind(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 0, "PUT /metrics/job/j", "m 1\n");
	crowd_send(&crowd, 0, "GET /metrics", "");
	crowd_send(&crowd, 0, "PUT /metrics/job/j", "m{\n");
	crowd_send(&crowd, 0, "GET /-/healthy", "");
	crowd_settle(&crowd);
	CHECK_INT(next(&crowd, 0), 0);
	make_durable(&crowd, version(&crowd));
	crowd_settle(&crowd);
	CHECK_INT(next(&crowd, 0), 200);
	struct api_response page = crowd_next(&crowd, 0);
	CHECK(crowd_has(page.body, "m" J " 1\n"));
	CHECK_INT(next(&crowd, 0), 400);
	CHECK_STRING(crowd_next(&crowd, 0).body, "OK");
	end(&crowd);
}

/* A large push holds up what is behind it until it is applied, not until it is durable. */
static void test_large(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 0, "PUT /metrics/job/j", crowd_series(&crowd, "large", 20000));
	crowd_send(&crowd, 0, "DELETE /metrics/job/j", "");
	crowd_send(&crowd, 0, "PUT /metrics/job/j", "small 1\n");
	CHECK_INT(crowd.d.api.acks.count, 0);
	crowd_settle(&crowd);
	CHECK_INT(crowd.d.api.acks.count, 3);
	CHECK_INT(next(&crowd, 0), 0);
	make_durable(&crowd, version(&crowd));
	CHECK_INT(next(&crowd, 0), 200);
	CHECK_INT(next(&crowd, 0), 202);
	CHECK_INT(next(&crowd, 0), 200);
	CHECK_STRING(api_driver_page(&crowd.d), "small" J " 1\n");
	end(&crowd);
}

/* ---- Failures ---- */

static void test_failure(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 1, "PUT /metrics/job/a", "m 1\n");
	crowd_send(&crowd, 2, "DELETE /metrics/job/a", "");
	uint64_t second = version(&crowd);
	crowd_send(&crowd, 3, "PUT /metrics/job/j", "m 1\n");
	fail(&crowd, second);
	struct api_response response = crowd_next(&crowd, 1);
	CHECK_INT(response.status, 503);
	CHECK_STRING(api_driver_header(&response, "Content-Type"), "text/plain; charset=utf-8");
	CHECK_STRING(response.body,
			"the change is in memory, but not stored durably yet: database or disk is full; weir "
			"goes on trying\n");
	CHECK_INT(next(&crowd, 2), 503);
	CHECK_INT(next(&crowd, 3), 0);
	CHECK_INT(crowd.d.stats.rejected[STATS_REJECTED_STATE], 1);
	CHECK_INT(stats_requests(&crowd.d.stats, STATS_HANDLER_PUSH, STATS_METHOD_PUT, 503), 1);
	CHECK_INT(stats_requests(&crowd.d.stats, STATS_HANDLER_DELETE, STATS_METHOD_DELETE, 503), 1);
	CHECK_STRING(api_driver_page(&crowd.d), "m" J " 1\n");
	make_durable(&crowd, version(&crowd)); /* it works again */
	CHECK_INT(next(&crowd, 3), 200);
	CHECK_INT(next(&crowd, 1), 0);
	end(&crowd);
}

static void test_timeout(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 1, "PUT /metrics/job/a", "m 1\n");
	crowd_pass(&crowd, TIMEOUT_MS - 10);
	crowd_send(&crowd, 2, "PUT /metrics/job/b", "m 1\n");
	CHECK_INT(crowd.d.timer_count, 1); /* for both */
	CHECK_INT(next(&crowd, 1), 0);
	crowd_pass(&crowd, 11);
	struct api_response response = crowd_next(&crowd, 1);
	CHECK_INT(response.status, 503);
	CHECK(crowd_has(response.body, "is in memory, but not stored durably yet: it takes longer"));
	CHECK_INT(next(&crowd, 2), 0);
	make_durable(&crowd, version(&crowd));
	CHECK_INT(next(&crowd, 2), 200);
	crowd_pass(&crowd, TIMEOUT_MS);
	CHECK_INT(crowd.d.timer_count, 0); /* nobody waits: it is not set anew */
	end(&crowd);
}

static void test_gone(void)
{
	struct crowd crowd;
	begin(&crowd);
	for (size_t i = 0; i < CROWD_SIZE; i++) {
		crowd_send(&crowd, i, "PUT /metrics/job/j", "m 1\n");
		crowd_send(&crowd, i, "DELETE /metrics/job/j", "");
		crowd_disconnect(&crowd, i);
	}
	uint64_t number = version(&crowd);
	make_durable(&crowd, number - 4);
	fail(&crowd, number - 2);
	crowd_pass(&crowd, TIMEOUT_MS + 1);
	CHECK_INT(crowd.d.api.acks.count, 0);
	CHECK_INT(crowd.d.server.exchange_count, 0);
	end(&crowd);
}

int main(void)
{
	RUN(test_what_waits);
	RUN(test_what_does_not);
	RUN(test_unchecked);
	RUN(test_deleted_by_another);
	RUN(test_not_needed);
	RUN(test_window);
	RUN(test_several_clients);
	RUN(test_behind);
	RUN(test_large);
	RUN(test_failure);
	RUN(test_timeout);
	RUN(test_gone);
	return check_done();
}
