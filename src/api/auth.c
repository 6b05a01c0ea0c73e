#include "api/auth.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "api/credentials.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "http/exchange.h"
#include "http/session.h"

enum {
	VERDICTS_MAX = 1000, /* of each kind */
	/* Each holds a connection, and at most what was read along with its head. */
	HELD_MAX = 512,
	HELD_OF_CLIENT_MAX = HELD_MAX / 2, /* so that no address alone shuts out the others */
};

/* A user and a password, as they concern us. */
struct pair {
	struct pair_digest digest;
	uint64_t client; /* both are sources of failures */
	uint64_t user;
	bool is_known; /* the user is */
	unsigned rights;
	const char *hash;
	char decoy[BCRYPT_HASH_BYTES + 1]; /* the hash of an unknown user */
	char password[BCRYPT_PASSWORD_BYTES + 1];
};

/* A hash to be computed. */
struct auth_check {
	struct list link; /* in auth::waiting, or alone */
	struct job job;
	struct auth *auth;
	struct list waiters; // auth_waiter::link
	struct pair pair;
	char hash[BCRYPT_HASH_BYTES + 1]; /* the users may be others meanwhile */
	uint64_t took_ns;
	bool is_right;
};

/* A request that waits; in its exchange's arena. */
struct auth_waiter {
	struct list link; /* in auth_check::waiters, or alone */
	struct job job;
	struct auth *auth;
	struct exchange *exchange;
	uint64_t client;
};

/* ---- Life ---- */

void auth_init(struct auth *auth, struct executor *executor)
{
	*auth = (struct auth){ .executor = executor };
	arena_init(&auth->arena);
	verdicts_init(&auth->right, VERDICTS_MAX);
	verdicts_init(&auth->wrong, VERDICTS_MAX);
	list_init(&auth->waiting);
}

void auth_finish(struct auth *auth)
{
	assert(auth->held_count == 0);
	verdicts_finish(&auth->right);
	verdicts_finish(&auth->wrong);
	pair_digester_close(&auth->digester);
	arena_finish(&auth->arena);
}

/* ---- Users ---- */

static int compare_users(const void *a, const void *b)
{
	const struct web_user *first = a;
	const struct web_user *second = b;
	return slice_compare(first->name, second->name);
}

static const struct web_user *find_user(const struct auth *auth, struct slice name)
{
	struct web_user wanted = { .name = name };
	if (auth->user_count == 0) {
		return NULL;
	}
	return bsearch(&wanted, auth->users, auth->user_count, sizeof(auth->users[0]), compare_users);
}

/* As far as passwords are concerned; what they may do may be another. */
static bool are_the_users(const struct auth *auth, const struct web_user *users, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct web_user *user = find_user(auth, users[i].name);
		if (user == NULL || strcmp(user->hash, users[i].hash) != 0) {
			return false;
		}
	}
	return count == auth->user_count;
}

static void copy_users(struct auth *auth, const struct web_user *users, size_t count)
{
	auth->user_count = count;
	auth->users = arena_zalloc(&auth->arena, count, sizeof(auth->users[0]));
	for (size_t i = 0; i < count; i++) {
		struct slice hash = slice_of_string(users[i].hash);
		auth->users[i].name = arena_copy(&auth->arena, users[i].name);
		auth->users[i].hash = arena_copy_string(&auth->arena, hash);
		auth->users[i].rights = users[i].rights;
	}
	if (count > 0) {
		qsort(auth->users, count, sizeof(auth->users[0]), compare_users);
	}
}

static void copy_tokens(struct auth *auth, const struct web_token *tokens, size_t count)
{
	auth->token_count = count;
	auth->tokens = arena_zalloc(&auth->arena, count, sizeof(auth->tokens[0]));
	for (size_t i = 0; i < count; i++) {
		auth->tokens[i] = tokens[i];
		auth->tokens[i].name = arena_copy(&auth->arena, tokens[i].name);
	}
}

void auth_set(struct auth *auth, const struct web_config *config)
{
	bool are_known = are_the_users(auth, config->users, config->user_count);
	arena_reset(&auth->arena);
	copy_users(auth, config->users, config->user_count);
	copy_tokens(auth, config->tokens, config->token_count);
	if (are_known) {
		return; /* what is known about passwords stays */
	}
	verdicts_clear(&auth->right);
	verdicts_clear(&auth->wrong);
	if (auth->digester.context == NULL && config->user_count > 0) {
		pair_digester_open(&auth->digester);
	}
}

/* ---- Who asks ---- */

/*
 * What an unknown user's password is compared to costs what one of the users'
 * does, always the same one for a name: so what it costs does not tell that
 * nobody has it.
 */
static void make_decoy(
		const struct auth *auth, struct slice name, char ret_hash[static BCRYPT_HASH_BYTES + 1])
{
	size_t number = hash64(name) % auth->user_count;
	bcrypt_decoy(bcrypt_cost(auth->users[number].hash), ret_hash);
}

