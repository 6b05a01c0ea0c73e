/*
 * Who is let in, over connections without sockets. Hashes are computed, and answers let go that
 * are held back, when the test says so.
 */

#include <assert.h>
#include <stdlib.h>

#include "api/gate.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "check.h"
#include "http/exchange.h"
#include "http/server.h"
#include "http/session.h"

#define ALICE "YWxpY2U6VSpV"                                                     /* alice:U*U */
#define ALICE_WRONG "YWxpY2U6d3Jvbmc="                                           /* alice:wrong */
#define BOB "Ym9iOg=="                                                           /* bob: */
#define BOB_WRONG "Ym9iOng="                                                     /* bob:x */
#define DAVE "ZGF2ZTp4"                                                          /* dave:x */
#define CAROL "Y2Fyb2w6VSpV"                                                     /* carol:U*U */
#define HASH_OF_U "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW" /* U*U */
#define HASH_OF_NOTHING "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"

#define REQUEST(method, path, more) method " " path " HTTP/1.1\r\nHost: h\r\n" more "\r\n"
#define GET_AS(path, who) REQUEST("GET", path, "Authorization: Basic " who "\r\n")
#define OK(length, body) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n" body
#define TEXT(status, more, length, body)                                                           \
	"HTTP/1.1 " status "\r\nContent-Type: text/plain; charset=utf-8\r\n" more                      \
	"Content-Length: " length "\r\n\r\n" body
#define NOSNIFF "X-Content-Type-Options: nosniff\r\n"
#define AWAY TEXT("401 Unauthorized", "Www-Authenticate: Basic\r\n" NOSNIFF, "13", "Unauthorized\n")

enum { CONNECTIONS_MAX = 600, JOBS_MAX = 1024 };

struct connection {
	struct http_session session;
	struct buf out;
	bool is_open;
};

struct held_job {
	struct job *job;
	uint64_t ms;
};

struct fixture {
	struct http_server server;
	struct gate gate;
	struct executor executor;
	struct job *submitted; /* one at a time */
	struct held_job held[JOBS_MAX];
	size_t held_count;
	struct connection connections[CONNECTIONS_MAX];
	size_t handled; /* requests that were let in */
};

static const struct web_user users[] = {
	{ .name = SLICE_INIT("bob"), .hash = (char *)(uintptr_t)HASH_OF_NOTHING },
	{ .name = SLICE_INIT("alice"), .hash = (char *)(uintptr_t)HASH_OF_U },
};

/* ---- The fixture ---- */

static void submit(struct executor *executor, struct job *job)
{
	struct fixture *fixture = LIST_ENTRY(executor, struct fixture, executor);
	assert(fixture->submitted == NULL); /* there is never more than one */
	fixture->submitted = job;
}

static void later(struct executor *executor, struct job *job, uint64_t ms)
{
	struct fixture *fixture = LIST_ENTRY(executor, struct fixture, executor);
	assert(fixture->held_count < JOBS_MAX);
	fixture->held[fixture->held_count++] = (struct held_job){ .job = job, .ms = ms };
}

static void on_answer(struct http_session *session)
{
}

static void on_request(void *data, struct exchange *exchange)
{
	struct fixture *fixture = data;
	fixture->handled++;
	exchange->response.status = 200;
	exchange->response.body = arena_copy(&exchange->arena, exchange->request.path);
	if (slice_equal(exchange->request.path, SLICE("/404"))) {
		exchange_set_error(exchange, 404, SLICE("no\n"));
	}
	exchange_answer(exchange);
}

static struct web_config config_of(const struct web_user *some, size_t count)
{
	return (struct web_config){ .users = (struct web_user *)(uintptr_t)some, .user_count = count };
}

