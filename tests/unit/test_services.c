/*
 * Services: what they have of their parents, and their instances. The clocks stand still between
 * the tests' steps.
 */

#include "targets/members.h"
#include "unit/service_driver.h"

/* ---- What is one ---- */

static void test_names(void)
{
	static const char *const good[] = { "a", "web", "Web-1.2_x", "0" };
	static const char *const bad[] = { "", ".", "..", "-a", "a-", "a b", "a/b", "a,b", "\xc3\xa4",
		"a\"", "0123456789012345678901234567890123456789012345678901234567890123" };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CHECK(service_is_name(slice_of_string(good[i])));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(!service_is_name(slice_of_string(bad[i])));
	}
	CHECK(service_is_name(slice_first(slice_of_string(bad[10]), SERVICE_NAME_BYTES_MAX)));
}

static void test_values(void)
{
	static const struct {
		enum service_field field;
		const char *text;
		bool is_good;
	} cases[] = {
		{ SERVICE_IMAGE, "nginx:1.25", true }, { SERVICE_IMAGE, "", false },
		{ SERVICE_IMAGE, "a b", false }, { SERVICE_PORTS, "", true },
		{ SERVICE_PORTS, "80/tcp,80/udp,65535/sctp", true }, { SERVICE_PORTS, "80", false },
		{ SERVICE_PORTS, "0/tcp", false }, { SERVICE_PORTS, "65536/tcp", false },
		{ SERVICE_PORTS, "080/tcp", false }, { SERVICE_PORTS, "80/tcp,80/tcp", false },
		{ SERVICE_PORTS, "80/tcp,", false }, { SERVICE_PORTS, ",80/tcp", false },
		{ SERVICE_PORTS, "80/icmp", false }, { SERVICE_DEPENDENCIES, "", true },
		{ SERVICE_DEPENDENCIES, "a,b", true }, { SERVICE_DEPENDENCIES, "a, b", false },
		{ SERVICE_DEPENDENCIES, "a,a", false },
		{ SERVICE_DEPENDENCIES, "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p", true },
		{ SERVICE_DEPENDENCIES, "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", false },
		{ SERVICE_MIN, "0", true }, { SERVICE_MIN, "1000000", true },
		{ SERVICE_MIN, "1000001", false }, { SERVICE_MAX, "-1", false },
		{ SERVICE_MAX, "99999999999999999999", false }, { SERVICE_CPU, "0.25", true },
		{ SERVICE_CPU, "0", false }, { SERVICE_CPU, "-1", false }, { SERVICE_CPU, "NaN", false },
		{ SERVICE_CPU, "+Inf", false }, { SERVICE_CPU, "1e300", false },
		{ SERVICE_MEMORY, "9007199254740991", true }, { SERVICE_MEMORY, "9007199254740992", false },
		{ SERVICE_MEMORY, "0", false }, { SERVICE_HEARTBEAT, "30s", false }, /* no attribute */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool is_good = service_takes(cases[i].field, slice_of_string(cases[i].text));
		if (is_good != cases[i].is_good) {
			fprintf(stderr, "%s\n", cases[i].text);
		}
		CHECK(is_good == cases[i].is_good);
	}
}

/* ---- Parents ---- */

static void test_what_is_inherited(void)
{
	begin();
	put("base", "image=debian ports=80/tcp dependencies=db min_instances=1 heartbeat=60 cpu=0.5");
	put("middle", "parent=base max_instances=4 image=nginx");
	put("web", "parent=middle ports= min_instances=2");
	struct service_whole web = whole_of("web");
	CHECK_INT(web.len, 3);
	CHECK_INT(web.ending, SERVICE_ENDS);
	CHECK_STRING(web.texts[SERVICE_IMAGE], "nginx");
	CHECK_INT(web.places[SERVICE_IMAGE], 1);
	CHECK(web.texts[SERVICE_PORTS].ptr != NULL && web.texts[SERVICE_PORTS].len == 0);
	CHECK_INT(web.places[SERVICE_PORTS], 0);
	CHECK_STRING(web.texts[SERVICE_DEPENDENCIES], "db");
	CHECK_INT(web.places[SERVICE_DEPENDENCIES], 2);
	CHECK_STRING(web.texts[SERVICE_MIN], "2");
	CHECK_STRING(web.texts[SERVICE_MAX], "4");
	CHECK(web.texts[SERVICE_MEMORY].ptr == NULL);
	CHECK_INT(web.places[SERVICE_MEMORY], SERVICE_NOWHERE);
	CHECK_INT(web.heartbeat_ns, 60 * SECOND_NS);
	CHECK_INT(web.places[SERVICE_HEARTBEAT], 2);
	end();
}

