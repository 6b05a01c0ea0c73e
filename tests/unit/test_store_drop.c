/* Families that are taken out of a group. */

#include "store/drop.h"
#include "unit/store_driver.h"

#define A "{instance=\"\",job=\"a\"}"
#define B "{instance=\"\",job=\"b\"}"

static void push(struct store_driver *d, const char *key, const char *body)
{
	CHECK_INT(store_driver_push(d, STORE_PUT, key, body), PUSH_OK);
}

static bool has_name(void *data, const struct member *member)
{
	return slice_equal(member->family->name, *(const struct slice *)data);
}

static bool is_any(void *data, const struct member *member)
{
	return true;
}

/* One change, which listeners hear of and running scrapes do not see. */
static void test_drop(void)
{
	struct store_driver d;
	struct slice name = SLICE("m");
	struct page page;
	struct buf text;
	store_driver_init_unchecked(&d);
	buf_init(&text, 0);
	push(&d, "job=a", "# TYPE m gauge\nm 1\nn 1\n");
	push(&d, "job=b", "# TYPE m counter\nm 2\n");
	struct group *group = store_driver_find(&d, "job=a");
	struct slice before = store_driver_whole_page(&d, NULL);
	CHECK(page_init(&page, &d.store, &(struct page_options){ 0 }));
	d.log.len = 0;
	store_drop_families(&d.store, group, has_name, &name);
	CHECK(strstr(d.log.ptr, " put instance=\"\",job=\"a\"\n") != NULL);
	CHECK_STRING(store_driver_page(&d), "# TYPE m counter\nm" B " 2\n# TYPE n untyped\nn" A " 1\n");
	while (store_driver_page_next(&page, &text)) {
	}
	CHECK_SLICE(buf_slice(&text), before);
	page_finish(&page);
	/* Nothing there of the name: no change. */
	d.log.len = 0;
	store_drop_families(&d.store, group, has_name, &name);
	CHECK_INT(d.log.len, 0);
	store_drop_families(&d.store, group, is_any, NULL);
	CHECK_STRING(store_driver_page(&d), "# TYPE m counter\nm" B " 2\n");
	CHECK_INT(d.store.contents->group_count, 2);
	store_driver_delete(&d, "job=a");
	store_driver_delete(&d, "job=b");
	store_driver_check_empty(&d);
	buf_finish(&text);
	store_driver_finish(&d);
}

/* A pack that lost most of its blocks does not stay for the sake of the others. */
static void test_worn_pack(void)
{
	struct store_driver d;
	struct slice name = SLICE("long");
	struct buf text;
	store_driver_init(&d, NULL);
	buf_init(&text, 0);
	buf_printf(&text, "m 1\nlong{x=\"%0*d\"} 1\n", 3000, 7);
	buf_append_byte(&text, '\0');
	push(&d, "job=a", text.ptr);
	push(&d, "job=b", "m 1\n");
	uint64_t bytes = d.store.contents->bytes;
	struct group *group = store_driver_find(&d, "job=a");
	struct slot *slot = slots_at(&group->members[0].family->slots, group->members[0].slot);
	block_pack(slot_content(*slot))->version = 17;
	store_drop_families(&d.store, group, has_name, &name);
	CHECK(d.store.contents->bytes < bytes - 3000);
	CHECK_STRING(store_driver_page(&d), "# TYPE m untyped\nm" A " 1\nm" B " 1\n");
	CHECK_INT(block_pack(slot_content(*slot))->version, 17);
	store_driver_delete(&d, "job=a");
	store_driver_delete(&d, "job=b");
	store_driver_check_empty(&d);
	buf_finish(&text);
	store_driver_finish(&d);
}

int main(void)
{
	RUN(test_drop);
	RUN(test_worn_pack);
	return check_done();
}
