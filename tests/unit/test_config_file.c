/*
 * --config.file: settings by their names, where they come from, and what is
 * wrong with a file.
 */

#include "check.h"
#include "config/config.h"
#include "config/table.h"
#include "config_file.h"

static struct config config;

/* Reads the config with that file, more arguments, and variables. */
static enum config_result read_config(const char *file, const char *argument,
		const char *const *environment, struct buf *ret_text)
{
	char flag[128];
	snprintf(flag, sizeof(flag), "--config.file=%s", config_file_write(slice_of_string(file)));
	const char *arguments[] = { flag, argument };
	buf_init(ret_text, 0);
	return config_read(&config,
			&(struct config_input){
					.argument_count = argument == NULL ? 1 : 2,
					.arguments = arguments,
					.environment = environment,
			},
			ret_text);
}

static void read_good(const char *file, const char *argument, const char *const *environment)
{
	struct buf text;
	CHECK_INT(read_config(file, argument, environment, &text), CONFIG_OK);
	CHECK_SLICE(buf_slice(&text), SLICE(""));
	buf_finish(&text);
}

static enum config_source source_of(const char *name)
{
	return config.sources[setting_index(settings_find(name, strlen(name)))];
}

/* Every way to write a key is the same setting. */
static void test_keys(void)
{
	static const char *const files[] = {
		"group.ttl: 90m\nweb.enable-admin-api: true\n",
		"group: {ttl: 90m}\nweb:\n  enable-admin-api: true\n",
		"{\"group.ttl\": \"90m\", \"web\": {\"enable-admin-api\": \"true\"}}",
	};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		read_good(files[i], NULL, NULL);
		CHECK_INT(config.group_ttl_ns, 5400 * 1000000000ll);
		CHECK(config.web_enable_admin_api);
		CHECK_INT(source_of("group.ttl"), CONFIG_FROM_FILE);
		CHECK_INT(source_of("group.ttl-max"), CONFIG_FROM_DEFAULT);
		config_finish(&config);
	}
}

static void test_lists(void)
{
	read_good("web.listen-address: [':1', '[::1]:2']\n", NULL, NULL);
	CHECK_INT(config.web_listen_address.len, 2);
	CHECK_STRING(slice_of_string(config.web_listen_address.items[1]), "[::1]:2");
	config_finish(&config);
	read_good("web.listen-address: ':1'\n", NULL, NULL);
	CHECK_INT(config.web_listen_address.len, 1);
	config_finish(&config);
}

static void test_precedence(void)
{
	const char *environment[] = { "WEIR_GROUP_TTL=2h", "WEIR_GROUP_TTL_MAX=3h", NULL };
	const char *file = "group: {ttl: 4h, ttl-max: 4h}\nlog.level: warn\nlimit.labels: 7\n"
					   "web.listen-address: [':5']\n";
	read_good(file, "--group.ttl=1h", environment);
	CHECK_INT(config.group_ttl_ns, 3600 * 1000000000ll);
	CHECK_INT(config.group_ttl_max_ns, 3 * 3600 * 1000000000ll);
	CHECK_INT(config.log_level, LOG_LEVEL_WARN);
	CHECK_INT(config.limit_labels, 7);
	CHECK_INT(source_of("group.ttl"), CONFIG_FROM_FLAG);
	CHECK_INT(source_of("group.ttl-max"), CONFIG_FROM_ENVIRONMENT);
	CHECK_INT(source_of("log.level"), CONFIG_FROM_FILE);
	config_finish(&config);
	/* A list of a flag replaces the file's, it is not added to it. */
	read_good(file, "--web.listen-address=:6", NULL);
	CHECK_INT(config.web_listen_address.len, 1);
	CHECK_STRING(slice_of_string(config.web_listen_address.items[0]), ":6");
	config_finish(&config);
}

static void test_file_by_variable(void)
{
	char variable[128];
	struct buf text;
	buf_init(&text, 0);
	snprintf(variable, sizeof(variable), "WEIR_CONFIG_FILE=%s",
			config_file_write(SLICE("limit.labels: 9\n")));
	const char *environment[] = { variable, NULL };
	const char *arguments[] = { NULL };
	struct config_input input = { .arguments = arguments, .environment = environment };
	CHECK_INT(config_read(&config, &input, &text), CONFIG_OK);
	CHECK_INT(config.limit_labels, 9);
	config_finish(&config);
	buf_finish(&text);
}

/* Each setting of the table but those of flags alone can be set to its own default. */
static void test_every_setting(void)
{
	for (size_t i = 0; i < settings_count; i++) {
		char file[256];
		snprintf(file, sizeof(file), "%s: '%s'\n", settings[i].name, settings[i].initial);
		struct buf text;
		enum config_result result = read_config(file, NULL, NULL, &text);
		CHECK_INT(result, settings[i].is_flag_only ? CONFIG_E_INVALID : CONFIG_OK);
		if (result == CONFIG_OK) {
			CHECK_INT(config.sources[i], CONFIG_FROM_FILE);
			CHECK_INT(config.source_lines[i], 1);
		}
		buf_finish(&text);
		config_finish(&config);
	}
}

static void test_empty(void)
{
	read_good("# nothing is set\n", NULL, NULL);
	CHECK_INT(config.limit_labels, 16384);
	config_finish(&config);
}

