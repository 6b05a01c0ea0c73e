/*
 * The web page: which groups are on it, in which order, and what becomes of
 * what clients sent.
 */

#include "api/status_order.h"
#include "api/status_view.h"
#include "unit/api_driver.h"

enum { GROUPS_MAX = 3000 };

/* ---- Order ---- */

struct order_group {
	struct group group;
	struct label labels[3];
	char texts[3][16];
};

static struct order_group order_groups[GROUPS_MAX];
static struct status_ref refs[GROUPS_MAX];

/* {instance, job, zone}, where only the first is always different. */
static void make_groups(size_t count, unsigned jobs, struct random_source *random)
{
	static const char *const names[] = { "instance", "job", "zone" };
	for (size_t i = 0; i < count; i++) {
		struct order_group *made = &order_groups[i];
		snprintf(made->texts[0], sizeof(made->texts[0]), "%05zu", i);
		snprintf(made->texts[1], sizeof(made->texts[1]), "j%u", random_below(random, jobs));
		snprintf(made->texts[2], sizeof(made->texts[2]), "z%u", random_below(random, 3));
		for (size_t j = 0; j < 3; j++) {
			made->labels[j].name = slice_of_string(names[j]);
			made->labels[j].value = slice_of_string(made->texts[j]);
		}
		made->group.key.labels = (struct labels){ .pairs = made->labels, .count = 3 };
		refs[i] = (struct status_ref){ .group = &made->group, .job = made->labels[1].value };
	}
}

static void shuffle(size_t count, struct random_source *random)
{
	for (size_t i = count; i > 1; i--) {
		size_t other = random_below(random, (unsigned)i);
		struct status_ref kept = refs[i - 1];
		refs[i - 1] = refs[other];
		refs[other] = kept;
	}
}

static int compare(const struct status_ref *a, const struct status_ref *b)
{
	int order = slice_compare(a->job, b->job);
	/* Instances differ, and come before zones. */
	return order != 0 ? order
					  : slice_compare(a->group->key.labels.pairs[0].value,
							  b->group->key.labels.pairs[0].value);
}

/* Whether each of the page is where sorting all would have put it. */
static void check_page(size_t count, size_t first, size_t len)
{
	for (size_t i = first; i < first + len; i++) {
		size_t less = 0;
		for (size_t j = 0; j < count; j++) {
			less += compare(&refs[j], &refs[i]) < 0;
		}
		CHECK_INT(less, i);
	}
}

static void test_order(void)
{
	static const size_t counts[] = { 1, 2, 49, 50, 51, 65, 200, GROUPS_MAX };
	struct random_source random = { 7 };
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (unsigned jobs = 1; jobs < 2000; jobs *= 40) {
			size_t count = counts[i];
			size_t first = random_below(&random, (unsigned)count);
			size_t len = count - first < 50 ? count - first : 50;
			make_groups(count, jobs, &random);
			if (jobs > 1) {
				shuffle(count, &random);
			}
			status_order_select(refs, count, first, len);
			check_page(count, first, len);
			status_order_select(refs, count, 0, count);
			check_page(count, 0, count < 60 ? count : 60);
		}
	}
}

/* Of the labels beside the job, more come behind fewer. */
static void test_order_of_labels(void)
{
	struct api_driver d;
	api_driver_init(&d);
	static const char *const puts[] = { "PUT /metrics/job/b", "PUT /metrics/job/a/zone/1",
		"PUT /metrics/job/a/instance/2/zone/1", "PUT /metrics/job/a/instance/2",
		"PUT /metrics/job/a/instance/10" };
	static const char *const wanted[] = {
		"job=&#34;a&#34;</span><span class=\"label\">instance=&#34;10&#34;<",
		"instance=&#34;2&#34;</span>\n",
		"instance=&#34;2&#34;</span><span class=\"label\">zone",
		"job=&#34;a&#34;</span><span class=\"label\">zone",
		"job=&#34;b&#34;<",
	};
	for (size_t i = 0; i < 5; i++) {
		CHECK_INT(api_driver_status(&d, puts[i], "m 1\n"), 200);
	}
	struct slice rest = api_driver_do(&d, "GET /", "", SLICE("")).body;
	for (size_t i = 0; i < 5; i++) {
		const char *found = memmem(rest.ptr, rest.len, wanted[i], strlen(wanted[i]));
		CHECK(found != NULL);
		if (found != NULL) {
			rest = slice_between(found, rest.ptr + rest.len);
		}
	}
	api_driver_finish(&d);
}