static struct fixture *create_fixture(const struct web_config *config)
{
	const struct http_limits limits = { .header_bytes = 1000, .body_bytes = 1000 };
	struct fixture *fixture = memory_zalloc(1, sizeof(*fixture));
	clock_freeze(1000000000, 1795161065 * INT64_C(1000000000));
	fixture->executor = (struct executor){ .submit = submit, .later = later };
	http_server_init(&fixture->server, &limits);
	gate_init(&fixture->gate, &fixture->executor);
	gate_set(&fixture->gate, config);
	fixture->server.admit = gate_admit;
	fixture->server.admit_data = &fixture->gate;
	fixture->server.on_request = on_request;
	fixture->server.data = fixture;
	return fixture;
}

static void close_connection(struct connection *connection)
{
	if (connection->is_open) {
		connection->is_open = false;
		http_session_finish(&connection->session);
		buf_finish(&connection->out);
	}
}

static void pump(struct connection *connection)
{
	struct slice parts[4];
	size_t count;
	while (connection->is_open && http_session_fill(&connection->session)) {
		while ((count = http_session_output(&connection->session, parts, 4)) != 0) {
			size_t bytes = 0;
			for (size_t i = 0; i < count; i++) {
				buf_append(&connection->out, parts[i]);
				bytes += parts[i].len;
			}
			http_session_wrote(&connection->session, bytes);
		}
	}
}

static void pump_all(struct fixture *fixture)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		pump(&fixture->connections[i]);
	}
}

/* Computes the hash that is wanted now; false: none is. */
static bool compute(struct fixture *fixture)
{
	struct job *job = fixture->submitted;
	if (job == NULL) {
		return false;
	}
	job->work(job);
	fixture->submitted = NULL;
	job->done(job);
	pump_all(fixture);
	return true;
}

/* Time passes for all that are held back. */
static void let_go(struct fixture *fixture)
{
	size_t count = fixture->held_count;
	fixture->held_count = 0;
	for (size_t i = 0; i < count; i++) {
		fixture->held[i].job->done(fixture->held[i].job);
	}
	pump_all(fixture);
}

static void settle(struct fixture *fixture)
{
	while (fixture->submitted != NULL || fixture->held_count > 0) {
		while (compute(fixture)) {
		}
		let_go(fixture);
	}
}

static void destroy_fixture(struct fixture *fixture)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		close_connection(&fixture->connections[i]);
	}
	settle(fixture);
	CHECK_INT(fixture->server.exchange_count, 0);
	http_server_finish(&fixture->server);
	gate_finish(&fixture->gate);
	free(fixture);
	clock_thaw();
}

/* Over a connection that is opened if need be. */
static void say(struct fixture *fixture, size_t number, const char *text)
{
	struct connection *connection = &fixture->connections[number];
	if (!connection->is_open) {
		http_session_init(&connection->session, &fixture->server, on_answer);
		buf_init(&connection->out, 0);
		connection->is_open = true;
	}
	http_session_feed(&connection->session, NULL, slice_of_string(text));
	pump(connection);
}

/* What came back since the last time, without the dates. */
static void check_answer(struct fixture *fixture, size_t number, const char *wanted)
{
	struct buf *out = &fixture->connections[number].out;
	struct buf undated;
	buf_init(&undated, 0);
	struct slice rest = buf_slice(out);
	while (rest.len > 0) {
		const char *end = slice_find_byte(rest, '\n');
		struct slice line = end == NULL ? rest : slice_between(rest.ptr, end + 1);
		buf_append(&undated, slice_starts_with(line, SLICE("Date: ")) ? SLICE("") : line);
		rest = slice_skip(rest, line.len);
	}
	CHECK_STRING(buf_slice(&undated), wanted);
	buf_finish(&undated);
	out->len = 0;
}

/* ---- Right and wrong ---- */

