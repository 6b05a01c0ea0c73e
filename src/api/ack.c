#include "api/ack.h"

#include "api/answer.h"
#include "api/api.h"
#include "base/clock.h"

/* ---- The queue ---- */

static struct ack *first_ack(const struct acks *acks)
{
	struct list *first = list_first(&acks->waiting);
	return first == NULL ? NULL : LIST_ENTRY(first, struct ack, link);
}

/* It may be gone with its exchange when this returns. */
static void end(struct acks *acks, struct ack *ack, enum ack_result result)
{
	list_remove(&ack->link);
	acks->count--;
	ack->done(ack, result);
}

static void fail(struct acks *acks, struct ack *ack, struct slice why)
{
	struct exchange *exchange = ack->exchange;
	struct slice text = arena_printf(&exchange->arena,
			"the change is in memory, but not stored durably yet: " SLICE_FMT
			"; weir goes on trying",
			SLICE_ARG(why));
	exchange->response.body = slice_make("", 0);
	answer_error(exchange, 503, text);
	end(acks, ack, ACK_FAILED);
}

/* ---- Deadlines ---- */

static void set_timer(struct acks *acks);

static void on_timer(struct job *job)
{
	struct acks *acks = (struct acks *)(void *)((char *)job - offsetof(struct acks, timer));
	uint64_t now_ns = clock_monotonic_ns();
	acks->has_timer = false;
	for (struct ack *ack = first_ack(acks); ack != NULL && ack->due_ns <= now_ns;
			ack = first_ack(acks)) {
		struct slice why = arena_printf(&ack->exchange->arena, "it takes longer than %llu ms",
				(unsigned long long)(acks->timeout_ns / 1000000));
		fail(acks, ack, why);
	}
	set_timer(acks);
}

/* One for all: it goes off now and then, and most often finds nobody who waited long. */
static void set_timer(struct acks *acks)
{
	const struct ack *ack = first_ack(acks);
	if (acks->has_timer || ack == NULL) {
		return;
	}
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t left_ns = ack->due_ns > now_ns ? ack->due_ns - now_ns : 0;
	acks->has_timer = true;
	acks->timer = (struct job){ .done = on_timer, .is_watch = true };
	executor_later(acks->api->executor, &acks->timer, left_ns / 1000000 + 1);
}

/* ---- Waiting ---- */

void acks_init(struct acks *acks, struct api *api)
{
	*acks = (struct acks){ .api = api };
	list_init(&acks->waiting);
}

void ack_when_durable(struct api *api, struct ack *ack, struct exchange *exchange,
		void (*done)(struct ack *ack, enum ack_result result))
{
	struct acks *acks = &api->acks;
	*ack = (struct ack){ .exchange = exchange, .number = api->store->changed, .done = done };
	list_init(&ack->link);
	acks->count++;
	if (!acks->is_needed || ack->number <= acks->durable) {
		end(acks, ack, ACK_DURABLE);
		return;
	}
	ack->due_ns = clock_monotonic_ns() + acks->timeout_ns;
	list_append(&acks->waiting, &ack->link);
	set_timer(acks);
}

void api_on_durable(struct api *api, uint64_t number)
{
	struct acks *acks = &api->acks;
	acks->durable = number > acks->durable ? number : acks->durable;
	for (struct ack *ack = first_ack(acks); ack != NULL && ack->number <= acks->durable;
			ack = first_ack(acks)) {
		end(acks, ack, ACK_DURABLE);
	}
}

void api_on_failed(struct api *api, uint64_t number, struct slice why)
{
	struct acks *acks = &api->acks;
	for (struct ack *ack = first_ack(acks); ack != NULL && ack->number <= number;
			ack = first_ack(acks)) {
		fail(acks, ack, why);
	}
}

void api_set_durable(struct api *api, bool is_needed, uint64_t timeout_ns)
{
	struct acks *acks = &api->acks;
	acks->is_needed = is_needed;
	acks->timeout_ns = timeout_ns;
	if (!is_needed) {
		api_on_durable(api, UINT64_MAX);
		acks->durable = 0;
	}
}
