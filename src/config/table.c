#include "config/table.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/lists_url.h"
#include "config/state_url.h"
#include "config/targets_url.h"
#include "config/web_paths.h"

/* A field's offset; does not compile when the field is of another type. */
#define FIELD(field, type)                                                                         \
	(offsetof(struct config, field)                                                                \
			+ 0 * sizeof(_Generic(((struct config *)NULL)->field, type : 1)))

#define BOOL(field) .type = SETTING_BOOL, .offset = FIELD(field, bool)
#define STRING(field) .type = SETTING_STRING, .offset = FIELD(field, char *)
#define LIST(field) .type = SETTING_LIST, .offset = FIELD(field, struct config_list)
#define DURATION(field) .type = SETTING_DURATION, .offset = FIELD(field, int64_t)
#define BYTES(field) .type = SETTING_BYTES, .offset = FIELD(field, uint64_t)
#define COUNT(field) .type = SETTING_COUNT, .offset = FIELD(field, uint64_t)
#define ENUM(field, names) .type = SETTING_ENUM, .choices = names, .offset = FIELD(field, unsigned)

#define KIB ((int64_t)1 << 10)
#define GIB ((int64_t)1 << 30)
#define MS ((int64_t)1000000)
#define HOUR (3600 * 1000 * MS)
#define DAY (24 * HOUR)

/* In the order of the enums' values. */
static const char *const log_levels[] = { "debug", "info", "warn", "error", NULL };
static const char *const state_acks[] = { "durable", "memory", NULL };
static const char *const state_syncs[] = { "full", "normal", NULL };
static const char *const state_outages[] = { "reject", "accept", NULL };
static const char *const targets_registers[] = { "auto", "known", NULL };
static const char *const log_formats[] = { "logfmt", "json", NULL };

