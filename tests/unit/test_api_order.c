/*
 * Requests of one connection are carried out in their order, however their
 * bytes come in and however long each takes.
 */

#include "unit/api_driver.h"

enum { LARGE_LINES = 12000, CODED_BYTES_MAX = 2000000 };

/* More than is parsed on the spot. */
static struct slice large_body(struct api_driver *d, const char *name, int value)
{
	struct buf body;
	buf_init(&body, 0);
	for (int i = 0; i < LARGE_LINES; i++) {
		buf_printf(&body, "%s{number=\"%d\"} %d\n", name, i, value);
	}
	struct slice copy = arena_copy(&d->arena, buf_slice(&body));
	buf_finish(&body);
	return copy;
}

/* More families than are applied at once. */
static struct slice many_families(struct api_driver *d, int value)
{
	struct buf body;
	buf_init(&body, 0);
	for (int i = 0; i < 6000; i++) {
		buf_printf(&body, "family_%d_with_a_longer_name %d\n", i, value);
	}
	struct slice copy = arena_copy(&d->arena, buf_slice(&body));
	buf_finish(&body);
	return copy;
}

static struct slice gzip(struct api_driver *d, struct slice text)
{
	z_stream z = { 0 };
	char *coded = arena_text(&d->arena, CODED_BYTES_MAX);
	z.next_in = (Bytef *)(uintptr_t)text.ptr;
	z.avail_in = (uInt)text.len;
	z.next_out = (Bytef *)coded;
	z.avail_out = CODED_BYTES_MAX;
	deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
	CHECK_INT(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return slice_make(coded, CODED_BYTES_MAX - z.avail_out);
}

/* ---- However the bytes come in ---- */

static struct slice small_requests(struct api_driver *d)
{
	static const struct {
		const char *line;
		const char *headers;
		const char *body;
	} requests[] = {
		{ "PUT /metrics/job/j", "", "# TYPE m gauge\nm 1\n" },
		{ "GET /api/v1/metrics", "", "" },
		{ "PUT /metrics/job/j", "", "# TYPE m gauge\nm 2\n" },
		{ "POST /metrics/job/j/a%20b/c", "", "n 1\n" },
		{ "POST /metrics/job/k", "", "m{a=b} 2\n" },
		{ "DELETE /metrics/job/j", "", "" },
		{ "GET /api/v1/metrics", "Accept: */*\r\n", "" },
		{ "POST /metrics/job/k?ttl=1h", "Weir-TTL: 2h\r\n", "n 1\n" },
		{ "GET /api/v1/metrics", "Connection: close\r\n", "" },
	};
	struct buf bytes;
	buf_init(&bytes, 0);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		buf_append(&bytes,
				api_driver_request(d, requests[i].line, requests[i].headers,
						slice_of_string(requests[i].body)));
	}
	struct slice copy = arena_copy(&d->arena, buf_slice(&bytes));
	buf_finish(&bytes);
	return copy;
}

/* All splits of the first requests, some of the others. */
static void test_splits(void)
{
	struct api_driver whole;
	api_driver_init(&whole);
	struct slice bytes = small_requests(&whole);
	api_driver_feed(&whole, bytes);
	api_driver_settle(&whole, NULL);
	struct slice wanted = buf_slice(&whole.connection.out);
	CHECK(wanted.len > 2000);
	for (size_t split = 1; split < bytes.len; split += split < 500 ? 1 : 7) {
		struct api_driver d;
		api_driver_init(&d);
		api_driver_feed(&d, slice_first(bytes, split));
		api_driver_settle(&d, NULL);
		api_driver_feed(&d, slice_skip(bytes, split));
		api_driver_settle(&d, NULL);
		if (!slice_equal(buf_slice(&d.connection.out), wanted)) {
			fprintf(stderr, "split at %zu\n", split);
			CHECK_SLICE(buf_slice(&d.connection.out), wanted);
			split = bytes.len;
		}
		api_driver_finish(&d);
	}
	api_driver_finish(&whole);
}

static void test_byte_by_byte(void)
{
	struct api_driver d;
	struct api_response response;
	api_driver_init(&d);
	struct slice bytes = small_requests(&d);
	for (size_t i = 0; i < bytes.len; i++) {
		api_driver_feed(&d, slice_first(slice_skip(bytes, i), 1));
	}
	static const int statuses[] = { 200, 200, 200, 400, 400, 202, 200, 200, 200 };
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		CHECK(api_driver_response(&d, &response));
		CHECK_INT(response.status, statuses[i]);
	}
	CHECK_INT(d.connection.out.len, 0);
	api_driver_finish(&d);
}

