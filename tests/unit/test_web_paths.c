/*
 * Which prefixes, URLs and scrape paths there may be, and what is in force then.
 */

#include "check.h"
#include "config/config.h"
#include "config/table.h"
#include "config/value.h"
#include "config/web_paths.h"

enum { FLAGS_MAX = 4 };

#define FROM_URL "--web.external-url="
#define PREFIX "--web.route-prefix="
#define SCRAPE "--web.telemetry-path="

static struct buf text;

static enum config_result read_config(struct config *config, const char *const *flags)
{
	int count = 0;
	while (count < FLAGS_MAX && flags[count] != NULL) {
		count++;
	}
	const struct config_input input = { .argument_count = count, .arguments = flags };
	buf_reset(&text, SIZE_MAX);
	return config_read(config, &input, &text);
}

static void test_in_force(void)
{
	static const struct {
		const char *flags[FLAGS_MAX];
		const char *prefix; /* of paths */
		const char *links;  /* prefix of links */
		const char *scrape;
	} cases[] = {
		{ { NULL }, "", "", "/metrics" },
		{ { PREFIX "/" }, "", "", "/metrics" },
		{ { PREFIX "/foo" }, "/foo", "", "/metrics" },
		{ { PREFIX "/foo/" }, "/foo", "", "/metrics" },
		{ { PREFIX "foo/" }, "/foo", "", "/metrics" },
		{ { PREFIX "a/b.c-d~e_f" }, "/a/b.c-d~e_f", "", "/metrics" },
		{ { FROM_URL "http://ex.com/bar/" }, "/bar", "/bar", "/metrics" },
		{ { FROM_URL "https://ex.com:99/bar/baz" }, "/bar/baz", "/bar/baz", "/metrics" },
		{ { FROM_URL "HTTP://[::1]:99/bar" }, "/bar", "/bar", "/metrics" },
		{ { FROM_URL "http://u:p@ex.com/bar" }, "/bar", "/bar", "/metrics" },
		{ { FROM_URL "http://ex.com" }, "", "", "/metrics" },
		{ { FROM_URL "http://ex.com/" }, "", "", "/metrics" },
		{ { FROM_URL "/bar/" }, "/bar", "/bar", "/metrics" },
		{ { FROM_URL "http://ex.com/bar", PREFIX "/" }, "", "/bar", "/metrics" },
		{ { FROM_URL "http://ex.com/bar", PREFIX "/foo" }, "/foo", "/bar", "/metrics" },
		{ { SCRAPE "/scrape", PREFIX "/foo" }, "/foo", "", "/scrape" },
		{ { SCRAPE "scrape/" }, "", "", "/scrape" },
		{ { SCRAPE "/metrics/" }, "", "", "/metrics" },
		{ { SCRAPE "/metrics/all" }, "", "", "/metrics/all" },
		{ { SCRAPE "/metrics/jobs" }, "", "", "/metrics/jobs" },
		{ { SCRAPE "/statuses" }, "", "", "/statuses" },
		{ { SCRAPE "/apis" }, "", "", "/apis" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config config;
		CHECK_INT(read_config(&config, cases[i].flags), CONFIG_OK);
		CHECK_STRING(slice_of_string(config.web_route_prefix), cases[i].prefix);
		CHECK_STRING(web_paths_of_url(config.web_external_url), cases[i].links);
		CHECK_STRING(slice_of_string(config.web_telemetry_path), cases[i].scrape);
		config_finish(&config);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *flag;
		const char *message; /* behind the value and the flag */
	} cases[] = {
		{ PREFIX "//foo", "a part of the path must not be empty, \".\" or \"..\"" },
		{ PREFIX "/foo//bar", "a part of the path must not be empty, \".\" or \"..\"" },
		{ PREFIX "//", "a part of the path must not be empty, \".\" or \"..\"" },
		{ PREFIX "/foo/../bar", "a part of the path must not be empty, \".\" or \"..\"" },
		{ PREFIX ".", "a part of the path must not be empty, \".\" or \"..\"" },
		{ PREFIX "/a b", "a path here has letters, digits and /-._~$&+,;=@, not ' '" },
		{ PREFIX "/a%20b", "a path here has letters, digits and /-._~$&+,;=@, not '%'" },
		{ PREFIX "/:job", "a path here has letters, digits and /-._~$&+,;=@, not ':'" },
		{ PREFIX "/a?b", "a path here has letters, digits and /-._~$&+,;=@, not '?'" },
		{ PREFIX "/\"<script>", "a path here has letters, digits and /-._~$&+,;=@, not '\"'" },
		{ FROM_URL "::", "a URL is written like http://host:9091/path, or as its path" },
		{ FROM_URL "ex.com/x", "a URL is written like http://host:9091/path, or as its path" },
		{ FROM_URL "ftp://ex.com", "a URL is written like http://host:9091/path, or as its path" },
		{ FROM_URL "http://", "no host in it; a URL is written like http://host:9091/path" },
		{ FROM_URL "http:///x", "no host in it; a URL is written like http://host:9091/path" },
		{ FROM_URL "http://:80/x", "no host in it; a URL is written like http://host:9091/path" },
		{ FROM_URL "http://u@/x", "no host in it; a URL is written like http://host:9091/path" },
		{ FROM_URL "http://a b/", "no host in it; a URL is written like http://host:9091/path" },
		{ FROM_URL "http://h?x", "no host in it; a URL is written like http://host:9091/path" },
		{ FROM_URL "http://h/x?y", "a path here has letters, digits and /-._~$&+,;=@, not '?'" },
		{ FROM_URL "http://h/a//b", "a part of the path must not be empty, \".\" or \"..\"" },
		{ SCRAPE, "must not be empty" },
		{ SCRAPE "/", "/ is taken by something else" },
		{ SCRAPE "/status", "/status is taken by something else" },
		{ SCRAPE "status/", "/status is taken by something else" },
		{ SCRAPE "/Status", "/status is taken by something else" },
		{ SCRAPE "/-/healthy", "/- is taken by something else" },
		{ SCRAPE "/-/ready", "/- is taken by something else" },
		{ SCRAPE "/-/quit", "/- is taken by something else" },
		{ SCRAPE "/api/v1/metrics", "/api is taken by something else" },
		{ SCRAPE "/api/v1", "/api is taken by something else" },
		{ SCRAPE "/static/x", "/static is taken by something else" },
		{ SCRAPE "/metrics/job", "/metrics/job is taken by something else" },
		{ SCRAPE "/metrics/job/x", "/metrics/job is taken by something else" },
		{ SCRAPE "/metrics/job@base64/x", "/metrics/job@base64 is taken by something else" },
		{ SCRAPE "/a*", "a path here has letters, digits and /-._~$&+,;=@, not '*'" },
		{ SCRAPE "/a/./b", "a part of the path must not be empty, \".\" or \"..\"" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config config;
		const char *flags[FLAGS_MAX] = { cases[i].flag };
		const char *value = strchr(cases[i].flag, '=') + 1;
		char wanted[300];
		snprintf(wanted, sizeof(wanted), "bad value '%s' for %.*s: %s\n", value,
				(int)(value - 1 - cases[i].flag), cases[i].flag, cases[i].message);
		CHECK_INT(read_config(&config, flags), CONFIG_E_INVALID);
		CHECK_STRING(buf_slice(&text), wanted);
		config_finish(&config);
	}
}

/* Whoever may see the settings need not know passwords. */
static void test_passwords_are_not_shown(void)
{
	static const char *const cases[][2] = {
		{ "http://user:secret@host/x", "http://user:xxxxx@host/x" },
		{ "http://user:a@b:c@host/x", "http://user:xxxxx@host/x" },
		{ "http://user:@host", "http://user:xxxxx@host" },
		{ "http://user@host/x", "http://user@host/x" },
		{ "http://host:80/a@b", "http://host:80/a@b" },
		{ "/x", "/x" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config config;
		const struct setting *setting = settings_find("web.external-url", 16);
		char flag[100];
		snprintf(flag, sizeof(flag), FROM_URL "%s", cases[i][0]);
		const char *flags[FLAGS_MAX] = { flag };
		CHECK_INT(read_config(&config, flags), CONFIG_OK);
		value_print(&config, setting, &text);
		CHECK_STRING(buf_slice(&text), cases[i][1]);
		config_finish(&config);
	}
}

int main(void)
{
	buf_init(&text, 0);
	RUN(test_in_force);
	RUN(test_refused);
	RUN(test_passwords_are_not_shown);
	buf_finish(&text);
	return check_done();
}
