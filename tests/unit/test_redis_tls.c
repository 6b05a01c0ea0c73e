/*
 * The client of Redis over TLS, with certificates that are good, or for others.
 */

#include "certificate.h"
#include "redis_driver.h"

static struct redis_process tls_server;
static char ca_path[PATH_BYTES];
static char other_ca_path[PATH_BYTES];
static char cert_path[PATH_BYTES];
static char key_path[PATH_BYTES];

static void put_file(char path[static PATH_BYTES], const char *name, const char *text)
{
	snprintf(path, PATH_BYTES, "%s/%s", tls_server.directory, name);
	FILE *file = fopen(path, "w");
	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
}

static void start_tls_server(void)
{
	static struct certificate ca;
	static struct certificate other_ca;
	static struct certificate cert;
	certificate_init(&ca, "ca", NULL, 100000, NULL);
	certificate_init(&other_ca, "other ca", NULL, 100000, NULL);
	certificate_init(&cert, "redis", "DNS:localhost,IP:127.0.0.1", 100000, &ca);
	redis_process_prepare(&tls_server);
	put_file(ca_path, "ca.pem", ca.cert_text);
	put_file(other_ca_path, "other_ca.pem", other_ca.cert_text);
	put_file(cert_path, "cert.pem", cert.cert_text);
	put_file(key_path, "key.pem", cert.key_text);
	certificate_finish(&ca);
	certificate_finish(&other_ca);
	certificate_finish(&cert);
	static char port[8];
	snprintf(port, sizeof(port), "%u", tls_server.port);
	const char *const more[] = { "--port", "0", "--tls-port", port, "--tls-ca-cert-file", ca_path,
		"--tls-cert-file", cert_path, "--tls-key-file", key_path, "--bind", "127.0.0.1",
		"127.0.0.2", NULL };
	memcpy(tls_server.more, more, sizeof(more));
	redis_process_run(&tls_server);
}

static void tls_client_init(struct client *client, const char *host)
{
	client_init(client);
	client_add(client, host, tls_server.port);
	client->options.tls = (struct redis_tls){
		.is_used = true,
		.ca_file = ca_path,
		.cert_file = cert_path,
		.key_file = key_path,
	};
}

static void check_tls(struct client *client, const char *wanted)
{
	client_open(client);
	CHECK_PART(ask(client, "PING"), wanted);
	client_close(client);
}

static void test_tls(void)
{
	struct client client;
	start_tls_server();
	tls_client_init(&client, "127.0.0.1");
	check_tls(&client, "PONG");
	tls_client_init(&client, "localhost");
	check_tls(&client, "PONG");
	tls_client_init(&client, "127.0.0.1");
	client_open(&client);
	check_large(&client);
	client_close(&client);

	tls_client_init(&client, "127.0.0.2");
	check_tls(&client, "IP address mismatch");
	tls_client_init(&client, "127.0.0.2");
	client.options.tls.is_unverified = true;
	check_tls(&client, "PONG");
	tls_client_init(&client, "127.0.0.1");
	client.options.tls.ca_file = other_ca_path;
	check_tls(&client, "self-signed certificate in certificate chain");
	tls_client_init(&client, "127.0.0.1");
	client.options.tls.ca_file = "";
	check_tls(&client, "self-signed certificate in certificate chain");

	tls_client_init(&client, "127.0.0.1");
	client.options.tls.cert_file = "";
	check_tls(&client, "certificate required");
	tls_client_init(&client, "127.0.0.1");
	client.options.tls.key_file = "/nonexistent/key";
	check_tls(&client, "/nonexistent/key: No such file or directory");
	tls_client_init(&client, "127.0.0.1");
	client.options.tls.is_used = false;
	check_tls(&client, "cannot use 127.0.0.1:");
	redis_process_stop(&tls_server);
}

static void test_tls_to_plain_server(void)
{
	struct client client;
	redis_process_start(&tls_server, NULL);
	client_init(&client);
	client_add(&client, "127.0.0.1", tls_server.port);
	client.options.tls.is_used = true;
	client.options.connect_ms = 300;
	check_tls(&client, "cannot use 127.0.0.1:");
	redis_process_stop(&tls_server);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	RUN(test_tls);
	RUN(test_tls_to_plain_server);
	return check_done();
}
