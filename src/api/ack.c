#include "api/ack.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/answer.h"
#include "api/api.h"
#include "base/clock.h"
#include "base/memory.h"

/* ---- The queues ---- */

static struct ack *first_of(const struct list *waiting)
{
	struct list *first = list_first(waiting);
	return first == NULL ? NULL : LIST_ENTRY(first, struct ack, link);
}

/* The first that is behind what a lane has made durable. */
static struct ack *first_behind(const struct list *waiting, uint64_t durable)
{
	LIST_EACH (link, waiting) {
		struct ack *ack = LIST_ENTRY(link, struct ack, link);
		if (ack->number > durable) {
			return ack;
		}
	}
	return NULL;
}

/* It may be gone with its exchange when this returns. */
static void end(struct acks *acks, struct ack *ack, enum ack_result result)
{
	list_remove(&ack->link);
	acks->count--;
	ack->done(ack, result);
}

/* In words for who pushed. */
static void refuse(struct exchange *exchange, struct slice why)
{
	struct slice text = arena_printf(&exchange->arena,
			"the change is in memory, but not stored durably yet: " SLICE_FMT
			"; weir goes on trying",
			SLICE_ARG(why));
	exchange->response.body = slice_make("", 0);
	answer_error(exchange, 503, text);
}

static void fail(struct acks *acks, struct ack *ack, struct slice why)
{
	if (ack->exchange != NULL) {
		refuse(ack->exchange, why);
	}
	end(acks, ack, ACK_FAILED);
}

/* ---- Deadlines ---- */

static struct ack *earlier(struct ack *a, struct ack *b)
{
	return a == NULL || (b != NULL && b->due_ns < a->due_ns) ? b : a;
}

static struct ack *next_due(const struct acks *acks)
{
	struct ack *next = first_of(&acks->of_all);
	for (size_t i = 0; i < acks->lane_count; i++) {
		next = earlier(next, first_of(&acks->lanes[i].waiting));
	}
	return next;
}

static void set_timer(struct acks *acks);

static void on_timer(struct job *job)
{
	struct acks *acks = (struct acks *)(void *)((char *)job - offsetof(struct acks, timer));
	uint64_t now_ns = clock_monotonic_ns();
	acks->has_timer = false;
	for (struct ack *ack = next_due(acks); ack != NULL && ack->due_ns <= now_ns;
			ack = next_due(acks)) {
		char why[64];
		snprintf(why, sizeof(why), "it takes longer than %llu ms",
				(unsigned long long)(acks->timeout_ns / 1000000));
		fail(acks, ack, slice_of_string(why));
	}
	set_timer(acks);
}

/* One for all: it goes off now and then, and most often finds nobody who waited long. */
static void set_timer(struct acks *acks)
{
	const struct ack *ack = acks->has_timer ? NULL : next_due(acks);
	if (ack == NULL) {
		return;
	}
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t left_ns = ack->due_ns > now_ns ? ack->due_ns - now_ns : 0;
	acks->has_timer = true;
	acks->timer = (struct job){ .done = on_timer, .is_watch = true };
	executor_later(acks->api->executor, &acks->timer, left_ns / 1000000 + 1);
}

/* ---- Waiting ---- */

static struct ack_lane *make_lanes(size_t count)
{
	struct ack_lane *lanes = memory_zalloc(count, sizeof(lanes[0]));
	for (size_t i = 0; i < count; i++) {
		list_init(&lanes[i].waiting);
	}
	return lanes;
}

void acks_init(struct acks *acks, struct api *api)
{
	*acks = (struct acks){ .api = api, .lanes = make_lanes(1), .lane_count = 1 };
	list_init(&acks->of_all);
}

void acks_finish(struct acks *acks)
{
	for (size_t i = 0; i < acks->lane_count; i++) {
		free(acks->lanes[i].away);
	}
	free(acks->lanes);
}

