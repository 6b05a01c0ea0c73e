#pragma once

/*
 * What both databases have to do alike. The test provides case_open(), which opens
 * a rig on the same database again.
 */

#include "storage_driver.h"
#include "targets/storage_backend.h"

static void case_open(struct rig *rig);

static inline void case_empty(void)
{
	struct rig rig;
	case_open(&rig);
	CHECK(!storage_is_usable(rig.storage));
	RIG_AWAIT(&rig, rig.loaded == 1);
	CHECK(storage_is_usable(rig.storage));
	CHECK_INT(rig.readings, 1);
	CHECK_INT(rig.target_count + rig.seen_count + rig.fault_count, 0);
	CHECK_INT(rig.away + rig.back + rig.unusable, 0);
	rig_close(&rig);
}

static inline struct storage_target full_target(void)
{
	struct storage_target row = target_of("fields");
	row.mode = SLICE("virtual");
	row.address = SLICE("db1:9100");
	row.scheme = SLICE("https");
	row.path = SLICE("/metrics?x=1");
	row.scrape_interval_seconds = 30;
	row.scrape_timeout_seconds = 10;
	row.is_configured = true;
	row.attributes = SLICE("{\"room\":\"\xc3\xa4\\\"\\\\\\n\"}");
	row.thresholds = SLICE("[{\"metric\":\"up\",\"below\":1}]");
	row.is_enabled = false;
	row.interval_seconds = 0.1;
	row.silent_after = 2.5;
	row.created_ns = test_time_ns;
	return row;
}

static inline struct storage_seen full_seen(void)
{
	struct storage_seen seen = seen_of("fields", "a");
	seen.last_push_ns = test_time_ns + 3000;
	seen.rejected_at_ns = test_time_ns + 2000;
	seen.rejected_reason = SLICE("inconsistent: 'x'");
	return seen;
}

static inline void check_full_target(const struct storage_target *read, int64_t changed_ns)
{
	CHECK_STRING(read->job, "backup");
	CHECK_STRING(read->instance, "db1");
	CHECK_STRING(read->mode, "virtual");
	CHECK_STRING(read->address, "db1:9100");
	CHECK_STRING(read->scheme, "https");
	CHECK_STRING(read->path, "/metrics?x=1");
	CHECK(read->scrape_interval_seconds == 30);
	CHECK(read->scrape_timeout_seconds == 10);
	CHECK(!read->is_enabled);
	CHECK(read->is_configured);
	CHECK(read->interval_seconds == 0.1);
	CHECK(read->silent_after == 2.5);
	CHECK_INT(read->created_ns, test_time_ns);
	CHECK_INT(read->changed_ns, changed_ns);
	CHECK_INT(read->version, 1);
	CHECK(slice_find_byte(read->labels, '{') != NULL);
}

static inline void check_full_seen(const struct storage_seen *read)
{
	CHECK_INT(read->first_seen_ns, test_time_ns);
	CHECK_INT(read->last_seen_ns, test_time_ns + 1000);
	CHECK_INT(read->last_push_ns, test_time_ns + 3000);
	CHECK_INT(read->pushes, 7);
	CHECK_STRING(read->format, "text");
	CHECK_STRING(read->source, "10.0.0.7");
	CHECK_STRING(read->gaps, "[15000]");
	CHECK(read->learnt_interval == 15);
	CHECK_STRING(read->state, "active");
	CHECK_INT(read->rejected_at_ns, test_time_ns + 2000);
	CHECK_STRING(read->rejected_reason, "inconsistent: 'x'");
}

static inline void case_all_fields(void)
{
	struct rig rig;
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	struct storage_target row = full_target();
	struct storage_seen seen = full_seen();
	struct storage_seen empty = { .target_id = SLICE("fields"), .replica = SLICE("b") };
	CHECK_INT(save(&rig, &row), STORAGE_OK);
	CHECK_INT(last.outcomes[0].version, 1);
	int64_t changed_ns = last.outcomes[0].changed_ns;
	CHECK(changed_ns != 0);
	CHECK_INT(see(&rig, &seen), STORAGE_OK);
	CHECK_INT(see(&rig, &empty), STORAGE_OK);
	rig_close(&rig);

	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	const struct storage_target *read = target_in(&rig, "fields");
	const struct storage_seen *of_a = seen_in(&rig, "fields", "a");
	const struct storage_seen *of_b = seen_in(&rig, "fields", "b");
	CHECK(read != NULL && of_a != NULL);
	if (read != NULL && of_a != NULL) {
		check_full_target(read, changed_ns);
		check_full_seen(of_a);
		/* The same row, read back and saved, is the same. */
		struct storage_target again = *read;
		again.version = 0;
		CHECK_INT(save(&rig, &again), STORAGE_OK);
		CHECK_INT(last.outcomes[0].version, 1);
	}
	CHECK(of_b != NULL && of_b->first_seen_ns == 0 && of_b->gaps.len == 0
			&& of_b->learnt_interval == 0);
	rig_close(&rig);
}

