#pragma once

/*
 * Rows that are refused, alone or with all of their operation, in both databases; see
 * storage_cases.h.
 */

#include "storage_driver.h"

static void case_open(struct rig *rig);

/* One bad row harms no other. */
static inline void case_refused(void)
{
	struct rig rig;
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	struct storage_op *op = op_of(STORAGE_SAVE, &last);
	char ids[40][16];
	for (size_t i = 0; i < 40; i++) {
		snprintf(ids[i], sizeof(ids[i]), "refused-%02zu", i);
		struct storage_target row = target_of(ids[i]);
		row.attributes = i == 7 ? SLICE("{\"a\":") : row.attributes;
		row.mode = i == 23 ? SLICE("sideways") : row.mode;
		row.thresholds = i == 24 ? SLICE("{}") : row.thresholds;
		storage_op_add_target(op, &row);
	}
	run_op(&rig, op);
	CHECK_INT(last.result, STORAGE_REFUSED);
	CHECK(last.why[0] != '\0');
	for (size_t i = 0; i < 40; i++) {
		bool is_bad = i == 7 || i == 23 || i == 24;
		CHECK_INT(last.outcomes[i].result, is_bad ? STORAGE_REFUSED : STORAGE_OK);
	}
	CHECK_INT(rig.fault_count, 3);
	CHECK_INT(faults_in(&rig, "refused-07", ""), 1);
	CHECK_INT(faults_in(&rig, "refused-23", ""), 1);
	CHECK_INT(faults_in(&rig, "refused-24", ""), 1);
	rig_close(&rig);

	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	CHECK(target_in(&rig, "refused-06") != NULL);
	CHECK(target_in(&rig, "refused-07") == NULL);
	CHECK(target_in(&rig, "refused-08") != NULL);
	rig_close(&rig);
}

enum { WHOLE = 1234 /* more than one statement */ };

/* All rows of many, of which one is made another. */
static inline enum storage_result save_whole(
		struct rig *rig, size_t other, void (*change)(struct storage_target *row))
{
	struct storage_op *op = op_of(STORAGE_SAVE, &last);
	op->is_whole = true;
	for (size_t i = 0; i < WHOLE; i++) {
		struct storage_target row = target_of(many_id(i));
		row.is_enabled = false;
		if (i == other) {
			change(&row);
		}
		storage_op_add_target(op, &row);
	}
	run_op(rig, op);
	return last.result;
}

static inline void make_nothing_of(struct storage_target *row)
{
}

static inline void make_newer(struct storage_target *row)
{
	row->version = 7;
}

static inline void make_sideways(struct storage_target *row)
{
	row->mode = SLICE("sideways");
}

static inline void check_undone(const struct rig *rig, size_t other, enum storage_result result)
{
	for (size_t i = 0; i < WHOLE; i++) {
		bool is_undone = last.outcomes[i].result == STORAGE_UNDONE;
		CHECK(i == other ? last.outcomes[i].result == result
						 : is_undone || last.outcomes[i].result == result);
		CHECK_INT(last.outcomes[i].version, 0);
	}
}

static inline void check_whole_read(size_t expected)
{
	struct rig rig;
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	size_t found = 0;
	for (size_t i = 0; i < WHOLE; i++) {
		found += target_in(&rig, many_id(i)) != NULL;
	}
	CHECK_INT(found, expected);
	rig_close(&rig);
}

static inline void case_whole(void)
{
	struct rig rig;
	case_open(&rig);
	RIG_AWAIT(&rig, rig.loaded == 1);
	CHECK_INT(save_whole(&rig, 1111, make_newer), STORAGE_CONFLICT);
	check_undone(&rig, 1111, STORAGE_CONFLICT);
	CHECK(is_deleted_in(&rig, many_id(1111))); /* it is told that there is none */
	CHECK_INT(save_whole(&rig, 1111, make_sideways), STORAGE_REFUSED);
	check_undone(&rig, 1111, STORAGE_REFUSED);
	CHECK(last.why[0] != '\0');
	check_whole_read(0);

	struct storage_target row = target_of(many_id(700));
	CHECK_INT(save(&rig, &row), STORAGE_OK);
	CHECK_INT(save_whole(&rig, 0, make_nothing_of), STORAGE_CONFLICT); /* it is another one */
	CHECK(change_in(&rig, many_id(700)) != NULL);
	check_whole_read(1);
	CHECK_INT(remove_id(&rig, STORAGE_DELETE, many_id(700)), STORAGE_OK);

	CHECK_INT(save_whole(&rig, 0, make_nothing_of), STORAGE_OK);
	CHECK_INT(last.outcomes[WHOLE - 1].version, 1);
	check_whole_read(WHOLE);
	CHECK_INT(rig.away, 0);
	rig_close(&rig);
}