/* False: nobody can be meant. */
static bool read_pair(struct auth *auth, struct exchange *exchange, struct pair *ret_pair)
{
	struct credentials credentials;
	struct slice header = exchange_header(exchange, SLICE("Authorization"));
	if (!credentials_read(header, &exchange->arena, &credentials)
			|| !bcrypt_read_password(credentials.password, ret_pair->password)) {
		return false;
	}
	const struct web_user *user = find_user(auth, credentials.user);
	ret_pair->is_known = user != NULL;
	ret_pair->rights = user == NULL ? 0 : user->rights;
	if (user == NULL) {
		make_decoy(auth, credentials.user, ret_pair->decoy);
	}
	ret_pair->hash = user == NULL ? ret_pair->decoy : user->hash;
	ret_pair->client = exchange->session == NULL ? 0 : exchange->session->peer;
	ret_pair->user = hash64(credentials.user);
	ret_pair->digest = pair_digest_make(&auth->digester, user != NULL, credentials.user,
			slice_of_string(ret_pair->hash), slice_of_string(ret_pair->password));
	return true;
}

/* ---- Answers ---- */

static void refuse(struct auth *auth, struct exchange *exchange)
{
	auth->counters.failures++;
	exchange_add_field(exchange, SLICE("Www-Authenticate"),
			auth->user_count == 0 ? SLICE("Bearer") : SLICE("Basic"));
	exchange_set_error(exchange, 401, SLICE("Unauthorized\n"));
	exchange_answer(exchange);
}

static void refuse_overload(struct auth *auth, struct exchange *exchange)
{
	auth->counters.overloaded++;
	exchange_add_field(exchange, SLICE("Retry-After"), SLICE("1"));
	exchange_set_error(exchange, 503,
			SLICE("too many passwords are waiting to be checked, try again in a second\n"));
	exchange_answer(exchange);
}

static uint16_t *held_of(struct auth *auth, uint64_t client)
{
	return &auth->held_of_clients[client % AUTH_CLIENT_ROWS];
}

static struct auth_waiter *hold(struct auth *auth, struct exchange *exchange, uint64_t client)
{
	struct auth_waiter *waiter = arena_zalloc(&exchange->arena, 1, sizeof(*waiter));
	waiter->auth = auth;
	waiter->exchange = exchange;
	waiter->client = client;
	list_init(&waiter->link);
	auth->held_count++;
	++*held_of(auth, client);
	return waiter;
}

static struct exchange *let_go(struct auth_waiter *waiter)
{
	list_remove(&waiter->link);
	waiter->auth->held_count--;
	--*held_of(waiter->auth, waiter->client);
	return waiter->exchange;
}

static void on_held_back(struct job *job)
{
	struct auth_waiter *waiter = LIST_ENTRY(job, struct auth_waiter, job);
	refuse(waiter->auth, let_go(waiter));
}

/* Nothing in this depends on whether there is such a user: how long it takes must not tell. */
static void hold_back(struct auth *auth, struct exchange *exchange, const struct pair *pair)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t client_ms = failures_add(&auth->of_clients, pair->client, now_ns);
	uint64_t user_ms = failures_add(&auth->of_users, pair->user, now_ns);
	uint64_t ms = client_ms > user_ms ? client_ms : user_ms;
	struct auth_waiter *waiter = hold(auth, exchange, pair->client);
	waiter->job = (struct job){ .done = on_held_back };
	executor_later(auth->executor, &waiter->job, ms);
}

/* ---- Checks ---- */

static void destroy_check(struct auth_check *check)
{
	OPENSSL_cleanse(check, sizeof(*check));
	free(check);
}

/* They ask once more, and now there is an answer; unless the users are others. */
static void wake_waiters(struct auth_check *check)
{
	struct auth *auth = check->auth;
	while (!list_is_empty(&check->waiters)) {
		struct list *link = list_first(&check->waiters);
		struct exchange *exchange = let_go(LIST_ENTRY(link, struct auth_waiter, link));
		if (auth_admit(auth, exchange)) {
			exchange_admit(exchange);
		}
	}
}

/* Nobody is there any more to hear the result. */
static bool is_abandoned(const struct auth_check *check)
{
	LIST_EACH (link, &check->waiters) {
		if (LIST_ENTRY(link, struct auth_waiter, link)->exchange->session != NULL) {
			return false;
		}
	}
	return true;
}

static void abandon(struct auth_check *check)
{
	list_remove(&check->link);
	while (!list_is_empty(&check->waiters)) {
		struct list *link = list_first(&check->waiters);
		exchange_answer(let_go(LIST_ENTRY(link, struct auth_waiter, link)));
	}
	destroy_check(check);
}

