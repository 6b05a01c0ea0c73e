/*
 * What authentication is made of: credentials, bcrypt, what is remembered, and how the wrong
 * are slowed; and the rate limit.
 */

#include <stdlib.h>

#include "api/bcrypt.h"
#include "api/credentials.h"
#include "api/failures.h"
#include "api/pair_digest.h"
#include "api/rate_limit.h"
#include "api/verdicts.h"
#include "base/hash.h"
#include "check.h"
#include "guard.h"

static struct guard guard; /* under every header */

/* ---- Credentials ---- */

static void test_credentials(void)
{
	static const struct {
		const char *header;
		const char *user; /* NULL: none can be read */
		struct slice password;
	} cases[] = {
		{ "Basic dXNlcjpwYXNz", "user", SLICE_INIT("pass") },
		{ "basic dXNlcjpwYXNz", "user", SLICE_INIT("pass") },
		{ "BASIC dXNlcjpwYXNz", "user", SLICE_INIT("pass") },
		{ "Basic Og==", "", SLICE_INIT("") },
		{ "Basic OnBhc3M=", "", SLICE_INIT("pass") },
		{ "Basic dXNlcjo=", "user", SLICE_INIT("") },
		{ "Basic dXNlcjpwYTpzczo=", "user", SLICE_INIT("pa:ss:") },
		{ "Basic dXNlcjpw", "user", SLICE_INIT("p") },
		{ "Basic w7xzZXI6xafQttCw", "üser", SLICE_INIT("ŧжа") },
		{ "Basic dXNlcjr//v8=", "user", SLICE_INIT("\xff\xfe\xff") },
		{ "Basic dXNlcjphAGI=", "user", SLICE_INIT("a\0b") },
		{ "Basic dXNlcjpwYXN=", "user", SLICE_INIT("pas") }, /* bits behind the last byte */
		{ "Basic dXNlcjo+Pz8+", "user",
				SLICE_INIT(">?"
						   "?>") },
		/* Nothing, or another scheme. */
		{ "", NULL, SLICE_INIT("") },
		{ "B", NULL, SLICE_INIT("") },
		{ "Basic", NULL, SLICE_INIT("") },
		{ "Basic ", NULL, SLICE_INIT("") },
		{ "Bearer dXNlcjpwYXNz", NULL, SLICE_INIT("") },
		{ "BasicdXNlcjpwYXNz", NULL, SLICE_INIT("") },
		{ "Basic\tdXNlcjpwYXNz", NULL, SLICE_INIT("") },
		{ "dXNlcjpwYXNz", NULL, SLICE_INIT("") },
		/* No colon. */
		{ "Basic dXNlcg==", NULL, SLICE_INIT("") },
		/* Not base64, or base64url, or without its padding, or with too much. */
		{ "Basic  dXNlcjpwYXNz", NULL, SLICE_INIT("") },
		{ "Basic dXNlcjpwYXNz ", NULL, SLICE_INIT("") },
		{ "Basic dXNlcjo", NULL, SLICE_INIT("") },
		{ "Basic dXNlcjpw=", NULL, SLICE_INIT("") },
		{ "Basic dXNlcj==", NULL, SLICE_INIT("") },
		{ "Basic dXNlcjp=====", NULL, SLICE_INIT("") },
		{ "Basic dXNl====", NULL, SLICE_INIT("") },
		{ "Basic dX==cjpwYXNz", NULL, SLICE_INIT("") },
		{ "Basic dX=lcjpwYXNz", NULL, SLICE_INIT("") },
		{ "Basic dXNlcjr__v8=", NULL, SLICE_INIT("") },
		{ "Basic user:pass", NULL, SLICE_INIT("") },
		{ "Basic dXNlcjpw\xc3\xbc\xc3\xbc", NULL, SLICE_INIT("") },
		{ "Basic ====", NULL, SLICE_INIT("") },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena;
		struct credentials credentials;
		arena_init(&arena);
		bool is_read = credentials_read(
				guard_copy(&guard, slice_of_string(cases[i].header)), &arena, &credentials);
		int before = check_failures;
		CHECK_INT(is_read, cases[i].user != NULL);
		if (is_read && cases[i].user != NULL) {
			CHECK_STRING(credentials.user, cases[i].user);
			CHECK_SLICE(credentials.password, cases[i].password);
		}
		if (check_failures != before) {
			fprintf(stderr, "for %s\n", cases[i].header);
		}
		arena_finish(&arena);
	}
}

/* ---- bcrypt ---- */