/* ---- The page ---- */

static bool has(struct slice page, const char *text)
{
	return memmem(page.ptr, page.len, text, strlen(text)) != NULL;
}

static size_t count_of(struct slice page, const char *text)
{
	size_t count = 0;
	const char *found;
	while ((found = memmem(page.ptr, page.len, text, strlen(text))) != NULL) {
		count++;
		page = slice_between(found + 1, page.ptr + page.len);
	}
	return count;
}

static size_t groups_on(struct slice page)
{
	return count_of(page, "class=\"label job\"");
}

static void put_groups(struct api_driver *d, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char line[64];
		snprintf(line, sizeof(line), "PUT /metrics/job/j%zu/n/%03zu", i % 2, i);
		CHECK_INT(api_driver_status(d, line, "m 1\n"), 200);
		arena_reset(&d->arena);
	}
}

static void test_empty(void)
{
	struct api_driver d;
	api_driver_init(&d);
	struct api_response response = api_driver_do(&d, "GET /", "", SLICE(""));
	CHECK_INT(response.status, 200);
	CHECK_STRING(api_driver_header(&response, "Content-Type"), "text/html; charset=utf-8");
	CHECK_STRING(
			api_driver_header(&response, "Cache-Control"), "no-cache, no-store, must-revalidate");
	CHECK(has(api_driver_header(&response, "Content-Security-Policy"), "default-src 'none'"));
	CHECK(has(response.body, "<meta name=\"robots\" content=\"noindex\">"));
	CHECK(has(response.body, "Nothing was pushed."));
	CHECK(has(response.body, "0 groups, 0 series"));
	CHECK(has(response.body, "started 2026-11-20 07:51:05 UTC"));
	CHECK(has(response.body, "<tr><td>group.ttl</td><td>0s</td></tr>"));
	CHECK(has(response.body, "\"./static/style.css?v="));
	struct slice whole = arena_copy(&d.arena, response.body);
	CHECK(slice_equal(api_driver_do(&d, "GET /status", "", SLICE("")).body, whole));
	api_driver_finish(&d);
}

static void test_markup_is_text(void)
{
	struct api_driver d;
	struct api_options options = api_driver_options();
	options.format_options.utf8_names = true;
	api_driver_init_with(&d, &options);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/%3Cscript%3Ejob/%3Cb%3E/%22%27%3Cscript%3E",
					  "# HELP \"<script>name\" <script>help</script>\n"
					  "# TYPE \"<script>name\" gauge\n"
					  "{\"<script>name\",\"<script>label\"=\"<script>value\"} 1\n"),
			200);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/b", "m{a=\"\\\\<i>\\\"\\n\"} 1 5\n"), 400);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/%FF", "m 1\n"), 400);
	struct slice page = api_driver_do(&d, "GET /?job=", "", SLICE("")).body;
	CHECK_INT(count_of(page, "<script"), 0);
	CHECK_INT(count_of(page, "<i>"), 0);
	CHECK_INT(count_of(page, "<b>"), 0);
	CHECK(has(page, "job=&#34;&lt;script&gt;job&#34;"));
	CHECK(has(page, "&lt;b&gt;=&#34;&#34;&#39;&lt;script&gt;&#34;"));
	CHECK(has(page, "<p>&lt;script&gt;help&lt;/script&gt;</p>"));
	CHECK(has(page, "<span class=\"name\">&lt;script&gt;name</span>"));
	page = api_driver_do(&d, "GET /?job=%22%3E%3Cscript%3E", "", SLICE("")).body;
	CHECK_INT(count_of(page, "<script"), 0);
	CHECK(has(page, "value=\"&#34;&gt;&lt;script&gt;\""));
	CHECK_INT(groups_on(page), 0);
	api_driver_finish(&d);
}

