#pragma once

/*
 * How weir is set up: plain typed fields, read from the command line, the
 * environment and a file. What may be set, of what type, with which default and
 * range, stands in one place: the table in config/table.c.
 *
 * To add a setting: a field here, a row there, its line in docs/config.md.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/log.h"

struct job_rules;

enum config_result {
	CONFIG_OK = 0,
	CONFIG_SHOWN,     /* only --help or the like was asked for: print the text, exit with 0 */
	CONFIG_CHECK,     /* the settings fit; whether all they name is there was asked for, too */
	CONFIG_E_INVALID, /* the text says what is wrong where, a line each */
};

/* Where a value came from; the first of these that has one wins. */
enum config_source {
	CONFIG_FROM_DEFAULT,
	CONFIG_FROM_FILE,
	CONFIG_FROM_ENVIRONMENT,
	CONFIG_FROM_FLAG,
};

/* When pushes are answered. */
enum config_state_ack {
	CONFIG_ACK_DURABLE,
	CONFIG_ACK_MEMORY,
};

/* What durable means. */
enum config_state_sync {
	CONFIG_SYNC_FULL,
	CONFIG_SYNC_NORMAL,
};

/* What happens to pushes while nothing can be stored. */
enum config_state_outage {
	CONFIG_OUTAGE_REJECT,
	CONFIG_OUTAGE_ACCEPT,
};

/* Which targets may push. */
enum config_targets_register {
	CONFIG_REGISTER_AUTO,  /* all; who is not known is registered */
	CONFIG_REGISTER_KNOWN, /* those that were registered before */
};

/* More rows than the table has. */
enum { CONFIG_SETTINGS_MAX = 128 };

struct config_list {
	char **items;
	size_t len;
};

/* Every text is a heap copy of its own. */
struct config {
	char *config_file; /* "": none */

	struct config_list web_listen_address;
	char *web_config_file;    /* "": none */
	char *web_telemetry_path; /* below the prefix */
	char *web_external_url;
	char *web_route_prefix; /* the one in force: "" or "/prefix" */
	char *web_local_assets; /* taken, not used */
	bool web_enable_lifecycle;
	bool web_systemd_socket; /* instead of the addresses */
	bool web_enable_admin_api;
	bool web_openmetrics;

	bool push_disable_consistency_check;
	bool push_enable_utf8_names;

	int64_t group_ttl_ns;     /* 0: groups do not expire */
	int64_t group_ttl_max_ns; /* 0: no cap */

	char *data_dir;
	char *state_url;     /* see state_url.h */
	unsigned state_ack;  /* enum config_state_ack */
	unsigned state_sync; /* enum config_state_sync */
	int64_t state_timeout_ns;
	unsigned state_on_outage;  /* enum config_state_outage */
	char *state_password_file; /* "": none; the five below are of a Redis, too */
	uint64_t state_wait;       /* replicas that confirm */
	int64_t state_outage_after_ns;
	int64_t state_tombstones_ns;
	uint64_t state_stream_length;
	char *state_tls_ca_file; /* "": what the system trusts */
	char *state_tls_cert_file;
	char *state_tls_key_file;
	bool state_tls_insecure_skip_verify;
	char *persistence_file;          /* empty: none */
	int64_t persistence_interval_ns; /* taken, not used */

	char *ingest_redis_lists; /* see lists_url.h */
	char *ingest_redis_lists_match;
	int64_t ingest_redis_lists_interval_ns;
	char *ingest_redis_lists_password_file; /* "": none */
	char *ingest_redis_lists_tls_ca_file;   /* "": what the system trusts */
	char *ingest_redis_lists_tls_cert_file;
	char *ingest_redis_lists_tls_key_file;
	bool ingest_redis_lists_tls_insecure_skip_verify;
	int64_t ingest_ttl_ns;

	char *targets_url;           /* see targets_url.h */
	char *targets_password_file; /* "": none */
	unsigned targets_register;   /* enum config_targets_register */
	char *targets_virtual;       /* see targets/virtual_names.h */
	uint64_t targets_limit;
	uint64_t targets_silent_after; /* intervals */
	int64_t targets_retention_ns;
	int64_t targets_dns_interval_ns;

	uint64_t limit_header_bytes;
	uint64_t limit_body_bytes; /* decoded */
	uint64_t limit_connections;
	uint64_t limit_groups;
	uint64_t limit_series;
	uint64_t limit_stored_bytes;
	uint64_t limit_series_per_group;
	uint64_t limit_label_sets; /* of one family: sets of grouping label names */
	uint64_t limit_labels;     /* of one series, grouping labels included */
	uint64_t limit_label_bytes;

	int64_t timeout_header_ns;
	int64_t timeout_body_ns;
	int64_t timeout_idle_ns;
	int64_t timeout_write_ns;
	int64_t timeout_shutdown_ns;
	int64_t timeout_takeover_ns;

	bool takeover; /* from the weir that runs in the data directory */

	struct job_rules *jobs; /* see config/jobs.h */

	enum log_level log_level;
	enum log_format log_format;

	enum config_source sources[CONFIG_SETTINGS_MAX]; /* by row of the table */
	size_t source_lines[CONFIG_SETTINGS_MAX];        /* of the file */
};

/* The arguments without the program's name; environment as in environ, NULL for none. */
struct config_input {
	int argument_count;
	const char *const *arguments;
	const char *const *environment;
};

/*
 * Fills in the config, which needs no initialising; call config_finish()
 * whatever the result. What there is to print is appended to the text: errors
 * one a line, without the program's name in front.
 */
enum config_result config_read(
		struct config *config, const struct config_input *input, struct buf *text);
void config_finish(struct config *config);

/*
 * For who finds later that a value cannot be used: where it came from and what
 * it is, so that only the reason has to follow.
 *
 *	weir.yml:3: bad value 'nowhere' for 'web.listen-address':
 */
void config_begin_fault(
		const struct config *config, const char *name, const char *value, struct buf *out);