static void test_right(void)
{
	struct web_config config = config_of(users, 2);
	struct fixture *fixture = create_fixture(&config);
	say(fixture, 0, GET_AS("/a", ALICE));
	check_answer(fixture, 0, "");
	CHECK(!http_session_wants_input(&fixture->connections[0].session));
	CHECK(compute(fixture));
	check_answer(fixture, 0, OK("2", "/a"));
	say(fixture, 0, GET_AS("/b", ALICE));
	say(fixture, 1, GET_AS("/c", ALICE));
	check_answer(fixture, 0, OK("2", "/b"));
	check_answer(fixture, 1, OK("2", "/c"));
	CHECK(!compute(fixture)); /* it is known by now */
	say(fixture, 1, GET_AS("/d", BOB));
	CHECK(compute(fixture));
	check_answer(fixture, 1, OK("2", "/d"));
	CHECK_INT(fixture->gate.auth.counters.checks, 2);
	CHECK_INT(fixture->gate.auth.counters.failures, 0);
	destroy_fixture(fixture);
}

static void test_wrong(void)
{
	static const char *const pairs[] = { GET_AS("/", ALICE_WRONG), GET_AS("/", CAROL) };
	struct web_config config = config_of(users, 2);
	for (size_t i = 0; i < 2; i++) {
		struct fixture *fixture = create_fixture(&config);
		say(fixture, 0, pairs[i]);
		CHECK(compute(fixture)); /* of an unknown user, too */
		check_answer(fixture, 0, "");
		CHECK_INT(fixture->held[0].ms, 250);
		let_go(fixture);
		check_answer(fixture, 0, AWAY);
		say(fixture, 0, pairs[i]);
		CHECK(!compute(fixture)); /* known to be wrong */
		CHECK_INT(fixture->held[0].ms, 500);
		say(fixture, 1, GET_AS("/a", ALICE));
		CHECK(compute(fixture)); /* not slowed by that */
		check_answer(fixture, 1, OK("2", "/a"));
		let_go(fixture);
		check_answer(fixture, 0, AWAY);
		CHECK_INT(fixture->handled, 1);
		CHECK_INT(fixture->gate.auth.counters.failures, 2);
		destroy_fixture(fixture);
	}
}

/* Names that share a row share their slowness: draws a key with which these do not. */
static void tell_names_apart(void)
{
	static const char *const names[] = { "alice", "bob", "carol", "dave" };
	enum { COUNT = sizeof(names) / sizeof(names[0]) };
	bool share = true;
	while (share) {
		share = false;
		hash_init();
		for (size_t i = 0; i < COUNT; i++) {
			for (size_t j = 0; j < i; j++) {
				share |= hash64(slice_of_string(names[i])) % FAILURES_ROWS
						== hash64(slice_of_string(names[j])) % FAILURES_ROWS;
			}
		}
	}
}

static uint64_t held_ms(struct fixture *fixture, const char *request, uint64_t peer)
{
	say(fixture, 0, REQUEST("GET", "/", ""));
	fixture->connections[0].session.peer = peer;
	say(fixture, 0, request);
	while (compute(fixture)) {
	}
	CHECK_INT(fixture->held_count, 1);
	uint64_t ms = fixture->held[0].ms;
	let_go(fixture);
	return ms;
}

/* By the client and by the name; whether there is a user of that name makes no difference. */
static void test_how_long_wrong_ones_are_held_back(void)
{
	struct web_config config = config_of(users, 2);
	for (size_t i = 0; i < 2; i++) {
		struct fixture *fixture = create_fixture(&config);
		const char *first = i == 0 ? GET_AS("/", ALICE_WRONG) : GET_AS("/", CAROL);
		const char *other = i == 0 ? GET_AS("/", CAROL) : GET_AS("/", ALICE_WRONG);
		CHECK_INT(held_ms(fixture, first, 1001), 250);
		CHECK_INT(held_ms(fixture, first, 1001), 500);
		CHECK_INT(held_ms(fixture, other, 1001), 1000); /* another name, the same client */
		CHECK_INT(held_ms(fixture, first, 1002), 1000); /* the same name, another client */
		CHECK_INT(held_ms(fixture, other, 1003), 500);
		CHECK_INT(held_ms(fixture, GET_AS("/", BOB_WRONG), 1003), 500);
		CHECK_INT(held_ms(fixture, GET_AS("/", DAVE), 1004), 250); /* neither has failed */
		destroy_fixture(fixture);
	}
}

