#include "cli/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum {
	CONNECT_MS = 10 * 1000,
	STALL_SECONDS = 120,      /* without a byte, after which it is given up */
	TEXT_BYTES = 1024 * 1024, /* of an answer that is kept */
};

/* ---- Where it is ---- */

static bool is_loopback_name(const char *host)
{
	size_t len = strlen(host);
	static const char suffix[] = ".localhost";
	return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0
			|| strcmp(host, "[::1]") == 0
			|| (len >= sizeof(suffix) && strcmp(host + len - (sizeof(suffix) - 1), suffix) == 0);
}

static char *take_part(CURLU *parsed, CURLUPart part)
{
	char *text = NULL;
	if (curl_url_get(parsed, part, &text, part == CURLUPART_URL ? 0 : CURLU_URLDECODE)
			!= CURLUE_OK) {
		return NULL;
	}
	char *copy = memory_copy_string(text);
	curl_free(text);
	return copy;
}

static bool has_part(CURLU *parsed, CURLUPart part)
{
	char *text = take_part(parsed, part);
	free(text);
	return text != NULL;
}

static char *without_slashes(char *url)
{
	size_t len = strlen(url);
	while (len > 0 && url[len - 1] == '/') {
		url[--len] = '\0';
	}
	return url;
}

static bool take_url(struct remote *remote, CURLU *parsed, const char *text)
{
	CURLUcode code = curl_url_set(parsed, CURLUPART_URL, text, CURLU_GUESS_SCHEME);
	char *scheme = code == CURLUE_OK ? take_part(parsed, CURLUPART_SCHEME) : NULL;
	bool is_http = scheme != NULL && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
	free(scheme);
	if (!is_http || has_part(parsed, CURLUPART_QUERY) || has_part(parsed, CURLUPART_FRAGMENT)) {
		cli_complain(remote->command,
				"'%s' is no URL of a weir: http://HOST:PORT or https://HOST:PORT is, with its "
				"prefix if it has one",
				text);
		return false;
	}
	remote->user = take_part(parsed, CURLUPART_USER);
	remote->password = take_part(parsed, CURLUPART_PASSWORD);
	curl_url_set(parsed, CURLUPART_USER, NULL, 0);
	curl_url_set(parsed, CURLUPART_PASSWORD, NULL, 0);
	char *host = take_part(parsed, CURLUPART_HOST);
	remote->is_loopback = host != NULL && is_loopback_name(host);
	free(host);
	remote->url = without_slashes(take_part(parsed, CURLUPART_URL));
	return true;
}

static bool read_url(struct remote *remote, const char *text)
{
	CURLU *parsed = curl_url();
	bool is_read = take_url(remote, parsed, text);
	curl_url_cleanup(parsed);
	return is_read;
}

/* ---- Who asks ---- */

/* The first line of a file, in place of what the secret was. */
static bool read_secret(
		const struct remote *remote, const char *what, const char *path, char **secret)
{
	char line[1024];
	FILE *file = fopen(path, "re");
	bool is_read = file != NULL && fgets(line, sizeof(line), file) != NULL;
	int fault = errno;
	bool is_empty = file != NULL && feof(file) != 0;
	if (file != NULL) {
		fclose(file);
	}
	if (!is_read) {
		cli_complain(remote->command, "no %s in %s: %s", what, path,
				is_empty ? "it is empty" : strerror(fault));
		return false;
	}
	line[strcspn(line, "\r\n")] = '\0';
	free(*secret);
	*secret = memory_copy_string(line);
	explicit_bzero(line, sizeof(line));
	return true;
}

static bool read_user(struct remote *remote, const struct remote_options *options)
{
	if (options->user != NULL) {
		const char *colon = strchr(options->user, ':');
		free(remote->user);
		remote->user = memory_copy_string(options->user);
		if (colon != NULL) {
			free(remote->password);
			remote->password = memory_copy_string(colon + 1);
			remote->user[colon - options->user] = '\0';
		}
	}
	if (options->password_file != NULL
			&& !read_secret(remote, "password", options->password_file, &remote->password)) {
		return false;
	}
	if (remote->password != NULL && remote->user == NULL) {
		cli_complain(remote->command, "a password without a user: give --user=NAME");
		return false;
	}
	return true;
}

static bool read_token(struct remote *remote, const struct remote_options *options)
{
	if (options->token_file == NULL) {
		return true;
	}
	if (remote->user != NULL) {
		cli_complain(remote->command, "a user or a token? --token-file goes without a user");
		return false;
	}
	if (!read_secret(remote, "token", options->token_file, &remote->token)) {
		return false;
	}
	if (remote->token[0] == '\0') {
		cli_complain(
				remote->command, "no token in %s: its first line is empty", options->token_file);
		return false;
	}
	return true;
}