static void test_errors(void)
{
	static const struct {
		const char *file;
		const char *argument;
		const char *errors;
	} cases[] = {
		{ "group.tll: 1h\n", NULL,
				"f.yml:1: unknown key 'group.tll', did you mean 'group.ttl'?\n" },
		{ "\nttl: 1h\n", NULL, "f.yml:2: unknown key 'ttl', did you mean 'group.ttl'?\n" },
		{ "nonsense: {a: b}\n", NULL,
				"f.yml:1: unknown key 'nonsense'; every flag of weir --help is one\n" },
		{ "web:\n  a: 1\n", NULL,
				"f.yml:2: unknown key 'web.a'; every flag of weir --help is one\n" },
		{ "group.ttl: 5\n", NULL,
				"f.yml:1: bad value '5' for 'group.ttl': a duration needs a unit (h, m, s, ms, us, "
				"ns), as in 90s or 1h30m\n" },
		{ "limit:\n  labels: 0\n  groups: x\n", NULL,
				"f.yml:2: bad value '0' for 'limit.labels': out of range, must be 1 to 1000000\n"
				"f.yml:3: bad value 'x' for 'limit.groups': not a whole number, must be 1 to "
				"1000000000\n" },
		{ "web.openmetrics: 1\n", NULL,
				"f.yml:1: bad value '1' for 'web.openmetrics': must be true or false\n" },
		{ "log.level: loud\n", NULL,
				"f.yml:1: bad value 'loud' for 'log.level': must be debug, info, warn, error\n" },
		{ "group.ttl:\n", NULL, "f.yml:1: 'group.ttl' has no value\n" },
		{ "web.listen-address: []\n", NULL, "f.yml:1: 'web.listen-address' has no value\n" },
		{ "group.ttl: [1h]\n", NULL, "f.yml:1: 'group.ttl' must be a value, not a list\n" },
		{ "group.ttl: {a: 1h}\n", NULL,
				"f.yml:1: 'group.ttl' must be a value, not keys and values\n" },
		{ "group: 1h\n", NULL, "f.yml:1: 'group' must be keys and values, not a value\n" },
		{ "group.ttl: 1h\ngroup: {ttl: 2h}\n", NULL,
				"f.yml:2: 'group.ttl' is set for the second time, first in line 1\n" },
		{ "group.ttl: 1h\ngroup.ttl: 2h\n", NULL,
				"f.yml:2: key 'group.ttl' stands here for the second time\n" },
		{ "config.file: x\n", NULL,
				"f.yml:1: 'config.file' can only be set by flag or environment\n" },
		{ "- a\n", NULL, "f.yml:1: 'f.yml' must be keys and values, not a list\n" },
		{ "a: [\n", NULL, "f.yml:2: did not find expected node content\n" },
		/* What a flag overrules must be right all the same. */
		{ "group.ttl: soon\n", "--group.ttl=1h",
				"f.yml:1: bad value 'soon' for 'group.ttl': not a duration, write it like 90s, 5m "
				"or "
				"1h30m\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf text, wanted;
		buf_init(&wanted, 0);
		CHECK_INT(read_config(cases[i].file, cases[i].argument, NULL, &text), CONFIG_E_INVALID);
		for (const char *line = cases[i].errors; *line != '\0'; line = strchr(line, '\n') + 1) {
			buf_printf(&wanted, "%.*s\n", (int)strcspn(line, "\n"), line);
		}
		char *errors = config_file_errors(&text);
		CHECK_SLICE(slice_of_string(errors), buf_slice(&wanted));
		free(errors);
		buf_finish(&wanted);
		buf_finish(&text);
		config_finish(&config);
	}
}

/* Who finds a value wrong later says where it came from. */
static void test_faults_found_later(void)
{
	const char *environment[] = { "WEIR_LOG_LEVEL=warn", NULL };
	read_good("data.dir: there\n", "--group.ttl=1h", environment);
	struct buf text;
	buf_init(&text, 0);
	config_begin_fault(&config, "data.dir", "there", &text);
	buf_append_byte(&text, '\n');
	config_begin_fault(&config, "group.ttl", "1h", &text);
	buf_append_byte(&text, '\n');
	config_begin_fault(&config, "log.level", "warn", &text);
	buf_append_byte(&text, '\n');
	config_begin_fault(&config, "log.format", "logfmt", &text);
	char *shown = config_file_errors(&text);
	CHECK_STRING(slice_of_string(shown),
			"f.yml:1: bad value 'there' for 'data.dir': \nbad value '1h' for --group.ttl: \n"
			"bad value 'warn' for WEIR_LOG_LEVEL: \nbad value 'logfmt' for --log.format: ");
	free(shown);
	buf_finish(&text);
	config_finish(&config);
}

static void test_no_file(void)
{
	struct buf text;
	buf_init(&text, 0);
	const char *arguments[] = { "--config.file=/nowhere/w.yml" };
	struct config_input input = { .argument_count = 1, .arguments = arguments };
	CHECK_INT(config_read(&config, &input, &text), CONFIG_E_INVALID);
	CHECK_SLICE(buf_slice(&text), SLICE("/nowhere/w.yml: No such file or directory\n"));
	config_finish(&config);
	buf_finish(&text);
}

int main(void)
{
	config_file_init();
	RUN(test_keys);
	RUN(test_lists);
	RUN(test_precedence);
	RUN(test_file_by_variable);
	RUN(test_every_setting);
	RUN(test_empty);
	RUN(test_errors);
	RUN(test_faults_found_later);
	RUN(test_no_file);
	config_file_finish();
	return check_done();
}