static void test_pages(void)
{
	static const struct {
		const char *line;
		size_t groups;
		const char *text;
		const char *link;
	} cases[] = {
		{ "GET /", 50, "page 1 of 3", "<a href=\"?page=2\">next</a>" },
		{ "GET /?page=1", 50, "page 1 of 3", "j0" },
		{ "GET /?page=2", 50, "page 2 of 3", "<a href=\"?page=1\">previous</a>" },
		{ "GET /status?page=3", 20, "page 3 of 3", "<a href=\"?page=2\">previous</a>" },
		{ "GET /?page=4", 20, "page 3 of 3", "j1" },
		{ "GET /?page=999999999", 20, "page 3 of 3", "j1" },
		{ "GET /?page=99999999999999999999", 50, "page 1 of 3", "j0" },
		{ "GET /?page=0", 50, "page 1 of 3", "j0" },
		{ "GET /?page=-1", 50, "page 1 of 3", "j0" },
		{ "GET /?page=x", 50, "page 1 of 3", "j0" },
		{ "GET /?job=j1", 50, "60 groups of job j1", "<a href=\"?page=2&amp;job=j1\">next</a>" },
		{ "GET /?job=j1&page=2", 10, "page 2 of 2", "<a href=\"?page=1&amp;job=j1\">previous</a>" },
		{ "GET /?job=%6A1&page=2", 10, "page 2 of 2", "j1" },
		{ "GET /?job=j", 0, "No group has this job.", "all jobs" },
		{ "GET /?job=%zz", 50, "page 1 of 3", "j0" },
	};
	struct api_driver d;
	api_driver_init(&d);
	put_groups(&d, 120);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int failures = check_failures;
		struct slice page = api_driver_do(&d, cases[i].line, "", SLICE("")).body;
		CHECK_INT(groups_on(page), cases[i].groups);
		CHECK(has(page, cases[i].text));
		CHECK(has(page, cases[i].link));
		CHECK(has(page, "120 groups, 120 series"));
		if (failures != check_failures) {
			fprintf(stderr, "of %s\n", cases[i].line);
		}
	}
	CHECK_INT(stats_requests(&d.stats, STATS_HANDLER_STATUS, STATS_METHOD_GET, 200), 15);
	api_driver_finish(&d);
}

static void test_large_is_cut(void)
{
	struct api_driver d;
	struct buf body;
	api_driver_init(&d);
	buf_init(&body, 0);
	for (size_t i = 0; i < 700; i++) {
		buf_printf(&body, "m%03zu 1\n", i);
	}
	for (size_t i = 0; i < 1000; i++) {
		buf_printf(&body, "a{i=\"%04zu\"} 1\n", i);
	}
	buf_append_string(&body, "# HELP b ");
	for (size_t i = 0; i < 1000; i++) {
		buf_append_string(&body, "h");
	}
	buf_append_string(&body, "\nb 1\n");
	CHECK_INT(api_driver_do(&d, "PUT /metrics/job/x", "", buf_slice(&body)).status, 200);
	struct slice page = api_driver_do(&d, "GET /", "", SLICE("")).body;
	CHECK(has(page, "702 metrics, 1701 series"));
	CHECK_INT(count_of(page, "class=\"name\""), STATUS_FAMILIES_MAX);
	CHECK(has(page, "and 602 more metrics"));
	CHECK_INT(count_of(page, "hhh\xe2\x80\xa6</p>"), count_of(page, "<p>h"));
	CHECK(count_of(page, "<tr><td>a{i=") <= STATUS_SAMPLES_MAX);
	buf_finish(&body);

	CHECK_INT(api_driver_status(
					  &d, "PUT /metrics/job/x", "a{i=\"1\"} 1\nb 2\n# TYPE c counter\nc 1e3\n"),
			200);
	page = api_driver_do(&d, "GET /", "", SLICE("")).body;
	CHECK(has(page, "<td>b{instance=&#34;&#34;,job=&#34;x&#34;}</td><td>2</td>"));
	CHECK(has(page, "<td>c{instance=&#34;&#34;,job=&#34;x&#34;}</td><td>1e3</td>"));
	CHECK(has(page, "<span class=\"type\">counter</span>"));
	api_driver_finish(&d);
}

