/*
 * The web config's owner: who has to agree to a new file, and that changes are noticed.
 */

#include "base/clock.h"
#include "base/log.h"
#include "certificate.h"
#include "check.h"
#include "config_file.h"
#include "server/tls_files.h"
#include "server/web_file.h"

#define GOOD(burst) "rate_limit: {interval: 1s, burst: " burst "}\n"

enum { NOTICED_MS = 10000 };

/* Somebody who goes by the config. */
struct user {
	struct web_subscriber subscriber;
	bool refuses;
	int checks;
	int applies;
	uint64_t burst; /* of what is in force */
};

struct fixture {
	uv_loop_t loop;
	struct web_file file;
	struct user users[2];
};

static bool check(void *data, const struct web_config *config, struct buf *errors)
{
	struct user *user = data;
	user->checks++;
	if (user->refuses) {
		buf_append_string(errors, "not that\n");
	}
	return !user->refuses;
}

static void apply(void *data, const struct web_config *config)
{
	struct user *user = data;
	user->applies++;
	user->burst = config->rate_burst;
}

static void set_up(struct fixture *fixture, const char *path)
{
	*fixture = (struct fixture){ 0 };
	uv_loop_init(&fixture->loop);
	web_file_open(&fixture->file, &fixture->loop, path);
	for (size_t i = 0; i < 2; i++) {
		struct user *user = &fixture->users[i];
		user->subscriber = (struct web_subscriber){ .apply = apply, .data = user };
		web_file_subscribe(&fixture->file, &user->subscriber);
	}
	fixture->users[1].subscriber.check = check;
}

static void tear_down(struct fixture *fixture)
{
	web_file_close(&fixture->file);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&fixture->loop), 0);
	web_file_finish(&fixture->file);
}

static void check_in_force(const struct fixture *fixture, uint64_t burst, int applies)
{
	for (size_t i = 0; i < 2; i++) {
		CHECK_INT(fixture->users[i].burst, burst);
		CHECK_INT(fixture->users[i].applies, applies);
	}
	CHECK_INT(fixture->file.config.rate_burst, burst);
}

static void test_without_a_file(void)
{
	struct fixture fixture;
	set_up(&fixture, "");
	CHECK(!web_file_is_used(&fixture.file));
	CHECK(web_file_read(&fixture.file));
	check_in_force(&fixture, 0, 1);
	CHECK(web_file_reload(&fixture.file));
	check_in_force(&fixture, 0, 1);
	tear_down(&fixture);
}

static void test_all_agree_or_nothing_changes(void)
{
	struct fixture fixture;
	set_up(&fixture, config_file_write(SLICE(GOOD("1"))));
	CHECK(web_file_read(&fixture.file));
	check_in_force(&fixture, 1, 1);
	int64_t read_ns = fixture.file.read_ns;
	CHECK(read_ns > 0);

	config_file_write(SLICE(GOOD("2")));
	fixture.users[1].refuses = true;
	CHECK(!web_file_reload(&fixture.file));
	check_in_force(&fixture, 1, 1);
	CHECK(!fixture.file.was_read);
	CHECK_INT(fixture.file.read_ns, read_ns);

	fixture.users[1].refuses = false;
	CHECK(web_file_reload(&fixture.file));
	check_in_force(&fixture, 2, 2);
	CHECK(fixture.file.was_read);
	CHECK(fixture.file.read_ns > read_ns);

	config_file_write(SLICE("rate_limit: {interval: 1s, burst: 3}\nunknown: 1\n"));
	int checks = fixture.users[1].checks;
	CHECK(!web_file_reload(&fixture.file));
	check_in_force(&fixture, 2, 2);
	CHECK_INT(fixture.users[1].checks, checks); /* nobody is asked about half a config */
	CHECK_INT(fixture.file.reloads_good, 1);
	CHECK_INT(fixture.file.reloads_failed, 2);
	tear_down(&fixture);
}

static void test_broken_at_first(void)
{
	struct fixture fixture;
	set_up(&fixture, config_file_write(SLICE("unknown: 1\n")));
	CHECK(!web_file_read(&fixture.file));
	CHECK_INT(fixture.users[0].applies, 0);
	tear_down(&fixture);
}

/* Runs the loop until the burst is in force, or for too long. */
static void wait_for(struct fixture *fixture, uint64_t burst)
{
	uint64_t end_ns = clock_monotonic_ns() + (uint64_t)NOTICED_MS * 1000000;
	while (fixture->file.config.rate_burst != burst && clock_monotonic_ns() < end_ns) {
		uv_run(&fixture->loop, UV_RUN_ONCE);
	}
	CHECK_INT(fixture->file.config.rate_burst, burst);
}

