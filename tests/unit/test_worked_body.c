/*
 * Bodies made on threads: their text comes in order whatever comes back first,
 * little is made ahead, and all is freed whenever they are closed.
 */

#include "api/worked_body.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "check.h"
#include "unit/random.h"

enum { JOBS_MAX = 16, UNITS_AHEAD_MAX = 5 };

struct body_driver {
	struct executor executor;
	struct job *jobs[JOBS_MAX];
	bool worked[JOBS_MAX];
	size_t job_count;
	struct random_source random;
	bool is_ready;
	bool may_be_ready; /* it was told LATER */
};

static void add_job(struct body_driver *d, struct job *job, bool is_worked)
{
	assert(d->job_count < JOBS_MAX);
	d->worked[d->job_count] = is_worked;
	d->jobs[d->job_count++] = job;
}

static void submit(struct executor *executor, struct job *job)
{
	add_job(LIST_ENTRY(executor, struct body_driver, executor), job, false);
}

static void defer(struct executor *executor, struct job *job)
{
	add_job(LIST_ENTRY(executor, struct body_driver, executor), job, true);
}

static void do_some_job(struct body_driver *d)
{
	size_t number = random_below(&d->random, (unsigned)d->job_count);
	struct job *job = d->jobs[number];
	if (!d->worked[number]) {
		d->worked[number] = true;
		job->work(job);
		return;
	}
	d->job_count--;
	memmove(&d->jobs[number], &d->jobs[number + 1], (d->job_count - number) * sizeof(job));
	memmove(&d->worked[number], &d->worked[number + 1], d->job_count - number);
	job->done(job);
}

static void on_ready(void *data)
{
	struct body_driver *d = data;
	CHECK(d->may_be_ready && !d->is_ready);
	d->is_ready = true;
	d->may_be_ready = false;
}

/* ---- A source of numbers ---- */

struct number_source {
	struct worked_source source;
	struct body_driver *d;
	unsigned count;   /* of units */
	unsigned failing; /* that one fails; none: count */
	bool has_last;    /* the last one is said to be it */
	unsigned next;
	unsigned at_work;
	bool *closed;
};

/* Some units have no text. */
static bool is_silent(unsigned number)
{
	return number % 7 == 3;
}

static enum worked_gathering gather(struct worked_source *source, struct worked_unit *unit)
{
	struct number_source *numbers = LIST_ENTRY(source, struct number_source, source);
	struct random_source *random = &numbers->d->random;
	if (random_once_in(random, 5)) {
		return WORKED_NOT_NOW;
	}
	if (numbers->next == numbers->count) {
		return WORKED_ENDED;
	}
	unsigned *data = arena_alloc(&unit->arena, 2 * sizeof(unsigned));
	unit->bytes = random_once_in(random, 3) ? 100 : WORKED_UNIT_BYTES;
	if (numbers->at_work > 0 && random_once_in(random, 4)) {
		return WORKED_AWAITS;
	}
	data[0] = numbers->next++;
	data[1] = data[0] == numbers->failing;
	unit->data = data;
	numbers->at_work++;
	bool is_last = numbers->has_last && numbers->next == numbers->count;
	return is_last ? WORKED_LAST : WORKED_GATHERED;
}

static void work(struct worked_unit *unit)
{
	const unsigned *data = unit->data;
	if (!is_silent(data[0])) {
		buf_printf(&unit->out, "%u,", data[0]);
	}
	unit->has_failed = data[1] != 0;
}

static void worked(struct worked_source *source, struct worked_unit *unit)
{
	struct number_source *numbers = LIST_ENTRY(source, struct number_source, source);
	CHECK(numbers->at_work > 0);
	numbers->at_work--;
}

/* In two parts. */
static size_t show(struct worked_source *source, struct worked_unit *unit, struct slice *ret_parts)
{
	struct slice text = buf_slice(&unit->out);
	ret_parts[0] = slice_first(text, text.len - 1);
	ret_parts[1] = slice_skip(text, text.len - 1);
	return 2;
}

static void close_source(struct worked_source *source)
{
	struct number_source *numbers = LIST_ENTRY(source, struct number_source, source);
	CHECK_INT(numbers->at_work, 0);
	*numbers->closed = true;
	free(numbers);
}

static struct number_source *make_source(struct body_driver *d, unsigned count, bool *closed)
{
	struct number_source *numbers = memory_zalloc(1, sizeof(*numbers));
	numbers->source = (struct worked_source){
		.gather = gather,
		.work = work,
		.worked = worked,
		.show = random_once_in(&d->random, 2) ? show : NULL,
		.close = close_source,
	};
	numbers->d = d;
	numbers->count = count;
	numbers->failing = count;
	numbers->has_last = random_once_in(&d->random, 2);
	numbers->closed = closed;
	*closed = false;
	return numbers;
}

/* ---- Reading ---- */

static void body_driver_init(struct body_driver *d, struct random_source *random)
{
	*d = (struct body_driver){
		.executor = { .submit = submit, .defer = defer },
		.random = { random_next(random) },
	};
}

