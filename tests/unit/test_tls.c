/*
 * TLS from bytes to bytes: libssl's client on the other side, no socket between.
 */

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "certificate.h"
#include "check.h"
#include "net/tls.h"
#include "net/tls_client.h"
#include "net/tls_conn.h"

#define REQUEST "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\n\r\n"

enum { DAY_SECONDS = 86400 };

static struct certificate ca;
static struct certificate other_ca;
static struct certificate server_cert;
static struct certificate client_cert;
static struct certificate expired_cert;
static struct certificate foreign_cert;

/* A client with its bytes in memory, and the server it talks to. */
struct pair {
	SSL_CTX *ctx;
	SSL *client;
	BIO *to_client;
	BIO *from_client;
	struct tls_conn *server;
	char in[HTTP_INPUT_BYTES]; /* plaintext that the server got */
	size_t in_len;
	char out[HTTP_INPUT_BYTES]; /* and the client */
	size_t out_len;
	bool client_ended; /* it was told that there is no more */
};

static struct tls_options options_make(void)
{
	return (struct tls_options){
		.cert = { "cert.pem", slice_of_string(server_cert.cert_text) },
		.key = { "key.pem", slice_of_string(server_cert.key_text) },
		.client_ca = { "ca.pem", slice_of_string(ca.cert_text) },
		.min_version = TLS_VERSION_1_2,
		.max_version = TLS_VERSION_1_3,
	};
}

static struct tls_context *context_make(const struct tls_options *options)
{
	struct buf errors;
	buf_init(&errors, 0);
	struct tls_context *context = tls_context_create(options, &errors);
	CHECK_STRING(buf_slice(&errors), "");
	buf_finish(&errors);
	return context;
}

static void pair_init(struct pair *pair, const struct tls_options *options, int version)
{
	struct tls_context *context = context_make(options);
	pair->server = tls_conn_create(context);
	tls_context_unref(context);
	pair->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(pair->ctx, 0);
	SSL_CTX_set_min_proto_version(pair->ctx, version);
	SSL_CTX_set_max_proto_version(pair->ctx, version);
	pair->client = SSL_new(pair->ctx);
	pair->to_client = BIO_new(BIO_s_mem());
	pair->from_client = BIO_new(BIO_s_mem());
	SSL_set_bio(pair->client, pair->to_client, pair->from_client);
	SSL_set_connect_state(pair->client);
	pair->in_len = 0;
	pair->out_len = 0;
	pair->client_ended = false;
}

static void pair_finish(struct pair *pair)
{
	SSL_free(pair->client);
	SSL_CTX_free(pair->ctx);
	tls_conn_destroy(pair->server);
	ERR_clear_error();
}

static void feed(struct pair *pair, const char *bytes, size_t len)
{
	static char plaintext[HTTP_INPUT_BYTES];
	size_t count = tls_conn_feed(pair->server, slice_make(bytes, len), plaintext);
	CHECK(pair->in_len + count <= sizeof(pair->in));
	memcpy(pair->in + pair->in_len, plaintext, count);
	pair->in_len += count;
}

/* What the server has to say, in pieces of that many bytes at most. */
static bool deliver(struct pair *pair, size_t piece)
{
	bool any = false;
	while (tls_conn_has_output(pair->server)) {
		struct slice part = slice_first(tls_conn_output(pair->server), piece);
		BIO_write(pair->to_client, part.ptr, (int)part.len);
		tls_conn_sent(pair->server, part.len);
		any = true;
	}
	return any;
}

static void client_reads(struct pair *pair)
{
	int count;
	ERR_clear_error();
	SSL_do_handshake(pair->client);
	while ((count = SSL_read(pair->client, pair->out + pair->out_len,
					(int)(sizeof(pair->out) - pair->out_len)))
			> 0) {
		pair->out_len += (size_t)count;
	}
	pair->client_ended |= SSL_get_error(pair->client, count) == SSL_ERROR_ZERO_RETURN;
}

