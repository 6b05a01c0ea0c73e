#include "cli/import_gateway.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/check_report.h"
#include "cli/import_gateway_counts.h"
#include "cli/import_keys.h"
#include "cli/remote_stream.h"
#include "transfer/gateway_group.h"
#include "transfer/gateway_scan.h"
#include "transfer/gateway_status.h"

enum {
	ROUNDS_MAX = 4, /* in the last one there is no page */
	PATH_BYTES_MAX = 256,
	LINES_BYTES_KEPT = 1024 * 1024,
};

static const uint64_t page_bytes_max = UINT64_C(8) << 30;

static const char status_path[] = "/api/v1/status";
static const char groups_path[] = "/api/v1/metrics";
static const char accept_protobuf[] = "Accept: application/vnd.google.protobuf; "
									  "proto=io.prometheus.client.MetricFamily; "
									  "encoding=delimited; escaping=allow-utf-8";

struct gateway_source {
	struct import_source source;
	const char *command;
	struct remote remote;
	int64_t expires_ns; /* Unix time; 0: never */
	struct arena kept;  /* what lives as long as the source */
	struct slice version;
	char page_path[PATH_BYTES_MAX];

	struct buf page_bytes;
	struct gateway_page page;
	bool has_page;

	struct remote_stream stream; /* of the groups */
	bool is_streaming;
	struct slice input; /* of what has come */
	struct gateway_scan scan;
	struct arena arena; /* of one group */
	struct buf lines;
	struct buf late;     /* lines that come last, see write_group() */
	struct slice unread; /* lines that were not handed on yet */
	bool is_ending;      /* all has been read */

	struct import_keys done; /* groups that were handed on, or refused */
	uint64_t changed;        /* groups of this round that are left to the next one */
	struct gateway_counts counts;
	uint64_t began_ns;
	char fault[CURL_ERROR_SIZE + PATH_BYTES_MAX];
};

static struct gateway_source *of(struct import_source *source)
{
	return (struct gateway_source *)(void *)source;
}

__attribute__((format(printf, 3, 4))) static bool set_fault(
		struct gateway_source *self, const char *path, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = snprintf(self->fault, sizeof(self->fault), "%s: ", path);
	vsnprintf(self->fault + len, sizeof(self->fault) - (size_t)len, format, args);
	va_end(args);
	return false;
}

/* Before something is written to stderr. */
static void interrupt(const struct gateway_source *self)
{
	if (self->source.before_message != NULL) {
		self->source.before_message(self->source.data);
	}
}

static const char *advice(long status)
{
	switch (status) {
	case 401:
		return ", see --from-user and --from-password-file";
	case 404:
		return ", there is no Pushgateway at that URL, or it is older than 1.2";
	default:
		return "";
	}
}

static bool set_status_fault(struct gateway_source *self, const char *path, long status)
{
	if (status == 0) {
		return set_fault(self, path, "%s", self->remote.error);
	}
	return set_fault(self, path, "status %ld%s", status, advice(status));
}

/* ---- Rounds ---- */

static void drop_page(struct gateway_source *self)
{
	gateway_page_finish(&self->page);
	gateway_page_init(&self->page);
	buf_reset(&self->page_bytes, 0);
	self->has_page = false;
}

static bool on_page(void *data, struct slice bytes)
{
	struct gateway_source *self = data;
	buf_append(&self->page_bytes, bytes);
	return !self->page_bytes.failed;
}