static inline void case_versions(void)
{
	struct rig rig;
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	struct storage_target row = target_of("versions");
	CHECK_INT(save(&rig, &row), STORAGE_OK);
	/* Another one of that id is not made, and this weir hears of the one that is there. */
	struct storage_target other = row;
	other.job = SLICE("other");
	CHECK_INT(save(&rig, &other), STORAGE_CONFLICT);
	CHECK_INT(last.outcomes[0].result, STORAGE_CONFLICT);
	const struct storage_target *told = change_in(&rig, "versions");
	CHECK(told != NULL && slice_equal(told->job, SLICE("backup")));
	/* Made from the one that is there. */
	other.version = 1;
	CHECK_INT(save(&rig, &other), STORAGE_OK);
	CHECK_INT(last.outcomes[0].version, 2);
	CHECK_INT(save(&rig, &row), STORAGE_CONFLICT);
	/* One that was deleted does not come back. */
	CHECK_INT(remove_id(&rig, STORAGE_DELETE, "versions"), STORAGE_OK);
	other.version = 2;
	CHECK_INT(save(&rig, &other), STORAGE_CONFLICT);
	CHECK(is_deleted_in(&rig, "versions"));
	CHECK_INT(rig.fault_count, 0);
	rig_close(&rig);
}

static inline void case_delete_and_forget(void)
{
	struct rig rig;
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	struct storage_target gone = target_of("gone");
	struct storage_target kept = target_of("kept");
	CHECK_INT(save(&rig, &gone), STORAGE_OK);
	CHECK_INT(save(&rig, &kept), STORAGE_OK);
	struct storage_seen seen_gone = seen_of("gone", "a");
	struct storage_seen seen_kept = seen_of("kept", "a");
	struct storage_seen seen_never = seen_of("never", "a");
	CHECK_INT(see(&rig, &seen_gone), STORAGE_OK);
	CHECK_INT(see(&rig, &seen_kept), STORAGE_OK);
	CHECK_INT(see(&rig, &seen_never), STORAGE_OK); /* it goes nowhere */
	CHECK_INT(remove_id(&rig, STORAGE_DELETE, "gone"), STORAGE_OK);
	CHECK_INT(remove_id(&rig, STORAGE_DELETE, "gone"), STORAGE_OK);
	CHECK_INT(remove_id(&rig, STORAGE_FORGET, "kept"), STORAGE_OK);
	rig_close(&rig);

	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	CHECK(target_in(&rig, "gone") == NULL);
	CHECK(target_in(&rig, "kept") != NULL);
	CHECK(seen_in(&rig, "gone", "a") == NULL);
	CHECK(seen_in(&rig, "kept", "a") == NULL);
	CHECK(seen_in(&rig, "never", "a") == NULL);
	rig_close(&rig);
}

/* Text is data, whatever it looks like. */
static const char *const hostile_texts[] = {
	"'; DROP TABLE weir_target; --",
	"\\'); DELETE FROM weir_target; --",
	"{\"a\",NULL,b}",
	"\"quoted\" \\ back\\\\slash\\\"",
	"NULL",
	"null",
	"a,b{}()",
	" \t\r\n ",
	"$1 $$ :x ?1 %s %n",
	"\xf0\x9f\xa6\xab \xc3\xa4",
	"",
};

enum { HOSTILE = sizeof(hostile_texts) / sizeof(hostile_texts[0]) };

static inline const char *hostile_id(size_t i)
{
	static char id[16];
	snprintf(id, sizeof(id), "hostile-%02zu", i);
	return id;
}

static inline void write_hostile(struct rig *rig)
{
	static struct result seen_result;
	struct storage_op *op = op_of(STORAGE_SAVE, &last);
	struct storage_op *seen_op = op_of(STORAGE_SEE, &seen_result);
	for (size_t i = 0; i < HOSTILE; i++) {
		struct slice text = slice_of_string(hostile_texts[i]);
		struct storage_target row = target_of(hostile_id(i));
		struct storage_seen seen = seen_of(hostile_id(i), hostile_texts[i]);
		row.job = text;
		row.address = text;
		seen.rejected_reason = text;
		storage_op_add_target(op, &row);
		storage_op_add_seen(seen_op, &seen);
	}
	run_op(rig, op);
	run_op(rig, seen_op);
	CHECK_INT(last.result, STORAGE_OK);
	CHECK_INT(seen_result.result, STORAGE_OK);
}

