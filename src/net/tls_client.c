#include "net/tls_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "net/tls_pem.h"

static struct slice slice_of_asn1(const ASN1_STRING *string)
{
	return slice_make(
			(const char *)ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

/* Both kinds of address as one: IPv4 is mapped into IPv6. */
static bool read_ip(const char *text, struct in6_addr *ret_ip)
{
	struct in_addr v4;
	if (inet_pton(AF_INET, text, &v4) != 1) {
		return inet_pton(AF_INET6, text, ret_ip) == 1;
	}
	*ret_ip = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	memcpy(&ret_ip->s6_addr[12], &v4, sizeof(v4));
	return true;
}

static bool is_ip(struct slice bytes, const char *text)
{
	struct in6_addr ip;
	if (!read_ip(text, &ip)) {
		return false;
	}
	struct slice all = slice_make((const char *)ip.s6_addr, sizeof(ip.s6_addr));
	return slice_equal(bytes, all)
			|| (bytes.len == 4 && IN6_IS_ADDR_V4MAPPED(&ip)
					&& slice_equal(bytes, slice_skip(all, 12)));
}

static bool is_name(const GENERAL_NAME *san, const char *text)
{
	int type;
	const void *value = GENERAL_NAME_get0_value(san, &type);
	if (type == GEN_IPADD) {
		return is_ip(slice_of_asn1(value), text);
	}
	return (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI)
			&& slice_equal(slice_of_asn1(value), slice_of_string(text));
}

static bool is_any_of(const GENERAL_NAME *san, const struct tls_names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		if (is_name(san, names->items[i])) {
			return true;
		}
	}
	return false;
}

bool tls_client_has_name(const struct x509_st *cert, const struct tls_names *names)
{
	GENERAL_NAMES *sans = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	bool found = false;
	for (int i = 0; i < sk_GENERAL_NAME_num(sans) && !found; i++) {
		found = is_any_of(sk_GENERAL_NAME_value(sans, i), names);
	}
	GENERAL_NAMES_free(sans);
	return found;
}

/* In place of libssl's own verdict on the certificate of a client. */
static int on_verify(X509_STORE_CTX *store, void *data)
{
	const struct tls_context *context = data;
	if (context->verifies && X509_verify_cert(store) != 1) {
		return 0;
	}
	X509_STORE_CTX_set_error(store, X509_V_OK);
	const struct tls_names *names = &context->allowed_sans;
	if (names->count > 0 && !tls_client_has_name(X509_STORE_CTX_get0_cert(store), names)) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
		return 0;
	}
	return 1;
}

static bool set_trust(
		struct tls_context *context, const struct tls_options *options, struct buf *errors)
{
	if (options->client_ca.name != NULL) {
		/* Go trusts whatever is in the file, a CA in the middle, too. */
		X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context->ctx), X509_V_FLAG_PARTIAL_CHAIN);
		return tls_pem_use_client_ca(context->ctx, &options->client_ca, errors);
	}
	if (context->verifies && SSL_CTX_set_default_verify_paths(context->ctx) != 1) {
		buf_printf(errors, "cannot read the CAs that the system trusts: %s\n", tls_pem_reason());
		return false;
	}
	return true;
}

bool tls_client_set_up(
		struct tls_context *context, const struct tls_options *options, struct buf *errors)
{
	enum tls_client_auth auth = options->client_auth;
	if (auth == TLS_CLIENT_AUTH_NONE) {
		SSL_CTX_set_verify(context->ctx, SSL_VERIFY_NONE, NULL);
		return true;
	}
	bool is_required =
			auth == TLS_CLIENT_AUTH_REQUIRE_ANY || auth == TLS_CLIENT_AUTH_REQUIRE_VERIFIED;
	context->verifies =
			auth == TLS_CLIENT_AUTH_VERIFY_IF_GIVEN || auth == TLS_CLIENT_AUTH_REQUIRE_VERIFIED;
	SSL_CTX_set_verify(context->ctx,
			SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
	SSL_CTX_set_cert_verify_callback(context->ctx, on_verify, context);
	/* Whoever comes again is judged again: nothing is resumed. */
	SSL_CTX_set_options(context->ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(context->ctx, 0);
	return set_trust(context, options, errors);
}