struct ack_lane *acks_find_lane(const struct acks *acks, const struct group_key *key)
{
	if (acks->lane_count == 1) {
		return acks->lanes;
	}
	if (key == NULL) {
		return NULL;
	}
	size_t lane = acks->lane_of(key);
	assert(lane < acks->lane_count);
	return &acks->lanes[lane];
}

/* Up to which number all lanes are. */
static uint64_t durable_everywhere(const struct acks *acks)
{
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < acks->lane_count; i++) {
		least = acks->lanes[i].durable < least ? acks->lanes[i].durable : least;
	}
	return least;
}

void ack_when_durable(struct api *api, struct ack *ack, struct exchange *exchange,
		const struct group_key *key, void (*done)(struct ack *ack, enum ack_result result))
{
	struct acks *acks = &api->acks;
	struct ack_lane *lane = acks_find_lane(acks, key);
	*ack = (struct ack){ .exchange = exchange, .number = api->store->changed, .done = done };
	list_init(&ack->link);
	acks->count++;
	bool is_needed = acks->is_needed || (exchange == NULL && acks->timeout_ns != 0);
	if (!is_needed || ack->number <= (lane == NULL ? durable_everywhere(acks) : lane->durable)) {
		end(acks, ack, ACK_DURABLE);
		return;
	}
	ack->due_ns = clock_monotonic_ns() + acks->timeout_ns;
	list_append(lane == NULL ? &acks->of_all : &lane->waiting, &ack->link);
	set_timer(acks);
}

/* ---- What becomes of changes ---- */

static void end_up_to(struct acks *acks, const struct list *waiting, uint64_t number)
{
	for (struct ack *ack = first_of(waiting); ack != NULL && ack->number <= number;
			ack = first_of(waiting)) {
		end(acks, ack, ACK_DURABLE);
	}
}

/* Those that the lane has not made durable. */
static void fail_up_to(struct acks *acks, const struct list *waiting, uint64_t durable,
		uint64_t number, struct slice why)
{
	for (struct ack *ack = first_behind(waiting, durable); ack != NULL && ack->number <= number;
			ack = first_behind(waiting, durable)) {
		fail(acks, ack, why);
	}
}

void api_on_durable(struct api *api, size_t lane_index, uint64_t number)
{
	struct acks *acks = &api->acks;
	assert(lane_index < acks->lane_count);
	struct ack_lane *lane = &acks->lanes[lane_index];
	lane->durable = number > lane->durable ? number : lane->durable;
	end_up_to(acks, &lane->waiting, lane->durable);
	if (!list_is_empty(&acks->of_all)) {
		end_up_to(acks, &acks->of_all, durable_everywhere(acks));
	}
}

void api_on_failed(struct api *api, size_t lane_index, uint64_t number, struct slice why)
{
	struct acks *acks = &api->acks;
	assert(lane_index < acks->lane_count);
	const struct ack_lane *lane = &acks->lanes[lane_index];
	fail_up_to(acks, &lane->waiting, lane->durable, number, why);
	fail_up_to(acks, &acks->of_all, lane->durable, number, why);
}

void api_set_lanes(struct api *api, size_t count, size_t (*lane_of)(const struct group_key *key))
{
	struct acks *acks = &api->acks;
	assert(count > 0 && count <= ACK_LANES_MAX && acks->count == 0);
	acks_finish(acks);
	acks->away_count = 0;
	acks->lanes = make_lanes(count);
	acks->lane_count = count;
	acks->lane_of = lane_of;
}

void api_set_durable(struct api *api, bool is_needed, uint64_t timeout_ns)
{
	struct acks *acks = &api->acks;
	acks->is_needed = is_needed;
	acks->timeout_ns = timeout_ns;
	for (size_t i = 0; i < acks->lane_count && !is_needed; i++) {
		api_on_durable(api, i, UINT64_MAX);
	}
	for (size_t i = 0; i < acks->lane_count && !is_needed; i++) {
		acks->lanes[i].durable = 0;
	}
}