/* Until nobody has anything to say. `left`: bytes of the client's up to a pause. */
static void talk(struct pair *pair, size_t piece, size_t *left)
{
	static char bytes[TLS_INPUT_BYTES];
	bool any = true;
	while (any) {
		client_reads(pair);
		any = false;
		size_t wanted = *left != 0 && *left < piece ? *left : piece;
		int len;
		while ((len = BIO_read(pair->from_client, bytes, (int)wanted)) > 0) {
			feed(pair, bytes, (size_t)len);
			*left -= *left < (size_t)len ? *left : (size_t)len;
			wanted = *left != 0 && *left < piece ? *left : piece;
			any = true;
		}
		any |= deliver(pair, piece);
	}
}

static void talk_freely(struct pair *pair)
{
	size_t left = 0;
	talk(pair, TLS_INPUT_BYTES, &left);
}

/*
 * A request and its answer; the client's bytes split there, all others in
 * pieces. False when the client has not sent as much.
 */
static bool converse(int version, size_t split, size_t piece)
{
	static struct pair pair;
	struct tls_options options = options_make();
	pair_init(&pair, &options, version);
	size_t left = split;
	talk(&pair, piece, &left);
	SSL_write(pair.client, REQUEST, sizeof(REQUEST) - 1);
	talk(&pair, piece, &left);
	CHECK_STRING(slice_make(pair.in, pair.in_len), REQUEST);
	CHECK_INT(pair.server->state, TLS_OPEN);
	tls_conn_write(pair.server, SLICE(ANSWER));
	talk(&pair, piece, &left);
	CHECK_STRING(slice_make(pair.out, pair.out_len), ANSWER);
	CHECK_INT(SSL_version(pair.client), version);
	SSL_shutdown(pair.client);
	talk(&pair, piece, &left);
	CHECK_INT(pair.server->state, TLS_ENDED);
	CHECK(!pair.client_ended);
	tls_conn_shut(pair.server);
	tls_conn_shut(pair.server);
	talk(&pair, piece, &left);
	CHECK(pair.client_ended);
	CHECK_INT(tls_conn_output(pair.server).len, 0);
	CHECK_INT(pair.server->result, TLS_RESULT_OK);
	pair_finish(&pair);
	return left == 0;
}

static void test_every_split(void)
{
	size_t split = 1;
	while (converse(TLS1_3_VERSION, split, TLS_INPUT_BYTES)) {
		split++;
	}
	CHECK(split > 300);
	split = 1;
	while (converse(TLS1_2_VERSION, split, TLS_INPUT_BYTES)) {
		split++;
	}
	CHECK(split > 300);
	for (size_t piece = 1; piece < 40; piece++) {
		converse(TLS1_3_VERSION, 0, piece);
		converse(TLS1_2_VERSION, 0, piece);
	}
}

/* Records of full size fill an input without a rest, both ways. */
static void test_large(void)
{
	static struct pair pair;
	static char large[TLS_INPUT_BYTES];
	struct tls_options options = options_make();
	pair_init(&pair, &options, TLS1_3_VERSION);
	talk_freely(&pair);
	memset(large, 'x', sizeof(large));
	SSL_write(pair.client, large, 200000);
	talk_freely(&pair);
	CHECK_SLICE(slice_make(pair.in, pair.in_len), slice_make(large, 200000));
	for (size_t sent = 0; sent < 3 * TLS_BATCH_BYTES; sent += TLS_BATCH_BYTES) {
		tls_conn_write(pair.server, slice_make(large, TLS_BATCH_BYTES));
		CHECK(tls_conn_is_writing(pair.server));
		size_t sealed = tls_conn_output(pair.server).len;
		CHECK(sealed > TLS_BATCH_BYTES && sealed < TLS_BATCH_BYTES + 1024);
		CHECK_INT(tls_conn_sent(pair.server, 0), 0);
		struct slice first = slice_first(tls_conn_output(pair.server), sealed - 1);
		BIO_write(pair.to_client, first.ptr, (int)first.len);
		CHECK_INT(tls_conn_sent(pair.server, first.len), 0);
		struct slice last = tls_conn_output(pair.server);
		CHECK_INT(last.len, 1);
		BIO_write(pair.to_client, last.ptr, (int)last.len);
		CHECK_INT(tls_conn_sent(pair.server, last.len), TLS_BATCH_BYTES);
		CHECK(!tls_conn_is_writing(pair.server));
		client_reads(&pair);
	}
	CHECK_SLICE(slice_make(pair.out, pair.out_len), slice_make(large, 3 * TLS_BATCH_BYTES));
	pair_finish(&pair);
}