static void test_nothing_to_verify(void)
{
	static const char *const requests[] = {
		REQUEST("GET", "/", ""),
		REQUEST("GET", "/", "Authorization: Basic\r\n"),
		REQUEST("GET", "/", "Authorization: Bearer " ALICE "\r\n"),
		REQUEST("GET", "/", "Authorization: Basic alice:U*U\r\n"),
		REQUEST("GET", "/", "Authorization: Basic YWxpY2U6VSpVAA==\r\n"), /* a NUL behind */
		REQUEST("GET", "/", "Authorization: x\r\nAuthorization: Basic " ALICE "\r\n"),
		REQUEST("GET", "/", "Proxy-Authorization: Basic " ALICE "\r\n"),
		REQUEST("OPTIONS", "*", ""),
		REQUEST("PUT", "/", "Content-Length: 3\r\n") "abc",
	};
	struct web_config config = config_of(users, 2);
	struct fixture *fixture = create_fixture(&config);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		say(fixture, 0, requests[i]);
		check_answer(fixture, 0, AWAY);
	}
	CHECK_INT(fixture->gate.auth.counters.checks, 0);
	CHECK_INT(fixture->handled, 0);
	/* The first of two headers counts. */
	say(fixture, 0,
			REQUEST("GET", "/", "authorization: bAsIc " ALICE "\r\nAuthorization: Basic x\r\n"));
	CHECK(compute(fixture));
	check_answer(fixture, 0, OK("1", "/"));
	destroy_fixture(fixture);
}

static void test_pipelining(void)
{
	struct web_config config = config_of(users, 2);
	struct fixture *fixture = create_fixture(&config);
	say(fixture, 0,
			GET_AS("/a", ALICE) REQUEST("GET", "/b", "") GET_AS("/c", ALICE_WRONG) REQUEST("PUT",
					"/d",
					"Content-Length: 3\r\nAuthorization: Basic " BOB "\r\n") "abc" REQUEST("PUT",
					"/e", "Content-Length: 3\r\n") "abc" GET_AS("/f", ALICE));
	settle(fixture);
	check_answer(fixture, 0, OK("2", "/a") AWAY AWAY OK("2", "/d") AWAY OK("2", "/f"));
	destroy_fixture(fixture);
}

/* ---- Many ---- */

static void test_same_pair_of_many(void)
{
	enum { MANY = 100 };
	struct web_config config = config_of(users, 2);
	struct fixture *fixture = create_fixture(&config);
	for (size_t i = 0; i < MANY; i++) {
		say(fixture, i, GET_AS("/a", ALICE_WRONG));
		say(fixture, MANY + i, GET_AS("/a", ALICE));
	}
	settle(fixture);
	for (size_t i = 0; i < MANY; i++) {
		check_answer(fixture, i, AWAY);
		check_answer(fixture, MANY + i, OK("2", "/a"));
	}
	CHECK_INT(fixture->gate.auth.counters.checks, 2);
	destroy_fixture(fixture);
}

/* alice with another wrong password for each number. */
static const char *guess(unsigned number)
{
	static char text[200];
	static const char digits[] = "BCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	snprintf(text, sizeof(text), REQUEST("GET", "/", "Authorization: Basic YWxpY2U6xx%c%c\r\n"),
			digits[number % 51], digits[number / 51]);
	return text;
}