/* ---- However long they take ---- */

enum kind { SMALL, LARGE, CODED, FAMILIES, BAD, KINDS };

static struct slice push_request(struct api_driver *d, enum kind kind, const char *line, int value)
{
	char text[64];
	snprintf(text, sizeof(text), "m %d\n", value);
	switch (kind) {
	case SMALL:
	case KINDS:
		break;
	case LARGE:
		return api_driver_request(d, line, "", large_body(d, "m", value));
	case CODED:
		return api_driver_request(
				d, line, "Content-Encoding: gzip\r\n", gzip(d, many_families(d, value)));
	case FAMILIES:
		return api_driver_request(d, line, "", many_families(d, value));
	case BAD:
		snprintf(text, sizeof(text), "m %d\nm %d\n", value, value);
		break;
	}
	return api_driver_request(d, line, "", slice_of_string(text));
}

/* A push, a delete behind it, a push behind that: only the last is left. */
static void check_order(struct random_source *random, enum kind first, enum kind second)
{
	struct api_driver d;
	struct api_response response;
	api_driver_init(&d);
	api_driver_feed(&d, push_request(&d, first, "PUT /metrics/job/j", 1));
	api_driver_feed(&d, api_driver_request(&d, "DELETE /metrics/job/j", "", SLICE("")));
	api_driver_feed(&d, api_driver_request(&d, "GET /metrics", "", SLICE("")));
	api_driver_feed(&d, push_request(&d, second, "POST /metrics/job/j", 2));
	api_driver_feed(&d, api_driver_request(&d, "GET /metrics", "", SLICE("")));
	api_driver_settle(&d, random);

	CHECK(api_driver_response(&d, &response));
	CHECK_INT(response.status, first == BAD ? 400 : 200);
	CHECK(api_driver_response(&d, &response));
	CHECK_INT(response.status, 202);
	CHECK(api_driver_response(&d, &response));
	CHECK(memmem(response.body.ptr, response.body.len, "job=\"j\"", 7) == NULL);
	CHECK(api_driver_response(&d, &response));
	CHECK_INT(response.status, second == BAD ? 400 : 200);
	CHECK(api_driver_response(&d, &response));
	CHECK_INT(response.status, 200);
	CHECK_INT(d.connection.out.len, 0);
	static const unsigned series[KINDS] = { 1, LARGE_LINES, 6000, 6000, 0 };
	CHECK_INT(d.store.contents->series, series[second]);
	api_driver_finish(&d);
}

static void test_pipelined(void)
{
	struct random_source random;
	random_init(&random);
	for (enum kind first = SMALL; first < KINDS; first++) {
		for (enum kind second = SMALL; second < KINDS; second++) {
			int failures = check_failures;
			check_order(NULL, first, second);
			check_order(&random, first, second);
			if (failures != check_failures) {
				fprintf(stderr, "kinds %d, %d\n", (int)first, (int)second);
			}
		}
	}
}

/* The list of groups is of the time of its request, too. */
static void test_json_in_order(void)
{
	struct api_driver d;
	struct api_response response;
	api_driver_init(&d);
	api_driver_feed(&d, push_request(&d, LARGE, "PUT /metrics/job/j", 1));
	api_driver_feed(&d, api_driver_request(&d, "DELETE /metrics/job/j", "", SLICE("")));
	api_driver_feed(&d, api_driver_request(&d, "GET /api/v1/metrics", "", SLICE("")));
	api_driver_feed(&d, push_request(&d, SMALL, "PUT /metrics/job/j", 2));
	api_driver_settle(&d, NULL);
	CHECK(api_driver_response(&d, &response) && response.status == 200);
	CHECK(api_driver_response(&d, &response) && response.status == 202);
	CHECK(api_driver_response(&d, &response) && response.status == 200);
	CHECK_STRING(response.body, "{\"status\":\"success\",\"data\":[]}");
	api_driver_finish(&d);
}

/* A wipe waits for the large push before it. */
static void test_wipe_behind_large(void)
{
	struct api_driver d;
	struct api_response response;
	api_driver_init(&d);
	api_driver_feed(&d, push_request(&d, FAMILIES, "PUT /metrics/job/j", 1));
	api_driver_feed(&d, api_driver_request(&d, "PUT /api/v1/admin/wipe", "", SLICE("")));
	api_driver_settle(&d, NULL);
	CHECK(api_driver_response(&d, &response) && response.status == 200);
	CHECK(api_driver_response(&d, &response) && response.status == 202);
	CHECK_INT(d.store.contents->series, 0);
	api_driver_finish(&d);
}

