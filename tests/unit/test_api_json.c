/*
 * /api/v1/metrics: what is in it, and that it is whole whatever goes on while
 * it is written.
 */

#include "unit/api_driver.h"

/* ---- One group ---- */

/* ' stands for a quote, @ for the labels, ~ for the time. */
static struct slice spell_out(struct api_driver *d, const char *text)
{
	struct buf out;
	buf_init(&out, 0);
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '\'':
			buf_append_byte(&out, '"');
			break;
		case '@':
			buf_append(&out,
					SLICE("\"labels\":{\"instance\":\"\",\"job\":\"a\\\"b\",\"l\":\"\\\\x\\n\"}"));
			break;
		case '~':
			buf_append(&out, SLICE("\"time_stamp\":\"2026-11-20T07:51:05Z\""));
			break;
		default:
			buf_append_byte(&out, *text);
			break;
		}
	}
	struct slice copy = arena_copy(&d->arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}

static void test_json(void)
{
	struct api_driver d;
	api_driver_init(&d);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/a%22b/l/%5Cx%0A",
					  "# HELP m A <b> & \\\\ \\n.\n"
					  "# TYPE m gauge\n"
					  "m 15e9\n"
					  "m{job=\"x\",l=\"y\",n=\"\\\"\"} NaN\n"
					  "# TYPE s summary\n"
					  "s{quantile=\"0.5\"} 1\n"
					  "s{quantile=\"0.99\"} 2.5\n"
					  "s_sum 3\n"
					  "s_count 4\n"
					  "# TYPE h histogram\n"
					  "h_bucket{le=\"0.1\"} 1\n"
					  "h_bucket{le=\"+Inf\"} 2\n"
					  "h_sum 3\n"
					  "h_count 2\n"
					  "labels 1\n"
					  "last_push_successful 1\n"),
			200);
	CHECK_SLICE(api_driver_do(&d, "GET /api/v1/metrics", "", SLICE("")).body,
			spell_out(&d,
					"{'status':'success','data':[{"
					"'h':{~,'type':'HISTOGRAM','metrics':["
					"{'buckets':{'0.1':'1','+Inf':'2'},'count':'2',@,'sum':'3'}]},"
					"'labels':{'job':'a\\\"b','l':'\\\\x\\n'},"
					"'last_push_successful':true,"
					"'m':{~,'type':'GAUGE','help':'A \\u003cb\\u003e \\u0026 \\\\ \\n.','metrics':["
					"{@,'value':'1.5e+10'},"
					"{'labels':{'instance':'','job':'a\\\"b','l':'\\\\x\\n','n':'\\\"'},'value':'"
					"NaN'}]},"
					"'push_failure_time_seconds':{~,'type':'GAUGE',"
					"'help':'Last Unix time when changing this group in the Pushgateway failed.',"
					"'metrics':[{@,'value':'0'}]},"
					"'push_time_seconds':{~,'type':'GAUGE',"
					"'help':'Last Unix time when changing this group in the Pushgateway "
					"succeeded.',"
					"'metrics':[{@,'value':'1.795161065e+09'}]},"
					"'s':{~,'type':'SUMMARY','metrics':["
					"{'count':'4',@,'quantiles':{'0.5':'1','0.99':'2.5'},'sum':'3'}]}"
					"}]}"));
	api_driver_finish(&d);
}

static void test_json_after_failure(void)
{
	struct api_driver d;
	api_driver_init(&d);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/j", "m 1 1\n"), 400);
	struct slice body = api_driver_do(&d, "GET /api/v1/metrics", "", SLICE("")).body;
	CHECK(slice_starts_with(body,
			SLICE("{\"status\":\"success\",\"data\":[{\"labels\":{\"job\":"
				  "\"j\"},\"last_push_successful\":false,")));
	api_driver_finish(&d);
}

/* ---- While things change ---- */

enum { GROUPS = 600, LONG_VALUE = 1500 };