const struct setting settings[] = {
	{ .name = "config.file",
			.group = "Settings",
			STRING(config_file),
			.initial = "",
			.max = 4095,
			.placeholder = "PATH",
			.is_flag_only = true,
			.help = "File of settings in YAML: every flag as a key, and rules for jobs. Read again "
					"at "
					"SIGHUP." },

	{ .name = "web.listen-address",
			.group = "Web",
			LIST(web_listen_address),
			.initial = ":9091",
			.min = 1,
			.max = 255,
			.placeholder = "ADDRESS",
			.help = "Address to listen on: host:port, unix:/path, unix:@name or vsock://:port; "
					"give it again for each further one. Port 0 takes a free one." },
	{ .name = "web.config.file",
			.group = "Web",
			STRING(web_config_file),
			.initial = "",
			.max = 4095,
			.placeholder = "PATH",
			.help = "File of TLS, users and passwords, headers and rate limit, in the format of "
					"Prometheus' exporter-toolkit." },
	{ .name = "web.telemetry-path",
			.group = "Web",
			STRING(web_telemetry_path),
			.initial = "/metrics",
			.min = 1,
			.max = 1023,
			.fits = web_paths_check_scrape_path,
			.placeholder = "PATH",
			.help = "Path to scrape, below the prefix. Pushes stay at /metrics/job/..." },
	{ .name = "web.external-url",
			.group = "Web",
			STRING(web_external_url),
			.initial = "",
			.max = 1023,
			.fits = web_paths_check_url,
			.placeholder = "URL",
			.help = "URL of weir for others, such as behind a proxy. Its path is the prefix of the "
					"web page's links." },
	{ .name = "web.route-prefix",
			.group = "Web",
			STRING(web_route_prefix),
			.initial = "",
			.max = 1023,
			.fits = web_paths_check_prefix,
			.placeholder = "PREFIX",
			.help = "Prefix of all paths; / for none. Without it, the path of "
					"--web.external-url." },
	{ .name = "web.local-assets",
			.group = "Web",
			STRING(web_local_assets),
			.initial = "",
			.max = 4095,
			.placeholder = "PATH",
			.help = "Taken because Debian's Pushgateway has it; without effect, since the files of "
					"the web page are part of weir." },
	{ .name = "web.enable-lifecycle",
			.group = "Web",
			.is_reloadable = true,
			BOOL(web_enable_lifecycle),
			.initial = "false",
			.help = "Allow PUT and POST /-/quit, which end weir." },
	{ .name = "web.systemd-socket",
			.group = "Web",
			BOOL(web_systemd_socket),
			.initial = "false",
			.help = "Listen on the sockets that systemd passes, instead of on an address." },
	{ .name = "web.enable-admin-api",
			.group = "Web",
			.is_reloadable = true,
			BOOL(web_enable_admin_api),
			.initial = "false",
			.help = "Allow PUT /api/v1/admin/wipe, which deletes everything, and "
					"POST /api/v1/import, which replaces groups." },
	{ .name = "web.openmetrics",
			.group = "Web",
			.is_reloadable = true,
			BOOL(web_openmetrics),
			.initial = "true",
			.help = "Serve OpenMetrics to scrapers that ask for it." },

	{ .name = "push.disable-consistency-check",
			.group = "Pushes",
			BOOL(push_disable_consistency_check),
			.initial = "false",
			.help = "Answer a push with 202 before it is checked. What contradicts other groups is "
					"kept but not shown." },
	{ .name = "push.enable-utf8-names",
			.group = "Pushes",
			.is_reloadable = true,
			BOOL(push_enable_utf8_names),
			.initial = "false",
			.help = "Accept names of metrics and labels with any UTF-8 characters, in URLs also as "
					"U__ names." },

	{ .name = "group.ttl",
			.group = "Groups",
			.is_reloadable = true,
			DURATION(group_ttl_ns),
			.initial = "0s",
			.max = INT64_MAX,
			.help = "How long a group lives after its last successful push when the push does not "
					"say. 0s: for ever." },
	{ .name = "group.ttl-max",
			.group = "Groups",
			.is_reloadable = true,
			DURATION(group_ttl_max_ns),
			.initial = "0s",
			.max = INT64_MAX,
			.help = "Longest life a push can ask for; one that asks for more, or for none, gets "
					"this. 0s: no cap." },

	{ .name = "data.dir",
			.group = "Data",
			STRING(data_dir),
			.initial = "data",
			.min = 1,
			.max = 4095,
			.placeholder = "PATH",
			.help = "Directory of what weir keeps on disk; one weir a directory. Not given: "
					"$STATE_DIRECTORY if set, else data, or $HOME/weir where that cannot be "
					"written." },
	{ .name = "state.url",
			.group = "Data",
			STRING(state_url),
			.initial = "sqlite:",
			.min = 1,
			.max = 4000,
			.fits = state_url_check,
			.print_wrong = state_url_print_wrong,
			.placeholder = "URL",
			.help = "Where what is pushed is kept durably: sqlite:PATH, a database; sqlite: alone "
					"is weir.db in the data directory; redis://[user:password@]host:port[/db], "
					"rediss:// or redis+unix:///path, a Redis that several weirs may share; none "
					"keeps it in memory only." },
	{ .name = "state.ack",
			.group = "Data",
			ENUM(state_ack, state_acks),
			.initial = "durable",
			.help = "When pushes and deletions are answered: when they are durable, or when they "
					"are "
					"in memory." },
	{ .name = "state.sync",
			.group = "Data",
			ENUM(state_sync, state_syncs),
			.initial = "full",
			.help = "What durable means: full survives a power cut, normal the end of the "
					"process." },
	{ .name = "state.timeout",
			.group = "Data",
			DURATION(state_timeout_ns),
			.initial = "30s",
			.min = 100 * MS,
			.max = DAY,
			.help = "How long a push waits to become durable, or for what is stored to be loaded; "
					"then it is answered with 503." },
	{ .name = "state.on-outage",
			.group = "Data",
			ENUM(state_on_outage, state_outages),
			.initial = "reject",
			.help = "What happens to pushes and deletions while Redis is away: reject answers "
					"them with 503 and changes nothing, accept answers them at once and sends "
					"them when it is back." },
	{ .name = "state.outage-after",
			.group = "Data",
			DURATION(state_outage_after_ns),
			.initial = "2s",
			.min = 100 * MS,
			.max = 300 * 1000 * MS,
			.help = "How long Redis may be silent before it counts as away." },
	{ .name = "state.wait",
			.group = "Data",
			COUNT(state_wait),
			.initial = "0",
			.max = 100,
			.help = "How many replicas of Redis must have a change, too, before it counts as "
					"durable." },
	{ .name = "state.tombstones",
			.group = "Data",
			DURATION(state_tombstones_ns),
			.initial = "24h0m0s",
			.min = 60 * 1000 * MS,
			.max = 1000 * HOUR,
			.help = "How long Redis remembers a deletion, against older pushes that arrive "
					"later." },
	{ .name = "state.stream-length",
			.group = "Data",
			COUNT(state_stream_length),
			.initial = "10000",
			.min = 100,
			.max = 1000000000,
			.help = "How many changes, about, each of the streams in Redis keeps for weirs that "
					"were away." },
	{ .name = "state.password-file",
			.group = "Data",
			STRING(state_password_file),
			.initial = "",
			.max = 4095,
			.placeholder = "PATH",
			.help = "File whose first line is the password for Redis, instead of one in "
					"--state.url." },
	{ .name = "state.tls-ca-file",
			.group = "Data",
			STRING(state_tls_ca_file),
			.initial = "",
			.max = 4095,
			.placeholder = "PATH",
			.help = "Certificates in PEM that vouch for Redis. Not given: those that the system "
					"trusts." },
	{ .name = "state.tls-cert-file",
			.group = "Data",
			STRING(state_tls_cert_file),
			.initial = "",
			.max = 4095,
			.placeholder = "PATH",
			.help = "Certificate in PEM that weir shows to Redis." },
	{ .name = "state.tls-key-file",
			.group = "Data",
			STRING(state_tls_key_file),
			.initial = "",
			.max = 4095,
			.placeholder = "PATH",
			.help = "Its private key in PEM." },
	{ .name = "state.tls-insecure-skip-verify",
			.group = "Data",
			BOOL(state_tls_insecure_skip_verify),
			.initial = "false",
			.help = "Take whatever certificate Redis shows." },
	{ .name = "persistence.file",
			.group = "Data",
			STRING(persistence_file),
			.initial = "",
			.max = 4000,
			.placeholder = "PATH",
			.help = "Keep the database at PATH.weir, unless --state.url is given. PATH itself, "
					"which "
					"may be a Pushgateway's file, is left alone." },
	{ .name = "persistence.interval",
			.group = "Data",
			DURATION(persistence_interval_ns),
			.initial = "5m0s",
			.max = INT64_MAX,
			.help = "Taken because a Pushgateway has it; without effect, since what is pushed is "
					"stored at once." },

	{ .name = "ingest.redis-lists",
			.group = "Ingest",
			STRING(ingest_redis_lists),
			.initial = "none",
			.min = 1,
			.max = 4000,
			.fits = lists_url_check,
			.print_wrong = state_url_print_wrong,
			.placeholder = "URL",
			.help = "Redis whose lists are drained into groups, as ORWELL's translators fill them: "
					"redis://[user:password@]host:port[/db], rediss:// or redis+unix:///path." },
	{ .name = "ingest.redis-lists.match",
			.group = "Ingest",
			STRING(ingest_redis_lists_match),
			.initial = "*",
			.min = 1,
			.max = 1000,
			.placeholder = "GLOB",
			.help = "Drain only lists whose keys match, as in Redis' SCAN." },
	{ .name = "ingest.redis-lists.interval",
			.group = "Ingest",
			DURATION(ingest_redis_lists_interval_ns),
			.initial = "1s",
			.min = 10 * MS,
			.max = HOUR,
			.help = "How often to look for lists that have something." },
	{ .name = "ingest.redis-lists.password-file",
			.group = "Ingest",
			STRING(ingest_redis_lists_password_file),
			.initial = "",
			.max = 4095,
			.placeholder = "PATH",
			.help = "File whose first line is the password for that Redis, instead of one in "
					"--ingest.redis-lists." },
	{ .name = "ingest.redis-lists.tls-ca-file",
			.group = "Ingest",
			STRING(ingest_redis_lists_tls_ca_file),
			.initial = "",
			.max = 4095,
			.placeholder = "PATH",
			.help = "Certificates in PEM that vouch for that Redis. Not given: those that the "
					"system trusts." },
	{ .name = "ingest.redis-lists.tls-cert-file",
			.group = "Ingest",
			STRING(ingest_redis_lists_tls_cert_file),
			.initial = "",
			.max = 4095,
			.placeholder = "PATH",
			.help = "Certificate in PEM that weir shows to that Redis." },
	{ .name = "ingest.redis-lists.tls-key-file",
			.group = "Ingest",
			STRING(ingest_redis_lists_tls_key_file),
			.initial = "",
			.max = 4095,
			.placeholder = "PATH",
			.help = "Its private key in PEM." },
	{ .name = "ingest.redis-lists.tls-insecure-skip-verify",
			.group = "Ingest",
			BOOL(ingest_redis_lists_tls_insecure_skip_verify),
			.initial = "false",
			.help = "Take whatever certificate that Redis shows." },
	{ .name = "ingest.ttl",
			.group = "Ingest",
			.is_reloadable = true,
			DURATION(ingest_ttl_ns),
			.initial = "5m0s",
			.min = 100 * MS,
			.max = 1000 * DAY,
			.help = "How long a series that was ingested lives after it came last, and its group "
					"after anything came." },

	{ .name = "targets.url",
			.group = "Targets",
			STRING(targets_url),
			.initial = "sqlite:",
			.min = 1,
			.max = 4000,
			.fits = targets_url_check,
			.print_wrong = state_url_print_wrong,
			.placeholder = "URL",
			.help = "Where targets are kept: sqlite:PATH, a database; sqlite: alone is targets.db "
					"in the data directory; postgres://[user[:password]@]host[:port]/name, a "
					"PostgreSQL; none keeps them in memory only." },
	{ .name = "targets.password-file",
			.group = "Targets",
			STRING(targets_password_file),
			.initial = "",
			.max = 4095,
			.placeholder = "PATH",
			.help = "File whose first line is the password for PostgreSQL, instead of one in "
					"--targets.url." },
	{ .name = "targets.register",
			.group = "Targets",
			.is_reloadable = true,
			ENUM(targets_register, targets_registers),
			.initial = "auto",
			.help = "Who may push: auto, everybody, and a target that is not known is registered "
					"by "
					"its first push; known, targets that were registered before. Others get 403." },
	{ .name = "targets.virtual",
			.group = "Targets",
			STRING(targets_virtual),
			.initial = "",
			.max = 65535,
			.placeholder = "NAME,...",
			.help = "Targets of the job node that nobody in particular pushes, by their "
					"instances, made at the start if they are missing: separated by commas, or "
					"a list of strings in JSON." },
	{ .name = "targets.limit",
			.group = "Targets",
			.is_reloadable = true,
			COUNT(targets_limit),
			.initial = "100000",
			.min = 1,
			.max = 10000000,
			.help = "Most targets registered. Pushes of others are taken all the same." },
	{ .name = "targets.silent-after",
			.group = "Targets",
			.is_reloadable = true,
			COUNT(targets_silent_after),
			.initial = "3",
			.min = 1,
			.max = 1000,
			.help = "How many of its intervals a target may be without a push before it counts as "
					"silent." },
	{ .name = "targets.dns-interval",
			.group = "Targets",
			.is_reloadable = true,
			DURATION(targets_dns_interval_ns),
			.initial = "30s",
			.min = 1000 * MS,
			.max = 24 * 3600 * 1000 * MS,
			.help = "How often the name of a target of mode dns is looked up." },
	{ .name = "targets.retention",
			.group = "Targets",
			.is_reloadable = true,
			DURATION(targets_retention_ns),
			.initial = "720h0m0s",
			.min = 60 * 1000 * MS,
			.max = INT64_MAX,
			.help = "How long a target is remembered after it was last seen, unless it was "
					"configured by hand." },

	{ .name = "limit.header-bytes",
			.group = "Limits",
			.is_reloadable = true,
			BYTES(limit_header_bytes),
			.initial = "1MiB",
			.min = 256,
			.max = GIB,
			.help = "Most bytes of a request's line and headers." },
	{ .name = "limit.body-bytes",
			.group = "Limits",
			.is_reloadable = true,
			BYTES(limit_body_bytes),
			.initial = "64MiB",
			.min = 1,
			.max = GIB,
			.help = "Most bytes of a request's body, after decoding." },
	{ .name = "limit.connections",
			.group = "Limits",
			.is_reloadable = true,
			COUNT(limit_connections),
			.initial = "10000",
			.min = 1,
			.max = 1000000,
			.help = "Most connections at a time." },
	{ .name = "limit.groups",
			.group = "Limits",
			.is_reloadable = true,
			COUNT(limit_groups),
			.initial = "1000000",
			.min = 1,
			.max = 1000000000,
			.help = "Most groups." },
	{ .name = "limit.series",
			.group = "Limits",
			.is_reloadable = true,
			COUNT(limit_series),
			.initial = "10000000",
			.min = 1,
			.max = 1000000000,
			.help = "Most series in all groups together." },
	{ .name = "limit.stored-bytes",
			.group = "Limits",
			.is_reloadable = true,
			BYTES(limit_stored_bytes),
			.initial = "4GiB",
			.min = KIB,
			.max = INT64_MAX,
			.help = "Most memory for all that was pushed." },
	{ .name = "limit.label-sets",
			.group = "Limits",
			.is_reloadable = true,
			COUNT(limit_label_sets),
			.initial = "1000",
			.min = 1,
			.max = 1000000,
			.help = "Most different sets of grouping label names that one metric is pushed "
					"under." },
	{ .name = "limit.series-per-group",
			.group = "Limits",
			.is_reloadable = true,
			COUNT(limit_series_per_group),
			.initial = "1000000",
			.min = 1,
			.max = 1000000000,
			.help = "Most series in one group." },
	{ .name = "limit.labels",
			.group = "Limits",
			.is_reloadable = true,
			COUNT(limit_labels),
			.initial = "16384",
			.min = 1,
			.max = 1000000,
			.help = "Most labels of one series, grouping labels included." },
	{ .name = "limit.label-bytes",
			.group = "Limits",
			.is_reloadable = true,
			BYTES(limit_label_bytes),
			.initial = "1MiB",
			.min = 1,
			.max = GIB,
			.help = "Most bytes of a label's name or value." },

	{ .name = "timeout.header",
			.group = "Timeouts",
			DURATION(timeout_header_ns),
			.initial = "10s",
			.min = MS,
			.max = DAY,
			.help = "How long a request's line and headers may take to arrive." },
	{ .name = "timeout.body",
			.group = "Timeouts",
			DURATION(timeout_body_ns),
			.initial = "1m0s",
			.min = MS,
			.max = DAY,
			.help = "How long a request's body may take to arrive." },
	{ .name = "timeout.idle",
			.group = "Timeouts",
			DURATION(timeout_idle_ns),
			.initial = "5m0s",
			.min = MS,
			.max = DAY,
			.help = "How long a connection may stay open without a request." },
	{ .name = "timeout.write",
			.group = "Timeouts",
			DURATION(timeout_write_ns),
			.initial = "30s",
			.min = MS,
			.max = DAY,
			.help = "How long a client may read nothing of its answer." },
	{ .name = "timeout.shutdown",
			.group = "Timeouts",
			DURATION(timeout_shutdown_ns),
			.initial = "10s",
			.max = DAY,
			.help = "How long running requests may take to finish at shutdown." },
	{ .name = "timeout.takeover",
			.group = "Timeouts",
			.is_reloadable = true,
			DURATION(timeout_takeover_ns),
			.initial = "30s",
			.min = MS,
			.max = DAY,
			.help = "How long requests may wait for a new weir that takes over, before the old one "
					"goes on." },

	{ .name = "takeover",
			.group = "Process",
			BOOL(takeover),
			.initial = "false",
			.is_flag_only = true,
			.help = "Take over from the weir that runs in the data directory: its sockets, its "
					"connections and all it stores." },

	{ .name = "log.level",
			.group = "Log",
			.is_reloadable = true,
			ENUM(log_level, log_levels),
			.initial = "info",
			.help = "Least severe events to log." },
	{ .name = "log.format",
			.group = "Log",
			.is_reloadable = true,
			ENUM(log_format, log_formats),
			.initial = "logfmt",
			.help = "How a line of the log is written." },
};

const size_t settings_count = sizeof(settings) / sizeof(settings[0]);

_Static_assert(sizeof(settings) / sizeof(settings[0]) <= CONFIG_SETTINGS_MAX, "too many settings");

const struct setting *settings_find(const char *name, size_t len)
{
	for (size_t i = 0; i < settings_count; i++) {
		if (strlen(settings[i].name) == len && memcmp(settings[i].name, name, len) == 0) {
			return &settings[i];
		}
	}
	return NULL;
}

static int compare_names(const void *a, const void *b)
{
	const struct setting *const *left = a;
	const struct setting *const *right = b;
	return strcmp((*left)->name, (*right)->name);
}

void settings_by_name(const struct setting *ret_sorted[static CONFIG_SETTINGS_MAX])
{
	for (size_t i = 0; i < settings_count; i++) {
		ret_sorted[i] = &settings[i];
	}
	qsort(ret_sorted, settings_count, sizeof(ret_sorted[0]), compare_names);
}