static void test_samples_are_cut(void)
{
	struct api_driver d;
	struct buf body;
	api_driver_init(&d);
	buf_init(&body, 0);
	for (size_t i = 0; i < 1000; i++) {
		buf_printf(&body, "a{i=\"%04zu\"} 1\n", i);
	}
	CHECK_INT(api_driver_do(&d, "PUT /metrics/job/x", "", buf_slice(&body)).status, 200);
	struct slice page = api_driver_do(&d, "GET /", "", SLICE("")).body;
	CHECK_INT(count_of(page, "<tr><td>a{i="), STATUS_SAMPLES_MAX);
	CHECK(has(page, "20 of 1000 series"));
	buf_finish(&body);
	api_driver_finish(&d);
}

static void test_failed_push(void)
{
	struct api_driver d;
	api_driver_init(&d);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/x", "m 1 1000\n"), 400);
	struct slice page = api_driver_do(&d, "GET /", "", SLICE("")).body;
	CHECK(has(page, "never pushed with success"));
	CHECK(has(page, "last push failed, 2026-11-20 07:51:05 UTC"));
	clock_freeze(2000000000, (int64_t)(API_FROZEN_SECONDS + 60) * 1000000000);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/x", "m 1\n"), 200);
	page = api_driver_do(&d, "GET /", "", SLICE("")).body;
	CHECK(has(page, "pushed 2026-11-20 07:52:05 UTC"));
	CHECK(!has(page, "last push failed"));
	api_driver_finish(&d);
}

/* What is kept but not on the scrape page is shown with a remark. */
static void test_shadowed(void)
{
	struct api_driver d;
	struct api_options options = api_driver_options();
	options.is_checked = false;
	api_driver_init_with(&d, &options);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/a", "# TYPE m counter\nm 1\n"), 202);
	CHECK_INT(api_driver_status(&d, "PUT /metrics/job/b", "# TYPE m gauge\nm 1\n"), 202);
	struct slice page = api_driver_do(&d, "GET /", "", SLICE("")).body;
	CHECK_INT(count_of(page, "not exposed: contradicts another group"), 1);
	api_driver_finish(&d);
}

/* ---- While it is made ---- */

static void do_jobs(struct api_driver *d, size_t count)
{
	for (size_t i = 0; i < count && d->job_count > 0; i++) {
		api_driver_do_job(d, 0);
	}
	api_driver_pump(&d->connection);
}

/* A request on a connection of its own. */
static void do_beside(struct api_driver *d, const char *line, const char *body)
{
	struct http_session session;
	struct slice request = api_driver_request(d, line, "", slice_of_string(body));
	http_session_init(&session, &d->server, api_driver_on_answer);
	http_session_feed(&session, NULL, request);
	http_session_finish(&session);
}

enum change {
	CHANGE_DELETE,
	CHANGE_PUT,
	CHANGE_NEW,
	CHANGE_WIPE,
	CHANGE_COUNT,
};

