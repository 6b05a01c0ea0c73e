/*
 * What may not be of services: what changes and deletions are refused for.
 */

#include "targets/service_heirs.h"
#include "unit/service_driver.h"

static struct slice text; /* what a check said */

/* What would come of it if that were asked for. */
static enum service_fault change(const char *name, const char *said)
{
	const struct target *target = service_find_target(&registry, slice_of_string(name));
	const struct service before = { slice_of_string(name),
		target == NULL ? NULL : &target->config };
	const struct service_view view = { &registry, { slice_of_string(name), config_of(said) } };
	text = SLICE("");
	return service_check_change(&view, &before, &arena, &text);
}

static void test_references(void)
{
	begin();
	put("db", "");
	CHECK_INT(change("web", "parent=base"), SERVICE_E_MISSING);
	CHECK_STRING(text, "there is no service base, which is to be the parent of web");
	CHECK_INT(change("web", "dependencies=db,cache"), SERVICE_E_MISSING);
	CHECK_STRING(text, "there is no service cache, which is to be a dependency of web");
	CHECK_INT(change("web", "parent=db dependencies=db"), SERVICE_OK);
	end();
}

static void test_circles_of_dependencies(void)
{
	begin();
	put("db", "");
	put("cache", "dependencies=db");
	put("web", "dependencies=cache,db");
	CHECK_INT(change("db", "dependencies=db"), SERVICE_E_CIRCLE);
	CHECK_STRING(text, "the dependencies would be a circle: db -> db");
	CHECK_INT(change("new", "dependencies=new"), SERVICE_E_CIRCLE);
	CHECK_INT(change("db", "dependencies=web"), SERVICE_E_CIRCLE);
	CHECK_STRING(text, "the dependencies would be a circle: db -> web -> db");
	put("web", "dependencies=cache");
	CHECK_INT(change("db", "dependencies=web"), SERVICE_E_CIRCLE);
	CHECK_STRING(text, "the dependencies would be a circle: db -> web -> cache -> db");
	CHECK_INT(change("web", "dependencies=db"), SERVICE_OK);
	end();
}

/* Inherited ones are ways, too. */
static void test_circles_by_inheritance(void)
{
	begin();
	put("base", "");
	put("db", "parent=base");
	put("web", "dependencies=db");
	CHECK_INT(change("base", "dependencies=db"), SERVICE_E_CIRCLE);
	CHECK_STRING(
			text, "the dependencies would be a circle: base -> db, which inherits those of base");
	CHECK_INT(change("base", "dependencies=web"), SERVICE_E_CIRCLE);
	CHECK_STRING(text,
			"the dependencies would be a circle: base -> web -> db, which inherits those of base");
	put("db", "parent=base dependencies=");
	CHECK_INT(change("base", "dependencies=db"), SERVICE_OK);
	put("base", "dependencies=web");
	CHECK_INT(change("db", "parent=base"), SERVICE_E_CIRCLE);
	CHECK_STRING(text, "the dependencies would be a circle: db -> web -> db");
	end();
}

static void test_circles_of_parents(void)
{
	begin();
	put("a", "");
	put("b", "parent=a");
	put("c", "parent=b");
	CHECK_INT(change("a", "parent=a"), SERVICE_E_CIRCLE);
	CHECK_STRING(text, "the parents would be a circle: a -> a");
	CHECK_INT(change("a", "parent=c"), SERVICE_E_CIRCLE);
	CHECK_STRING(text, "the parents would be a circle: a -> c -> b -> a");
	CHECK_INT(change("c", "parent=a"), SERVICE_OK);
	end();
}

static void test_ranges(void)
{
	begin();
	put("base", "min_instances=2");
	put("web", "parent=base max_instances=4");
	put("other", "min_instances=9");
	CHECK_INT(change("x", "min_instances=2 max_instances=1"), SERVICE_E_WRONG);
	CHECK_STRING(text, "x: min_instances 2 is more than max_instances 1");
	CHECK_INT(change("x", "min_instances=2 max_instances=2"), SERVICE_OK);
	CHECK_INT(change("web", "parent=base max_instances=1"), SERVICE_E_WRONG);
	CHECK_INT(change("web", "parent=other max_instances=4"), SERVICE_E_WRONG);
	CHECK_INT(change("base", "min_instances=5"), SERVICE_E_WRONG);
	CHECK_STRING(text, "web: min_instances 5 is more than max_instances 4");
	CHECK_INT(change("base", "parent=other"), SERVICE_E_WRONG);
	CHECK_INT(change("base", "min_instances=4"), SERVICE_OK);
	end();
}

static void test_depth(void)
{
	char name[16] = "p0";
	char said[32];
	begin();
	put("top", "");
	put(name, "");
	for (int i = 1; i <= SERVICE_PARENTS_MAX; i++) {
		snprintf(said, sizeof(said), "parent=%s", name);
		snprintf(name, sizeof(name), "p%d", i);
		CHECK_INT(change(name, said), SERVICE_OK);
		put(name, said);
	}
	CHECK_INT(change("x", "parent=p16"), SERVICE_E_WRONG);
	CHECK_STRING(text, "x would have more than 16 parents, one above the other");
	CHECK_INT(change("p0", "parent=top"), SERVICE_E_WRONG);
	CHECK_STRING(text, "p16 would have more than 16 parents, one above the other");
	end();
}