/* Who comes from elsewhere overtakes those that have failed; of these the newest comes first. */
static void test_order_of_checks(void)
{
	struct web_config config = config_of(users, 2);
	struct fixture *fixture = create_fixture(&config);
	for (unsigned i = 0; i < 50; i++) {
		say(fixture, i, guess(i));
	}
	compute(fixture); /* the first: now they have failed */
	say(fixture, 100, REQUEST("GET", "/", ""));
	fixture->connections[100].session.peer = 77;
	check_answer(fixture, 100, AWAY);
	say(fixture, 100, GET_AS("/a", ALICE));
	say(fixture, 50, guess(50));
	compute(fixture); /* this one runs already */
	compute(fixture);
	check_answer(fixture, 100, OK("2", "/a"));
	say(fixture, 51, GET_AS("/b", BOB)); /* another user, from where they come from */
	compute(fixture);
	compute(fixture);
	check_answer(fixture, 51, OK("2", "/b"));
	CHECK_INT(fixture->gate.auth.counters.checks, 5);
	settle(fixture);
	CHECK_INT(fixture->gate.auth.counters.checks, 53);
	destroy_fixture(fixture);
}

/* Half of the places are others'. */
static void test_overload_by_one_client(void)
{
	enum { HELD_OF_CLIENT_MAX = 256 };
	struct web_config config = config_of(users, 2);
	struct fixture *fixture = create_fixture(&config);
	for (unsigned i = 0; i < HELD_OF_CLIENT_MAX; i++) {
		say(fixture, i, guess(i));
		check_answer(fixture, i, "");
	}
	say(fixture, HELD_OF_CLIENT_MAX, guess(1000));
	CHECK_INT(fixture->gate.auth.counters.overloaded, 1);
	say(fixture, 300, REQUEST("GET", "/", ""));
	check_answer(fixture, 300, AWAY);
	fixture->connections[300].session.peer = 77;
	say(fixture, 300, GET_AS("/a", ALICE));
	check_answer(fixture, 300, "");
	CHECK_INT(fixture->gate.auth.counters.overloaded, 1);
	settle(fixture);
	check_answer(fixture, 300, OK("2", "/a"));
	destroy_fixture(fixture);
}

static void test_overload(void)
{
	enum { HELD_MAX = 512 };
	struct web_config config = config_of(users, 2);
	struct fixture *fixture = create_fixture(&config);
	for (unsigned i = 0; i < HELD_MAX; i++) {
		say(fixture, i, REQUEST("GET", "/", ""));
		check_answer(fixture, i, AWAY);
		fixture->connections[i].session.peer = 1 + i % 2;
	}
	say(fixture, HELD_MAX, GET_AS("/a", ALICE));
	compute(fixture);
	check_answer(fixture, HELD_MAX, OK("2", "/a"));
	for (unsigned i = 0; i < HELD_MAX; i++) {
		say(fixture, i, guess(i));
		check_answer(fixture, i, "");
	}
	say(fixture, HELD_MAX + 1, GET_AS("/b", BOB));
	check_answer(fixture, HELD_MAX + 1,
			TEXT("503 Service Unavailable", "Retry-After: 1\r\n" NOSNIFF, "68",
					"too many passwords are waiting to be checked, try again in a second\n"));
	CHECK_INT(fixture->gate.auth.counters.overloaded, 1);
	say(fixture, HELD_MAX, GET_AS("/a", ALICE)); /* known, and not troubled by it */
	check_answer(fixture, HELD_MAX, OK("2", "/a"));
	settle(fixture);
	say(fixture, HELD_MAX + 1, GET_AS("/b", BOB));
	compute(fixture);
	check_answer(fixture, HELD_MAX + 1, OK("2", "/b"));
	destroy_fixture(fixture);
}

/* ---- Clients that leave ---- */