#define LONG_PASSWORD "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static void test_bcrypt(void)
{
	static const struct {
		struct slice password;
		const char *hash;
		bool matches;
	} cases[] = {
		{ SLICE_INIT("U*U"), "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true },
		{ SLICE_INIT("U*U"), "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true },
		{ SLICE_INIT("U*U"), "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true },
		{ SLICE_INIT("U*U"), "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true },
		{ SLICE_INIT(""), "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", true },
		{ SLICE_INIT("U*U*U"), "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
				true },
		/* Only 72 bytes count. */
		{ SLICE_INIT(LONG_PASSWORD "chars after 72 are ignored"),
				"$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui", true },
		{ SLICE_INIT(LONG_PASSWORD), "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
				true },
		/* A salt whose last digit has bits that do not count. */
		{ SLICE_INIT("U*U"), "$2a$05$CCCCCCCCCCCCCCCCCCCCC/E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true },
		{ SLICE_INIT("U*V"), "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
				false },
		{ SLICE_INIT("u*u"), "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
				false },
		{ SLICE_INIT("U*U"), "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeX",
				false },
		{ SLICE_INIT("U*U"), "$2a$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
				false },
		{ SLICE_INIT(""), "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char password[BCRYPT_PASSWORD_BYTES + 1];
		CHECK(bcrypt_read_password(cases[i].password, password));
		bool matches = bcrypt_matches(password, cases[i].hash);
		if (matches != cases[i].matches) {
			fprintf(stderr, "\"%s\" for %s\n", password, cases[i].hash);
		}
		CHECK_INT(matches, cases[i].matches);
	}
}

static void test_passwords_with_nul(void)
{
	char password[BCRYPT_PASSWORD_BYTES + 1];
	CHECK(!bcrypt_read_password(SLICE("\0"), password));
	CHECK(!bcrypt_read_password(SLICE("U*U\0"), password));
	CHECK(!bcrypt_read_password(SLICE("U*U\0U*U"), password));
	CHECK(bcrypt_read_password(SLICE(LONG_PASSWORD "\0"), password));
	CHECK_STRING(slice_of_string(password), LONG_PASSWORD);
	CHECK(bcrypt_read_password(slice_make(NULL, 0), password));
	CHECK_STRING(slice_of_string(password), "");
}

/* It costs a whole computation, or its time would tell who is no user. */
static void test_decoy(void)
{
	static const int costs[] = { 4, 5, 10, 12, 31 };
	char hash[BCRYPT_HASH_BYTES + 1];
	for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
		bcrypt_decoy(costs[i], hash);
		CHECK_INT(strlen(hash), BCRYPT_HASH_BYTES);
		CHECK_INT(bcrypt_cost(hash), costs[i]);
	}
	bcrypt_decoy(4, hash);
	CHECK(!bcrypt_matches("", hash));
	CHECK_STRING(slice_first(slice_of_string(hash), 29), "$2y$04$QOauhQNbBCuQDKes6eFzPe");
}

/* ---- What is remembered ---- */

static void test_digests(void)
{
	static const struct {
		bool is_known;
		const char *user;
		const char *hash;
		const char *password;
	} pairs[] = {
		{ true, "user", "hash", "pass" },
		{ false, "user", "hash", "pass" },
		{ true, "userh", "ash", "pass" },
		{ true, "user", "hashp", "ass" },
		{ true, "user", "hash", "passw" },
		{ true, "", "hash", "pass" },
		{ true, "user", "hash", "" },
		{ true, "User", "hash", "pass" },
	};
	enum { COUNT = sizeof(pairs) / sizeof(pairs[0]) };
	struct pair_digester digester = { 0 };
	struct pair_digester other = { 0 };
	struct pair_digest digests[COUNT];
	pair_digester_open(&digester);
	pair_digester_open(&other);
	for (size_t i = 0; i < COUNT; i++) {
		struct slice user = slice_of_string(pairs[i].user);
		struct slice hash = slice_of_string(pairs[i].hash);
		struct slice password = slice_of_string(pairs[i].password);
		digests[i] = pair_digest_make(&digester, pairs[i].is_known, user, hash, password);
		struct pair_digest again =
				pair_digest_make(&digester, pairs[i].is_known, user, hash, password);
		struct pair_digest foreign =
				pair_digest_make(&other, pairs[i].is_known, user, hash, password);
		CHECK(pair_digest_equal(&digests[i], &again));
		CHECK(!pair_digest_equal(&digests[i], &foreign));
		for (size_t j = 0; j < i; j++) {
			CHECK(!pair_digest_equal(&digests[i], &digests[j]));
		}
	}
	pair_digester_close(&digester);
	pair_digester_close(&other);
}

static struct pair_digest numbered(unsigned number)
{
	struct pair_digest pair = { 0 };
	pair.bytes[0] = (unsigned char)(number % 4); /* a few share their hash */
	memcpy(pair.bytes + 16, &number, sizeof(number));
	return pair;
}

static bool has(struct verdicts *verdicts, unsigned number)
{
	struct pair_digest pair = numbered(number);
	return verdicts_has(verdicts, &pair);
}

static void add(struct verdicts *verdicts, unsigned number)
{
	struct pair_digest pair = numbered(number);
	verdicts_add(verdicts, &pair);
}

static void test_verdicts(void)
{
	enum { MAX = 10, ALL = 100 };
	struct verdicts verdicts;
	verdicts_init(&verdicts, MAX);
	CHECK(!has(&verdicts, 0));
	for (unsigned i = 0; i < ALL; i++) {
		add(&verdicts, i);
		add(&verdicts, i);
		CHECK(has(&verdicts, 0)); /* which keeps it in */
		CHECK(has(&verdicts, i));
	}
	CHECK_INT(verdicts.map.len, MAX);
	for (unsigned i = 0; i < ALL; i++) {
		CHECK_INT(has(&verdicts, i), i == 0 || i > ALL - MAX);
	}
	verdicts_clear(&verdicts);
	CHECK(!has(&verdicts, 0));
	add(&verdicts, 7);
	CHECK(has(&verdicts, 7));
	verdicts_finish(&verdicts);
}

/* ---- Slowing ---- */

static const uint64_t SECOND = 1000000000;

static void test_failures(void)
{
	static const uint64_t waits_ms[] = { 250, 500, 1000, 2000, 2000, 2000 };
	struct failures *failures = calloc(1, sizeof(*failures));
	uint64_t now = 5 * SECOND;
	CHECK_INT(failures_level(failures, 1, now), 0);
	for (size_t i = 0; i < sizeof(waits_ms) / sizeof(waits_ms[0]); i++) {
		CHECK_INT(failures_add(failures, 1, now), waits_ms[i]);
		now += SECOND;
	}
	CHECK_INT(failures_level(failures, 1, now), 4);
	CHECK_INT(failures_add(failures, 2, now), 250); /* another source */
	CHECK_INT(failures_level(failures, 1, now + 10 * SECOND), 3);
	CHECK_INT(failures_level(failures, 1, now + 35 * SECOND), 1);
	CHECK_INT(failures_add(failures, 1, now + 35 * SECOND), 500);
	CHECK_INT(failures_level(failures, 1, now + 3600 * SECOND), 0);
	CHECK_INT(failures_add(failures, 1, now + 3600 * SECOND), 250);
	CHECK_INT(failures_add(failures, 1 + FAILURES_ROWS, now + 3600 * SECOND), 500); /* shares */
	free(failures);
}

static void test_rate_limit(void)
{
	struct rate_limit limit = { 0 };
	uint64_t now = 100 * SECOND;
	for (int i = 0; i < 1000; i++) {
		CHECK(rate_limit_take(&limit, now)); /* none is set */
	}
	rate_limit_set(&limit, (int64_t)SECOND, 3, now);
	for (int i = 0; i < 5; i++) {
		CHECK_INT(rate_limit_take(&limit, now), i < 3);
	}
	CHECK(!rate_limit_take(&limit, now + SECOND - 1000000));
	CHECK(rate_limit_take(&limit, now + SECOND));
	CHECK(!rate_limit_take(&limit, now + SECOND));
	/* The same again changes nothing, another fills the bucket. */
	rate_limit_set(&limit, (int64_t)SECOND, 3, now + SECOND);
	CHECK(!rate_limit_take(&limit, now + SECOND));
	now += 1000 * SECOND;
	for (int i = 0; i < 5; i++) {
		CHECK_INT(rate_limit_take(&limit, now), i < 3);
	}
	rate_limit_set(&limit, (int64_t)SECOND / 2, 1, now);
	CHECK(rate_limit_take(&limit, now));
	CHECK(!rate_limit_take(&limit, now));
	CHECK(rate_limit_take(&limit, now + SECOND / 2));
	rate_limit_set(&limit, INT64_MAX, INT32_MAX, now);
	CHECK(rate_limit_take(&limit, now));
	rate_limit_set(&limit, 0, 0, now);
	CHECK(rate_limit_take(&limit, now));
}

int main(void)
{
	hash_init();
	guard_init(&guard, 4096);
	RUN(test_credentials);
	RUN(test_bcrypt);
	RUN(test_passwords_with_nul);
	RUN(test_decoy);
	RUN(test_digests);
	RUN(test_verdicts);
	RUN(test_failures);
	RUN(test_rate_limit);
	guard_finish(&guard);
	return check_done();
}
