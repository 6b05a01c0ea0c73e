/*
 * Jobs that are put off: in the order of their times, and none is lost when the worker closes.
 */

#include <uv.h>

#include "base/buf.h"
#include "check.h"
#include "net/worker.h"

enum { JOBS_MAX = 8, HOUR_MS = 3600 * 1000 };

struct fixture {
	uv_loop_t loop;
	struct worker worker;
	struct buf log; /* a letter for each job that ran */
};

struct put_off {
	struct job job;
	struct fixture *fixture;
	char letter;
	int repeats;
};

static void on_done(struct job *job)
{
	struct put_off *put_off = LIST_ENTRY(job, struct put_off, job);
	struct fixture *fixture = put_off->fixture;
	buf_append_byte(&fixture->log, put_off->letter);
	if (put_off->repeats-- > 0) {
		executor_later(&fixture->worker.executor, job, 1);
	}
}

static void on_last_done(struct job *job)
{
	on_done(job);
	worker_close(&LIST_ENTRY(job, struct put_off, job)->fixture->worker, NULL);
}

static void open_fixture(struct fixture *fixture)
{
	*fixture = (struct fixture){ 0 };
	buf_init(&fixture->log, 0);
	uv_loop_init(&fixture->loop);
	worker_open(&fixture->worker, &fixture->loop);
}

static void close_fixture(struct fixture *fixture, const char *log)
{
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	CHECK_INT(uv_loop_close(&fixture->loop), 0);
	CHECK_STRING(buf_slice(&fixture->log), log);
	buf_finish(&fixture->log);
}

static void put_off(struct fixture *fixture, struct put_off *job, char letter, uint64_t ms)
{
	*job = (struct put_off){ .job.done = on_done, .fixture = fixture, .letter = letter };
	executor_later(&fixture->worker.executor, &job->job, ms);
}

static void test_order(void)
{
	struct fixture fixture;
	struct put_off jobs[JOBS_MAX];
	open_fixture(&fixture);
	put_off(&fixture, &jobs[0], 'd', 30);
	put_off(&fixture, &jobs[1], 'b', 10);
	put_off(&fixture, &jobs[2], 'e', 40);
	put_off(&fixture, &jobs[3], 'c', 10); /* of two for one time the first comes first */
	put_off(&fixture, &jobs[4], 'a', 0);
	put_off(&fixture, &jobs[5], 'f', 50);
	jobs[5].job.done = on_last_done;
	close_fixture(&fixture, "abcdef");
}

static void test_not_too_early(void)
{
	struct fixture fixture;
	struct put_off job;
	open_fixture(&fixture);
	uint64_t from_ms = uv_now(&fixture.loop);
	put_off(&fixture, &job, 'a', 20);
	job.job.done = on_last_done;
	uv_run(&fixture.loop, UV_RUN_ONCE);
	uv_update_time(&fixture.loop);
	CHECK(fixture.log.len == 0 || uv_now(&fixture.loop) - from_ms >= 20);
	close_fixture(&fixture, "a");
	CHECK(uv_now(&fixture.loop) - from_ms >= 20);
}

static void test_put_off_again(void)
{
	struct fixture fixture;
	struct put_off jobs[2];
	open_fixture(&fixture);
	put_off(&fixture, &jobs[0], 'a', 0);
	jobs[0].repeats = 3;
	put_off(&fixture, &jobs[1], 'z', 100);
	jobs[1].job.done = on_last_done;
	close_fixture(&fixture, "aaaaz");
}

/* An hour is not waited for, whether the job puts itself off again or not. */
static void test_close(void)
{
	struct fixture fixture;
	struct put_off jobs[3];
	open_fixture(&fixture);
	put_off(&fixture, &jobs[0], 'c', HOUR_MS + 1);
	put_off(&fixture, &jobs[1], 'b', HOUR_MS);
	put_off(&fixture, &jobs[2], 'a', 0);
	jobs[1].repeats = 1;
	jobs[2].job.done = on_last_done;
	close_fixture(&fixture, "abcb");
}

/* Who waits until nothing is under way does not wait for one that only looks. */
static void test_watch(void)
{
	struct fixture fixture;
	struct put_off jobs[2];
	open_fixture(&fixture);
	put_off(&fixture, &jobs[0], 'b', HOUR_MS);
	jobs[0].job.is_watch = true;
	CHECK(worker_is_idle(&fixture.worker));
	put_off(&fixture, &jobs[1], 'a', 0);
	CHECK(!worker_is_idle(&fixture.worker));
	jobs[1].job.done = on_last_done;
	close_fixture(&fixture, "ab");
}

static void test_close_without_jobs(void)
{
	struct fixture fixture;
	open_fixture(&fixture);
	worker_close(&fixture.worker, NULL);
	close_fixture(&fixture, "");
}

int main(void)
{
	RUN(test_order);
	RUN(test_not_too_early);
	RUN(test_put_off_again);
	RUN(test_close);
	RUN(test_watch);
	RUN(test_close_without_jobs);
	return check_done();
}
