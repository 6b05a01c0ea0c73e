/*
 * What is an address, and what only looks like one.
 */

#include "check.h"
#include "targets/target_address.h"

static const struct {
	const char *address;
	const char *host; /* NULL: it is none */
} cases[] = {
	{ "host", "host" },
	{ "host:9100", "host" },
	{ "host:1", "host" },
	{ "host:65535", "host" },
	{ "host:09100", "host" },
	{ "tasks.node_exporter:9100", "tasks.node_exporter" },
	{ "a-b.example.:9100", "a-b.example." },
	{ "1a", "1a" },
	{ "10.example", "10.example" },
	{ "192.0.2.7", "192.0.2.7" },
	{ "192.0.2.7:9100", "192.0.2.7" },
	{ "2001:db8::7", "2001:db8::7" },
	{ "::1", "::1" },
	{ "::ffff:192.0.2.7", "::ffff:192.0.2.7" },
	{ "[::1]", "::1" },
	{ "[2001:db8::7]:9100", "2001:db8::7" },
	{ "", NULL },
	{ ":", NULL },
	{ ":1", NULL },
	{ ":9100", NULL },
	{ "host:", NULL },
	{ "host:0", NULL },
	{ "host:00", NULL },
	{ "host:65536", NULL },
	{ "host:99999", NULL },
	{ "host:99999999999999999999", NULL },
	{ "host:+1", NULL },
	{ "host:-1", NULL },
	{ "host:1x", NULL },
	{ "host:http", NULL },
	{ "host:1:2", NULL },
	{ "host: 1", NULL },
	{ " host", NULL },
	{ "host ", NULL },
	{ "a b", NULL },
	{ "a/b", NULL },
	{ "http://host", NULL },
	{ "user@host", NULL },
	{ "a..b", NULL },
	{ ".a", NULL },
	{ ".", NULL },
	{ "..", NULL },
	{ "a..", NULL },
	{ "h\xc3\xa4st", NULL },
	{ "1.2.3", NULL },
	{ "1.2.3.4.5", NULL },
	{ "256.0.0.1", NULL },
	{ "192.0.2.7.", NULL },
	{ "host.7", NULL },
	{ "7", NULL },
	{ "[", NULL },
	{ "[]", NULL },
	{ "[]:1", NULL },
	{ "[::1", NULL },
	{ "::1]", NULL },
	{ "[::1]9100", NULL },
	{ "[::1]:", NULL },
	{ "[::1]:0", NULL },
	{ "[::1]]:1", NULL },
	{ "[[::1]]:1", NULL },
	{ "[host]:1", NULL },
	{ "[192.0.2.7]:1", NULL },
	{ "[::1%eth0]:1", NULL },
	{ ":::", NULL },
	{ "::12345", NULL },
	{ "1:2:3:4:5:6:7:8:9", NULL },
	{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL },
};

static void test_addresses(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice address = slice_of_string(cases[i].address);
		int before = check_failures;
		CHECK_INT(target_address_fits(address), cases[i].host != NULL);
		if (cases[i].host != NULL) {
			CHECK_STRING(target_address_host(address), cases[i].host);
			CHECK(target_address_is_host(target_address_host(address)));
		}
		if (check_failures > before) {
			fprintf(stderr, "of \"%s\"\n", cases[i].address);
		}
	}
}

/* A NUL does not end what is looked at. */
static void test_nul(void)
{
	CHECK(!target_address_fits(slice_make("host\0:1", 7)));
	CHECK(!target_address_fits(slice_make("::1\0", 4)));
	CHECK(!target_address_fits(slice_make("[::1\0]:1", 8)));
	CHECK(!target_address_fits(slice_make("192.0.2.7\0", 10)));
}

/* A host alone is no address with a port, and has no brackets. */
static void test_hosts(void)
{
	CHECK(!target_address_is_host(SLICE("host:1")));
	CHECK(!target_address_is_host(SLICE("[::1]")));
	CHECK(!target_address_is_host(SLICE("")));
	CHECK(target_address_is_v6(SLICE("::1")));
	CHECK(!target_address_is_v6(SLICE("192.0.2.7")));
	CHECK(!target_address_is_v6(SLICE("")));
}

int main(void)
{
	RUN(test_addresses);
	RUN(test_nul);
	RUN(test_hosts);
	return check_done();
}
