#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "state/redis/parts.h"
#include "state/redis/reply.h"
#include "state/redis/scripts.h"
#include "state/redis/version.h"

/*
 * A replica's number is in the versions of its changes, so no two may have the same. It is
 * drawn at random and held by a key that ends by itself when nobody holds it on.
 */

static const uint64_t RENEW_NS = UINT64_C(10) * 1000000000;
static const uint64_t RETRY_NS = UINT64_C(200) * 1000000;

enum { LEASE_MS = 60000 };

static uint64_t draw(void)
{
	uint64_t number;
	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number)) {
		number = clock_monotonic_ns();
	}
	return number;
}

/* Changes that have the old number are sent as if they were others'. */
static void send_old(struct redis_state *state)
{
	for (size_t i = 0; i < PARTITIONS; i++) {
		LIST_EACH (link, &state->partitions[i].groups) {
			struct shared_group *shared = LIST_ENTRY(link, struct shared_group, link);
			/* What is under way may be given back. */
			shared->sends_all |= shared->unsent != 0 || shared->sending > 1;
		}
	}
}

static void on_script(struct redis_command *command, const struct redis_result *result)
{
	struct redis_state *state = LIST_ENTRY(command, struct redis_state, lease.load_script);
	if (reply_fault(result) == NULL) {
		struct slice sha = reply_text(result->reply);
		snprintf(state->join_sha, sizeof(state->join_sha), SLICE_FMT, SLICE_ARG(sha));
	}
}

static void load_script(struct redis_state *state)
{
	const struct slice args[] = { SLICE("SCRIPT"), SLICE("LOAD"), slice_of_string(script_join) };
	state->lease.load_script.done = on_script;
	state->lease.load_script.slot = state->partitions[0].slot;
	redis_send(state->redis, &state->lease.load_script, args, 3);
}

static void on_lease(struct redis_command *command, const struct redis_result *result)
{
	struct redis_state *state = LIST_ENTRY(command, struct redis_state, lease.command);
	const char *fault = reply_fault(result);
	state->lease.is_asking = false;
	if (state->is_closing || fault != NULL) {
		partitions_complain(state, fault != NULL ? fault : state->why);
		return;
	}
	bool is_held = result->reply->type == REDIS_REPLY_INTEGER && result->reply->integer == 1;
	if (!is_held) {
		send_old(state);
		state->clock.replica = (unsigned)(draw() % VERSION_REPLICAS);
		state->lease.asked_ns = 0;
		return;
	}
	if (!state->has_replica) {
		state->has_replica = true;
		for (size_t i = 0; i < PARTITIONS; i++) {
			partition_greet(&state->partitions[i]);
		}
	}
}

void lease_renew(struct redis_state *state)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t wait_ns = state->has_replica ? RENEW_NS : RETRY_NS;
	struct lease *lease = &state->lease;
	if (lease->is_asking || (lease->asked_ns != 0 && now_ns - lease->asked_ns < wait_ns)) {
		return;
	}
	if (lease->token[0] == '\0') {
		snprintf(lease->token, sizeof(lease->token), "%016llx", (unsigned long long)draw());
		state->clock.replica = (unsigned)(draw() % VERSION_REPLICAS);
	}
	if (state->join_sha[0] == '\0') {
		load_script(state);
	}
	char key[128];
	char ms[16];
	snprintf(key, sizeof(key), "%s:{0}:replica:%03x", state->options.prefix, state->clock.replica);
	snprintf(ms, sizeof(ms), "%d", LEASE_MS);
	const struct slice args[] = { SLICE("EVAL"), slice_of_string(script_lease), SLICE("1"),
		slice_of_string(key), slice_of_string(lease->token), slice_of_string(ms) };
	lease->is_asking = true;
	lease->asked_ns = now_ns;
	lease->command = (struct redis_command){ .done = on_lease, .slot = state->partitions[0].slot };
	redis_send(state->redis, &lease->command, args, sizeof(args) / sizeof(args[0]));
}
