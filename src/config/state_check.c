#include "config/state_check.h"

#include <assert.h>
#include <string.h>

#include "config/state_url.h"
#include "config/table.h"
#include "config/value.h"

/* What has an effect on a Redis alone, or on a Redis with TLS. */
static const struct row {
	const char *name;
	bool is_of_tls;
} rows[] = {
	{ "state.on-outage", .is_of_tls = false },
	{ "state.outage-after", .is_of_tls = false },
	{ "state.wait", .is_of_tls = false },
	{ "state.tombstones", .is_of_tls = false },
	{ "state.stream-length", .is_of_tls = false },
	{ "state.password-file", .is_of_tls = false },
	{ "state.tls-ca-file", .is_of_tls = true },
	{ "state.tls-cert-file", .is_of_tls = true },
	{ "state.tls-key-file", .is_of_tls = true },
	{ "state.tls-insecure-skip-verify", .is_of_tls = true },
};

struct checker {
	const struct config *config;
	struct state_url url;
	struct buf value;
	struct buf *errors;
	bool is_fine;
};

/* As it is printed, ended by NUL; NULL: it is the default. */
static const char *find_value(struct checker *checker, const char *name)
{
	const struct setting *setting = settings_find(name, strlen(name));
	assert(setting != NULL);
	buf_reset(&checker->value, SIZE_MAX);
	value_print(checker->config, setting, &checker->value);
	bool is_default = slice_equal(buf_slice(&checker->value), slice_of_string(setting->initial));
	buf_append_byte(&checker->value, '\0');
	return is_default ? NULL : checker->value.ptr;
}

/* Nothing, when the setting has its default. */
static void refuse(struct checker *checker, const char *name, const char *why)
{
	const char *value = find_value(checker, name);
	if (value != NULL) {
		config_begin_fault(checker->config, name, value, checker->errors);
		buf_printf(checker->errors, "%s\n", why);
		checker->is_fine = false;
	}
}

static void check_scheme(struct checker *checker)
{
	bool is_redis = checker->url.scheme == STATE_SCHEME_REDIS;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].is_of_tls && !checker->url.is_tls) {
			refuse(checker, rows[i].name, "only with --state.url=rediss://...");
		} else if (!is_redis) {
			refuse(checker, rows[i].name, "only with --state.url=redis://... or another Redis");
		}
	}
}

static void check_pairs(struct checker *checker)
{
	const struct config *config = checker->config;
	if (checker->url.scheme == STATE_SCHEME_REDIS && checker->url.password[0] != '\0') {
		refuse(checker, "state.password-file", "--state.url has a password, too: give one of them");
	}
	if (config->state_tls_key_file[0] == '\0') {
		refuse(checker, "state.tls-cert-file", "only with its key, --state.tls-key-file");
	}
	if (config->state_tls_cert_file[0] == '\0') {
		refuse(checker, "state.tls-key-file", "only with its certificate, --state.tls-cert-file");
	}
	if (config->state_tls_insecure_skip_verify) {
		refuse(checker, "state.tls-ca-file",
				"not with --state.tls-insecure-skip-verify, which "
				"looks at no certificate");
	}
	if (config->state_ack == CONFIG_ACK_MEMORY) {
		refuse(checker, "state.wait", "only with --state.ack=durable: nobody waits otherwise");
	}
}

bool state_check(const struct config *config, struct buf *errors)
{
	struct checker checker = {
		.config = config,
		.url = state_url_read(config->state_url),
		.errors = errors,
		.is_fine = true,
	};
	buf_init(&checker.value, 0);
	check_scheme(&checker);
	if (checker.is_fine) {
		check_pairs(&checker);
	}
	buf_finish(&checker.value);
	state_url_finish(&checker.url);
	return checker.is_fine;
}
