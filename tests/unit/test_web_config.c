/*
 * The file of --web.config.file: what it sets, and what is wrong with it.
 */

#include "check.h"
#include "config/web_config.h"
#include "config_file.h"

#define HASH "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"
#define TLS "tls_server_config:\n  cert_file: c.pem\n  key_file: /k.pem\n"

static struct web_config config;

/* True when it was read; else the errors are in *ret_errors, to be freed. */
static bool read_config(struct slice text, char **ret_errors)
{
	struct buf errors;
	buf_init(&errors, 0);
	bool fine = web_config_read(&config, config_file_write(text), &errors);
	*ret_errors = config_file_errors(&errors);
	buf_finish(&errors);
	return fine;
}

static void read_good(struct slice text)
{
	char *errors;
	CHECK(read_config(text, &errors));
	CHECK_STRING(slice_of_string(errors), "");
	free(errors);
}

static void test_nothing(void)
{
	static const char *const texts[] = {
		"",
		"tls_server_config:\n",
		"basic_auth_users: {}\nrate_limit:\nhttp_server_config: {headers: }\n",
		"tls_server_config: {min_version: TLS13, client_auth_type: ''}\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		read_good(slice_of_string(texts[i]));
		CHECK(!config.tls.is_on);
		CHECK_INT(config.user_count, 0);
		CHECK_INT(config.header_count, 0);
		CHECK_INT(config.rate_interval_ns, 0);
		web_config_finish(&config);
	}
}

/* Who has no role may do everything; the order of the keys does not matter. */
static void test_roles(void)
{
	read_good(SLICE("roles: {site: push, ada: [read, push], root: admin, none: []}\n"
					"bearer_tokens:\n  site: "
					"00ff0000000000000000000000000000000000000000000000000000000000AA\n"
					"basic_auth_users: {ada: " HASH ", root: " HASH ", free: " HASH ", none: " HASH
					", site: " HASH "}\n"));
	static const unsigned wanted[] = { WEB_MAY_READ | WEB_MAY_PUSH, WEB_MAY_ALL, WEB_MAY_ALL, 0,
		WEB_MAY_PUSH };
	CHECK_INT(config.user_count, 5);
	for (size_t i = 0; i < config.user_count; i++) {
		CHECK_INT(config.users[i].rights, wanted[i]);
	}
	CHECK_INT(config.token_count, 1);
	CHECK_STRING(config.tokens[0].name, "site");
	CHECK_INT(config.tokens[0].rights, WEB_MAY_PUSH);
	CHECK_INT(config.tokens[0].digest[1], 0xff);
	CHECK_INT(config.tokens[0].digest[31], 0xaa);
	web_config_finish(&config);
}

static void test_tls(void)
{
	read_good(SLICE(TLS "  client_ca_file: ca/ca.pem\n"
						"  client_auth_type: RequireAndVerifyClientCert\n"
						"  client_allowed_sans: [a.example, 10.0.0.1]\n"
						"  min_version: TLS11\n  max_version: TLS12\n"
						"  cipher_suites:\n  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n"
						"  - TLS_AES_128_GCM_SHA256\n"
						"  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n"
						"  curve_preferences: [X25519, CurveP256]\n"
						"  prefer_server_cipher_suites: false\n"));
	const struct web_tls *tls = &config.tls;
	char path[128];
	CHECK(tls->is_on);
	snprintf(path, sizeof(path), "%s/c.pem", config_file_directory);
	CHECK_STRING(slice_of_string(tls->cert.file), path);
	CHECK_STRING(slice_of_string(tls->key.file), "/k.pem");
	snprintf(path, sizeof(path), "%s/ca/ca.pem", config_file_directory);
	CHECK_STRING(slice_of_string(tls->client_ca.file), path);
	CHECK_INT(tls->client_auth, WEB_CLIENT_AUTH_REQUIRE_VERIFIED);
	CHECK_INT(tls->allowed_sans.count, 2);
	CHECK_STRING(slice_of_string(tls->allowed_sans.items[1]), "10.0.0.1");
	CHECK_INT(tls->min_version, WEB_TLS_1_1);
	CHECK_INT(tls->max_version, WEB_TLS_1_2);
	CHECK_STRING(slice_of_string(tls->ciphers),
			"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384");
	CHECK_STRING(slice_of_string(tls->curves), "X25519:P-256");
	CHECK(!tls->prefers_server_ciphers);
	web_config_finish(&config);
}

