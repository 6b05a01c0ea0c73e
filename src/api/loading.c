#include "api/loading.h"

#include "api/api.h"
#include "api/away.h"
#include "api/endpoints.h"
#include "api/unavailable.h"
#include "base/clock.h"

enum {
	WAITING_BYTES_MAX = 256 * 1024 * 1024,
	EXCHANGE_BYTES = 20 * 1024, /* of a request without a body: its arena, above all */
	TURN_REQUESTS = 64,         /* carried out on one turn of the loop */
	TURN_BYTES = 1024 * 1024,
	PATIENCE_MS = 500, /* from the beginning on, of those that would be refused */
};

/* In its exchange's arena; handler_data of the exchange while it waits, but not while it looks. */
struct loading_waiter {
	struct list link;
	struct exchange *exchange;
	enum endpoint endpoint;
	uint64_t due_ns; /* monotonic: it waits no longer; not of those that look */
};

void loading_init(struct loading *loading, struct api *api)
{
	*loading = (struct loading){ .api = api };
	list_init(&loading->looking);
	list_init(&loading->waiting);
}

/* ---- What is told ---- */

/* ": 120000 of 1000000 records", if that is known. */
static struct slice progress_text(const struct loading *loading, struct arena *arena)
{
	if (loading->phase != LOADING_ONGOING || loading->total == 0) {
		return SLICE("");
	}
	return arena_printf(arena, ": %llu of %llu records", (unsigned long long)loading->done,
			(unsigned long long)loading->total);
}

static struct slice unseen_text(const struct loading *loading, struct arena *arena)
{
	if (loading->phase == LOADING_GIVEN_UP) {
		return SLICE("weir ends, and what is stored was not loaded");
	}
	return ARENA_JOIN(
			arena, SLICE("what is stored is being loaded"), progress_text(loading, arena));
}

static struct slice given_up_text(void)
{
	return SLICE("not carried out: weir ends before what is stored is loaded");
}

static struct slice late_text(const struct loading *loading, struct arena *arena)
{
	return arena_printf(arena,
			"not carried out: it waited %.3g s for what is stored to be loaded" SLICE_FMT,
			(double)loading->timeout_ns / 1e9, SLICE_ARG(progress_text(loading, arena)));
}

/* ---- The queue ---- */

static struct loading_waiter *first_of(const struct list *waiters)
{
	struct list *first = list_first(waiters);
	return first == NULL ? NULL : LIST_ENTRY(first, struct loading_waiter, link);
}

/* Those that look are first: none of them is behind one that waits. */
static struct loading_waiter *first_waiter(const struct loading *loading)
{
	struct loading_waiter *first = first_of(&loading->looking);
	return first != NULL ? first : first_of(&loading->waiting);
}

static size_t bytes_of(const struct exchange *exchange)
{
	return exchange->request.wire_bytes + EXCHANGE_BYTES;
}

static void take_off(struct loading *loading, struct loading_waiter *waiter)
{
	list_remove(&waiter->link);
	waiter->exchange->handler_data = NULL;
	loading->count--;
	loading->bytes -= bytes_of(waiter->exchange);
}

static void refuse_waiter(struct loading *loading, struct loading_waiter *waiter, struct slice text)
{
	take_off(loading, waiter);
	unavailable_answer(loading->api, waiter->exchange, waiter->endpoint, text);
}

static void set_timer(struct loading *loading);

static void on_timer(struct job *job)
{
	struct loading *loading = LIST_ENTRY(job, struct loading, timer);
	uint64_t now_ns = clock_monotonic_ns();
	loading->has_timer = false;
	for (struct loading_waiter *waiter = first_of(&loading->waiting);
			waiter != NULL && waiter->due_ns <= now_ns; waiter = first_of(&loading->waiting)) {
		refuse_waiter(loading, waiter, late_text(loading, &waiter->exchange->arena));
	}
	set_timer(loading);
}