static struct auth_check *next_check(struct auth *auth)
{
	uint64_t now_ns = clock_monotonic_ns();
	struct auth_check *best = NULL;
	unsigned best_level = 0;
	LIST_EACH (link, &auth->waiting) {
		struct auth_check *check = LIST_ENTRY(link, struct auth_check, link);
		if (is_abandoned(check)) {
			abandon(check);
			continue;
		}
		unsigned level = failures_level(&auth->of_clients, check->pair.client, now_ns);
		if (best == NULL || level <= best_level) {
			best = check;
			best_level = level;
		}
	}
	return best;
}

/* On a thread. */
static void work(struct job *job)
{
	struct auth_check *check = LIST_ENTRY(job, struct auth_check, job);
	uint64_t began_ns = clock_monotonic_ns();
	bool matches = bcrypt_matches(check->pair.password, check->hash);
	check->is_right = matches && check->pair.is_known;
	check->took_ns = clock_monotonic_ns() - began_ns;
}

static void run_next(struct auth *auth);

static void on_worked(struct job *job)
{
	struct auth_check *check = LIST_ENTRY(job, struct auth_check, job);
	struct auth *auth = check->auth;
	auth->running = NULL;
	auth->counters.checks++;
	auth->counters.check_ns += check->took_ns;
	verdicts_add(check->is_right ? &auth->right : &auth->wrong, &check->pair.digest);
	wake_waiters(check);
	destroy_check(check);
	run_next(auth);
}

static void run_next(struct auth *auth)
{
	struct auth_check *check = auth->running == NULL ? next_check(auth) : NULL;
	if (check != NULL) {
		list_remove(&check->link);
		auth->running = check;
		check->job = (struct job){ .work = work, .done = on_worked };
		executor_submit(auth->executor, &check->job);
	}
}

static struct auth_check *find_check(const struct auth *auth, const struct pair_digest *digest)
{
	if (auth->running != NULL && pair_digest_equal(&auth->running->pair.digest, digest)) {
		return auth->running;
	}
	LIST_EACH (link, &auth->waiting) {
		struct auth_check *check = LIST_ENTRY(link, struct auth_check, link);
		if (pair_digest_equal(&check->pair.digest, digest)) {
			return check;
		}
	}
	return NULL;
}

static struct auth_check *add_check(struct auth *auth, const struct pair *pair)
{
	struct auth_check *check = memory_zalloc(1, sizeof(*check));
	check->auth = auth;
	check->pair = *pair;
	memcpy(check->hash, pair->hash, sizeof(check->hash));
	check->pair.hash = check->hash;
	list_init(&check->waiters);
	list_append(&auth->waiting, &check->link);
	return check;
}

static void wait_for_check(struct auth *auth, struct exchange *exchange, const struct pair *pair)
{
	struct auth_check *check = find_check(auth, &pair->digest);
	if (check == NULL) {
		check = add_check(auth, pair);
	}
	list_append(&check->waiters, &hold(auth, exchange, pair->client)->link);
	run_next(auth);
}

/* ---- Tokens ---- */

/* All of them are compared, whichever it is: how long it takes does not tell. */
static const struct web_token *find_token(const struct auth *auth, struct slice text)
{
	unsigned char digest[WEB_TOKEN_BYTES];
	const struct web_token *found = NULL;
	EVP_Digest(text.ptr, text.len, digest, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < auth->token_count; i++) {
		if (CRYPTO_memcmp(digest, auth->tokens[i].digest, sizeof(digest)) == 0) {
			found = &auth->tokens[i];
		}
	}
	return found;
}

static bool admit_token(struct auth *auth, struct exchange *exchange, struct slice text)
{
	const struct web_token *token = find_token(auth, text);
	if (token == NULL) {
		refuse(auth, exchange);
		return false;
	}
	exchange->denied = WEB_MAY_ALL & ~token->rights;
	return true;
}

/* ---- The request ---- */

static bool admit_pair(struct auth *auth, struct exchange *exchange, const struct pair *pair)
{
	bool is_right = verdicts_has(&auth->right, &pair->digest);
	bool is_full =
			auth->held_count >= HELD_MAX || *held_of(auth, pair->client) >= HELD_OF_CLIENT_MAX;
	if (is_right) {
		exchange->denied = WEB_MAY_ALL & ~pair->rights;
	} else if (is_full) {
		refuse_overload(auth, exchange);
	} else if (verdicts_has(&auth->wrong, &pair->digest)) {
		hold_back(auth, exchange, pair);
	} else {
		wait_for_check(auth, exchange, pair);
	}
	return is_right;
}

bool auth_admit(struct auth *auth, struct exchange *exchange)
{
	struct slice token;
	if (auth_is_open(auth)) {
		return true;
	}
	if (credentials_read_token(exchange_header(exchange, SLICE("Authorization")), &token)) {
		return admit_token(auth, exchange, token);
	}
	struct pair pair;
	if (auth->user_count == 0 || !read_pair(auth, exchange, &pair)) {
		refuse(auth, exchange);
		return false;
	}
	bool is_right = admit_pair(auth, exchange, &pair);
	OPENSSL_cleanse(&pair, sizeof(pair));
	return is_right;
}