/* What is being sent stays in place when TLS has something to say meanwhile. */
static void test_output_stays(void)
{
	static struct pair pair;
	struct tls_options options = options_make();
	pair_init(&pair, &options, TLS1_3_VERSION);
	talk_freely(&pair);
	tls_conn_write(pair.server, SLICE(ANSWER));
	struct slice taken = tls_conn_output(pair.server);
	char *copy = malloc(taken.len);
	memcpy(copy, taken.ptr, taken.len);
	SSL_key_update(pair.client, SSL_KEY_UPDATE_REQUESTED);
	SSL_write(pair.client, REQUEST, sizeof(REQUEST) - 1);
	char bytes[1000];
	feed(&pair, bytes, (size_t)BIO_read(pair.from_client, bytes, sizeof(bytes)));
	tls_conn_write(pair.server, SLICE(ANSWER));
	CHECK_SLICE(tls_conn_output(pair.server), slice_make(copy, taken.len));
	free(copy);
	talk_freely(&pair);
	CHECK_STRING(slice_make(pair.out, pair.out_len), ANSWER ANSWER);
	CHECK_STRING(slice_make(pair.in, pair.in_len), REQUEST);
	pair_finish(&pair);
}

/* Without close_notify the client takes what it got for cut. */
static void test_cut_is_told_from_end(void)
{
	static struct pair pair;
	struct tls_options options = options_make();
	pair_init(&pair, &options, TLS1_2_VERSION);
	talk_freely(&pair);
	tls_conn_write(pair.server, SLICE(ANSWER));
	talk_freely(&pair);
	BIO_set_mem_eof_return(pair.to_client, 0);
	client_reads(&pair);
	CHECK(!pair.client_ended);
	pair_finish(&pair);
}

static void test_records_that_were_changed(void)
{
	static struct pair pair;
	struct tls_options options = options_make();
	pair_init(&pair, &options, TLS1_3_VERSION);
	talk_freely(&pair);
	SSL_write(pair.client, REQUEST, sizeof(REQUEST) - 1);
	char bytes[1000];
	int len = BIO_read(pair.from_client, bytes, sizeof(bytes));
	bytes[len - 1] ^= 1;
	feed(&pair, bytes, (size_t)len);
	CHECK_INT(pair.server->state, TLS_FAILED);
	CHECK_INT(pair.in_len, 0);
	CHECK(tls_conn_has_output(pair.server)); /* an alert */
	feed(&pair, bytes, (size_t)len);
	tls_conn_write(pair.server, SLICE(ANSWER));
	tls_conn_shut(pair.server);
	talk_freely(&pair);
	CHECK_INT(pair.out_len, 0);
	pair_finish(&pair);
}

/* ---- Plain HTTP and other strangers ---- */

static void test_plain_http(void)
{
	static const char *const requests[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"HEAD / HTTP/1.1\r\n\r\n",
		"PUT /metrics/job/j HTTP/1.1\r\n\r\n",
		"POST /metrics/job/j HTTP/1.1\r\n\r\n",
		"DELETE / HTTP/1.1\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\n\r\n",
		"PATCH / HTTP/1.1\r\n\r\n",
	};
	static const char answer[] = "HTTP/1.0 400 Bad Request\r\n\r\n"
								 "Client sent an HTTP request to an HTTPS server.\n";
	static struct pair pair;
	struct tls_options options = options_make();
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		size_t len = strlen(requests[i]);
		for (size_t split = 0; split < len; split++) {
			pair_init(&pair, &options, TLS1_3_VERSION);
			feed(&pair, requests[i], split);
			feed(&pair, requests[i] + split, len - split);
			CHECK_STRING(tls_conn_output(pair.server), answer);
			CHECK_INT(pair.server->state, TLS_FAILED);
			CHECK_INT(pair.server->result, TLS_RESULT_HTTP);
			CHECK_INT(pair.in_len, 0);
			pair_finish(&pair);
		}
	}
}