static void set_timer(struct loading *loading)
{
	const struct loading_waiter *waiter = first_of(&loading->waiting);
	if (loading->has_timer || waiter == NULL) {
		return;
	}
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t left_ns = waiter->due_ns > now_ns ? waiter->due_ns - now_ns : 0;
	loading->has_timer = true;
	loading->timer = (struct job){ .done = on_timer, .is_watch = true };
	executor_later(loading->api->executor, &loading->timer, left_ns / 1000000 + 1);
}

static struct loading_waiter *put_on(struct loading *loading, struct list *waiters,
		struct exchange *exchange, enum endpoint endpoint)
{
	struct loading_waiter *waiter = arena_zalloc(&exchange->arena, 1, sizeof(*waiter));
	waiter->exchange = exchange;
	waiter->endpoint = endpoint;
	list_append(waiters, &waiter->link);
	loading->count++;
	loading->bytes += bytes_of(exchange);
	return waiter;
}

static bool is_full(const struct loading *loading, const struct exchange *exchange)
{
	return loading->bytes + bytes_of(exchange) > WAITING_BYTES_MAX;
}

/* ---- Those that look ---- */

static void on_patience(struct job *job)
{
	struct loading *loading = LIST_ENTRY(job, struct loading, patience);
	loading->has_patience = false;
	if (loading->phase != LOADING_ONGOING) {
		return;
	}
	for (struct loading_waiter *waiter = first_of(&loading->looking); waiter != NULL;
			waiter = first_of(&loading->looking)) {
		refuse_waiter(loading, waiter, unseen_text(loading, &waiter->exchange->arena));
	}
}

static void look(struct loading *loading, struct exchange *exchange, enum endpoint endpoint)
{
	uint64_t passed_ms = (clock_monotonic_ns() - loading->began_ns) / 1000000;
	bool is_patient = loading->phase == LOADING_ONGOING && passed_ms < PATIENCE_MS;
	if (!is_patient || is_full(loading, exchange)) {
		unavailable_answer(
				loading->api, exchange, endpoint, unseen_text(loading, &exchange->arena));
		return;
	}
	put_on(loading, &loading->looking, exchange, endpoint);
	if (!loading->has_patience) {
		loading->has_patience = true;
		loading->patience = (struct job){ .done = on_patience, .is_watch = true };
		executor_later(loading->api->executor, &loading->patience, PATIENCE_MS - passed_ms);
	}
}

/* ---- Those that wait ---- */

/* What is behind one that waits, waits itself: it is enough to look at the last. */
static bool is_behind(const struct exchange *exchange)
{
	const struct exchange *before = exchange_before(exchange);
	return before != NULL && before->handler_data != NULL;
}

/* What comes behind it waits for those before it all the same. */
static void refuse_in_line(struct loading *loading, struct exchange *exchange,
		enum endpoint endpoint, struct slice text)
{
	exchange->handler_data = is_behind(exchange) ? loading : NULL;
	unavailable_answer(loading->api, exchange, endpoint, text);
}

/* Away: why it must not be carried out; ptr NULL: it may, later. */
static void hold(struct loading *loading, struct exchange *exchange, enum endpoint endpoint,
		struct slice away)
{
	if (loading->phase == LOADING_GIVEN_UP) {
		unavailable_answer(loading->api, exchange, endpoint, given_up_text());
	} else if (away.ptr != NULL) {
		refuse_in_line(loading, exchange, endpoint, away);
	} else if (is_full(loading, exchange)) {
		refuse_in_line(loading, exchange, endpoint,
				SLICE("not carried out: too much waits for what is stored to be loaded"));
	} else {
		struct loading_waiter *waiter = put_on(loading, &loading->waiting, exchange, endpoint);
		waiter->due_ns = clock_monotonic_ns() + loading->timeout_ns;
		exchange->handler_data = waiter;
		set_timer(loading);
	}
}