static void test_client_goes_away(void)
{
	struct web_config config = config_of(users, 2);
	struct fixture *fixture = create_fixture(&config);
	say(fixture, 0, GET_AS("/a", ALICE));       /* left while it is computed */
	say(fixture, 1, GET_AS("/b", BOB));         /* while it waits */
	say(fixture, 2, GET_AS("/c", ALICE_WRONG)); /* while it is held back */
	say(fixture, 3, GET_AS("/c", CAROL));
	close_connection(&fixture->connections[0]);
	close_connection(&fixture->connections[1]);
	compute(fixture);
	compute(fixture);
	compute(fixture);
	CHECK(!compute(fixture));
	CHECK_INT(fixture->gate.auth.counters.checks, 3); /* none for bob */
	close_connection(&fixture->connections[2]);
	let_go(fixture);
	check_answer(fixture, 3, AWAY);
	CHECK_INT(fixture->handled, 0);
	CHECK_INT(fixture->server.exchange_count, 0);
	destroy_fixture(fixture);
}

/* ---- Another file ---- */

static void test_users_change(void)
{
	static const struct web_user swapped[] = {
		{ .name = SLICE_INIT("alice"), .hash = (char *)(uintptr_t)HASH_OF_NOTHING },
		{ .name = SLICE_INIT("bob"), .hash = (char *)(uintptr_t)HASH_OF_U },
	};
	static const struct {
		const struct web_user *users;
		size_t count;
		const char *answer;
		uint64_t checks;
	} cases[] = {
		{ users, 2, OK("2", "/a"), 1 },
		{ swapped, 2, AWAY, 2 },
		{ users, 1, AWAY, 2 },
		{ users + 1, 1, OK("2", "/a"), 1 }, /* the hash that was computed is still in the file */
		{ NULL, 0, OK("2", "/a"), 1 },
	};
	struct web_config config = config_of(users, 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fixture = create_fixture(&config);
		struct web_config next = config_of(cases[i].users, cases[i].count);
		say(fixture, 0, GET_AS("/a", ALICE));
		say(fixture, 1, GET_AS("/a", ALICE_WRONG)); /* waits for the first */
		struct job *job = fixture->submitted;
		job->work(job);
		gate_set(&fixture->gate, &next); /* while it is computed */
		CHECK_INT(gate_is_open(&fixture->gate), cases[i].count == 0);
		close_connection(&fixture->connections[1]);
		fixture->submitted = NULL;
		job->done(job);
		pump_all(fixture);
		settle(fixture);
		check_answer(fixture, 0, cases[i].answer);
		if (cases[i].count > 0) {
			/* A known pair before the change is no known pair after it. */
			say(fixture, 2, GET_AS("/a", ALICE));
			settle(fixture);
			check_answer(fixture, 2, cases[i].answer);
		}
		CHECK_INT(fixture->gate.auth.counters.checks, cases[i].checks);
		destroy_fixture(fixture);
	}
}

static void test_known_pairs_after_change(void)
{
	static const struct web_user other[] = {
		{ .name = SLICE_INIT("alice"), .hash = (char *)(uintptr_t)HASH_OF_NOTHING },
	};
	struct web_config config = config_of(users, 2);
	struct web_config next = config_of(other, 1);
	struct fixture *fixture = create_fixture(&config);
	say(fixture, 0, GET_AS("/a", ALICE));
	settle(fixture);
	check_answer(fixture, 0, OK("2", "/a"));
	gate_set(&fixture->gate, &config); /* the same users: what is known stays */
	say(fixture, 0, GET_AS("/a", ALICE));
	check_answer(fixture, 0, OK("2", "/a"));
	gate_set(&fixture->gate, &next);
	say(fixture, 0, GET_AS("/a", ALICE));
	CHECK(compute(fixture));
	settle(fixture);
	check_answer(fixture, 0, AWAY);
	gate_set(&fixture->gate, &config);
	say(fixture, 0, GET_AS("/a", ALICE));
	CHECK(compute(fixture));
	check_answer(fixture, 0, OK("2", "/a"));
	destroy_fixture(fixture);
}

/* ---- Headers and rate limit ---- */