static void test_tls_defaults(void)
{
	read_good(SLICE("tls_server_config:\n  cert: |\n    -----BEGIN\n  key: abc\n"));
	CHECK(config.tls.is_on);
	CHECK_STRING(slice_of_string(config.tls.cert.text), "-----BEGIN\n");
	CHECK(config.tls.cert.file == NULL);
	CHECK_INT(config.tls.client_auth, WEB_CLIENT_AUTH_NONE);
	CHECK_INT(config.tls.min_version, WEB_TLS_1_2);
	CHECK_INT(config.tls.max_version, WEB_TLS_1_3);
	CHECK(!config.tls.restricts_ciphers);
	CHECK(config.tls.curves == NULL);
	CHECK(config.tls.prefers_server_ciphers);
	web_config_finish(&config);
}

static void test_client_auth_names(void)
{
	static const struct {
		const char *name;
		enum web_client_auth auth;
	} cases[] = {
		{ "NoClientCert", WEB_CLIENT_AUTH_NONE },
		{ "RequestClientCert", WEB_CLIENT_AUTH_REQUEST },
		{ "RequireAnyClientCert", WEB_CLIENT_AUTH_REQUIRE_ANY },
		{ "RequireClientCert", WEB_CLIENT_AUTH_REQUIRE_ANY },
		{ "VerifyClientCertIfGiven", WEB_CLIENT_AUTH_VERIFY_IF_GIVEN },
		{ "RequireAndVerifyClientCert", WEB_CLIENT_AUTH_REQUIRE_VERIFIED },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[200];
		int len = snprintf(text, sizeof(text), TLS "  client_auth_type: %s\n", cases[i].name);
		read_good(slice_make(text, (size_t)len));
		CHECK_INT(config.tls.client_auth, cases[i].auth);
		web_config_finish(&config);
	}
}

static void test_rest(void)
{
	read_good(SLICE("basic_auth_users:\n  alice: " HASH "\n  '': " HASH "\n"
					"http_server_config:\n  http2: off\n  headers:\n"
					"    X-Frame-Options: deny\n    Strict-Transport-Security: max-age=9\n"
					"    X-XSS-Protection: ''\n"
					"rate_limit: {interval: 1m30s, burst: 7}\n"));
	CHECK_INT(config.user_count, 2);
	CHECK_STRING(config.users[0].name, "alice");
	CHECK_STRING(slice_of_string(config.users[0].hash), HASH);
	CHECK_STRING(config.users[1].name, "");
	CHECK_INT(config.header_count, 2);
	CHECK_STRING(config.headers[1].name, "Strict-Transport-Security");
	CHECK_STRING(config.headers[1].value, "max-age=9");
	CHECK_INT(config.rate_interval_ns, 90 * 1000000000ll);
	CHECK_INT(config.rate_burst, 7);
	web_config_finish(&config);
}