static long fetch_page(struct gateway_source *self)
{
	struct buf text;
	struct curl_slist *headers = curl_slist_append(NULL, accept_protobuf);
	buf_init(&text, 0);
	curl_easy_setopt(self->remote.curl, CURLOPT_HTTPHEADER, headers);
	long status = remote_get(&self->remote, self->page_path, on_page, self, &text);
	curl_easy_setopt(self->remote.curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	buf_finish(&text);
	return status;
}

static bool is_protobuf(struct gateway_source *self)
{
	const char *type = NULL;
	curl_easy_getinfo(self->remote.curl, CURLINFO_CONTENT_TYPE, &type);
	return type != NULL && strstr(type, "application/vnd.google.protobuf") != NULL;
}

static bool read_page(struct gateway_source *self)
{
	long status = fetch_page(self);
	self->source.bytes += self->page_bytes.len;
	if (status != 200) {
		return set_status_fault(self, self->page_path, status);
	}
	if (!is_protobuf(self)) {
		return set_fault(self, self->page_path, "it is not to be had as protobuf");
	}
	return gateway_page_read(&self->page, buf_slice(&self->page_bytes))
			|| set_fault(self, self->page_path, "it cannot be read");
}

/* Without its page a gateway can still be read, and that is said. */
static void renew_page(struct gateway_source *self)
{
	drop_page(self);
	self->has_page = read_page(self);
	if (!self->has_page) {
		drop_page(self);
		interrupt(self);
		fprintf(stderr,
				"%s: warning: the gateway's page cannot be used, %s; exemplars and native "
				"histograms cannot be kept\n",
				self->command, self->fault);
	}
}

static bool begin_round(struct gateway_source *self)
{
	self->counts.rounds++;
	self->changed = 0;
	if (self->counts.rounds == 1 || (self->has_page && self->counts.rounds < ROUNDS_MAX)) {
		renew_page(self);
	} else {
		drop_page(self);
	}
	gateway_scan_finish(&self->scan);
	gateway_scan_init(&self->scan);
	self->input = SLICE("");
	self->is_streaming = true;
	long status = remote_stream_open(&self->stream, &self->remote, groups_path);
	return status == 200 || set_status_fault(self, groups_path, status);
}

static void end_round(struct gateway_source *self)
{
	if (self->is_streaming) {
		remote_stream_close(&self->stream);
		self->is_streaming = false;
	}
}

/* ---- Groups ---- */

static void report(struct gateway_source *self, const struct group_key *key, struct slice what)
{
	struct buf text;
	buf_init(&text, 0);
	buf_append_string(&text, self->command);
	buf_append_string(&text, ": group {");
	check_report_append_printable(&text, group_key_text(key, &self->arena));
	buf_append_string(&text, "} cannot be taken: ");
	check_report_append_printable(&text, what);
	buf_append_byte(&text, '\n');
	interrupt(self);
	fwrite(text.ptr, 1, text.len, stderr);
	buf_finish(&text);
}

/*
 * A group that nothing but refused pushes came for comes last: it may be the
 * poison of a gateway, and its key the same as another one's but for empty labels.
 * So it keeps nobody out who has something.
 */
static void write_group(struct gateway_source *self, struct gateway_group *group)
{
	bool has_nothing = group->head.times.pushed_ns == 0 && group->family_count == 0;
	struct line_writer writer;
	line_writer_init(&writer, has_nothing ? &self->late : &self->lines);
	group->head.expires_ns = self->expires_ns;
	gateway_group_write(group, &writer);
	self->unread = buf_slice(&self->lines);
}

/* Makes lines of the group, unless it is done with or is to be read again. */
static void take_group(struct gateway_source *self, struct slice text)
{
	struct gateway_group group;
	struct slice what;
	arena_reset(&self->arena);
	buf_reset(&self->lines, LINES_BYTES_KEPT);
	enum gateway_group_result result = gateway_group_read(
			text, self->has_page ? &self->page : NULL, &self->arena, &group, &what);
	/* Of those whose key cannot be told it is said once. */
	bool has_key = group.head.key.labels.count > 0;
	if (has_key ? import_keys_have(&self->done, &group.head.key) : self->counts.rounds > 1) {
		return;
	}
	switch (result) {
	case GATEWAY_GROUP_OK:
		gateway_counts_add(&self->counts, &group);
		write_group(self, &group);
		break;
	case GATEWAY_GROUP_CHANGED:
		self->changed++;
		return;
	case GATEWAY_GROUP_E_INVALID:
		self->source.faults++;
		report(self, &group.head.key, what);
		break;
	}
	if (has_key) {
		import_keys_add(&self->done, &group.head.key);
	}
}

/* ---- The source ---- */

static bool read_more(struct gateway_source *self)
{
	if (!remote_stream_read(&self->stream, &self->input)) {
		return set_fault(self, groups_path, "%s", self->remote.error);
	}
	self->source.bytes += self->input.len;
	return self->input.len > 0 || set_fault(self, groups_path, "the answer is cut");
}

static bool is_fit(struct gateway_source *self, enum gateway_scan_result result)
{
	if (result == GATEWAY_SCAN_E_LARGE) {
		return set_fault(self, groups_path, "a group is too large");
	}
	bool is_other =
			result == GATEWAY_SCAN_E_SYNTAX || (result == GATEWAY_SCAN_END && !self->scan.has_data);
	return !is_other || set_fault(self, groups_path, "this is not what a Pushgateway answers");
}

/* At the end of a round. */
static bool go_on(struct gateway_source *self, enum import_source_result *ret_end)
{
	end_round(self);
	if (self->changed > 0) {
		return begin_round(self);
	}
	if (!self->is_ending) {
		self->is_ending = true;
		self->unread = buf_slice(&self->late);
		return true;
	}
	*ret_end = IMPORT_SOURCE_END;
	return false;
}

/* Reads on. False at the end, or at a fault. */
static bool step(struct gateway_source *self, enum import_source_result *ret_end)
{
	struct slice text;
	enum gateway_scan_result result = gateway_scan_next(&self->scan, &self->input, &text);
	*ret_end = IMPORT_SOURCE_FAULT;
	if (!is_fit(self, result)) {
		return false;
	}
	switch (result) {
	case GATEWAY_SCAN_GROUP:
		take_group(self, text);
		return true;
	case GATEWAY_SCAN_MORE:
		return read_more(self);
	case GATEWAY_SCAN_END:
		return go_on(self, ret_end);
	case GATEWAY_SCAN_E_SYNTAX:
	case GATEWAY_SCAN_E_LARGE:
		break;
	}
	return false;
}

static enum import_source_result next(struct import_source *source, struct slice *ret_line)
{
	struct gateway_source *self = of(source);
	enum import_source_result end;
	source->fault = self->fault;
	if (self->counts.rounds == 0 && !begin_round(self)) {
		return IMPORT_SOURCE_FAULT;
	}
	while (self->unread.len == 0) {
		if (!step(self, &end)) {
			return end;
		}
	}
	*ret_line = slice_take_line(&self->unread);
	return IMPORT_SOURCE_LINE;
}

static void sum_up(struct import_source *source)
{
	struct gateway_source *self = of(source);
	struct buf text;
	buf_init(&text, 0);
	gateway_counts_print(&self->counts, clock_monotonic_ns() - self->began_ns, &text);
	fwrite(text.ptr, 1, text.len, stderr);
	buf_finish(&text);
}

static void destroy(struct gateway_source *self)
{
	gateway_scan_finish(&self->scan);
	gateway_page_finish(&self->page);
	buf_finish(&self->page_bytes);
	buf_finish(&self->lines);
	buf_finish(&self->late);
	import_keys_finish(&self->done);
	arena_finish(&self->arena);
	arena_finish(&self->kept);
	free(self);
}

static void close_source(struct import_source *source)
{
	struct gateway_source *self = of(source);
	end_round(self);
	remote_close(&self->remote);
	destroy(self);
}

/* ---- Opening ---- */

static bool take_status(struct gateway_source *self, struct slice text)
{
	struct gateway_status status;
	if (!gateway_status_read(text, &self->kept, &status) || status.page.len >= PATH_BYTES_MAX) {
		return set_fault(self, status_path, "this is not what a Pushgateway answers");
	}
	memcpy(self->page_path, status.page.ptr, status.page.len);
	self->version = status.version;
	return true;
}

/* weir import: http://localhost:9091 is Pushgateway 1.5.1 */
static void greet(const struct gateway_source *self)
{
	struct buf text;
	buf_init(&text, 0);
	buf_printf(&text, "%s: %s is Pushgateway ", self->command, self->remote.url);
	check_report_append_printable(&text, self->version);
	buf_append_byte(&text, '\n');
	fwrite(text.ptr, 1, text.len, stderr);
	buf_finish(&text);
}

static bool read_status(struct gateway_source *self)
{
	struct buf text;
	buf_init(&text, 0);
	long code = remote_get(&self->remote, status_path, NULL, NULL, &text);
	bool is_read = code == 200 ? take_status(self, buf_slice(&text))
							   : set_status_fault(self, status_path, code);
	buf_finish(&text);
	return is_read;
}

static const char hint[] =
		"Point pushers and Prometheus at weir now. For pushes that the Pushgateway got\n"
		"meanwhile, import again: what was pushed to weir since then stays.\n";

static struct gateway_source *create(const char *command, int64_t ttl_ns)
{
	struct gateway_source *self = memory_zalloc(1, sizeof(*self));
	self->source = (struct import_source){
		.next = next,
		.sum_up = sum_up,
		.close = close_source,
		.hint = hint,
	};
	self->began_ns = clock_monotonic_ns();
	self->command = command;
	self->expires_ns = ttl_ns == 0 ? 0 : clock_wall_ns() + ttl_ns;
	buf_init(&self->page_bytes, page_bytes_max);
	buf_init(&self->lines, 0);
	buf_init(&self->late, 0);
	arena_init(&self->arena);
	arena_init(&self->kept);
	import_keys_init(&self->done);
	gateway_scan_init(&self->scan);
	gateway_page_init(&self->page);
	return self;
}

struct import_source *import_gateway_open(
		const char *command, const struct import_gateway_options *options)
{
	struct gateway_source *self = create(command, options->ttl_ns);
	if (!remote_open(&self->remote, command, &options->remote)) {
		destroy(self);
		return NULL;
	}
	self->source.name = self->remote.url;
	if (!read_status(self)) {
		cli_complain(command, "%s%s", self->remote.url, self->fault);
		close_source(&self->source);
		return NULL;
	}
	if (!options->is_quiet) {
		greet(self);
	}
	return &self->source;
}