/* What is wrong already does not keep anybody from changing something else, or from mending it. */
static void test_what_was_wrong_before(void)
{
	begin();
	put("a", "dependencies=b,gone");
	put("b", "dependencies=a parent=gone min_instances=2 max_instances=1");
	put("heir", "parent=a min_instances=2 max_instances=1");
	CHECK_INT(change("a", "dependencies=b,gone image=x"), SERVICE_OK);
	CHECK_INT(change("b", "dependencies=a parent=gone min_instances=2 max_instances=1 cpu=1"),
			SERVICE_OK);
	CHECK_INT(change("a", "dependencies=b"), SERVICE_E_CIRCLE);
	CHECK_INT(change("a", "dependencies="), SERVICE_OK);
	CHECK_INT(change("b", "min_instances=3 max_instances=1"), SERVICE_E_WRONG);
	CHECK_INT(change("b", "parent=lost"), SERVICE_E_MISSING);
	/* A name that somebody refers to already closes a circle when it comes about. */
	CHECK_INT(change("gone", "dependencies=a"), SERVICE_E_CIRCLE);
	CHECK_INT(change("gone", ""), SERVICE_OK);
	end();
}

static void test_deletion(void)
{
	begin();
	put("base", "dependencies=base");
	put("db", "parent=base");
	put("web", "dependencies=cache,db");
	CHECK_INT(service_check_deletion(&registry, SLICE("base"), &arena, &text), SERVICE_E_IN_USE);
	CHECK_STRING(text, "the service db inherits from it");
	CHECK_INT(service_check_deletion(&registry, SLICE("db"), &arena, &text), SERVICE_E_IN_USE);
	CHECK_STRING(text, "the service web depends on it");
	CHECK_INT(service_check_deletion(&registry, SLICE("web"), &arena, &text), SERVICE_OK);
	end();
}

/* Below it at most as many as a service may have parents, and nobody twice in a circle. */
static void test_heirs(void)
{
	struct service_heirs heirs;
	char name[16];
	char said[64];
	begin();
	put("s0", "");
	for (int i = 1; i <= SERVICE_PARENTS_MAX + 3; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		snprintf(said, sizeof(said), "parent=s%d", i - 1);
		put(name, said);
	}
	put("other", "parent=s1");
	put("stranger", "parent=lost");
	service_heirs_find(&registry, SLICE("s0"), &arena, &heirs);
	CHECK_INT(heirs.count, SERVICE_PARENTS_MAX + 1);
	service_heirs_find(&registry, SLICE("lost"), &arena, &heirs);
	CHECK_INT(heirs.count, 1);
	service_heirs_find(&registry, SLICE("other"), &arena, &heirs);
	CHECK_INT(heirs.count, 0);
	put("s0", "parent=s3");
	service_heirs_find(&registry, SLICE("s2"), &arena, &heirs);
	CHECK_INT(heirs.count, SERVICE_PARENTS_MAX + 3); /* s0, s1 and other beside */
	end();
}

/* More than are looked at for one that is shown; a change looks at all. */
static void test_long_ways(void)
{
	enum { COUNT = 5000 };
	char name[16];
	char said[64];
	begin();
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		snprintf(said, sizeof(said), "dependencies=s%d", i + 1);
		put(name, said);
	}
	CHECK_INT(change("s5000", "dependencies=s0"), SERVICE_E_CIRCLE);
	CHECK_STRING(text,
			"the dependencies would be a circle: s5000 -> s0 -> s1 -> s2 -> s3 -> s4 -> s5 -> "
			"s6 -> s7 -> s8 -> ... -> s4999 -> s5000");
	put("s5000", "dependencies=s0");
	check_problems("s0", "");
	end();
}

static void test_too_many(void)
{
	char name[16];
	begin();
	for (int i = 0; i < SERVICES_MAX; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		put(name, "");
	}
	CHECK_INT(change("more", ""), SERVICE_E_TOO_MANY);
	CHECK_STRING(text, "there would be more than 10000 services");
	CHECK_INT(change("s1", "image=x"), SERVICE_OK);
	end();
}

int main(void)
{
	hash_init();
	clock_freeze((uint64_t)(1000 * SECOND_NS), 1000 * SECOND_NS);
	RUN(test_references);
	RUN(test_circles_of_dependencies);
	RUN(test_circles_by_inheritance);
	RUN(test_circles_of_parents);
	RUN(test_ranges);
	RUN(test_depth);
	RUN(test_what_was_wrong_before);
	RUN(test_deletion);
	RUN(test_heirs);
	RUN(test_long_ways);
	RUN(test_too_many);
	return check_done();
}