static void test_errors(void)
{
	static const struct {
		const char *text;
		const char *errors;
	} cases[] = {
		{ "tls_config: {}\n",
				"f.yml:1: unknown key 'tls_config'; there are basic_auth_users, "
				"bearer_tokens, http_server_config, rate_limit, roles and "
				"tls_server_config\n" },
		{ "tls_server_confg: {}\n",
				"f.yml:1: unknown key 'tls_server_confg', did you mean 'tls_server_config'?\n" },
		{ TLS "  keyfile: x\n",
				"f.yml:4: unknown key 'keyfile' in tls_server_config, did you "
				"mean 'key_file'?\n" },
		{ "- a\n", "f.yml:1: 'f.yml' must be keys and values, not a list\n" },
		{ "tls_server_config: 5\n",
				"f.yml:1: 'tls_server_config' must be keys and values, not a value\n" },
		{ "tls_server_config:\n  cert_file: [a]\n",
				"f.yml:2: 'cert_file' must be a value, not a list\n" },
		{ "tls_server_config:\n  cert_file: a\n",
				"f.yml:2: tls_server_config needs key_file or key\n" },
		{ "tls_server_config:\n  key: a\n",
				"f.yml:2: tls_server_config needs cert_file or cert\n" },
		{ "tls_server_config: {client_auth_type: NoClientCert}\n",
				"f.yml:1: tls_server_config needs cert_file or cert\n"
				"f.yml:1: tls_server_config needs key_file or key\n" },
		{ TLS "  client_ca_file: ca\n",
				"f.yml:2: a client CA without client_auth_type has no effect; "
				"RequireAndVerifyClientCert demands certificates of that CA\n" },
		{ TLS "  client_allowed_sans: [a]\n  client_auth_type: VerifyClientCertIfGiven\n",
				"f.yml:2: client_allowed_sans needs client_auth_type RequireAnyClientCert or "
				"RequireAndVerifyClientCert\n" },
		{ TLS "  client_allowed_sans: []\n  client_auth_type: RequireAnyClientCert\n",
				"f.yml:2: client_allowed_sans is empty: nobody would be let in; without it every "
				"name is\n" },
		{ TLS "  client_auth_type: Always\n",
				"f.yml:4: unknown client_auth_type 'Always', must be NoClientCert, "
				"RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or "
				"RequireAndVerifyClientCert\n" },
		{ TLS "  min_version: TLS13\n  max_version: TLS12\n",
				"f.yml:2: min_version is above max_version\n" },
		{ TLS "  min_version: SSL3\n",
				"f.yml:4: unknown min_version 'SSL3', must be TLS10, TLS11, TLS12 or TLS13\n" },
		{ TLS "  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA, NONE]\n",
				"f.yml:4: unknown name 'TLS_RSA_WITH_RC4_128_SHA' in cipher_suites, did you mean "
				"'TLS_RSA_WITH_AES_128_CBC_SHA'?\n"
				"f.yml:4: unknown name 'NONE' in cipher_suites; they are named as in Go, such as "
				"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n" },
		{ TLS "  curve_preferences: [CurveP255]\n",
				"f.yml:4: unknown name 'CurveP255' in curve_preferences, did you mean "
				"'CurveP256'?\n" },
		{ TLS "  prefer_server_cipher_suites: maybe\n",
				"f.yml:4: 'prefer_server_cipher_suites' must be true or false, not 'maybe'\n" },
		{ "http_server_config:\n  headers:\n    X-Foo: a\n",
				"f.yml:3: HTTP header 'X-Foo' can not be configured; there are "
				"Content-Security-Policy, Strict-Transport-Security, X-Content-Type-Options, "
				"X-Frame-Options and X-XSS-Protection\n" },
		{ "http_server_config:\n  headers:\n    X-Frame-Options: allow\n",
				"f.yml:3: X-Frame-Options must be deny or sameorigin, not 'allow'\n" },
		{ "http_server_config:\n  headers:\n    X-Content-Type-Options: sniff\n",
				"f.yml:3: X-Content-Type-Options must be nosniff, not 'sniff'\n" },
		{ "http_server_config:\n  headers:\n    X-XSS-Protection: \"a\\r\\nX: b\"\n",
				"f.yml:3: X-XSS-Protection must be one line of printable text\n" },
		{ "basic_auth_users:\n  bob: secret\n",
				"f.yml:2: the password of 'bob' is no bcrypt hash, as htpasswd -nBC 10 '' makes "
				"it: $2y$10$...\n" },
		{ "rate_limit: {interval: 5}\n",
				"f.yml:1: bad interval '5': a duration needs a unit (h, m, s, ms, us, ns), as in "
				"90s or 1h30m\n" },
		{ "rate_limit: {interval: 1s, burst: -1}\n",
				"f.yml:1: bad burst '-1': not a whole number up to 2147483647\n" },
		{ "rate_limit: {interval: 1s}\n",
				"f.yml:1: rate_limit with a burst of 0 refuses every request\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *errors;
		CHECK(!read_config(slice_of_string(cases[i].text), &errors));
		CHECK_STRING(slice_of_string(errors), cases[i].errors);
		free(errors);
		web_config_finish(&config);
	}
}

static void test_bcrypt(void)
{
	static const struct {
		const char *hash;
		bool is_one;
	} cases[] = {
		{ HASH, true },
		{ "$2a$04$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG", true },
		{ "$2b$31$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG", true },
		{ "$2y$03$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG", false },
		{ "$2y$32$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG", false },
		{ "$2y$1x$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG", false },
		{ "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7z", false },
		{ "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7z!", false },
		{ "$1$salt$0123456789012345678901", false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[128];
		char *errors;
		int len = snprintf(text, sizeof(text), "basic_auth_users: {u: '%s'}\n", cases[i].hash);
		CHECK_INT(read_config(slice_make(text, (size_t)len), &errors), cases[i].is_one);
		free(errors);
		web_config_finish(&config);
	}
}

int main(void)
{
	config_file_init();
	RUN(test_nothing);
	RUN(test_roles);
	RUN(test_tls);
	RUN(test_tls_defaults);
	RUN(test_client_auth_names);
	RUN(test_rest);
	RUN(test_errors);
	RUN(test_bcrypt);
	config_file_finish();
	return check_done();
}