static void test_strangers(void)
{
	static const char *const greetings[] = {
		"SSH-2.0-OpenSSH_9.2p1\r\n",
		"\x16\x03\x01\xff\xff\x01\x00\xff\xff\x03\x03 and so on",
		"\x80\x2e\x01\x01\x02 of SSL 2, and so on, and so on, and so on, and so on",
		"\r\n\r\n\r\n\r\n",
	};
	static struct pair pair;
	struct tls_options options = options_make();
	for (size_t i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++) {
		pair_init(&pair, &options, TLS1_3_VERSION);
		feed(&pair, greetings[i], strlen(greetings[i]));
		CHECK_INT(pair.server->state, TLS_FAILED);
		CHECK_INT(pair.server->result, TLS_RESULT_PROTOCOL);
		CHECK(pair.server->error != NULL);
		pair_finish(&pair);
	}
}

/* ---- What both can agree on ---- */

static enum tls_result shake(const struct tls_options *options, int version, const char *ciphers)
{
	static struct pair pair;
	pair_init(&pair, options, version);
	if (ciphers != NULL) {
		SSL_set_cipher_list(pair.client, ciphers);
	}
	talk_freely(&pair);
	enum tls_result result = pair.server->result;
	CHECK_INT(pair.server->state, result == TLS_RESULT_OK ? TLS_OPEN : TLS_FAILED);
	pair_finish(&pair);
	return result;
}

static void test_versions(void)
{
	static const int versions[] = { TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION };
	for (int min = TLS_VERSION_1_0; min <= TLS_VERSION_1_3; min++) {
		for (int max = min; max <= TLS_VERSION_1_3; max++) {
			for (int i = 0; i < 4; i++) {
				struct tls_options options = options_make();
				options.min_version = (enum tls_version)min;
				options.max_version = (enum tls_version)max;
				enum tls_result result = shake(&options, versions[i], NULL);
				CHECK_INT(result, i >= min && i <= max ? TLS_RESULT_OK : TLS_RESULT_VERSION);
			}
		}
	}
}

