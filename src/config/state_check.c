#include "config/state_check.h"

#include <assert.h>
#include <string.h>

#include "config/state_url.h"
#include "config/table.h"
#include "config/value.h"

/* What has an effect on a Redis alone, or on a Redis with TLS. */
struct row {
	const char *name;
	bool is_of_tls;
};

static const struct row state_rows[] = {
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

static const struct row lists_rows[] = {
	{ "ingest.redis-lists.match", .is_of_tls = false },
	{ "ingest.redis-lists.interval", .is_of_tls = false },
	{ "ingest.redis-lists.password-file", .is_of_tls = false },
	{ "ingest.redis-lists.tls-ca-file", .is_of_tls = true },
	{ "ingest.redis-lists.tls-cert-file", .is_of_tls = true },
	{ "ingest.redis-lists.tls-key-file", .is_of_tls = true },
	{ "ingest.redis-lists.tls-insecure-skip-verify", .is_of_tls = true },
};

/* A setting that may name a Redis, and those that are about it. */
struct place {
	const struct row *rows;
	size_t row_count;
	const char *not_redis; /* why they are refused without */
	const char *not_tls;
	const char *password_file;
	const char *two_passwords;
	const char *cert_file;
	const char *no_key;
	const char *key_file;
	const char *no_cert;
	const char *ca_file;
	const char *not_verified;
};

static const struct place state_place = {
	.rows = state_rows,
	.row_count = sizeof(state_rows) / sizeof(state_rows[0]),
	.not_redis = "only with --state.url=redis://... or another Redis",
	.not_tls = "only with --state.url=rediss://...",
	.password_file = "state.password-file",
	.two_passwords = "--state.url has a password, too: give one of them",
	.cert_file = "state.tls-cert-file",
	.no_key = "only with its key, --state.tls-key-file",
	.key_file = "state.tls-key-file",
	.no_cert = "only with its certificate, --state.tls-cert-file",
	.ca_file = "state.tls-ca-file",
	.not_verified = "not with --state.tls-insecure-skip-verify, which looks at no certificate",
};

static const struct place lists_place = {
	.rows = lists_rows,
	.row_count = sizeof(lists_rows) / sizeof(lists_rows[0]),
	.not_redis = "only with --ingest.redis-lists=redis://... or another Redis",
	.not_tls = "only with --ingest.redis-lists=rediss://...",
	.password_file = "ingest.redis-lists.password-file",
	.two_passwords = "--ingest.redis-lists has a password, too: give one of them",
	.cert_file = "ingest.redis-lists.tls-cert-file",
	.no_key = "only with its key, --ingest.redis-lists.tls-key-file",
	.key_file = "ingest.redis-lists.tls-key-file",
	.no_cert = "only with its certificate, --ingest.redis-lists.tls-cert-file",
	.ca_file = "ingest.redis-lists.tls-ca-file",
	.not_verified = "not with --ingest.redis-lists.tls-insecure-skip-verify, which looks at no "
					"certificate",
};

struct checker {
	const struct config *config;
	const struct place *place;
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
	const struct place *place = checker->place;
	bool is_redis = checker->url.scheme == STATE_SCHEME_REDIS;
	for (size_t i = 0; i < place->row_count; i++) {
		if (place->rows[i].is_of_tls && !checker->url.is_tls) {
			refuse(checker, place->rows[i].name, place->not_tls);
		} else if (!is_redis) {
			refuse(checker, place->rows[i].name, place->not_redis);
		}
	}
}

static bool is_given(struct checker *checker, const char *name)
{
	return find_value(checker, name) != NULL;
}

static void check_pairs(struct checker *checker, bool is_unverified)
{
	const struct place *place = checker->place;
	if (checker->url.scheme == STATE_SCHEME_REDIS && checker->url.password[0] != '\0') {
		refuse(checker, place->password_file, place->two_passwords);
	}
	if (!is_given(checker, place->key_file)) {
		refuse(checker, place->cert_file, place->no_key);
	}
	if (!is_given(checker, place->cert_file)) {
		refuse(checker, place->key_file, place->no_cert);
	}
	if (is_unverified) {
		refuse(checker, place->ca_file, place->not_verified);
	}
}

static bool check(struct checker *checker, bool is_unverified)
{
	buf_init(&checker->value, 0);
	checker->is_fine = true;
	check_scheme(checker);
	if (checker->is_fine) {
		check_pairs(checker, is_unverified);
	}
	return checker->is_fine;
}

static bool end(struct checker *checker)
{
	buf_finish(&checker->value);
	state_url_finish(&checker->url);
	return checker->is_fine;
}

bool state_check(const struct config *config, struct buf *errors)
{
	struct checker checker = {
		.config = config,
		.place = &state_place,
		.url = state_url_read(config->state_url),
		.errors = errors,
	};
	if (check(&checker, config->state_tls_insecure_skip_verify)
			&& config->state_ack == CONFIG_ACK_MEMORY) {
		refuse(&checker, "state.wait", "only with --state.ack=durable: nobody waits otherwise");
	}
	return end(&checker);
}

bool lists_check(const struct config *config, struct buf *errors)
{
	struct checker checker = {
		.config = config,
		.place = &lists_place,
		.url = state_url_read(config->ingest_redis_lists),
		.errors = errors,
	};
	check(&checker, config->ingest_redis_lists_tls_insecure_skip_verify);
	return end(&checker);
}