/* ---- Clients that go away ---- */

static void test_disconnect(void)
{
	for (enum kind kind = SMALL; kind < KINDS; kind++) {
		for (size_t jobs = 0; jobs < 8; jobs++) {
			struct api_driver d;
			api_driver_init(&d);
			api_driver_feed(&d, push_request(&d, kind, "PUT /metrics/job/j", 1));
			api_driver_feed(&d, api_driver_request(&d, "GET /metrics", "", SLICE("")));
			api_driver_feed(&d, push_request(&d, kind, "PUT /metrics/job/j", 2));
			for (size_t i = 0; i < jobs && d.job_count > 0; i++) {
				api_driver_do_job(&d, 0);
				api_driver_pump(&d.connection);
			}
			api_driver_disconnect(&d);
			api_driver_settle(&d, NULL);
			/* Another client finds all in order. */
			api_driver_connect(&d);
			CHECK_INT(api_driver_status(&d, "PUT /metrics/job/k", "z 1\n"), 200);
			CHECK_INT(api_driver_status(&d, "DELETE /metrics/job/j", ""), 202);
			CHECK_STRING(api_driver_page(&d), "z{instance=\"\",job=\"k\"} 1\n");
			api_driver_finish(&d);
		}
	}
}

static void test_disconnect_while_scraping(void)
{
	for (size_t jobs = 0; jobs < 12; jobs++) {
		struct api_driver d;
		api_driver_init(&d);
		CHECK_INT(api_driver_do(&d, "PUT /metrics/job/j", "", large_body(&d, "m", 1)).status, 200);
		api_driver_feed(
				&d, api_driver_request(&d, "GET /metrics", "Accept-Encoding: gzip\r\n", SLICE("")));
		for (size_t i = 0; i < jobs && d.job_count > 0; i++) {
			api_driver_do_job(&d, 0);
			api_driver_pump(&d.connection);
		}
		api_driver_disconnect(&d);
		api_driver_settle(&d, NULL);
		CHECK(list_is_empty(&d.store.contents->history.snapshots));
		api_driver_finish(&d);
	}
}

/* ---- The same lines with other values ---- */

static void test_unchanged_layout(void)
{
	static const enum kind kinds[] = { SMALL, LARGE, CODED, FAMILIES };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct api_driver d;
		struct api_response response;
		api_driver_init(&d);
		for (int value = 1; value <= 5; value++) {
			api_driver_feed(&d, push_request(&d, kinds[i], "PUT /metrics/job/j", value * 1111));
			api_driver_settle(&d, NULL);
			CHECK(api_driver_response(&d, &response) && response.status == 200);
		}
		CHECK_INT(d.stats.unchanged_layouts, 4);
		struct slice page = api_driver_page(&d);
		CHECK(slice_ends_with(page, SLICE(" 5555\n")));
		CHECK(memmem(page.ptr, page.len, " 4444\n", 6) == NULL);
		api_driver_finish(&d);
	}
}

/* The group goes while its new values are being made. */
static void test_layout_of_a_group_that_goes(void)
{
	struct random_source random;
	random_init(&random);
	for (int i = 0; i < 20; i++) {
		struct api_driver d;
		api_driver_init(&d);
		CHECK_INT(api_driver_do(&d, "PUT /metrics/job/j", "", many_families(&d, 1)).status, 200);
		api_driver_feed(&d, push_request(&d, FAMILIES, "PUT /metrics/job/j", 22222));
		for (int jobs = i % 5; jobs > 0 && d.job_count > 0; jobs--) {
			api_driver_do_job(&d, 0);
		}
		/* Somebody else's delete. */
		struct label job = { .name = SLICE("job"), .value = SLICE("j") };
		struct group_key key;
		group_key_init(&key, (struct labels){ .pairs = &job, .count = 1 });
		for (int tries = 0; tries < 10; tries++) {
			store_delete(&d.store, &key);
		}
		api_driver_settle(&d, &random);
		api_driver_pump(&d.connection);
		struct api_response response;
		CHECK(api_driver_response(&d, &response) && response.status == 200);
		api_driver_finish(&d);
	}
}

int main(void)
{
	RUN(test_splits);
	RUN(test_byte_by_byte);
	RUN(test_pipelined);
	RUN(test_json_in_order);
	RUN(test_wipe_behind_large);
	RUN(test_disconnect);
	RUN(test_disconnect_while_scraping);
	RUN(test_unchanged_layout);
	RUN(test_layout_of_a_group_that_goes);
	return check_done();
}