static void test_ciphers(void)
{
	struct tls_options options = options_make();
	CHECK_INT(shake(&options, TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA"), TLS_RESULT_OK);
	CHECK_INT(shake(&options, TLS1_2_VERSION, "ECDHE-ECDSA-ARIA128-GCM-SHA256"), TLS_RESULT_CIPHER);
	options.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
	CHECK_INT(shake(&options, TLS1_2_VERSION, NULL), TLS_RESULT_OK);
	CHECK_INT(shake(&options, TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA"), TLS_RESULT_CIPHER);
	CHECK_INT(shake(&options, TLS1_3_VERSION, NULL), TLS_RESULT_OK);
	options.ciphers = "";
	CHECK_INT(shake(&options, TLS1_2_VERSION, NULL), TLS_RESULT_VERSION);
	CHECK_INT(shake(&options, TLS1_3_VERSION, NULL), TLS_RESULT_OK);
}

static const char *agreed_cipher(bool prefers_server)
{
	static struct pair pair;
	struct tls_options options = options_make();
	options.prefers_server_ciphers = prefers_server;
	pair_init(&pair, &options, TLS1_2_VERSION);
	SSL_set_cipher_list(pair.client, "ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-GCM-SHA256");
	talk_freely(&pair);
	const char *name = SSL_get_cipher_name(pair.client);
	pair_finish(&pair);
	return name;
}

static void test_preference(void)
{
	CHECK_STRING(slice_of_string(agreed_cipher(true)), "ECDHE-ECDSA-AES128-GCM-SHA256");
	CHECK_STRING(slice_of_string(agreed_cipher(false)), "ECDHE-ECDSA-AES256-SHA");
}

static void test_curves(void)
{
	static struct pair pair;
	static char both[] = "X25519:P-521";
	static char one[] = "X25519";
	struct tls_options options = options_make();
	options.curves = "P-521";
	pair_init(&pair, &options, TLS1_3_VERSION);
	SSL_set1_groups_list(pair.client, both);
	talk_freely(&pair);
	CHECK_INT(SSL_get_negotiated_group(pair.client), NID_secp521r1);
	pair_finish(&pair);
	pair_init(&pair, &options, TLS1_3_VERSION);
	SSL_set1_groups_list(pair.client, one);
	talk_freely(&pair);
	CHECK_INT(pair.server->result, TLS_RESULT_CIPHER);
	pair_finish(&pair);
}

static void check_alpn(const char *offered, const char *agreed)
{
	static struct pair pair;
	struct tls_options options = options_make();
	pair_init(&pair, &options, TLS1_3_VERSION);
	SSL_set_alpn_protos(pair.client, (const unsigned char *)offered, (unsigned)strlen(offered));
	talk_freely(&pair);
	const unsigned char *name;
	unsigned len;
	SSL_get0_alpn_selected(pair.client, &name, &len);
	CHECK_STRING(slice_make((const char *)name, len), agreed);
	CHECK_INT(pair.server->result, agreed[0] != '\0' ? TLS_RESULT_OK : TLS_RESULT_ALPN);
	pair_finish(&pair);
}

static void test_alpn(void)
{
	check_alpn("\x02h2\x08http/1.1", "http/1.1");
	check_alpn("\x08http/1.1\x02h2", "http/1.1");
	check_alpn("\x08http/1.0", "http/1.0");
	check_alpn("\x02h2", "");
	check_alpn("\x02h3\x02h2", "");
}

/* ---- Clients' certificates ---- */

static enum tls_result shake_with(const struct tls_options *options,
		const struct certificate *certificate, int version, bool *ret_resumable)
{
	static struct pair pair;
	pair_init(&pair, options, version);
	if (certificate != NULL) {
		SSL_use_certificate(pair.client, certificate->x509);
		SSL_use_PrivateKey(pair.client, certificate->key);
	}
	talk_freely(&pair);
	enum tls_result result = pair.server->result;
	*ret_resumable = SSL_SESSION_is_resumable(SSL_get0_session(pair.client));
	pair_finish(&pair);
	return result;
}

static void test_client_auth(void)
{
	static const struct {
		enum tls_client_auth auth;
		enum tls_result none;
		enum tls_result good;
		enum tls_result bad; /* of another CA, or expired */
	} tests[] = {
		{ TLS_CLIENT_AUTH_NONE, TLS_RESULT_OK, TLS_RESULT_OK, TLS_RESULT_OK },
		{ TLS_CLIENT_AUTH_REQUEST, TLS_RESULT_OK, TLS_RESULT_OK, TLS_RESULT_OK },
		{ TLS_CLIENT_AUTH_REQUIRE_ANY, TLS_RESULT_CLIENT_MISSING, TLS_RESULT_OK, TLS_RESULT_OK },
		{ TLS_CLIENT_AUTH_VERIFY_IF_GIVEN, TLS_RESULT_OK, TLS_RESULT_OK,
				TLS_RESULT_CLIENT_INVALID },
		{ TLS_CLIENT_AUTH_REQUIRE_VERIFIED, TLS_RESULT_CLIENT_MISSING, TLS_RESULT_OK,
				TLS_RESULT_CLIENT_INVALID },
	};
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	for (size_t i = 0; i < 2 * sizeof(tests) / sizeof(tests[0]); i++) {
		int version = versions[i % 2];
		bool is_resumable;
		struct tls_options options = options_make();
		options.client_auth = tests[i / 2].auth;
		CHECK_INT(shake_with(&options, NULL, version, &is_resumable), tests[i / 2].none);
		CHECK_INT(shake_with(&options, &client_cert, version, &is_resumable), tests[i / 2].good);
		CHECK_INT(is_resumable, options.client_auth == TLS_CLIENT_AUTH_NONE);
		CHECK_INT(shake_with(&options, &expired_cert, version, &is_resumable), tests[i / 2].bad);
		CHECK_INT(shake_with(&options, &foreign_cert, version, &is_resumable), tests[i / 2].bad);
	}
}

static void test_allowed_names(void)
{
	static const struct {
		const char *name;
		bool is_had;
	} tests[] = {
		{ "client.example", true },
		{ "*.wild.example", true },
		{ "ops@client.example", true },
		{ "spiffe://cluster/ns/a", true },
		{ "192.0.2.7", true },
		{ "::ffff:192.0.2.7", true },
		{ "2001:db8::1", true },
		{ "2001:db8:0:0::1", true },
		{ "client.example.", false },
		{ "Client.example", false },
		{ "a.wild.example", false },
		{ "client", false }, /* its common name is none of its SANs */
		{ "spiffe://cluster/ns/", false },
		{ "192.0.2.8", false },
		{ "2001:db8::2", false },
		{ "", false },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		char name[100];
		snprintf(name, sizeof(name), "%s", tests[i].name);
		char *items[] = { name };
		struct tls_names names = { items, 1 };
		CHECK_INT(tls_client_has_name(client_cert.x509, &names), tests[i].is_had);
		CHECK(!tls_client_has_name(ca.x509, &names));
	}
}

static void test_allowed_clients(void)
{
	static const char *const right[] = { "nobody", "client.example" };
	static const char *const wrong[] = { "nobody", "server.example" };
	bool is_resumable;
	for (int auth = TLS_CLIENT_AUTH_REQUIRE_ANY; auth <= TLS_CLIENT_AUTH_REQUIRE_VERIFIED; auth++) {
		struct tls_options options = options_make();
		options.client_auth = (enum tls_client_auth)auth;
		options.allowed_sans = right;
		options.allowed_san_count = 2;
		CHECK_INT(shake_with(&options, &client_cert, TLS1_3_VERSION, &is_resumable), TLS_RESULT_OK);
		options.allowed_sans = wrong;
		CHECK_INT(shake_with(&options, &client_cert, TLS1_3_VERSION, &is_resumable),
				TLS_RESULT_CLIENT_NAME);
	}
}

/* ---- Contexts ---- */

static void check_refused(const struct tls_options *options, const char *wanted)
{
	struct buf errors;
	buf_init(&errors, 0);
	CHECK(tls_context_create(options, &errors) == NULL);
	struct slice got = buf_slice(&errors);
	CHECK(slice_ends_with(got, SLICE("\n")));
	CHECK_STRING(slice_first(got, strlen(wanted)), wanted);
	buf_finish(&errors);
}

static void test_broken_files(void)
{
	struct tls_options good = options_make();
	struct tls_options bad = good;
	bad.cert.text = SLICE("");
	check_refused(&bad, "cert.pem: there is no certificate in it");
	bad.cert.text = good.key.text;
	check_refused(&bad, "cert.pem: there is no certificate in it");
	bad.cert.text = slice_first(good.cert.text, good.cert.text.len - 30);
	check_refused(&bad, "cert.pem: broken certificate: ");
	bad = good;
	bad.key.text = good.cert.text;
	check_refused(&bad, "key.pem: there is no private key in it");
	bad.key.text = slice_first(good.key.text, good.key.text.len - 30);
	check_refused(&bad, "key.pem: broken private key: ");
	bad.key.text = slice_of_string(client_cert.key_text);
	check_refused(&bad, "key.pem: the key does not belong to the certificate of cert.pem");
	bad = good;
	bad.client_auth = TLS_CLIENT_AUTH_REQUIRE_VERIFIED;
	bad.client_ca.text = SLICE("nothing");
	check_refused(&bad, "ca.pem: there is no certificate in it");
	bad = good;
	bad.ciphers = "";
	bad.max_version = TLS_VERSION_1_2;
	check_refused(&bad, "cipher_suites has none for TLS below 1.3");
	bad.ciphers = "none-of-these";
	check_refused(&bad, "cipher_suites cannot be used: ");
	bad = good;
	bad.curves = "P-1";
	check_refused(&bad, "curve_preferences cannot be used: ");
}

/* One file may hold all, with words between, as some write it. */
static void test_files_with_more_in_them(void)
{
	static const char parameters[] = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
									 "-----END EC PARAMETERS-----\n";
	static char all[4 * PEM_BYTES];
	int len = snprintf(all, sizeof(all), "Key of the server\r\n%s%sIts certificate\n%s%s\n",
			parameters, server_cert.key_text, server_cert.cert_text, ca.cert_text);
	struct tls_options options = options_make();
	options.cert.text = slice_make(all, (size_t)len);
	options.key.text = options.cert.text;
	CHECK_INT(shake(&options, TLS1_3_VERSION, NULL), TLS_RESULT_OK);
	len = snprintf(
			all, sizeof(all), "%s%s%s", server_cert.cert_text, ca.cert_text, server_cert.key_text);
	options.cert.text = slice_make(all, (size_t)len);
	options.key.text = options.cert.text;
	CHECK_INT(shake(&options, TLS1_3_VERSION, NULL), TLS_RESULT_OK);
}

/* A certificate for servers is none for clients. */
static void test_purpose_of_a_client(void)
{
	static struct certificate misused;
	bool is_resumable;
	struct tls_options options = options_make();
	options.client_auth = TLS_CLIENT_AUTH_REQUIRE_VERIFIED;
	certificate_init(&misused, "misused", "DNS:client.example", DAY_SECONDS, &ca);
	X509_EXTENSION *usage = X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "serverAuth");
	X509_add_ext(misused.x509, usage, -1);
	X509_EXTENSION_free(usage);
	X509_sign(misused.x509, ca.key, EVP_sha256());
	CHECK_INT(shake_with(&options, &misused, TLS1_3_VERSION, &is_resumable),
			TLS_RESULT_CLIENT_INVALID);
	certificate_finish(&misused);
}

/* As Go has it, what is in the file is trusted, be it a CA or a certificate alone. */
static void test_trust_without_a_root(void)
{
	bool is_resumable;
	struct tls_options options = options_make();
	options.client_auth = TLS_CLIENT_AUTH_REQUIRE_VERIFIED;
	options.client_ca.text = slice_of_string(client_cert.cert_text);
	CHECK_INT(shake_with(&options, &client_cert, TLS1_3_VERSION, &is_resumable), TLS_RESULT_OK);
	CHECK_INT(shake_with(&options, &foreign_cert, TLS1_3_VERSION, &is_resumable),
			TLS_RESULT_CLIENT_INVALID);
}

static void test_encrypted_key(void)
{
	static char text[PEM_BYTES];
	static char password[] = "secret";
	struct tls_options bad = options_make();
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, server_cert.key, EVP_aes_128_cbc(), NULL, 0, NULL, password);
	bio_to_text(bio, text);
	bad.key.text = slice_of_string(text);
	check_refused(&bad, "key.pem: the key is encrypted");
}

/* A connection keeps the context that it began with. */
static void test_exchanged_context(void)
{
	struct tls_server server;
	struct tls_options options = options_make();
	tls_server_init(&server);
	tls_server_use(&server, context_make(&options));
	struct tls_context *first = server.context;
	CHECK(first->not_after_seconds - first->not_before_seconds > DAY_SECONDS);
	struct tls_conn *conn = tls_conn_create(first);
	tls_server_use(&server, context_make(&options));
	CHECK(server.context != first);
	CHECK(conn->context == first);
	CHECK_INT(first->refs, 1);
	tls_conn_destroy(conn);
	tls_server_finish(&server);
}

int main(void)
{
	certificate_init(&ca, "ca", NULL, DAY_SECONDS, NULL);
	certificate_init(&other_ca, "other ca", NULL, DAY_SECONDS, NULL);
	certificate_init(&server_cert, "server", "DNS:server.example", DAY_SECONDS, &ca);
	certificate_init(&client_cert, "client",
			"DNS:client.example,DNS:*.wild.example,email:ops@client.example,IP:192.0.2.7,"
			"IP:2001:db8::1,URI:spiffe://cluster/ns/a",
			DAY_SECONDS, &ca);
	certificate_init(&expired_cert, "expired", "DNS:client.example", -10, &ca);
	certificate_init(&foreign_cert, "foreign", "DNS:client.example", DAY_SECONDS, &other_ca);
	RUN(test_every_split);
	RUN(test_large);
	RUN(test_output_stays);
	RUN(test_cut_is_told_from_end);
	RUN(test_records_that_were_changed);
	RUN(test_plain_http);
	RUN(test_strangers);
	RUN(test_versions);
	RUN(test_ciphers);
	RUN(test_preference);
	RUN(test_curves);
	RUN(test_alpn);
	RUN(test_client_auth);
	RUN(test_allowed_names);
	RUN(test_allowed_clients);
	RUN(test_broken_files);
	RUN(test_files_with_more_in_them);
	RUN(test_purpose_of_a_client);
	RUN(test_trust_without_a_root);
	RUN(test_encrypted_key);
	RUN(test_exchanged_context);
	certificate_finish(&ca);
	certificate_finish(&other_ca);
	certificate_finish(&server_cert);
	certificate_finish(&client_cert);
	certificate_finish(&expired_cert);
	certificate_finish(&foreign_cert);
	return check_done();
}