/* ---- Life ---- */

static void set_options(struct remote *remote, const struct remote_options *options)
{
	CURL *curl = remote->curl;
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, remote->error);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "weir");
	if (remote->is_loopback) {
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
	} else {
		curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip");
	}
	if (options->cacert != NULL) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, options->cacert);
	}
	if (remote->user != NULL) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, remote->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, remote->password == NULL ? "" : remote->password);
	}
	if (remote->token != NULL) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, remote->token);
	}
}

bool remote_open(struct remote *remote, const char *command, const struct remote_options *options)
{
	static const char default_url[] = "http://localhost:9091";
	*remote = (struct remote){ .command = command };
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (!read_url(remote, options->url == NULL ? default_url : options->url)
			|| !read_user(remote, options) || !read_token(remote, options)) {
		remote_close(remote);
		return false;
	}
	remote->curl = curl_easy_init();
	if (remote->curl == NULL) {
		cli_complain(command, "libcurl cannot be used");
		remote_close(remote);
		return false;
	}
	set_options(remote, options);
	return true;
}

void remote_close(struct remote *remote)
{
	curl_easy_cleanup(remote->curl);
	free(remote->url);
	free(remote->user);
	free(remote->password);
	free(remote->token);
	curl_global_cleanup();
}

/* ---- Requests ---- */

struct receiver {
	struct remote *remote;
	remote_on_data *on_data; /* NULL: all goes into the text */
	void *data;
	struct buf *text;
};

static long status_of(const struct remote *remote)
{
	long status = 0;
	curl_easy_getinfo(remote->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
	struct receiver *receiver = data;
	struct slice piece = slice_make(bytes, size * count);
	if (receiver->on_data != NULL && status_of(receiver->remote) == 200) {
		return receiver->on_data(receiver->data, piece) ? piece.len : 0;
	}
	size_t room = receiver->text->len < TEXT_BYTES ? TEXT_BYTES - receiver->text->len : 0;
	buf_append(receiver->text, slice_first(piece, room));
	return piece.len;
}

static long perform(struct remote *remote, const char *path, struct receiver *receiver)
{
	CURL *curl = remote->curl;
	size_t bytes = strlen(remote->url) + strlen(path) + 1;
	char *url = memory_alloc(bytes);
	snprintf(url, bytes, "%s%s", remote->url, path);
	buf_reset(receiver->text, TEXT_BYTES);
	remote->error[0] = '\0';
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, receiver);
	CURLcode code = curl_easy_perform(curl);
	free(url);
	if (code != CURLE_OK && remote->error[0] == '\0') {
		snprintf(remote->error, sizeof(remote->error), "%s", curl_easy_strerror(code));
	}
	return code == CURLE_OK ? status_of(remote) : 0;
}

long remote_get(struct remote *remote, const char *path, remote_on_data *on_data, void *data,
		struct buf *text)
{
	struct receiver receiver = { remote, on_data, data, text };
	curl_easy_setopt(remote->curl, CURLOPT_HTTPGET, 1L);
	return perform(remote, path, &receiver);
}

long remote_post(struct remote *remote, const char *path, struct slice body, struct buf *text)
{
	struct receiver receiver = { remote, NULL, NULL, text };
	/* Without waiting for 100 Continue before each large body. */
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/x-ndjson");
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(remote->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(remote->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	curl_easy_setopt(remote->curl, CURLOPT_POSTFIELDS, body.ptr);
	curl_easy_setopt(remote->curl, CURLOPT_HTTPHEADER, headers);
	long status = perform(remote, path, &receiver);
	curl_easy_setopt(remote->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	return status;
}

/* ---- Faults ---- */

static const char *advice(long status)
{
	switch (status) {
	case 401:
		return ": user, password or token are missing or wrong, see --user, --password-file and "
			   "--token-file";
	case 404:
		return ": there is no weir at that URL, or it is an older one; an import needs one that "
			   "was started with --web.enable-admin-api";
	default:
		return "";
	}
}

void remote_complain(const struct remote *remote, const char *what, long status, struct slice text)
{
	enum { SHOWN_MAX = 200 };
	if (status == 0) {
		cli_complain(remote->command, "%s %s: %s", what, remote->url, remote->error);
		return;
	}
	struct slice line = text.len == 0 ? SLICE("") : slice_first(slice_take_line(&text), SHOWN_MAX);
	cli_complain(remote->command, "%s %s: status %ld%s%s" SLICE_FMT, what, remote->url, status,
			advice(status), line.len > 0 ? ": " : "", SLICE_ARG(line));
}
