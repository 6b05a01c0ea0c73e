/*
 * Answers that wait in several lanes. The test is who makes them durable, or fails to.
 */

#include "unit/api_crowd.h"

enum { TIMEOUT_MS = 30000, LANES = 3 };

/* Jobs "0", "1" and so on; it is told apart by the last byte of the job's name. */
static size_t lane_of(const struct group_key *key)
{
	const struct label *job = &key->labels.pairs[key->labels.count - 1];
	return (size_t)(job->value.ptr[job->value.len - 1] - '0');
}

static void begin(struct crowd *crowd)
{
	crowd_init(crowd);
	api_set_lanes(&crowd->d.api, LANES, lane_of);
	api_set_durable(&crowd->d.api, true, TIMEOUT_MS * UINT64_C(1000000));
}

static void end(struct crowd *crowd)
{
	api_set_durable(&crowd->d.api, false, 0);
	crowd_pump(crowd);
	crowd_finish(crowd);
}

static uint64_t version(const struct crowd *crowd)
{
	return crowd->d.store.changed;
}

static int next(struct crowd *crowd, size_t number)
{
	return crowd_next(crowd, number).status;
}

static void make_durable(struct crowd *crowd, size_t lane, uint64_t number)
{
	api_on_durable(&crowd->d.api, lane, number);
	crowd_pump(crowd);
}

static void fail(struct crowd *crowd, size_t lane, uint64_t number)
{
	api_on_failed(&crowd->d.api, lane, number, SLICE("it is full"));
	crowd_pump(crowd);
}

/* Each answer waits for its own lane; within one, in the order of the changes. */
static void test_lanes(void)
{
	static struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 1, "PUT /metrics/job/0", "m 1\n");
	crowd_send(&crowd, 2, "PUT /metrics/job/1", "m 1\n");
	uint64_t second = version(&crowd);
	crowd_send(&crowd, 3, "PUT /metrics/job/1", "m 2\n");
	CHECK_INT(crowd.d.api.acks.count, 3);
	make_durable(&crowd, 2, UINT64_MAX - 1);
	CHECK_INT(crowd.d.api.acks.count, 3);
	make_durable(&crowd, 1, second);
	CHECK_INT(next(&crowd, 1), 0);
	CHECK_INT(next(&crowd, 2), 200);
	CHECK_INT(next(&crowd, 3), 0);
	make_durable(&crowd, 1, second - 1); /* it never goes back */
	make_durable(&crowd, 0, version(&crowd));
	CHECK_INT(next(&crowd, 1), 200);
	CHECK_INT(next(&crowd, 3), 0);
	make_durable(&crowd, 1, version(&crowd));
	CHECK_INT(next(&crowd, 3), 200);
	CHECK_INT(api_driver_status(&crowd.d, "PUT /metrics/job/2", "m 1\n"), 200);
	CHECK_INT(crowd.d.api.acks.count, 0);
	end(&crowd);
}

/* One client's answers keep their order, whichever lane is first. */
static void test_lanes_of_one_client(void)
{
	static struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 0, "PUT /metrics/job/0", "m 1\n");
	crowd_send(&crowd, 0, "DELETE /metrics/job/1", "");
	crowd_send(&crowd, 0, "PUT /metrics/job/1", "m 1\n");
	make_durable(&crowd, 1, version(&crowd));
	CHECK_INT(crowd.d.api.acks.count, 1);
	CHECK_INT(next(&crowd, 0), 0);
	make_durable(&crowd, 0, version(&crowd));
	CHECK_INT(next(&crowd, 0), 200);
	CHECK_INT(next(&crowd, 0), 202);
	CHECK_INT(next(&crowd, 0), 200);
	end(&crowd);
}

static void test_failure_of_one_lane(void)
{
	static struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 1, "PUT /metrics/job/0", "m 1\n");
	crowd_send(&crowd, 2, "PUT /metrics/job/1", "m 1\n");
	uint64_t second = version(&crowd);
	crowd_send(&crowd, 3, "PUT /metrics/job/1", "m 2\n");
	fail(&crowd, 1, second);
	CHECK_INT(next(&crowd, 1), 0);
	struct api_response response = crowd_next(&crowd, 2);
	CHECK_INT(response.status, 503);
	CHECK(crowd_has(response.body, "not stored durably yet: it is full; weir goes on trying"));
	CHECK_INT(next(&crowd, 3), 0);
	make_durable(&crowd, 1, version(&crowd));
	make_durable(&crowd, 0, version(&crowd));
	CHECK_INT(next(&crowd, 3), 200);
	CHECK_INT(next(&crowd, 1), 200);
	end(&crowd);
}

