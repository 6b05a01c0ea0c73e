#include "check.h"
#include "config/config.h"
#include "config/sources.h"
#include "config/table.h"
#include "config/value.h"

enum { ARGUMENTS_MAX = 8 };

static struct config config;
static struct buf text;

/* Reads the config from arguments and variables, each list ended by NULL. */
static enum config_result read_config(const char *const *arguments, const char *const *environment)
{
	int count = 0;
	while (arguments[count] != NULL) {
		count++;
	}
	buf_reset(&text, SIZE_MAX);
	return config_read(&config,
			&(struct config_input){
					.argument_count = count, .arguments = arguments, .environment = environment },
			&text);
}

#define STRINGS(...) ((const char *[]){ __VA_ARGS__ })

static bool text_has(const char *part)
{
	buf_append_byte(&text, '\0');
	bool found = strstr(text.ptr, part) != NULL;
	text.len--;
	return found;
}

static void test_defaults(void)
{
	CHECK_INT(read_config(STRINGS(NULL), NULL), CONFIG_OK);
	CHECK_INT(text.len, 0);
	CHECK_INT(config.web_listen_address.len, 1);
	CHECK_STRING(slice_of_string(config.web_listen_address.items[0]), ":9091");
	CHECK(!config.web_enable_admin_api);
	CHECK(config.web_openmetrics);
	CHECK(!config.push_disable_consistency_check);
	CHECK(!config.push_enable_utf8_names);
	CHECK_INT(config.group_ttl_ns, 0);
	CHECK_STRING(slice_of_string(config.data_dir), "data");
	CHECK_INT(config.limit_header_bytes, 1 << 20);
	CHECK_INT(config.limit_body_bytes, 64 << 20);
	CHECK_INT(config.limit_connections, 10000);
	CHECK_INT(config.limit_stored_bytes, (int64_t)4 << 30);
	CHECK_INT(config.timeout_body_ns, 60000000000);
	CHECK_INT(config.log_level, LOG_LEVEL_INFO);
	CHECK_INT(config.log_format, LOG_FORMAT_LOGFMT);
	config_finish(&config);
}

static void test_flags(void)
{
	enum config_result result = read_config(
			STRINGS("--web.listen-address=:1", "--web.listen-address", "[::1]:2",
					"--web.enable-admin-api", "--group.ttl", "1h30m",
					"--no-push.disable-consistency-check", "--log.level=error", "--", NULL),
			NULL);
	CHECK_INT(result, CONFIG_OK);
	CHECK_INT(config.web_listen_address.len, 2);
	CHECK_STRING(slice_of_string(config.web_listen_address.items[0]), ":1");
	CHECK_STRING(slice_of_string(config.web_listen_address.items[1]), "[::1]:2");
	CHECK(config.web_enable_admin_api);
	CHECK(!config.push_disable_consistency_check);
	CHECK_INT(config.group_ttl_ns, 5400 * 1000000000ll);
	CHECK_INT(config.log_level, LOG_LEVEL_ERROR);
	config_finish(&config);
}

