/* Since when there is what. */

#include "unit/store_driver.h"

enum { SECOND = 1000000000 };

/* Pushed at that time. */
static void push_at(struct store_driver *d, int64_t seconds, const char *key, const char *body)
{
	d->now_ns = (seconds - 1) * SECOND; /* each push is a second later */
	CHECK_INT(store_driver_push(d, STORE_PUT, key, body), PUSH_OK);
}

static struct block *block_of(struct store_driver *d, const char *key, const char *name)
{
	const struct families *families = &d->store.contents->families;
	struct slice text = slice_of_string(name);
	const struct family *family = families_find(families, text, hash64(text));
	const struct member *member =
			family == NULL ? NULL : group_find_member(store_driver_find(d, key), family);
	return member == NULL ? NULL : slot_content(*slots_at(&family->slots, member->slot));
}

static int64_t since(struct store_driver *d, const char *key, const char *name)
{
	return block_of(d, key, name)->since_ns / SECOND;
}

/* As long as the group has it, in whatever way it is replaced. */
static void test_since(void)
{
	struct store_driver d;
	store_driver_init(&d, NULL);
	push_at(&d, 10, "job=a", "m 1\nn 1\no 1\np 1\n");
	block_pack(block_of(&d, "job=a", "m"))->version = 17;
	CHECK_INT(store_driver_push(&d, STORE_POST, "job=a", "n{x=\"y\"} 2\n"), PUSH_OK);
	CHECK_INT(since(&d, "job=a", "n"), 10);
	CHECK(store_driver_splice(&d, STORE_POST, "job=a", "n{x=\"y\"} 3\n"));
	CHECK_INT(since(&d, "job=a", "n"), 10);
	/* What is left of the first push moves. */
	const struct pack *pack = block_pack(block_of(&d, "job=a", "m"));
	CHECK_INT(store_driver_push(&d, STORE_POST, "job=a", "o 2\np 2\nq 2\n"), PUSH_OK);
	CHECK(block_pack(block_of(&d, "job=a", "m")) != pack);
	CHECK_INT(since(&d, "job=a", "m"), 10);
	CHECK_INT(block_pack(block_of(&d, "job=a", "m"))->version, 17);
	CHECK_INT(block_pack(block_of(&d, "job=a", "p"))->version, 0);
	CHECK_INT(since(&d, "job=a", "p"), 10);
	CHECK_INT(since(&d, "job=a", "q"), 13);
	push_at(&d, 20, "job=a", "m 4\n");
	push_at(&d, 21, "job=a", "m 4\nn 4\n");
	CHECK_INT(since(&d, "job=a", "m"), 10);
	CHECK_INT(since(&d, "job=a", "n"), 21);
	CHECK_INT(store_driver_find(&d, "job=a")->since_ns / SECOND, 10);
	store_driver_delete(&d, "job=a");
	push_at(&d, 30, "job=a", "m 5\n");
	CHECK_INT(since(&d, "job=a", "m"), 30);
	CHECK_INT(store_driver_find(&d, "job=a")->since_ns / SECOND, 30);
	store_driver_finish(&d);
}

/* Whoever gives it says so, or leaves it at what it is. */
static void test_given(void)
{
	struct store_options options = { .is_checked = true, .limits = { .groups = 1, .bytes = 1 } };
	struct store_driver d;
	struct driver_push push;
	store_driver_init(&d, &options);
	for (int64_t step = 0; step < 3; step++) {
		CHECK(store_driver_prepare(&d, STORE_PUT, "job=a", SLICE("m 1\nn 1\n"), &push));
		push.op.now_ns = (40 + step) * SECOND;
		push.op.is_given = true;
		push.op.since_ns = step == 1 ? 7 * (int64_t)SECOND : 0;
		push.prepared.families[0].since_ns = step == 1 ? 5 * (int64_t)SECOND : 0;
		CHECK_INT(store_driver_step(&d, &push), PUSH_OK);
		CHECK_INT(since(&d, "job=a", "m"), step == 0 ? 40 : 5);
		CHECK_INT(since(&d, "job=a", "n"), 40);
		CHECK_INT(store_driver_find(&d, "job=a")->since_ns / SECOND, step == 0 ? 40 : 7);
	}
	store_driver_finish(&d);
}

int main(void)
{
	RUN(test_since);
	RUN(test_given);
	return check_done();
}