static void test_thresholds_are_merged_by_name(void)
{
	struct target_threshold upper[] = { { .name = SLICE("Hot") }, { .name = SLICE("Full") } };
	struct target_threshold lower[] = { { .name = SLICE("Hot") }, { .name = SLICE("Hot") } };
	begin();
	struct target_config config = *config_of("");
	config.thresholds = upper;
	config.threshold_count = 2;
	registry_configure(&registry, put("base", ""), &config);
	config = *config_of("parent=base");
	config.thresholds = lower;
	config.threshold_count = 2; /* by hand: the first counts */
	registry_configure(&registry, put("web", ""), &config);
	struct service_whole web = whole_of("web");
	CHECK(!service_is_overridden(&web, 0, 0));
	CHECK(service_is_overridden(&web, 0, 1));
	CHECK(service_is_overridden(&web, 1, 0));
	CHECK(!service_is_overridden(&web, 1, 1));
	end();
}

/* Whatever somebody has written, it ends. */
static void test_parents_that_do_not_end_well(void)
{
	char name[16] = "p0";
	char said[32];
	begin();
	put("self", "parent=self image=a");
	put("a", "parent=b");
	put("b", "parent=c image=b");
	put("c", "parent=b image=c");
	put("lost", "parent=nobody image=l");
	CHECK_INT(whole_of("self").ending, SERVICE_ENDS_CIRCLE);
	check_problems("self", "its parents are a circle: self -> self;");
	CHECK_INT(whole_of("a").len, 3);
	CHECK_STRING(whole_of("a").texts[SERVICE_IMAGE], "b");
	check_problems("a", "its parents are a circle: a -> b -> c -> b;");
	CHECK_STRING(whole_of("lost").texts[SERVICE_IMAGE], "l");
	check_problems("lost", "there is no service nobody, the parent of lost;");
	put(name, "image=deep");
	for (int i = 1; i <= SERVICE_PARENTS_MAX + 1; i++) {
		snprintf(said, sizeof(said), "parent=%s", name);
		snprintf(name, sizeof(name), "p%d", i);
		put(name, said);
	}
	CHECK_STRING(whole_of("p16").texts[SERVICE_IMAGE], "deep");
	CHECK_INT(whole_of("p17").ending, SERVICE_ENDS_TOO_DEEP);
	CHECK(whole_of("p17").texts[SERVICE_IMAGE].ptr == NULL);
	check_problems("p17", "of its parents only the first 16 count;");
	end();
}

static void test_what_is_odd_is_not_set(void)
{
	begin();
	put("base", "image=debian min_instances=3");
	put("web",
			"parent=base image=a\\\"b ports=x min_instances=many cpu=NaN dependencies=.,. "
			"max_instances=2");
	struct service_whole web = whole_of("web");
	CHECK_STRING(web.texts[SERVICE_IMAGE], "debian");
	CHECK(web.texts[SERVICE_PORTS].ptr == NULL && web.texts[SERVICE_CPU].ptr == NULL);
	check_problems("web",
			"image is not understood, and counts as not set;ports is not understood, and counts as "
			"not set;"
			"dependencies is not understood, and counts as not set;min_instances is not "
			"understood, and counts as not set;"
			"cpu is not understood, and counts as not set;min_instances 3 is more than "
			"max_instances 2;");
	put("odd", "parent=a,b");
	check_problems("odd", "parent is no name of a service, and counts as not set;");
	end();
}

/* ---- Instances ---- */