/* The page is whole and of one version, although something changes after so many steps. */
static void check_change(size_t stored, size_t steps, enum change change)
{
	static const char *const changes[CHANGE_COUNT][2] = {
		[CHANGE_DELETE] = { "DELETE /metrics/job/j0/n/000", "" },
		[CHANGE_PUT] = { "PUT /metrics/job/j0/n/000", "n 2\n" },
		[CHANGE_NEW] = { "PUT /metrics/job/a", "m 1\n" },
		[CHANGE_WIPE] = { "PUT /api/v1/admin/wipe", "" },
	};
	struct api_driver d;
	struct api_response response = { 0 };
	api_driver_init(&d);
	put_groups(&d, stored);
	api_driver_feed(&d, api_driver_request(&d, "GET /", "", SLICE("")));
	do_jobs(&d, steps);
	do_beside(&d, changes[change][0], changes[change][1]);
	api_driver_settle(&d, NULL);
	CHECK(api_driver_response(&d, &response));
	CHECK_INT(response.status, 200);
	CHECK(slice_ends_with(response.body, SLICE("</html>\n")));
	size_t groups = groups_on(response.body);
	CHECK(groups == 50 || (change == CHANGE_DELETE && groups == 49)
			|| (change == CHANGE_WIPE && groups == 0));
	CHECK_INT(count_of(response.body, "<td>m{") + count_of(response.body, "<td>n{"), groups);
	CHECK_INT(groups == 0, has(response.body, "<span>0 groups, 0 series</span>"));
	CHECK_INT(d.api.pages_being_made, 0);
	api_driver_finish(&d);
}

static void test_changes_while_made(void)
{
	for (enum change change = 0; change < CHANGE_COUNT; change++) {
		for (size_t steps = 0; steps < 8; steps++) {
			check_change(60, steps, change);
		}
		/* So many that they are listed on several turns. */
		for (size_t steps = 1; steps < 6; steps += 2) {
			check_change(4100, steps, change);
		}
	}
}

static void test_client_goes_away(void)
{
	for (size_t steps = 0; steps < 8; steps++) {
		struct api_driver d;
		api_driver_init(&d);
		put_groups(&d, 60);
		api_driver_feed(&d, api_driver_request(&d, "GET /", "", SLICE("")));
		do_jobs(&d, steps);
		api_driver_disconnect(&d);
		api_driver_settle(&d, NULL);
		CHECK_INT(d.api.pages_being_made, 0);
		api_driver_finish(&d);
	}
}

/* Each page that is made lists all groups: there is an end to that. */
static void test_too_many_at_once(void)
{
	struct api_driver d;
	api_driver_init(&d);
	put_groups(&d, 2);
	d.api.pages_being_made = 4000000;
	struct api_response response = api_driver_do(&d, "GET /", "", SLICE(""));
	CHECK_INT(response.status, 503);
	CHECK_STRING(response.body, "too many pages are being made, try again\n");
	CHECK_STRING(api_driver_header(&response, "Retry-After"), "1");
	d.api.pages_being_made = 0;
	CHECK_INT(api_driver_status(&d, "GET /", ""), 200);
	api_driver_finish(&d);
}

/* ---- Links ---- */

static void test_links(void)
{
	struct api_driver d;
	struct api_options options = api_driver_options();
	options.link_prefix = SLICE("/out/side");
	options.routes.prefix = SLICE("/in");
	options.routes.scrape_path = SLICE("/scrape");
	api_driver_init_with(&d, &options);
	struct slice page = api_driver_do(&d, "GET /in/", "", SLICE("")).body;
	CHECK(has(page, "\"/out/side/static/style.css?v="));
	CHECK(has(page, "\"/out/side/scrape\""));
	CHECK(has(page, "\"/out/side/api/v1/metrics\""));
	CHECK_INT(api_driver_status(&d, "GET /in/static/style.css", ""), 200);
	CHECK_INT(api_driver_status(&d, "GET /", ""), 404);
	api_driver_finish(&d);
}

int main(void)
{
	RUN(test_order);
	RUN(test_order_of_labels);
	RUN(test_empty);
	RUN(test_markup_is_text);
	RUN(test_pages);
	RUN(test_large_is_cut);
	RUN(test_samples_are_cut);
	RUN(test_failed_push);
	RUN(test_shadowed);
	RUN(test_changes_while_made);
	RUN(test_client_goes_away);
	RUN(test_too_many_at_once);
	RUN(test_links);
	return check_done();
}