static void push_group(struct api_driver *d, int number, const char *body)
{
	struct slice copy = arena_copy(&d->arena, slice_of_string(body));
	char line[64];
	snprintf(line, sizeof(line), "PUT /metrics/job/%d", number);
	api_driver_feed(d, api_driver_request(d, line, "", copy));
	api_driver_settle(d, NULL);
	d->connection.out.len = 0;
}

static void delete_group(struct api_driver *d, int number)
{
	char text[16];
	snprintf(text, sizeof(text), "%d", number);
	struct label job = { .name = SLICE("job"), .value = slice_of_string(text) };
	struct group_key key;
	group_key_init(&key, (struct labels){ .pairs = &job, .count = 1 });
	store_delete(&d->store, &key);
}

static void fill(struct api_driver *d)
{
	char body[LONG_VALUE + 64] = "m{long=\"";
	size_t len = strlen(body);
	memset(body + len, 'l', LONG_VALUE);
	snprintf(body + len + LONG_VALUE, 48, "\"} 1\n# TYPE h histogram\nh_count 1\n");
	for (int i = 0; i < GROUPS; i++) {
		push_group(d, i, body);
	}
}

/* Every bracket is closed, every string ended, and nothing comes after. */
static bool is_whole(struct slice json)
{
	int depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < json.len; i++) {
		char c = json.ptr[i];
		if (in_string) {
			i += c == '\\';
			in_string = c != '"';
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			depth--;
			if (depth == 0) {
				return i + 1 == json.len;
			}
		}
	}
	return false;
}

static size_t count(struct slice text, const char *what)
{
	size_t found = 0;
	const char *place;
	while ((place = memmem(text.ptr, text.len, what, strlen(what))) != NULL) {
		text = slice_between(place + 1, text.ptr + text.len);
		found++;
	}
	return found;
}

typedef void change_function(struct api_driver *d, int piece);

static void change_nothing(struct api_driver *d, int piece)
{
}

static void delete_some(struct api_driver *d, int piece)
{
	for (int i = piece; i < GROUPS; i += 3) {
		delete_group(d, i);
	}
	store_tidy(&d->store);
}

static void wipe(struct api_driver *d, int piece)
{
	store_wipe(&d->store);
	while (store_tidy(&d->store)) {
	}
}

/* Each time the body is asked for a piece, something has changed. */
static struct slice read_json(struct api_driver *d, change_function *change)
{
	struct api_response response = { 0 };
	struct api_connection *connection = &d->connection;
	http_session_feed(&connection->session, NULL,
			api_driver_request(d, "GET /api/v1/metrics", "", SLICE("")));
	for (int piece = 0; http_session_fill(&connection->session); piece++) {
		api_driver_write(connection);
		change(d, piece);
	}
	api_driver_settle(d, NULL);
	CHECK(api_driver_response(d, &response));
	return response.body;
}

static void test_changes_between_pieces(void)
{
	static const struct {
		change_function *change;
		size_t fewest;
		size_t most;
	} cases[] = {
		{ change_nothing, GROUPS, GROUPS },
		{ delete_some, GROUPS / 10, GROUPS },
		{ wipe, 1, GROUPS / 2 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct api_driver d;
		api_driver_init(&d);
		fill(&d);
		struct slice json = read_json(&d, cases[i].change);
		CHECK(is_whole(json));
		size_t groups = count(json, "\"last_push_successful\":true");
		CHECK(groups >= cases[i].fewest && groups <= cases[i].most);
		/* Each group is there with all it had. */
		CHECK_INT(count(json, "\"h\":{"), groups);
		CHECK_INT(count(json, "\"m\":{"), groups);
		CHECK_INT(count(json, "\"push_time_seconds\":{"), groups);
		api_driver_finish(&d);
	}
}

int main(void)
{
	RUN(test_json);
	RUN(test_json_after_failure);
	RUN(test_changes_between_pieces);
	return check_done();
}
