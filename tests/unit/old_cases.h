#pragma once

/*
 * Targets and replicas that nobody has heard of for long, in both databases; see storage_cases.h.
 */

#include "storage_driver.h"

static void case_open(struct rig *rig);

enum { HOUR_S = 3600 };

static inline void see_at(struct rig *rig, const char *id, const char *replica, int64_t seen_ns)
{
	struct storage_seen seen = seen_of(id, replica);
	seen.first_seen_ns = seen_ns;
	seen.last_seen_ns = seen_ns;
	seen.last_push_ns = seen_ns;
	CHECK_INT(see(rig, &seen), STORAGE_OK);
}

/* Only what nobody has seen since then goes, and what was not configured. */
static inline void case_expire(void)
{
	static const char *const ids[] = { "old", "seen by b", "by hand", "never", "not there" };
	const int64_t old_ns = test_time_ns - HOUR_S * (int64_t)1000000000;
	struct rig rig;
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	for (int i = 0; i < 4; i++) {
		struct storage_target row = target_of(ids[i]);
		row.is_configured = i == 2;
		CHECK_INT(save(&rig, &row), STORAGE_OK);
		if (i < 3) {
			see_at(&rig, ids[i], "a", old_ns);
		}
	}
	see_at(&rig, "seen by b", "b", test_time_ns + 1000);
	struct storage_op *op = op_of(STORAGE_EXPIRE, &last);
	op->before_ns = test_time_ns;
	for (int i = 0; i < 5; i++) {
		storage_op_add_id(op, slice_of_string(ids[i]));
	}
	run_op(&rig, op);
	for (int i = 0; i < 5; i++) {
		bool is_gone = i == 0 || i == 3;
		CHECK_INT(last.outcomes[i].result, is_gone ? STORAGE_OK : STORAGE_CONFLICT);
	}
	CHECK(is_deleted_in(&rig, "not there"));
	CHECK(change_in(&rig, "seen by b") != NULL && change_in(&rig, "by hand") != NULL);
	rig_close(&rig);

	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	CHECK(target_in(&rig, "old") == NULL && target_in(&rig, "never") == NULL);
	CHECK(seen_in(&rig, "old", "a") == NULL);
	CHECK(seen_in(&rig, "seen by b", "a") != NULL && target_in(&rig, "by hand") != NULL);
	rig_close(&rig);
}

static inline void fold(struct rig *rig, const char *own, int64_t before_ns)
{
	struct storage_op *op = op_of(STORAGE_FOLD, &last);
	op->before_ns = before_ns;
	storage_op_add_id(op, slice_of_string(own));
	run_op(rig, op);
	CHECK_INT(last.result, STORAGE_OK);
}

/* Counts of those that vanished are kept as one row; a replica that was heard of stays. */
static inline void case_fold(void)
{
	const int64_t second_ns = 1000000000;
	const int64_t old_ns = test_time_ns - HOUR_S * second_ns;
	struct rig rig;
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	struct storage_target row = target_of("folded");
	struct storage_target other = target_of("folded, too");
	CHECK_INT(save(&rig, &row), STORAGE_OK);
	CHECK_INT(save(&rig, &other), STORAGE_OK);
	see_at(&rig, "folded", "old 1", old_ns - second_ns);
	see_at(&rig, "folded", "old 2", old_ns);
	see_at(&rig, "folded", "own", old_ns);
	see_at(&rig, "folded", "heard of", old_ns);
	see_at(&rig, "folded, too", "old 2", old_ns);
	see_at(&rig, "folded, too", "heard of", test_time_ns + second_ns);
	fold(&rig, "own", test_time_ns);
	see_at(&rig, "folded", "old 3", old_ns + second_ns);
	fold(&rig, "own", test_time_ns);
	fold(&rig, "own", test_time_ns);
	rig_close(&rig);

	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	const struct storage_seen *gone = seen_in(&rig, "folded", STORAGE_GONE);
	const struct storage_seen *too = seen_in(&rig, "folded, too", STORAGE_GONE);
	CHECK(gone != NULL && too != NULL);
	if (gone != NULL && too != NULL) {
		CHECK_INT(gone->pushes, 3 * 7);
		CHECK_INT(too->pushes, 7);
		CHECK_INT(gone->first_seen_ns, old_ns - second_ns);
		CHECK_INT(gone->last_seen_ns, old_ns + second_ns);
		CHECK_INT(gone->last_push_ns, old_ns + second_ns);
		CHECK_STRING(gone->format, "text");
	}
	CHECK(seen_in(&rig, "folded", "old 1") == NULL && seen_in(&rig, "folded", "old 2") == NULL);
	CHECK(seen_in(&rig, "folded", "old 3") == NULL && seen_in(&rig, "folded", "own") != NULL);
	CHECK(seen_in(&rig, "folded", "heard of") != NULL);
	rig_close(&rig);
}
