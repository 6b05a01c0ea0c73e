/*
 * Changes of targets by request, when somebody stores targets: who waits, and
 * for what.
 */

#include "unit/api_driver.h"

static struct api_driver d;

/* Stores nothing, and says so when it is told to. */
static struct keeper {
	struct slice why_away;
	void (*done)(void *done_data, struct slice why_not);
	void *done_data;
} keeper;

static struct slice why_away(void *data)
{
	struct keeper *k = data;
	return k->why_away;
}

static void when_stored(
		void *data, void (*done)(void *done_data, struct slice why_not), void *done_data)
{
	struct keeper *k = data;
	k->done = done;
	k->done_data = done_data;
}

static void begin(void)
{
	const struct targets_keeper functions = { why_away, when_stored, &keeper };
	keeper = (struct keeper){ 0 };
	api_driver_init(&d);
	api_set_targets_keeper(&d.api, &functions);
}

static void request(const char *line, const char *body)
{
	api_driver_feed(&d, api_driver_request(&d, line, "", slice_of_string(body)));
	api_driver_settle(&d, NULL);
}

static void end_with(struct slice why_not)
{
	CHECK(keeper.done != NULL);
	keeper.done(keeper.done_data, why_not);
	keeper.done = NULL;
	api_driver_pump(&d.connection);
}

static int status(void)
{
	struct api_response response = { 0 };
	return api_driver_response(&d, &response) ? response.status : 0;
}

#define LABELS "{\"labels\":{\"job\":\"j\"}}"

static void test_answer_waits(void)
{
	begin();
	request("POST /api/v1/targets", LABELS);
	CHECK_INT(status(), 0);
	CHECK_INT(registry_len(&d.targets), 1);
	end_with(slice_make(NULL, 0));
	CHECK_INT(status(), 201);
	api_driver_finish(&d);
}

static void test_not_stored(void)
{
	struct api_response response = { 0 };
	begin();
	request("POST /api/v1/targets", LABELS);
	end_with(SLICE("the disk is full"));
	CHECK(api_driver_response(&d, &response));
	CHECK_INT(response.status, 503);
	CHECK_INT(api_driver_header(&response, "Location").len, 0);
	CHECK_STRING(response.body,
			"{\"status\":\"error\",\"errorType\":\"unavailable\",\"error\":\"it is changed, but "
			"not "
			"stored: the disk is full\"}\n");
	CHECK_INT(registry_len(&d.targets), 1);
	api_driver_finish(&d);
}

static void test_away(void)
{
	begin();
	keeper.why_away = SLICE("there is no database");
	request("POST /api/v1/targets", LABELS);
	CHECK_INT(status(), 503);
	request("POST /api/v1/targets/import", LABELS);
	CHECK_INT(status(), 503);
	CHECK_INT(registry_len(&d.targets), 0);
	request("PUT /metrics/job/j", "m 1\n");
	CHECK_INT(status(), 200);
	CHECK_INT(registry_len(&d.targets), 1);
	request("GET /api/v1/targets", "");
	CHECK_INT(status(), 200);
	request("GET /api/v1/sd", "");
	CHECK_INT(status(), 200);
	api_driver_finish(&d);
}

static void test_loading(void)
{
	static const char *const requests[] = { "GET /api/v1/targets", "GET /api/v1/sd",
		"GET /service_discovery/hosts", "GET /api/v1/rules.yml", "POST /api/v1/targets",
		"GET /metrics/target/job/j" };
	begin();
	d.targets.is_loading = true;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		request(requests[i], LABELS);
		CHECK_INT(status(), 503);
	}
	d.targets.is_loading = false;
	request("GET /api/v1/targets", "");
	CHECK_INT(status(), 200);
	api_driver_finish(&d);
}

/* The client does not wait for it. */
static void test_client_leaves(void)
{
	begin();
	request("POST /api/v1/targets/import", LABELS);
	api_driver_disconnect(&d);
	CHECK(keeper.done != NULL);
	keeper.done(keeper.done_data, slice_make(NULL, 0));
	CHECK_INT(registry_len(&d.targets), 1);
	api_driver_finish(&d);
}

int main(void)
{
	RUN(test_answer_waits);
	RUN(test_not_stored);
	RUN(test_away);
	RUN(test_loading);
	RUN(test_client_leaves);
	return check_done();
}