/* What is made by hand in a list of targets has nothing to do with what is pushed. */
static bool shows_store(enum endpoint endpoint, const struct exchange *exchange)
{
	static const enum endpoint looking[] = {
		ENDPOINT_API_EXPORT,
		ENDPOINT_API_METRICS,
		ENDPOINT_API_QUERY,
		ENDPOINT_API_TARGETS_EXPORT,
		ENDPOINT_DISCOVERY,
		ENDPOINT_DISCOVERY_HOSTS,
		ENDPOINT_METRICS,
		ENDPOINT_PAGE,
		ENDPOINT_READY,
		ENDPOINT_RULES,
		ENDPOINT_TARGET_PAGE,
	};
	for (size_t i = 0; i < sizeof(looking) / sizeof(looking[0]); i++) {
		if (looking[i] == endpoint) {
			return true;
		}
	}
	return (endpoint == ENDPOINT_API_TARGETS || endpoint == ENDPOINT_API_SERVICES
				   || endpoint == ENDPOINT_HOSTS)
			&& exchange->request.method == METHOD_GET;
}

bool loading_takes(struct loading *loading, struct exchange *exchange)
{
	struct route route;
	bool is_found =
			route_find(&loading->api->options.routes, &exchange->request, &exchange->arena, &route)
			== ROUTE_FOUND;
	enum endpoint endpoint = is_found ? route.endpoint : ENDPOINT_NONE;
	bool changes_store = endpoint == ENDPOINT_PUSH || endpoint == ENDPOINT_API_WIPE
			|| endpoint == ENDPOINT_API_IMPORT;
	if (changes_store || is_behind(exchange)) {
		hold(loading, exchange, endpoint,
				is_found ? away_text_of_request(loading->api, exchange, &route)
						 : slice_make(NULL, 0));
		return true;
	}
	if (shows_store(endpoint, exchange) && loading->phase != LOADING_OVER) {
		look(loading, exchange, endpoint);
		return true;
	}
	return false;
}

/* ---- From phase to phase ---- */

static void carry_out(struct loading *loading, struct loading_waiter *waiter)
{
	take_off(loading, waiter);
	api_carry_out(loading->api, waiter->exchange);
}

static void set_turn(struct loading *loading);

static void on_turn(struct job *job)
{
	struct loading *loading = LIST_ENTRY(job, struct loading, turn);
	size_t bytes = 0;
	loading->has_turn = false;
	for (size_t i = 0; i < TURN_REQUESTS && bytes < TURN_BYTES && loading->count > 0; i++) {
		struct loading_waiter *waiter = first_waiter(loading);
		bytes += waiter->exchange->request.body.len;
		carry_out(loading, waiter);
	}
	set_turn(loading);
}

static void set_turn(struct loading *loading)
{
	if (!loading->has_turn && loading->count > 0) {
		loading->has_turn = true;
		loading->turn.done = on_turn;
		executor_defer(loading->api->executor, &loading->turn);
	}
}

void api_begin_loading(struct api *api, uint64_t timeout_ns)
{
	api->loading.timeout_ns = timeout_ns;
	api->loading.began_ns = clock_monotonic_ns();
	api->loading.phase = LOADING_ONGOING;
}

void api_set_loading_progress(struct api *api, uint64_t done, uint64_t total)
{
	api->loading.done = done;
	api->loading.total = total;
}

void api_end_loading(struct api *api)
{
	if (api->loading.phase == LOADING_ONGOING) {
		api->loading.phase = LOADING_OVER;
		set_turn(&api->loading);
	}
}

void api_give_up_loading(struct api *api)
{
	struct loading *loading = &api->loading;
	bool is_over = loading->phase == LOADING_OVER;
	loading->phase = is_over ? LOADING_OVER : LOADING_GIVEN_UP;
	while (loading->count > 0) {
		struct loading_waiter *waiter = first_waiter(loading);
		if (is_over) {
			carry_out(loading, waiter);
		} else {
			bool looks = waiter->exchange->handler_data == NULL;
			refuse_waiter(loading, waiter,
					looks ? unseen_text(loading, &waiter->exchange->arena) : given_up_text());
		}
	}
}