/* A setting that is on by default, and one that is not. */
static void test_switches(void)
{
	static const struct {
		const char *argument;
		bool openmetrics;
		bool utf8_names;
	} cases[] = {
		{ "--web.openmetrics", true, false },
		{ "--web.openmetrics=true", true, false },
		{ "--web.openmetrics=false", false, false },
		{ "--no-web.openmetrics", false, false },
		{ "--push.enable-utf8-names", true, true },
		{ "--push.enable-utf8-names=true", true, true },
		{ "--push.enable-utf8-names=false", true, false },
		{ "--no-push.enable-utf8-names", true, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_INT(read_config(STRINGS(cases[i].argument, NULL), NULL), CONFIG_OK);
		CHECK_INT(config.web_openmetrics, cases[i].openmetrics);
		CHECK_INT(config.push_enable_utf8_names, cases[i].utf8_names);
		config_finish(&config);
	}
	CHECK_INT(
			read_config(STRINGS("--no-web.openmetrics", "--log.level", "info", NULL),
					STRINGS("WEIR_WEB_OPENMETRICS=true", "WEIR_PUSH_ENABLE_UTF8_NAMES=true", NULL)),
			CONFIG_OK);
	CHECK(!config.web_openmetrics);
	CHECK(config.push_enable_utf8_names);
	config_finish(&config);
}

static void test_environment(void)
{
	const char *const *environment = STRINGS("WEIR_WEB_LISTEN_ADDRESS=:1,:2", "HOME=/root",
			"WEIR_GROUP_TTL=5m", "WEIR_LIMIT_BODY_BYTES=", "WEIR_WEB_ENABLE_ADMIN_API=true",
			"WEIR_PORT=tcp://10.0.0.1:9091", "WEIR_LOG_FORMAT=json", NULL);
	CHECK_INT(read_config(STRINGS("--group.ttl=7m", NULL), environment), CONFIG_OK);
	CHECK_INT(config.web_listen_address.len, 2);
	CHECK_STRING(slice_of_string(config.web_listen_address.items[1]), ":2");
	CHECK(config.web_enable_admin_api);
	CHECK_INT(config.group_ttl_ns, 420 * 1000000000ll);
	CHECK_INT(config.limit_body_bytes, 64 << 20);
	CHECK_INT(config.log_format, LOG_FORMAT_JSON);
	config_finish(&config);

	CHECK_INT(read_config(STRINGS("--web.listen-address=:3", NULL), environment), CONFIG_OK);
	CHECK_INT(config.web_listen_address.len, 1);
	CHECK_STRING(slice_of_string(config.web_listen_address.items[0]), ":3");
	config_finish(&config);
}

static void test_errors(void)
{
	static const struct {
		const char *arguments[ARGUMENTS_MAX];
		const char *variable;
		const char *message;
	} cases[] = {
		{ { "--bogus" }, NULL, "unknown long flag '--bogus', try --help" },
		{ { "--group.tll=5m" }, NULL,
				"unknown long flag '--group.tll', did you mean '--group.ttl'? See --help" },
		{ { "--web.listen_address=:1" }, NULL,
				"unknown long flag '--web.listen_address', did you mean '--web.listen-address'? "
				"See --help" },
		{ { "--ttl=5m" }, NULL,
				"unknown long flag '--ttl', did you mean '--group.ttl'? See --help" },
		{ { "--versoin" }, NULL,
				"unknown long flag '--versoin', did you mean '--version'? See --help" },
		{ { "--no-group.ttl" }, NULL,
				"unknown long flag '--no-group.ttl', did you mean '--group.ttl'? See --help" },
		{ { "--=" }, NULL, "unknown long flag '--', try --help" },
		{ { "-x" }, NULL, "unknown short flag '-x', try --help" },
		{ { "push" }, NULL, "unexpected push, try --help" },
		{ { "-" }, NULL, "unexpected -, try --help" },
		{ { "" }, NULL, "unexpected , try --help" },
		{ { "--", "--group.ttl=5m" }, NULL, "unexpected --group.ttl=5m, try --help" },
		{ { "--help=x" }, NULL, "unexpected x, flag '--help' takes no value, try --help" },
		{ { "--no-takeover=1" }, NULL,
				"unexpected 1, flag '--no-takeover' takes no value, try --help" },
		{ { "--group.ttl" }, NULL, "expected argument for flag '--group.ttl', try --help" },
		{ { "--group.ttl", "--log.level=info" }, NULL,
				"expected argument for flag '--group.ttl', try --help" },
		{ { "--log.level=info", "--log.level=info" }, NULL,
				"flag 'log.level' cannot be repeated, try --help" },
		{ { "--takeover", "--no-takeover" }, NULL,
				"flag 'takeover' cannot be repeated, try --help" },
		{ { "--group.ttl=5" }, NULL,
				"bad value '5' for --group.ttl: a duration needs a unit (h, m, s, ms, us, ns), as "
				"in "
				"90s or 1h30m" },
		{ { "--group.ttl=-5s" }, NULL,
				"bad value '-5s' for --group.ttl: out of range, must be 0s or more" },
		{ { "--timeout.idle=0" }, NULL,
				"bad value '0' for --timeout.idle: out of range, must be 1ms to 24h0m0s" },
		{ { "--limit.body-bytes=2GiB" }, NULL,
				"bad value '2GiB' for --limit.body-bytes: out of range, must be 1 to 1GiB" },
		{ { "--limit.groups=1k" }, NULL,
				"bad value '1k' for --limit.groups: not a whole number, must be 1 to 1000000000" },
		{ { "--log.level=warning" }, NULL,
				"bad value 'warning' for --log.level: must be debug, info, warn, error" },
		{ { "--web.enable-admin-api=yes" }, NULL,
				"bad value 'yes' for --web.enable-admin-api: must be true or false" },
		{ { "--data.dir=" }, NULL, "bad value '' for --data.dir: must not be empty" },
		{ { NULL }, "WEIR_GROUP_TTL=1d",
				"bad value '1d' for WEIR_GROUP_TTL: unknown unit, a duration takes h, m, s, ms, us "
				"and ns, as in 90s or 1h30m" },
		{ { NULL }, "WEIR_WEB_LISTEN_ADDRESS=:1,,:2",
				"bad value ':1,,:2' for WEIR_WEB_LISTEN_ADDRESS: must not be empty" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *arguments[ARGUMENTS_MAX];
		char variable[100];
		memcpy(arguments, cases[i].arguments, sizeof(arguments));
		snprintf(variable, sizeof(variable), "%s",
				cases[i].variable == NULL ? "X=" : cases[i].variable);
		CHECK_INT(read_config(arguments, STRINGS(variable, NULL)), CONFIG_E_INVALID);
		char wanted[300];
		snprintf(wanted, sizeof(wanted), "%s\n", cases[i].message);
		CHECK_STRING(buf_slice(&text), wanted);
		config_finish(&config);
	}
}

static void test_help(void)
{
	enum config_result result =
			read_config(STRINGS("--help", "--bogus", NULL), STRINGS("WEIR_GROUP_TTL=x", NULL));
	CHECK_INT(result, CONFIG_SHOWN);
	CHECK(text_has("\n  -h, --help "));
	for (size_t i = 0; i < settings_count; i++) {
		CHECK(text_has(settings[i].name));
	}
	struct slice rest = buf_slice(&text);
	const char *newline;
	while ((newline = slice_find_byte(rest, '\n')) != NULL) {
		CHECK(newline - rest.ptr <= 80);
		rest = slice_skip(rest, (size_t)(newline - rest.ptr) + 1);
	}
	CHECK_INT(rest.len, 0);
	config_finish(&config);
}

static void test_version(void)
{
	CHECK_INT(read_config(STRINGS("--version", NULL), NULL), CONFIG_SHOWN);
	CHECK(slice_starts_with(buf_slice(&text), SLICE("weir, version 0.")));
	config_finish(&config);
}

static void test_print_config(void)
{
	enum config_result result = read_config(STRINGS("--print-config", "--group.ttl=90m", NULL),
			STRINGS("WEIR_DATA_DIR=/srv/weir", NULL));
	CHECK_INT(result, CONFIG_SHOWN);
	static const char *const rows[][3] = {
		{ "group.ttl", "1h30m0s", "flag" },
		{ "data.dir", "/srv/weir", "environment, WEIR_DATA_DIR" },
		{ "limit.body-bytes", "64MiB", "default" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[200];
		snprintf(line, sizeof(line), "\n%-33s= %-25s# %s\n", rows[i][0], rows[i][1], rows[i][2]);
		CHECK(text_has(line));
	}
	config_finish(&config);
}

/* What the table promises: defaults are written as they print, names are unlike. */
static void test_table(void)
{
	CHECK_INT(read_config(STRINGS(NULL), NULL), CONFIG_OK);
	for (size_t i = 0; i < settings_count; i++) {
		buf_reset(&text, SIZE_MAX);
		value_print(&config, &settings[i], &text);
		CHECK_STRING(buf_slice(&text), settings[i].initial);
		char name[ENVIRONMENT_NAME_MAX];
		environment_name(settings[i].name, name);
		for (size_t j = 0; j < i; j++) {
			char other[ENVIRONMENT_NAME_MAX];
			environment_name(settings[j].name, other);
			CHECK(strcmp(name, other) != 0);
			CHECK(settings[i].offset != settings[j].offset);
		}
	}
	config_finish(&config);
}

int main(void)
{
	buf_init(&text, 0);
	RUN(test_defaults);
	RUN(test_flags);
	RUN(test_switches);
	RUN(test_environment);
	RUN(test_errors);
	RUN(test_help);
	RUN(test_version);
	RUN(test_print_config);
	RUN(test_table);
	buf_finish(&text);
	return check_done();
}
