#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "config/config.h"
#include "config/state_check.h"
#include "config/state_url.h"
#include "config/table.h"
#include "config/value.h"

static struct config config;
static struct buf text;

#define STRINGS(...) ((const char *[]){ __VA_ARGS__, NULL })

static enum config_result read_config(const char *const *arguments)
{
	int count = 0;
	while (arguments[count] != NULL) {
		count++;
	}
	buf_reset(&text, SIZE_MAX);
	return config_read(&config,
			&(struct config_input){ .argument_count = count, .arguments = arguments }, &text);
}

static bool text_has(const char *part)
{
	return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

/* ---- What fits ---- */

static void test_paths(void)
{
	static const struct {
		const char *text;
		enum state_scheme scheme;
		const char *path;
	} cases[] = {
		{ "none", STATE_SCHEME_NONE, "" },
		{ "sqlite:", STATE_SCHEME_SQLITE, "" },
		{ "sqlite:x@y:z", STATE_SCHEME_SQLITE, "x@y:z" },
		{ "sqlite:///x/y", STATE_SCHEME_SQLITE, "/x/y" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(state_url_check(cases[i].text, &text));
		struct state_url url = state_url_read(cases[i].text);
		CHECK_INT(url.scheme, cases[i].scheme);
		CHECK_STRING(slice_of_string(url.path), cases[i].path);
		CHECK_INT(url.address_count, 0);
		state_url_finish(&url);
	}
}

/* user|password|host,port ...|database|tls|prefix */
static void describe(const struct state_url *url)
{
	buf_reset(&text, SIZE_MAX);
	buf_printf(&text, "%s|%s|", url->user, url->password);
	for (size_t i = 0; i < url->address_count; i++) {
		buf_printf(&text, "%s%s,%u", i == 0 ? "" : " ", url->addresses[i].host,
				url->addresses[i].port);
	}
	buf_printf(&text, "|%u|%d|%s", url->database, url->is_tls, url->prefix);
}

static void test_redis(void)
{
	static const char *const cases[][2] = {
		{ "redis://host", "||host,6379|0|0|weir" },
		{ "redis://host/", "||host,6379|0|0|weir" },
		{ "redis://host:1/65535?prefix=a.B-_:9", "||host,1|65535|0|a.B-_:9" },
		{ "rediss://host:65535?prefix=x", "||host,65535|0|1|x" },
		{ "valkey://a:1,b,c:3/2", "||a,1 b,6379 c,3|2|0|weir" },
		{ "valkeys://10.0.0.1", "||10.0.0.1,6379|0|1|weir" },
		{ "redis://[::1]", "||::1,6379|0|0|weir" },
		{ "redis://u:p@[fe80::1%eth0]:7,[::2],h:9", "u|p|fe80::1%eth0,7 ::2,6379 h,9|0|0|weir" },
		{ "redis://:p@host", "|p|host,6379|0|0|weir" },
		{ "redis://user@host", "user||host,6379|0|0|weir" },
		{ "redis://us%65r%3a:p%40%2F%3f%23%25:x@host:2/3", "user:|p@/?#%:x|host,2|3|0|weir" },
		{ "redis://u:a@b@host", "u|a@b|host,6379|0|0|weir" },
		{ "redis+unix:///run/redis.sock", "||/run/redis.sock,0|0|0|weir" },
		{ "valkey+unix:///a@b%20c?db=5&prefix=p", "||/a@b c,0|5|0|p" },
		{ "unix:///s?prefix=p&db=0", "||/s,0|0|0|p" },
		{ "redis+unix://u:p%2f@/s", "u|p/|/s,0|0|0|weir" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&text, SIZE_MAX);
		CHECK(state_url_check(cases[i][0], &text));
		CHECK_INT(text.len, 0);
		struct state_url url = state_url_read(cases[i][0]);
		CHECK_INT(url.scheme, STATE_SCHEME_REDIS);
		describe(&url);
		CHECK_STRING(buf_slice(&text), cases[i][1]);
		state_url_finish(&url);
	}
}

/* ---- What does not ---- */

static void check_refused(const char *url, const char *words)
{
	char flag[400];
	snprintf(flag, sizeof(flag), "--state.url=%s", url);
	CHECK_INT(read_config(STRINGS(flag)), CONFIG_E_INVALID);
	if (!text_has(words)) {
		fprintf(stderr, "%s: " SLICE_FMT, url, SLICE_ARG(buf_slice(&text)));
	}
	CHECK(text_has(words));
	CHECK(!text_has("s3cret") && !text_has("12345678"));
	config_finish(&config);
}

/* Wherever a password stands, it is not shown. */
static void test_refused(void)
{
	static const char long_path[] = "redis+unix:///"
									"0123456789012345678901234567890123456789012345678901234567890"
									"0123456789012345678901234567890123456789012345678901234567890";
	static const char *const cases[][2] = {
		{ "nowhere", "bad value 'nowhere' for --state.url: must be sqlite:PATH" },
		{ "postgres://u:s3cret@h", "bad value 'postgres://...' for --state.url: must be" },
		{ "redis:u:s3cret@h", "a Redis is written redis://host:6379" },
		{ "s3cret@redis://h", "bad value '...' for" },
		{ "redis://", "a host is missing" },
		{ "redis://u:s3cret@", "a host is missing" },
		{ "redis://u:s3cret@a,,b", "a host is missing" },
		{ "redis://u:s3cret@a b", "is no name and no address" },
		{ "redis://u:s3cret", "the port of a host must be 1 to 65535" },
		{ "redis://u:12345678", "the port of a host must be 1 to 65535" },
		{ "redis://u:s3cret@h:0", "the port of a host must be 1 to 65535" },
		{ "redis://u:s3cret@h:65536", "the port of a host must be 1 to 65535" },
		{ "redis://u:s3cret@h:", "the port of a host must be 1 to 65535" },
		{ "redis://u:s3cret@::1", "an IPv6 address is written [::1]" },
		{ "redis://u:s3cret@[::1", "an IPv6 address is written [::1]" },
		{ "redis://u:s3cret@[::1]6379", "an IPv6 address is written [::1]" },
		{ "redis://u:s3cret@[]", "a host is missing" },
		{ "redis://u:s3/cret@h", "is written %2F, %3F or %23" },
		{ "redis://u:s3?cret@h", "is written %2F, %3F or %23" },
		{ "redis://u:s3#cret@h", "it is written %23" },
		{ "redis://u:s3cret%@h", "two hex digits" },
		{ "redis://u:s3cret%0g@h", "two hex digits" },
		{ "redis://u:s3cret%00@h", "two hex digits" },
		{ "redis://u:s3cret@h/x", "the number of the database must be 0 to 65535" },
		{ "redis://h/65536", "the number of the database must be 0 to 65535" },
		{ "redis://h/0/", "the number of the database must be 0 to 65535" },
		{ "redis://h?password=s3cret", "behind the ? belongs prefix=weir, once" },
		{ "redis://h?db=1", "behind the ? belongs prefix=weir, once" },
		{ "redis://h?prefix=a&prefix=a", "behind the ? belongs prefix=weir, once" },
		{ "redis://h?prefix", "behind the ? belongs prefix=weir, once" },
		{ "redis://h?prefix=", "the prefix has 1 to 64 letters" },
		{ "redis://h?prefix={a}", "the prefix has 1 to 64 letters" },
		{ "redis://h?prefix="
		  "01234567890123456789012345678901234567890123456789012345678901234",
				"the prefix has 1 to 64 letters" },
		{ "redis+unix://u:s3cret@h/s", "a socket has no host" },
		{ "redis+unix://h", "a socket has no host" },
		{ "redis+unix://", "the path of a socket begins at the root" },
		{ "redis+unix:///run/", "the path of a socket begins at the root" },
		{ "redis+unix:///s?db=x", "the number of the database must be" },
		{ "redis+unix:///s?db=1&db=1", "behind the ? belong db=0 and prefix=weir, once" },
		{ long_path, "at most 107 bytes" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_refused(cases[i][0], cases[i][1]);
	}
}

static void test_password_is_not_shown(void)
{
	CHECK_INT(read_config(STRINGS("--print-config", "--state.url=rediss://u:s3cret@h:1,k/2")),
			CONFIG_SHOWN);
	CHECK(text_has("= rediss://u:xxxxx@h:1,k/2 "));
	CHECK(!text_has("s3cret"));
	config_finish(&config);
	CHECK_INT(read_config(STRINGS("--print-config", "--state.url=unix://:s3c:r@et@/s")),
			CONFIG_SHOWN);
	CHECK(text_has("= unix://:xxxxx@/s "));
	config_finish(&config);
}

/* ---- The password's file ---- */

static void write_file(const char *path, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "w");
	CHECK(file != NULL);
	CHECK_INT(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

static void check_file(const char *path, const char *bytes, size_t len, const char *wanted)
{
	write_file(path, bytes, len);
	struct state_url url = state_url_read("redis://u@h");
	buf_reset(&text, SIZE_MAX);
	if (state_url_read_password(&url, path, &text)) {
		CHECK_STRING(slice_of_string(url.password), wanted);
		CHECK_STRING(slice_of_string(url.user), "u");
	} else {
		CHECK_STRING(slice_of_string(url.password), "");
		CHECK(text_has(wanted));
	}
	state_url_finish(&url);
}

static void test_password_file(void)
{
	static char line[5000];
	char path[] = "/tmp/weir-test-XXXXXX";
	memset(line, 'x', sizeof(line));
	close(mkstemp(path));
	check_file(path, "secret", 6, "secret");
	check_file(path, "s p@:/\n", 7, "s p@:/");
	check_file(path, "secret\r\nmore\n", 14, "secret");
	check_file(path, "", 0, "its first line is empty");
	check_file(path, "\nsecret\n", 8, "its first line is empty");
	check_file(path, line, sizeof(line), "its first line is too long");
	line[4095] = '\0';
	check_file(path, line, 4095, line);
	unlink(path);
	struct state_url url = state_url_read("redis://h");
	buf_reset(&text, SIZE_MAX);
	CHECK(!state_url_read_password(&url, path, &text));
	CHECK_STRING(buf_slice(&text), "No such file or directory");
	CHECK(!state_url_read_password(&url, "/tmp", &text));
	state_url_finish(&url);
}

/* ---- Together ---- */

#define R "--state.url=redis://h"
#define T "--state.url=rediss://h"

static void test_combinations(void)
{
	static const struct {
		const char *arguments[4];
		const char *wrong; /* "": nothing */
	} cases[] = {
		{ { "--state.url=none" }, "" },
		{ { R }, "" },
		{ { R, "--state.wait=1", "--state.on-outage=accept", "--state.tombstones=1m" }, "" },
		{ { "--state.url=redis://u@h", "--state.password-file=p" }, "" },
		{ { T, "--state.tls-ca-file=c", "--state.tls-cert-file=d", "--state.tls-key-file=k" }, "" },
		{ { T, "--state.tls-insecure-skip-verify" }, "" },
		{ { "--state.on-outage=reject", "--state.wait=0", "--state.outage-after=2s" }, "" },
		{ { "--state.wait=1" },
				"bad value '1' for --state.wait: only with --state.url=redis://... or another "
				"Redis\n" },
		{ { "--state.url=none", "--state.on-outage=accept" },
				"bad value 'accept' for --state.on-outage: only with --state.url=redis://... or "
				"another Redis\n" },
		{ { R, "--state.tls-ca-file=c", "--state.tls-insecure-skip-verify" },
				"bad value 'c' for --state.tls-ca-file: only with --state.url=rediss://...\n"
				"bad value 'true' for --state.tls-insecure-skip-verify: only with "
				"--state.url=rediss://...\n" },
		{ { T, "--state.tls-ca-file=c", "--state.tls-insecure-skip-verify" },
				"bad value 'c' for --state.tls-ca-file: not with "
				"--state.tls-insecure-skip-verify, which looks at no certificate\n" },
		{ { T, "--state.tls-cert-file=d" },
				"bad value 'd' for --state.tls-cert-file: only with its key, "
				"--state.tls-key-file\n" },
		{ { T, "--state.tls-key-file=k" },
				"bad value 'k' for --state.tls-key-file: only with its certificate, "
				"--state.tls-cert-file\n" },
		{ { "--state.url=redis://:s3cret@h", "--state.password-file=p" },
				"bad value 'p' for --state.password-file: --state.url has a password, too: give "
				"one of them\n" },
		{ { R, "--state.ack=memory", "--state.wait=1" },
				"bad value '1' for --state.wait: only with --state.ack=durable: nobody waits "
				"otherwise\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *arguments[5] = { NULL };
		memcpy(arguments, cases[i].arguments, sizeof(cases[i].arguments));
		CHECK_INT(read_config(arguments), CONFIG_OK);
		CHECK_INT(state_check(&config, &text), cases[i].wrong[0] == '\0');
		CHECK_STRING(buf_slice(&text), cases[i].wrong);
		config_finish(&config);
	}
}

int main(void)
{
	buf_init(&text, 0);
	RUN(test_paths);
	RUN(test_redis);
	RUN(test_refused);
	RUN(test_password_is_not_shown);
	RUN(test_password_file);
	RUN(test_combinations);
	buf_finish(&text);
	return check_done();
}