static void test_headers(void)
{
	struct web_header headers[] = {
		{ SLICE_INIT("X-Content-Type-Options"), SLICE_INIT("nosniff") },
		{ SLICE_INIT("X-Frame-Options"), SLICE_INIT("deny") },
	};
	struct web_config config = config_of(users, 2);
	config.headers = headers;
	config.header_count = 2;
	struct fixture *fixture = create_fixture(&config);
	say(fixture, 0, GET_AS("/a", ALICE) GET_AS("/404", ALICE) REQUEST("GET", "/", "") "x\r\n\r\n");
	settle(fixture);
#define ADDED NOSNIFF "X-Frame-Options: deny\r\n"
	check_answer(fixture, 0,
			"HTTP/1.1 200 OK\r\n" ADDED
			"Content-Length: 2\r\n\r\n/a" TEXT("404 Not Found", ADDED, "3", "no\n") TEXT(
					"401 Unauthorized", ADDED "Www-Authenticate: Basic\r\n", "13", "Unauthorized\n")
			/* What is no HTTP was not asked for by anybody. */
			"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
			"Content-Length: 15\r\nConnection: close\r\n\r\n400 Bad Request");
	config = config_of(NULL, 0);
	config.headers = headers + 1;
	config.header_count = 1;
	gate_set(&fixture->gate, &config);
	say(fixture, 1, REQUEST("GET", "/404", ""));
	check_answer(
			fixture, 1, TEXT("404 Not Found", "X-Frame-Options: deny\r\n" NOSNIFF, "3", "no\n"));
	destroy_fixture(fixture);
}

static void test_rate_limit(void)
{
	struct web_header header = { SLICE_INIT("X-Frame-Options"), SLICE_INIT("deny") };
	struct web_config config = config_of(users, 2);
	config.headers = &header;
	config.header_count = 1;
	config.rate_interval_ns = 1000000000;
	config.rate_burst = 3;
	struct fixture *fixture = create_fixture(&config);
#define LIMITED TEXT("429 Too Many Requests", NOSNIFF, "18", "Too Many Requests\n")
#define FRAMED(length, body)                                                                       \
	"HTTP/1.1 200 OK\r\nX-Frame-Options: deny\r\nContent-Length: " length "\r\n\r\n" body
	say(fixture, 0,
			GET_AS("/a", ALICE) GET_AS("/b", ALICE) GET_AS("/c", ALICE) GET_AS("/d", ALICE));
	settle(fixture); /* having waited counts once */
	check_answer(fixture, 0, FRAMED("2", "/a") FRAMED("2", "/b") FRAMED("2", "/c") LIMITED);
	say(fixture, 1, REQUEST("GET", "/", "")); /* before who asks is asked */
	check_answer(fixture, 1, LIMITED);
	clock_freeze(2000000000, 0);
	say(fixture, 1, GET_AS("/a", ALICE) GET_AS("/b", ALICE));
	check_answer(fixture, 1, FRAMED("2", "/a") LIMITED);
	CHECK_INT(fixture->gate.rate_limited, 3);
	destroy_fixture(fixture);
}

static void test_open_gate(void)
{
	struct gate gate;
	struct web_config config = { 0 };
	gate_init(&gate, NULL);
	CHECK(gate_is_open(&gate));
	gate_set(&gate, &config);
	CHECK(gate_is_open(&gate));
	config.rate_interval_ns = 1;
	config.rate_burst = 1;
	gate_set(&gate, &config);
	CHECK(!gate_is_open(&gate));
	gate_finish(&gate);
}

int main(void)
{
	tell_names_apart();
	RUN(test_right);
	RUN(test_wrong);
	RUN(test_how_long_wrong_ones_are_held_back);
	RUN(test_nothing_to_verify);
	RUN(test_pipelining);
	RUN(test_same_pair_of_many);
	RUN(test_order_of_checks);
	RUN(test_overload);
	RUN(test_overload_by_one_client);
	RUN(test_client_goes_away);
	RUN(test_users_change);
	RUN(test_known_pairs_after_change);
	RUN(test_headers);
	RUN(test_rate_limit);
	RUN(test_open_gate);
	return check_done();
}
