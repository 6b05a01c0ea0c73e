/*
 * Requests while what is stored is being loaded: who is refused, who waits, and
 * in what order all is carried out.
 */

#include "unit/api_crowd.h"

#define J "{instance=\"\",job=\"j\"}"

enum { TIMEOUT_MS = 30000, PATIENCE_MS = 500 };

static void begin(struct crowd *crowd)
{
	crowd_init(crowd);
	api_begin_loading(&crowd->d.api, TIMEOUT_MS * UINT64_C(1000000));
	api_set_loading_progress(&crowd->d.api, 120000, 1000000);
}

static void end(struct crowd *crowd)
{
	api_give_up_loading(&crowd->d.api);
	crowd_settle(crowd);
	crowd_finish(crowd);
}

static struct loading *loading_of(struct crowd *crowd)
{
	return &crowd->d.api.loading;
}

static size_t group_count(const struct crowd *crowd)
{
	return crowd->d.store.contents->group_count;
}

/* ---- What does not wait ---- */

static void test_refused(void)
{
	static const char sentence[] = "what is stored is being loaded: 120000 of 1000000 records";
	static const struct {
		const char *line;
		int status;
	} cases[] = {
		{ "GET /metrics", 503 },
		{ "GET /api/v1/metrics", 503 },
		{ "GET /api/v1/query?query=m", 503 },
		{ "POST /api/v1/query?query=m", 503 },
		{ "GET /", 503 },
		{ "GET /status", 503 },
		{ "GET /-/ready", 503 },
		{ "GET /-/healthy", 200 },
		{ "GET /-/healthy?format=metrics", 200 },
		{ "GET /api/v1/status", 200 },
		{ "GET /static/weir.css", 404 },
		{ "GET /nothing", 404 },
		{ "GET //metrics", 301 },
		{ "OPTIONS /api/v1/x", 200 },
	};
	struct crowd crowd;
	begin(&crowd);
	crowd_pass(&crowd, PATIENCE_MS);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int failures = check_failures;
		crowd_send(&crowd, 0, cases[i].line, "");
		struct api_response response = crowd_next(&crowd, 0);
		struct slice retry = api_driver_header(&response, "Retry-After");
		CHECK_INT(response.status, cases[i].status);
		CHECK_STRING(retry, cases[i].status == 503 ? "1" : "");
		CHECK_INT(crowd_has(response.body, sentence), cases[i].status == 503);
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].line);
		}
	}
	const struct stats *stats = &crowd.d.stats;
	CHECK_INT(stats_requests(stats, STATS_HANDLER_READY, STATS_METHOD_GET, 503), 1);
	CHECK_INT(stats_requests(stats, STATS_HANDLER_STATUS, STATS_METHOD_GET, 503), 2);
	CHECK_INT(stats->rejected[STATS_REJECTED_STATE], 0);
	end(&crowd);
}

static void test_scraper_hears_of_it(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 0, "GET /-/healthy?format=metrics", "");
	CHECK(crowd_has(crowd_next(&crowd, 0).body, "\nweir_ready 0\n"));
	api_end_loading(&crowd.d.api);
	crowd_settle(&crowd);
	crowd_send(&crowd, 0, "GET /-/healthy?format=metrics", "");
	CHECK(crowd_has(crowd_next(&crowd, 0).body, "\nweir_ready 1\n"));
	end(&crowd);
}

static void test_texts(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_pass(&crowd, PATIENCE_MS);
	api_set_loading_progress(&crowd.d.api, 0, 0);
	crowd_send(&crowd, 0, "GET /metrics", "");
	struct api_response response = crowd_next(&crowd, 0);
	CHECK_STRING(response.body, "what is stored is being loaded\n");
	CHECK_STRING(api_driver_header(&response, "Content-Type"), "text/plain; charset=utf-8");
	crowd_send(&crowd, 0, "GET /api/v1/metrics", "");
	response = crowd_next(&crowd, 0);
	CHECK_STRING(response.body,
			"{\"status\":\"error\",\"errorType\":\"unavailable\",\"error\":\"what is stored is "
			"being loaded\"}");
	CHECK_STRING(api_driver_header(&response, "Access-Control-Allow-Origin"), "*");
	end(&crowd);
}

