#pragma once

/*
 * Basic authentication against bcrypt hashes, and tokens.
 *
 *	            cached: right -----------------------------> admitted
 *	head read -> cached: wrong ------------------+
 *	            unknown -> waits for a thread -> +-> held back -> 401
 *	                                             '-> right: admitted
 *
 * Decided on before the body is read: nothing that a stranger sends is kept but
 * what came with the head. One hash is computed at a time, for all requests that
 * ask about the same pair. Those of clients with fewer failures come first, of
 * them the newest: who knows the password does not queue behind who guesses it.
 * Wrong answers are held back, longer with each of the same client, or for the
 * same user; no thread waits meanwhile, and right passwords never wait for that.
 *
 * A token is not chosen by people, so one hash of it is enough, and it is decided on at once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/bcrypt.h"
#include "api/failures.h"
#include "api/pair_digest.h"
#include "api/verdicts.h"
#include "base/arena.h"
#include "base/job.h"
#include "base/list.h"
#include "config/web_config.h"

struct auth_check;
struct exchange;

struct auth_counters {
	uint64_t failures;   /* answered 401 */
	uint64_t checks;     /* bcrypt runs */
	uint64_t check_ns;   /* what they took */
	uint64_t overloaded; /* answered 503: too many waited */
};

enum { AUTH_CLIENT_ROWS = 1024 };

struct auth {
	struct executor *executor;
	struct arena arena;     /* of the users */
	struct web_user *users; /* by name; no users and no tokens: everybody is let in */
	size_t user_count;
	struct web_token *tokens;
	size_t token_count;
	struct pair_digester digester;
	struct verdicts right;
	struct verdicts wrong;
	struct failures of_clients; /* failures, by address */
	struct failures of_users;   /* by name, whether there is one or not */
	struct list waiting;        // auth_check::link, the oldest first
	struct auth_check *running; /* on a thread, or NULL */
	size_t held_count;          /* requests that wait for a check, or whose answer is held back */
	uint16_t held_of_clients[AUTH_CLIENT_ROWS]; /* of them, by a hash of the address */
	struct auth_counters counters;
};

void auth_init(struct auth *auth, struct executor *executor);

/* Nobody waits any more. */
void auth_finish(struct auth *auth);

/*
 * From now on these are the users and tokens, of whom copies are kept. Requests that wait
 * for a check are decided on by the users there are when it is done.
 */
void auth_set(struct auth *auth, const struct web_config *config);

/* Everybody is let in. */
static inline bool auth_is_open(const struct auth *auth)
{
	return auth->user_count == 0 && auth->token_count == 0;
}

/*
 * For http_server::admit: whether the request is let in; if not, it has its answer or waits. If so,
 * exchange::denied has the rights (enum web_right) that who asks has not.
 */
bool auth_admit(struct auth *auth, struct exchange *exchange);

/* Whether passwords wait to be checked, beside the one that is being checked. */
static inline bool auth_has_waiting(const struct auth *auth)
{
	return !list_is_empty(&auth->waiting);
}