/* What is of several groups waits for all lanes, in any order, and is failed by any. */
static void test_all_lanes(void)
{
	static struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 1, "PUT /api/v1/admin/wipe", "");
	uint64_t first = version(&crowd);
	crowd_send(&crowd, 2, "PUT /metrics/job/2", "m 1\n");
	crowd_send(&crowd, 3, "PUT /api/v1/admin/wipe", "");
	make_durable(&crowd, 2, version(&crowd));
	make_durable(&crowd, 0, first);
	CHECK_INT(next(&crowd, 2), 200);
	CHECK_INT(next(&crowd, 1), 0);
	fail(&crowd, 2, version(&crowd)); /* it has all of it */
	fail(&crowd, 0, first);
	CHECK_INT(crowd.d.api.acks.count, 2);
	make_durable(&crowd, 1, first);
	CHECK_INT(next(&crowd, 1), 202);
	CHECK_INT(next(&crowd, 3), 0);
	fail(&crowd, 1, version(&crowd) - 1); /* not the last one */
	CHECK_INT(next(&crowd, 3), 0);
	fail(&crowd, 1, version(&crowd));
	CHECK_INT(next(&crowd, 3), 503);
	CHECK_INT(stats_requests(&crowd.d.stats, STATS_HANDLER_WIPE, STATS_METHOD_PUT, 503), 1);
	end(&crowd);
}

static void test_import_waits_for_all_lanes(void)
{
	static const char line[] =
			"{\"labels\":{\"job\":\"1\"},\"pushed\":\"1795161000\",\"families\":[]}\n";
	static struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 1, "POST /api/v1/import", line);
	crowd_settle(&crowd);
	CHECK_INT(crowd.d.api.acks.count, 1);
	make_durable(&crowd, 1, version(&crowd));
	make_durable(&crowd, 2, version(&crowd));
	CHECK_INT(next(&crowd, 1), 0);
	make_durable(&crowd, 0, version(&crowd));
	CHECK_INT(next(&crowd, 1), 200);
	end(&crowd);
}

/* There is one timer for all; each goes when it is due. */
static void test_timeouts_of_lanes(void)
{
	static struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 1, "PUT /metrics/job/2", "m 1\n");
	crowd_pass(&crowd, 10);
	crowd_send(&crowd, 2, "PUT /api/v1/admin/wipe", "");
	crowd_pass(&crowd, 10);
	crowd_send(&crowd, 3, "PUT /metrics/job/0", "m 1\n");
	CHECK_INT(crowd.d.timer_count, 1);
	crowd_pass(&crowd, TIMEOUT_MS - 20 + 1);
	CHECK_INT(next(&crowd, 1), 503);
	CHECK_INT(next(&crowd, 2), 0);
	crowd_pass(&crowd, 10);
	CHECK_INT(next(&crowd, 2), 503);
	CHECK_INT(next(&crowd, 3), 0);
	crowd_pass(&crowd, 10);
	CHECK_INT(next(&crowd, 3), 503);
	CHECK_INT(crowd.d.timer_count, 0);
	end(&crowd);
}

static void test_lanes_not_needed(void)
{
	static struct crowd crowd;
	begin(&crowd);
	crowd_send(&crowd, 1, "PUT /metrics/job/1", "m 1\n");
	crowd_send(&crowd, 2, "PUT /api/v1/admin/wipe", "");
	crowd_send(&crowd, 3, "DELETE /metrics/job/2", "");
	api_set_durable(&crowd.d.api, false, 0);
	crowd_pump(&crowd);
	CHECK_INT(next(&crowd, 1), 200);
	CHECK_INT(next(&crowd, 2), 202);
	CHECK_INT(next(&crowd, 3), 202);
	CHECK_INT(crowd.d.api.acks.lanes[1].durable, 0);
	end(&crowd);
}

int main(void)
{
	RUN(test_lanes);
	RUN(test_lanes_of_one_client);
	RUN(test_failure_of_one_lane);
	RUN(test_all_lanes);
	RUN(test_import_waits_for_all_lanes);
	RUN(test_timeouts_of_lanes);
	RUN(test_lanes_not_needed);
	return check_done();
}