/* Loading is short most often: nobody notices. */
static void test_patience(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 0, "GET /metrics", "");
	crowd_send(&crowd, 1, "GET /-/ready", "");
	crowd_send(&crowd, 1, "PUT /metrics/job/j", "m 1\n");
	crowd_pass(&crowd, PATIENCE_MS - 1);
	CHECK_INT(crowd_next(&crowd, 0).status, 0);
	CHECK_INT(crowd_next(&crowd, 1).status, 0);
	CHECK_INT(loading_of(&crowd)->count, 3);
	api_end_loading(&crowd.d.api);
	crowd_settle(&crowd);
	CHECK(!crowd_has(crowd_next(&crowd, 0).body, "m" J " 1\n"));
	CHECK_STRING(crowd_next(&crowd, 1).body, "OK");
	CHECK_INT(crowd_next(&crowd, 1).status, 200);
	crowd_pass(&crowd, 1); /* nobody is left to be refused */
	end(&crowd);
}

/* It was not that short. */
static void test_no_patience(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 0, "GET /metrics", "");
	crowd_send(&crowd, 0, "GET /-/healthy", "");
	crowd_send(&crowd, 1, "GET /-/ready", "");
	crowd_disconnect(&crowd, 1);
	crowd_pass(&crowd, PATIENCE_MS);
	CHECK_INT(crowd_next(&crowd, 0).status, 503);
	CHECK_INT(crowd_next(&crowd, 0).status, 200);
	CHECK_INT(loading_of(&crowd)->count, 0);
	crowd_send(&crowd, 0, "GET /metrics", "");
	CHECK_INT(crowd_next(&crowd, 0).status, 503);
	end(&crowd);
}

/* ---- What waits ---- */

static void test_order_of_arrival(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 1, "PUT /metrics/job/j", "m 1\n");
	crowd_send(&crowd, 2, "DELETE /metrics/job/j", "");
	crowd_send(&crowd, 1, "PUT /metrics/job/j", "m 2\n");
	crowd_send(&crowd, 3, "PUT /api/v1/admin/wipe", "");
	crowd_send(&crowd, 2, "POST /metrics/job/j", "a 3\n");
	crowd_send(&crowd, 1, "POST /metrics/job/j", "b 4\n");
	crowd_settle(&crowd);
	CHECK_INT(loading_of(&crowd)->count, 6);
	CHECK_INT(group_count(&crowd), 0);
	for (size_t i = 0; i < CROWD_SIZE; i++) {
		CHECK_INT(crowd_next(&crowd, i).status, 0);
	}
	api_end_loading(&crowd.d.api);
	CHECK_INT(group_count(&crowd), 0); /* not from in here */
	crowd_settle(&crowd);
	CHECK_INT(loading_of(&crowd)->count, 0);
	CHECK_INT(crowd_next(&crowd, 1).status, 200);
	CHECK_INT(crowd_next(&crowd, 2).status, 202);
	CHECK_INT(crowd_next(&crowd, 3).status, 202);
	CHECK_STRING(api_driver_page(&crowd.d), "a" J " 3\nb" J " 4\n");
	end(&crowd);
}

/* What is behind a push waits with it, and finds what it brought. */
static void test_behind(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 0, "PUT /metrics/job/j", "m 1\n");
	crowd_send(&crowd, 0, "GET /-/healthy", "");
	crowd_send(&crowd, 0, "GET /metrics", "");
	crowd_send(&crowd, 0, "GET /nothing", "");
	crowd_send(&crowd, 0, "PUT /metrics/job/j", "m{\n"); /* not parsed yet */
	crowd_send(&crowd, 1, "GET /-/healthy", "");
	CHECK_INT(crowd_next(&crowd, 0).status, 0);
	CHECK_INT(crowd_next(&crowd, 1).status, 200);
	CHECK_INT(loading_of(&crowd)->count, 5);
	api_end_loading(&crowd.d.api);
	crowd_settle(&crowd);
	CHECK_INT(crowd_next(&crowd, 0).status, 200);
	CHECK_STRING(crowd_next(&crowd, 0).body, "OK");
	struct api_response page = crowd_next(&crowd, 0);
	CHECK_INT(page.status, 200);
	CHECK(crowd_has(page.body, "m" J " 1\n"));
	CHECK_INT(crowd_next(&crowd, 0).status, 404);
	CHECK_INT(crowd_next(&crowd, 0).status, 400);
	end(&crowd);
}

