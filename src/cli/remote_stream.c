#include "cli/remote_stream.h"

#include <stdio.h>

enum {
	POLL_MS = 1000,
	KEPT_BYTES = 1024 * 1024,
};

static size_t on_bytes(char *bytes, size_t size, size_t count, void *data)
{
	struct remote_stream *stream = data;
	buf_append(&stream->arrived, slice_make(bytes, size * count));
	return size * count;
}

static void look_for_end(struct remote_stream *stream)
{
	int left;
	CURLMsg *message;
	while ((message = curl_multi_info_read(stream->multi, &left)) != NULL) {
		if (message->msg == CURLMSG_DONE) {
			stream->is_done = true;
			stream->result = message->data.result;
		}
	}
}

/* Until something has come of the body, or all. */
static void wait_for_bytes(struct remote_stream *stream)
{
	int running;
	while (!stream->is_done && stream->arrived.len == 0) {
		CURLMcode status = curl_multi_perform(stream->multi, &running);
		look_for_end(stream);
		if (status == CURLM_OK && !stream->is_done && stream->arrived.len == 0) {
			status = curl_multi_poll(stream->multi, NULL, 0, POLL_MS, NULL);
		}
		if (status != CURLM_OK) {
			stream->is_done = true;
			stream->result = CURLE_FAILED_INIT;
		}
	}
	struct remote *remote = stream->remote;
	if (stream->result != CURLE_OK && remote->error[0] == '\0') {
		snprintf(remote->error, sizeof(remote->error), "%s", curl_easy_strerror(stream->result));
	}
}

long remote_stream_open(struct remote_stream *stream, struct remote *remote, const char *path)
{
	long status = 0;
	struct buf url;
	*stream = (struct remote_stream){ .remote = remote, .multi = curl_multi_init() };
	buf_init(&stream->arrived, 0);
	buf_init(&url, 0);
	buf_append_string(&url, remote->url);
	buf_append(&url, slice_make(path, strlen(path) + 1));
	remote->error[0] = '\0';
	curl_easy_setopt(remote->curl, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(remote->curl, CURLOPT_URL, url.ptr);
	curl_easy_setopt(remote->curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(remote->curl, CURLOPT_WRITEDATA, stream);
	curl_multi_add_handle(stream->multi, remote->curl);
	buf_finish(&url);
	wait_for_bytes(stream);
	if (stream->result == CURLE_OK || stream->arrived.len > 0) {
		curl_easy_getinfo(remote->curl, CURLINFO_RESPONSE_CODE, &status);
	}
	return status;
}

void remote_stream_close(struct remote_stream *stream)
{
	curl_multi_remove_handle(stream->multi, stream->remote->curl);
	curl_multi_cleanup(stream->multi);
	buf_finish(&stream->arrived);
}

bool remote_stream_read(struct remote_stream *stream, struct slice *ret_bytes)
{
	if (stream->is_taken) {
		buf_reset(&stream->arrived, KEPT_BYTES);
	}
	stream->is_taken = true;
	wait_for_bytes(stream);
	*ret_bytes = buf_slice(&stream->arrived);
	return stream->arrived.len > 0 || stream->result == CURLE_OK;
}