static void exchange(const char *text)
{
	char other[sizeof(config_file_path) + 4];
	snprintf(other, sizeof(other), "%s.new", config_file_path);
	config_file_write(slice_of_string(text));
	rename(config_file_path, other);
	rename(other, config_file_path);
}

static void test_changes_are_noticed(void)
{
	struct fixture fixture;
	set_up(&fixture, config_file_write(SLICE(GOOD("1"))));
	CHECK(web_file_read(&fixture.file));
	config_file_write(SLICE(GOOD("22")));
	wait_for(&fixture, 22);
	unlink(config_file_path);
	exchange(GOOD("33"));
	wait_for(&fixture, 33);
	CHECK_INT(fixture.file.reloads_failed, 0); /* it was back before anybody looked twice */
	tear_down(&fixture);
}

/* Told to read it while it is being looked at: the look is of no use any more. */
static void test_reload_while_looking(void)
{
	struct fixture fixture;
	set_up(&fixture, config_file_write(SLICE(GOOD("1"))));
	CHECK(web_file_read(&fixture.file));
	while (!fixture.file.watch.is_looking) {
		uv_run(&fixture.loop, UV_RUN_ONCE);
	}
	config_file_write(SLICE("tls_server_config: {}\n" GOOD("2")));
	CHECK(web_file_reload(&fixture.file));
	check_in_force(&fixture, 2, 2);
	config_file_write(SLICE(GOOD("44")));
	wait_for(&fixture, 44);
	tear_down(&fixture);
}

static void test_closed_while_looking(void)
{
	struct fixture fixture;
	set_up(&fixture, config_file_write(SLICE(GOOD("1"))));
	CHECK(web_file_read(&fixture.file));
	while (!fixture.file.watch.is_looking) {
		uv_run(&fixture.loop, UV_RUN_ONCE);
	}
	tear_down(&fixture);
}

/* An inline certificate and key, each line of them indented. */
static void append_pem(struct buf *yaml, const char *key, const char *pem)
{
	buf_printf(yaml, "  %s: |\n    ", key);
	for (const char *at = pem; *at != '\0'; at++) {
		buf_append_byte(yaml, *at);
		buf_append_string(yaml, *at == '\n' ? "    " : "");
	}
	buf_append_byte(yaml, '\n');
}

static void check_file(struct slice yaml, const char *wanted)
{
	struct buf errors;
	buf_init(&errors, 0);
	CHECK_INT(tls_files_check(config_file_write(yaml), &errors), wanted[0] == '\0');
	char *shown = config_file_errors(&errors);
	CHECK_STRING(slice_first(slice_of_string(shown), strlen(wanted)), wanted);
	CHECK_INT(strlen(shown) != 0, wanted[0] != '\0');
	free(shown);
	buf_finish(&errors);
}

static void test_check_before_the_start(void)
{
	struct certificate server;
	struct certificate other;
	certificate_init(&server, "server", "DNS:server", 1000, NULL);
	certificate_init(&other, "other", "DNS:other", 1000, NULL);
	struct buf yaml;
	buf_init(&yaml, 0);
	buf_append_string(&yaml, "tls_server_config:\n");
	append_pem(&yaml, "cert", server.cert_text);
	size_t len = yaml.len;
	append_pem(&yaml, "key", server.key_text);
	check_file(buf_slice(&yaml), "");
	yaml.len = len;
	append_pem(&yaml, "key", other.key_text);
	check_file(buf_slice(&yaml), "key: the key does not belong to the certificate of cert\n");
	buf_finish(&yaml);
	check_file(SLICE("tls_server_config: {cert_file: c.pem, key_file: k.pem}"),
			"f.yml:1: cert_file: c.pem: No such file or directory\nf.yml:1: key_file: k.pem: No "
			"such file or directory\n");
	check_file(SLICE("unknown: 1"), "f.yml:1: unknown key 'unknown'");
	check_file(SLICE(GOOD("1")), "");
	certificate_finish(&server);
	certificate_finish(&other);
}

int main(void)
{
	config_file_init();
	log_redirect(-1);
	RUN(test_without_a_file);
	RUN(test_all_agree_or_nothing_changes);
	RUN(test_broken_at_first);
	RUN(test_changes_are_noticed);
	RUN(test_reload_while_looking);
	RUN(test_closed_while_looking);
	RUN(test_check_before_the_start);
	config_file_finish();
	return check_done();
}