/* While those that waited are carried out, bit by bit, others come. */
static void test_meanwhile(void)
{
	enum { PUSHES = 100 }; /* more than are carried out on one turn */
	struct crowd crowd;
	begin(&crowd);
	for (size_t i = 0; i < PUSHES; i++) {
		char body[32];
		snprintf(body, sizeof(body), "m %zu\n", i);
		crowd_send(&crowd, i % CROWD_SIZE, "PUT /metrics/job/j", body);
	}
	api_end_loading(&crowd.d.api);
	api_driver_do_job(&crowd.d, 0);
	CHECK(loading_of(&crowd)->count > 0);
	CHECK_INT(group_count(&crowd), 1);
	crowd_send(&crowd, 1, "PUT /metrics/job/j", "m 1000\n");
	crowd_settle(&crowd);
	CHECK_INT(loading_of(&crowd)->count, 0);
	crowd.d.connection.out.len = 0;
	CHECK_STRING(api_driver_page(&crowd.d), "m" J " 1000\n");
	end(&crowd);
}

/* Does all but to carry out those that wait. */
static void settle_others(struct crowd *crowd)
{
	struct api_driver *d = &crowd->d;
	for (size_t i = 0; i < d->job_count;) {
		if (d->jobs[i].job == &loading_of(crowd)->turn) {
			i++;
		} else {
			api_driver_do_job(d, i);
			i = 0;
		}
	}
}

/*
 * A request that waited behind a large push, after it waited for loading, is
 * carried out before those of its connection that still wait for loading.
 */
static void test_behind_large(void)
{
	enum { PUSHES = 90 };
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 1, "PUT /metrics/job/j", crowd_series(&crowd, "large", 20000));
	crowd_send(&crowd, 1, "DELETE /metrics/job/j", "");
	for (size_t i = 0; i < PUSHES; i++) {
		crowd_send(&crowd, i % 3 == 1 ? 3 : i % 3, "PUT /metrics/job/other", "m 1\n");
	}
	crowd_send(&crowd, 1, "PUT /metrics/job/j", "small 1\n");
	api_end_loading(&crowd.d.api);
	api_driver_do_job(&crowd.d, 0);
	settle_others(&crowd);
	CHECK(loading_of(&crowd)->count > 0);
	crowd_settle(&crowd);
	crowd.d.connection.out.len = 0;
	CHECK_STRING(api_driver_page(&crowd.d), "m{instance=\"\",job=\"other\"} 1\nsmall" J " 1\n");
	end(&crowd);
}

/* ---- Who waits too long ---- */

static void test_timeout(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 0, "PUT /metrics/job/j", "m 1\n");
	crowd_pass(&crowd, TIMEOUT_MS - 10000);
	crowd_send(&crowd, 0, "GET /-/healthy", "");
	crowd_send(&crowd, 1, "PUT /metrics/job/j", "m 2\n");
	crowd_pass(&crowd, 9999);
	CHECK_INT(crowd_next(&crowd, 0).status, 0);
	crowd_pass(&crowd, 2);
	struct api_response response = crowd_next(&crowd, 0);
	CHECK_INT(response.status, 503);
	CHECK_STRING(api_driver_header(&response, "Retry-After"), "1");
	CHECK_STRING(response.body,
			"not carried out: it waited 30 s for what is stored to be loaded: 120000 of 1000000 "
			"records\n");
	CHECK_INT(crowd_next(&crowd, 0).status, 0);
	CHECK_INT(loading_of(&crowd)->count, 2);
	CHECK_INT(crowd.d.stats.rejected[STATS_REJECTED_STATE], 1);
	CHECK_INT(stats_requests(&crowd.d.stats, STATS_HANDLER_PUSH, STATS_METHOD_PUT, 503), 1);
	api_end_loading(&crowd.d.api);
	crowd_settle(&crowd);
	CHECK_INT(crowd_next(&crowd, 0).status, 200);
	CHECK_STRING(api_driver_page(&crowd.d), "m" J " 2\n");
	crowd_pass(&crowd, TIMEOUT_MS); /* the timer finds nobody */
	CHECK_INT(crowd.d.timer_count, 0);
	end(&crowd);
}