static inline void case_hostile(void)
{
	struct rig rig;
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	write_hostile(&rig);
	CHECK_INT(remove_id(&rig, STORAGE_DELETE, "x' OR '1'='1"), STORAGE_OK);
	rig_close(&rig);

	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	for (size_t i = 0; i < HOSTILE; i++) {
		const struct storage_target *row = target_in(&rig, hostile_id(i));
		const struct storage_seen *seen = seen_in(&rig, hostile_id(i), hostile_texts[i]);
		CHECK(row != NULL && seen != NULL);
		if (row != NULL && seen != NULL) {
			CHECK_STRING(row->job, hostile_texts[i]);
			CHECK_STRING(row->address, hostile_texts[i]);
			CHECK_STRING(seen->rejected_reason, hostile_texts[i]);
		}
	}
	rig_close(&rig);
}

/* The same counts may be written twice: they are absolute. */
static inline void write_many(struct rig *rig)
{
	static struct result seen_result;
	struct storage_op *op = op_of(STORAGE_SAVE, &last);
	struct storage_op *seen_op = op_of(STORAGE_SEE, &seen_result);
	add_many(op, 0, MANY);
	for (size_t i = 0; i < MANY; i++) {
		struct storage_seen seen = seen_of(many_id(i), "a");
		seen.pushes = (int64_t)i;
		storage_op_add_seen(seen_op, &seen);
	}
	storage_send(rig->storage, op);
	storage_send(rig->storage, seen_op);
	RIG_AWAIT(rig, seen_result.is_done);
	CHECK(last.is_done);
	CHECK_INT(last.result, STORAGE_OK);
	CHECK_INT(seen_result.result, STORAGE_OK);
	CHECK_INT(last.outcomes[MANY - 1].version, 1);
}

static inline void check_many_read(const struct rig *rig)
{
	CHECK(rig->target_count >= MANY);
	CHECK(rig->seen_count >= MANY);
	for (size_t i = 0; i < rig->seen_count; i++) {
		struct slice id = rig->seen[i].target_id;
		if (slice_starts_with(id, SLICE("many-"))) {
			CHECK_INT(rig->seen[i].pushes, atoi(id.ptr + 5));
		}
	}
}

static inline void case_many(void)
{
	struct rig rig;
	struct storage_stats stats;
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	write_many(&rig);
	write_many(&rig);
	storage_collect(rig.storage, &stats);
	CHECK_INT(stats.waiting, 0);
	CHECK_INT(stats.batches, 4 * MANY / STORAGE_BATCH_ROWS);
	CHECK_INT(stats.rows_written, 4 * MANY);
	rig_close(&rig);

	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	check_many_read(&rig);
	struct storage_op *op = op_of(STORAGE_DELETE, &last);
	for (size_t i = 0; i < MANY; i++) {
		storage_op_add_id(op, slice_of_string(many_id(i)));
	}
	run_op(&rig, op);
	CHECK_INT(last.result, STORAGE_OK);
	rig_close(&rig);
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	CHECK(target_in(&rig, many_id(0)) == NULL);
	rig_close(&rig);
}

/* Two weirs that start at the same time on an empty database. */
static inline void case_two_at_once(void)
{
	struct rig first;
	struct rig second;
	case_open(&first);
	case_open(&second);
	uint64_t end_ns = clock_monotonic_ns() + PATIENCE_S * (uint64_t)1000000000;
	while ((first.loaded == 0 || second.loaded == 0) && clock_monotonic_ns() < end_ns) {
		uv_run(&first.loop, UV_RUN_ONCE);
		uv_run(&second.loop, UV_RUN_ONCE);
	}
	CHECK_INT(first.loaded, 1);
	CHECK_INT(second.loaded, 1);
	CHECK_INT(first.unusable + second.unusable, 0);
	rig_close(&first);
	rig_close(&second);
}

/* What is sent before it is closed is still done; what comes after fails. */
static inline void case_close(void)
{
	struct rig rig;
	static struct result late;
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	struct storage_target row = target_of("closing");
	struct storage_op *op = op_of(STORAGE_SAVE, &last);
	storage_op_add_target(op, &row);
	storage_send(rig.storage, op);
	storage_close(rig.storage);
	op = op_of(STORAGE_DELETE, &late);
	storage_op_add_id(op, row.id);
	storage_send(rig.storage, op);
	rig_close(&rig);
	CHECK(last.is_done && late.is_done);
	CHECK_INT(last.result, STORAGE_OK);
	CHECK_INT(late.result, STORAGE_FAILED);

	/* At once, whatever it is doing. */
	case_open(&rig);
	rig_close(&rig);
	case_open(&rig);
	uv_run(&rig.loop, UV_RUN_ONCE);
	op = op_of(STORAGE_SAVE, &last);
	storage_op_add_target(op, &row);
	storage_send(rig.storage, op);
	rig_close(&rig);
	CHECK(last.is_done);
	CHECK_INT(last.result, STORAGE_FAILED);
}