static struct http_body *open_body(struct body_driver *d, struct number_source *numbers)
{
	struct http_body *body = worked_body_create(&d->executor, &numbers->source);
	body->ready = on_ready;
	body->ready_data = d;
	if (random_once_in(&d->random, 2)) {
		d->may_be_ready = true;
		d->is_ready = false;
		bool is_there = worked_body_begin(body);
		d->may_be_ready = !is_there;
		while (!is_there && !d->is_ready) {
			do_some_job(d);
		}
	}
	return body;
}

/* Up to so many pieces; what ended it. */
static enum http_body_state read_body(struct body_driver *d, struct http_body *body,
		const struct number_source *numbers, unsigned pieces, struct buf *out)
{
	enum http_body_state state = HTTP_BODY_PIECE;
	while (pieces > 0 && (state == HTTP_BODY_PIECE || state == HTTP_BODY_LATER)) {
		struct http_piece piece;
		d->may_be_ready = false;
		d->is_ready = false;
		state = body->next(body, &piece);
		CHECK(!d->is_ready);
		if (state == HTTP_BODY_PIECE) {
			for (size_t i = 0; i < piece.count; i++) {
				buf_append(out, piece.parts[i]);
			}
			pieces--;
		}
		d->may_be_ready = state == HTTP_BODY_LATER;
		/* Jobs may be done while the consumer is at something else, too. */
		while (d->job_count > 0
				&& (state == HTTP_BODY_LATER ? !d->is_ready : random_once_in(&d->random, 2))) {
			do_some_job(d);
		}
		CHECK(state != HTTP_BODY_LATER || d->is_ready);
		CHECK(numbers->at_work <= UNITS_AHEAD_MAX);
	}
	return state;
}

static void close_body(struct body_driver *d, struct http_body *body, const bool *closed)
{
	d->may_be_ready = false;
	body->close(body);
	while (d->job_count > 0) {
		do_some_job(d);
	}
	CHECK(*closed);
}

static void test_order(void)
{
	struct random_source random;
	random_init(&random);
	for (unsigned round = 0; round < random_rounds(2000); round++) {
		struct body_driver d;
		struct buf out;
		struct buf wanted;
		bool closed;
		body_driver_init(&d, &random);
		buf_init(&out, 0);
		buf_init(&wanted, 0);
		unsigned count = random_below(&random, 40);
		struct number_source *numbers = make_source(&d, count, &closed);
		struct http_body *body = open_body(&d, numbers);
		CHECK_INT(read_body(&d, body, numbers, UINT32_MAX, &out), HTTP_BODY_END);
		CHECK(!worked_body_has_failed(body));
		for (unsigned i = 0; i < count; i++) {
			if (!is_silent(i)) {
				buf_printf(&wanted, "%u,", i);
			}
		}
		CHECK_SLICE(buf_slice(&out), buf_slice(&wanted));
		close_body(&d, body, &closed);
		buf_finish(&out);
		buf_finish(&wanted);
	}
}

static void test_failure(void)
{
	struct random_source random;
	random_init(&random);
	for (unsigned round = 0; round < random_rounds(500); round++) {
		struct body_driver d;
		struct buf out;
		bool closed;
		body_driver_init(&d, &random);
		buf_init(&out, 0);
		struct number_source *numbers = make_source(&d, 30, &closed);
		numbers->failing = random_below(&random, 30);
		struct http_body *body = open_body(&d, numbers);
		CHECK_INT(read_body(&d, body, numbers, UINT32_MAX, &out), HTTP_BODY_FAILED);
		CHECK(worked_body_has_failed(body));
		close_body(&d, body, &closed);
		buf_finish(&out);
	}
}

static void test_closed_early(void)
{
	struct random_source random;
	random_init(&random);
	for (unsigned round = 0; round < random_rounds(500); round++) {
		struct body_driver d;
		struct buf out;
		bool closed;
		body_driver_init(&d, &random);
		buf_init(&out, 0);
		struct number_source *numbers = make_source(&d, 30, &closed);
		struct http_body *body = open_body(&d, numbers);
		read_body(&d, body, numbers, random_below(&random, 10), &out);
		close_body(&d, body, &closed);
		buf_finish(&out);
	}
}

/* A consumer that takes nothing: a few units are made, and no more. */
static void test_nobody_reads(void)
{
	struct random_source random;
	struct body_driver d;
	bool closed;
	random_init(&random);
	body_driver_init(&d, &random);
	struct number_source *numbers = make_source(&d, 1000, &closed);
	struct http_body *body = open_body(&d, numbers);
	d.may_be_ready = true;
	worked_body_begin(body);
	while (d.job_count > 0) {
		do_some_job(&d);
	}
	CHECK(numbers->next <= 2 * UNITS_AHEAD_MAX);
	close_body(&d, body, &closed);
}

int main(void)
{
	RUN(test_order);
	RUN(test_failure);
	RUN(test_closed_early);
	RUN(test_nobody_reads);
	return check_done();
}