static struct target *instance(const char *name, const char *service, bool is_label)
{
	struct label pairs[3] = { { SLICE("job"), SLICE("j") },
		{ SLICE("instance"), slice_of_string(name) },
		{ SLICE("service"), slice_of_string(service) } };
	struct target_config config = { .mode = TARGET_VIRTUAL };
	struct group_key key;
	struct target *target;
	group_key_init(&key, (struct labels){ pairs, is_label ? 3 : 2 });
	struct label attribute = { SLICE("service"), slice_of_string(service) };
	if (!is_label) {
		config.attributes = (struct labels){ &attribute, 1 };
	}
	CHECK_INT(registry_create(&registry, &key, &config, NULL, &target), REGISTRY_OK);
	return target;
}

static void test_instances(void)
{
	begin();
	struct target *first = instance("a", "web", true);
	struct target *second = instance("b", "web", false);
	instance("c", "no name", true);
	CHECK_INT(members_active(&registry, SLICE("web")), 2);
	CHECK_INT(members_active(&registry, SLICE("db")), 0);
	CHECK_INT(registry.members.len, 1);
	struct target_config config = { .mode = TARGET_VIRTUAL, .is_disabled = true };
	registry_configure(&registry, first, &config);
	CHECK_INT(members_active(&registry, SLICE("web")), 1);
	config = (struct target_config){ .mode = TARGET_PUSH };
	registry_configure(&registry, first, &config); /* silent: it never pushed */
	CHECK_INT(members_active(&registry, SLICE("web")), 1);
	registry_heartbeat(&registry, first);
	CHECK_INT(members_active(&registry, SLICE("web")), 2);
	struct label attribute = { SLICE("service"), SLICE("db") };
	config = (struct target_config){ .mode = TARGET_VIRTUAL, .attributes = { &attribute, 1 } };
	registry_configure(&registry, second, &config);
	CHECK_INT(members_active(&registry, SLICE("web")), 1);
	CHECK_INT(members_active(&registry, SLICE("db")), 1);
	config.mode = TARGET_IMAGE;
	registry_configure(&registry, second, &config);
	CHECK_INT(members_active(&registry, SLICE("db")), 0);
	registry_delete(&registry, first);
	CHECK_INT(registry.members.len, 0);
	end();
}

static void test_heartbeats(void)
{
	begin();
	struct target *target = instance("a", "web", true);
	CHECK_INT(registry_wanted_ns(target), 0);
	struct target *web = put("web", "parent=base");
	CHECK_INT(registry_wanted_ns(target), 0);
	put("base", "heartbeat=60");
	CHECK_INT(registry_wanted_ns(target), 60 * SECOND_NS);
	CHECK_INT(registry_interval_ns(target), 60 * SECOND_NS);
	put("web", "parent=base heartbeat=5");
	CHECK_INT(registry_wanted_ns(target), 5 * SECOND_NS);
	struct target_config config = { .mode = TARGET_PUSH, .interval_ns = 7 * SECOND_NS };
	registry_configure(&registry, target, &config);
	CHECK_INT(registry_wanted_ns(target), 7 * SECOND_NS);
	config.interval_ns = 0;
	registry_configure(&registry, target, &config);
	CHECK_INT(registry_wanted_ns(target), 5 * SECOND_NS);
	clock_freeze((uint64_t)(2000 * SECOND_NS), 2000 * SECOND_NS);
	CHECK(registry_is_overdue(&registry, target));
	config = web->config;
	config.is_disabled = true;
	registry_configure(&registry, web, &config);
	CHECK_INT(registry_wanted_ns(target), 0);
	CHECK(!registry_is_overdue(&registry, target));
	registry_delete(&registry, web);
	CHECK_INT(registry_wanted_ns(target), 0);
	end();
}

int main(void)
{
	hash_init();
	clock_freeze((uint64_t)(1000 * SECOND_NS), 1000 * SECOND_NS);
	RUN(test_names);
	RUN(test_values);
	RUN(test_what_is_inherited);
	RUN(test_thresholds_are_merged_by_name);
	RUN(test_parents_that_do_not_end_well);
	RUN(test_what_is_odd_is_not_set);
	RUN(test_instances);
	RUN(test_heartbeats);
	return check_done();
}