/* Clients that are gone: what they sent is carried out, or refused to nobody. */
static void test_gone(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 1, "PUT /metrics/job/j", "m 1\n");
	crowd_disconnect(&crowd, 1);
	crowd_pass(&crowd, TIMEOUT_MS + 1);
	CHECK_INT(loading_of(&crowd)->count, 0);
	crowd_send(&crowd, 2, "PUT /metrics/job/j", "m 2\n");
	crowd_disconnect(&crowd, 2);
	api_end_loading(&crowd.d.api);
	crowd_settle(&crowd);
	CHECK_STRING(api_driver_page(&crowd.d), "m" J " 2\n");
	end(&crowd);
}

/* ---- Who is too many ---- */

static void test_too_much(void)
{
	enum { BODY_BYTES = 9 * 1000 * 1000, BOUND = 256 * 1024 * 1024 };
	struct crowd crowd;
	begin(&crowd);
	char *body = arena_text(&crowd.d.arena, BODY_BYTES);
	memset(body, '\n', BODY_BYTES);
	struct slice request =
			api_driver_request(&crowd.d, "PUT /metrics/job/j", "", slice_make(body, BODY_BYTES));
	size_t sent = 0;
	/* Each from a client that is gone, whose body waits all the same. */
	struct api_response response = { 0 };
	for (; response.status == 0 && sent < 100; sent++) {
		crowd_disconnect(&crowd, 1);
		crowd_connect(&crowd, 1);
		crowd_feed(&crowd, 1, request);
		response = crowd_next(&crowd, 1);
	}
	CHECK_INT(sent, BOUND / BODY_BYTES + 1);
	CHECK_INT(response.status, 503);
	CHECK_STRING(
			response.body, "not carried out: too much waits for what is stored to be loaded\n");
	crowd_send(&crowd, 0, "DELETE /metrics/job/x", ""); /* a small one still may */
	CHECK_INT(crowd_next(&crowd, 0).status, 0);
	end(&crowd);
}

/* ---- The end ---- */

static void test_given_up(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 0, "PUT /metrics/job/j", "m 1\n");
	crowd_send(&crowd, 0, "GET /-/healthy", "");
	api_give_up_loading(&crowd.d.api);
	crowd_pump(&crowd);
	struct api_response response = crowd_next(&crowd, 0);
	CHECK_INT(response.status, 503);
	CHECK_STRING(response.body, "not carried out: weir ends before what is stored is loaded\n");
	CHECK_INT(crowd_next(&crowd, 0).status, 503);
	CHECK_INT(api_driver_status(&crowd.d, "DELETE /metrics/job/j", ""), 503);
	CHECK_INT(api_driver_status(&crowd.d, "GET /metrics", ""), 503);
	CHECK_INT(api_driver_status(&crowd.d, "GET /-/healthy", ""), 200);
	api_end_loading(&crowd.d.api); /* too late */
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/j", "m 1\n"), 503);
	CHECK_INT(group_count(&crowd), 0);
	end(&crowd);
}

/* Loading is over: what has to be carried out yet is, before weir ends. */
static void test_end_after_loading(void)
{
	struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 0, "PUT /metrics/job/j", "m 1\n");
	api_end_loading(&crowd.d.api);
	api_give_up_loading(&crowd.d.api);
	CHECK_INT(group_count(&crowd), 1);
	crowd_settle(&crowd);
	CHECK_INT(crowd_next(&crowd, 0).status, 200);
	end(&crowd);
}

int main(void)
{
	RUN(test_refused);
	RUN(test_scraper_hears_of_it);
	RUN(test_texts);
	RUN(test_patience);
	RUN(test_no_patience);
	RUN(test_order_of_arrival);
	RUN(test_behind);
	RUN(test_meanwhile);
	RUN(test_behind_large);
	RUN(test_timeout);
	RUN(test_gone);
	RUN(test_too_much);
	RUN(test_given_up);
	RUN(test_end_after_loading);
	return check_done();
}
