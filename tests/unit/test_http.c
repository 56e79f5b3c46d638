#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/heartbeat.h"
#include "http/address.h"
#include "http/certificate.h"
#include "http/client.h"
#include "http/guard.h"
#include "pki.h"
#include "tls_server.h"

/* ---- addresses ----------------------------------------------------------------------------- */

static const struct {
	const char *address;
	const char *what;  /* NULL: allowed by default */
	const char *allow; /* a setting that allows it */
	const char *still; /* a setting that does not */
} addresses[] = {
	{ "1.1.1.1", NULL, NULL, NULL },
	{ "172.15.255.255", NULL, NULL, NULL },
	{ "172.32.0.0", NULL, NULL, NULL },
	{ "100.63.255.255", NULL, NULL, NULL },
	{ "100.128.0.0", NULL, NULL, NULL },
	{ "223.255.255.255", NULL, NULL, NULL },
	{ "2606:4700::1111", NULL, NULL, NULL },
	{ "::ffff:1.1.1.1", NULL, NULL, NULL },
	{ "64:ff9b::1.1.1.1", NULL, NULL, NULL },
	{ "2002:101:101::1", NULL, NULL, NULL },
	{ "127.0.0.1", "loopback", "127.0.0.1/32", "127.0.0.2/32" },
	{ "127.255.255.254", "loopback", "127.0.0.0/8", "127.0.0.0/9" },
	{ "0.0.0.0", "unspecified", "0.0.0.0", "10.0.0.0/8" },
	{ "10.1.2.3", "private", "10.0.0.0/8", "::/0" },
	{ "172.16.0.1", "private", "172.16.0.0/12 10.0.0.0/8", "172.17.0.0/16" },
	{ "172.31.255.255", "private", "10.0.0.0/8 172.31.0.0/16", NULL },
	{ "192.168.1.1", "private", "0.0.0.0/0", NULL },
	{ "100.64.0.1", "shared (CGNAT)", "100.64.0.0/10", NULL },
	{ "169.254.1.1", "link-local", "169.254.0.0/16", NULL },
	{ "169.254.169.254", "metadata service", "169.254.169.254", "169.254.0.0/16 0.0.0.0/0" },
	{ "168.63.129.16", "metadata service", "168.63.129.16/32", "168.63.0.0/16" },
	{ "100.100.100.200", "metadata service", "100.100.100.200", "100.64.0.0/10" },
	{ "192.0.0.192", "metadata service", "192.0.0.192", "192.0.0.0/24" },
	{ "192.0.0.8", "reserved", "192.0.0.0/24", NULL },
	{ "192.0.2.1", "documentation", "192.0.2.0/24", NULL },
	{ "198.19.0.1", "benchmarking", "198.18.0.0/15", NULL },
	{ "224.0.0.1", "multicast", "224.0.0.0/4", NULL },
	{ "255.255.255.255", "reserved", "255.255.255.255", NULL },
	{ "::", "unspecified", "::/128", NULL },
	{ "::1", "loopback", "::1", "127.0.0.0/8" },
	{ "::2", "reserved", "::/0", NULL },
	{ "::7f00:1", "reserved", "::/96", "127.0.0.0/8" },
	{ "::ffff:127.0.0.1", "loopback", "127.0.0.0/8", "::1/128" },
	{ "::ffff:169.254.169.254", "metadata service", "169.254.169.254", "0.0.0.0/0" },
	{ "64:ff9b::10.0.0.1", "private", "10.0.0.0/8", "11.0.0.0/8" },
	{ "64:ff9b::169.254.169.254", "metadata service", "169.254.169.254", "0.0.0.0/0" },
	{ "64:ff9b:1::1.1.1.1", "reserved", "64:ff9b:1::/48", NULL },
	{ "2002:7f00:1::", "loopback", "127.0.0.1", NULL },
	{ "2002:a9fe:a9fe::1", "metadata service", NULL, "0.0.0.0/0" },
	{ "fd00:ec2::254", "metadata service", "fd00:ec2::254", "fc00::/7 ::/0" },
	{ "fd12::1", "private", "fd00::/8", "fd13::/16" },
	{ "fe80::1", "link-local", "fe80::/10", NULL },
	{ "fec0::1", "private", "fec0::/10", NULL },
	{ "ff02::1", "multicast", "ff00::/8", NULL },
	{ "2001::1", "reserved", "2001::/32", NULL },
	{ "2001:db8::1", "documentation", "2001:db8::/32", NULL },
	{ "3fff::1", "documentation", "3fff::/20", NULL },
	{ "4000::1", "reserved", "4000::/3", NULL },
};

static const char *refusal_of(const char *allow, const char *address)
{
	CLEANUP(address_policy_freep) struct address_policy *policy = NULL;
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	struct err e = { 0 };

	ck_assert(is_v4 || inet_pton(AF_INET6, address, &v6.sin6_addr) == 1);
	ck_assert_msg(address_policy_new(allow, &policy, &e) == 0, "%s", e.message);
	const char *by_host = address_policy_refusal_of_host(policy, address);
	const char *by_address = address_policy_refusal(
		policy, is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6);
	ck_assert_ptr_eq(by_host, by_address);
	return by_address;
}

START_TEST(addresses_are_allowed_or_refused_by_what_they_are)
{
	ck_assert_pstr_eq(refusal_of(NULL, addresses[_i].address), addresses[_i].what);
	ck_assert_pstr_eq(refusal_of("", addresses[_i].address), addresses[_i].what);
	if (addresses[_i].allow != NULL)
		ck_assert_pstr_eq(refusal_of(addresses[_i].allow, addresses[_i].address), NULL);
	if (addresses[_i].still != NULL)
		ck_assert_pstr_eq(refusal_of(addresses[_i].still, addresses[_i].address),
				  addresses[_i].what);
}
END_TEST

START_TEST(names_are_refused_only_where_they_are_known)
{
	static const struct {
		const char *host, *what;
	} hosts[] = {
		{ "localhost", "loopback" },
		{ "LocalHost", "loopback" },
		{ "a.localhost", "loopback" },
		{ "ip6-localhost", "loopback" },
		{ "metadata.google.internal", "metadata service" },
		{ "notlocalhost", NULL },
		{ "localhost.example", NULL },
		{ "x.example", NULL },
		{ "", NULL },
	};
	CLEANUP(address_policy_freep) struct address_policy *policy = NULL;

	ck_assert_int_eq(address_policy_new(NULL, &policy, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		ck_assert_pstr_eq(address_policy_refusal_of_host(policy, hosts[i].host),
				  hosts[i].what);
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	ck_assert_pstr_eq(address_policy_refusal(policy, (const struct sockaddr *)&local),
			  "not an Internet address");
}
END_TEST

START_TEST(a_policy_that_cannot_be_read_is_refused)
{
	static const char *const bad[] = {
		"x",         "10.0.0.0/33",    "10.0.0/8",
		"10.0.0.0/", "10.0.0.0/-1",    "::/129",
		"::1/x",     "10.0.0.0/8,::1", "127.0.0.1 localhost",
		"[::1]",     "10.0.0.0/8/8",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct address_policy *policy = NULL;
		struct err e = { 0 };
		ck_assert_msg(address_policy_new(bad[i], &policy, &e) == -1, "%s", bad[i]);
		ck_assert_int_eq(e.kind, ERR_INVALID);
	}
}
END_TEST

/* ---- the client ------------------------------------------------------------------------------ */

/* Short if the test waits until it expires, long if it must not expire, however slow the machine
 * is. */
enum { BODY_MAX = 10000, MANY = 10000, SHORT_MS = 700, LONG_MS = 20000 };

static struct pki_pair ca, other_ca, certificate, misnamed, alice, bob;

static const struct tls_reply replies[] = {
	{ .match = "GET /good", .status = "200 OK", .body = "fine" },
	{ .match = "GET /peer", .status = "200 OK", .body = "$PEER" },
	{ .match = "GET /empty", .status = "200 OK" },
	{ .match = "GET /missing", .status = "404 Not Found", .body = "no" },
	{ .match = "GET /redirect", .status = "302 Found", .headers = "Location: /good\r\n" },
	{ .match = "GET /short",
	  .raw = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
	  .close = true },
	{ .match = "GET /half-head", .raw = "HTTP/1.1 200 OK\r\nContent-Le", .close = true },
	{ .match = "GET /half-chunk",
	  .raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
	  .close = true },
	{ .match = "GET /nothing", .raw = "", .close = true },
	{ .match = "GET /garbage", .raw = "SSH-2.0-OpenSSH\r\n\r\n", .close = true },
	{ .match = "GET /large", .raw = "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nabc" },
	{ .match = "GET /endless",
	  .raw = "HTTP/1.1 200 OK\r\n\r\n#23456789012345678901234567890123456789",
	  .repeat = 999 },
	{ .match = "GET /hang", .raw = "", .delay_ms = 60000 },
	{ .match = "GET /drip",
	  .raw = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabcdefghijkl",
	  .drip_ms = 50 },
	{ .match = "GET /again-seconds", .status = "429 Slow", .headers = "Retry-After: 7\r\n" },
	{ .match = "GET /again-date",
	  .status = "429 Slow",
	  .headers = "Retry-After: Fri, 01 Jan 2100 00:00:00 GMT\r\n" },
	{ .match = "GET /again-past",
	  .status = "429 Slow",
	  .headers = "Retry-After: Fri, 01 Jan 1999 00:00:00 GMT\r\n" },
	{ .match = "GET /again-rubbish", .status = "429 Slow", .headers = "Retry-After: x\r\n" },
	{ .match = "GET /zstd",
	  .raw = "HTTP/1.1 200 OK\r\ntransfer-encoding: \t zstd, chunked\r\n\r\n0\r\n\r\n" },
	{ .match = "GET /gzip", .raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding:gzip\r\n\r\n" },
	{ .match = "GET /in-chunks",
	  .raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked \r\n\r\n2\r\nOK\r\n0\r\n\r\n" },
	{ .match = "GET /hints",
	  .again = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
	  .repeat = MANY },
	{ .match = "GET /chunks",
	  .raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	  .again = "1\r\nX\r\n",
	  .repeat = BODY_MAX - 1 },
	{ .match = "GET /extensions",
	  .raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1",
	  .again = ";a=0123456789",
	  .repeat = MANY },
	{ .match = "GET /key-updates", .status = "200 OK", .key_updates = MANY },
	{ .match = "PATCH /echo", .status = "200 OK", .body = "patched" },
};

static struct tls_server *server;
static struct http_client *client;

static void start(const struct pki_pair *own, const char *client_ca_pem)
{
	const struct tls_server_options options = { .certificate = own,
						    .client_ca_pem = client_ca_pem };
	const struct http_client_options client_options = { .connect_timeout_ms = LONG_MS,
							    .allow_addresses = "127.0.0.0/8" };

	server = tls_server_start(&options, replies, ARRAY_SIZE(replies));
	ck_assert_int_eq(http_client_new(&client_options, &client, NULL), 0);
}

static void make_certificates(void)
{
	pki_make_ca("ca", &ca);
	pki_make_ca("ca", &other_ca);
	pki_make_leaf(&ca, "server", "IP:127.0.0.1,DNS:localhost", &certificate);
	pki_make_leaf(&ca, "server", "IP:127.0.0.2", &misnamed);
	pki_make_leaf(&ca, "alice", NULL, &alice);
	pki_make_leaf(&ca, "bob", NULL, &bob);
}

static void free_certificates(void)
{
	struct pki_pair *const all[] = { &ca, &other_ca, &certificate, &misnamed, &alice, &bob };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		pki_release(all[i]);
}

static void start_plain(void)
{
	start(&certificate, NULL);
}

static void stop(void)
{
	http_client_free(client);
	tls_server_stop(server);
}

/* A copy of a request's result. */
struct outcome {
	int calls;
	enum http_failure failure;
	long status;
	unsigned retry_after_s;
	char message[300];
	char body[100];
	const char *next; /* submit this from the callback */
};

static void submit(const char *path, const struct http_trust *trust, struct outcome *outcome);

static void record(void *user, const struct http_answer *answer)
{
	struct outcome *o = user;

	o->calls++;
	o->failure = answer->failure;
	o->status = answer->status;
	o->retry_after_s = answer->retry_after_s;
	snprintf(o->message, sizeof(o->message), "%s", answer->message);
	snprintf(o->body, sizeof(o->body), "%s", answer->body);
	if (o->next != NULL) {
		const struct http_trust trust = { .ca_pem = ca.certificate_pem };
		const char *next = STEAL(o->next);
		submit(next, &trust, o);
	}
}

static void submit_url(const char *url, const struct http_trust *trust, struct outcome *outcome)
{
	bool ends = strstr(url, "/hang") == NULL && strstr(url, "/drip") == NULL;
	const struct http_request request = { .method = "GET",
					      .url = url,
					      .trust = trust,
					      .timeout_ms = ends ? LONG_MS : SHORT_MS,
					      .body_max = BODY_MAX };

	http_client_submit(client, &request, record, outcome);
}

static void submit(const char *path, const struct http_trust *trust, struct outcome *outcome)
{
	char url[200];

	snprintf(url, sizeof(url), "https://127.0.0.1:%u%s", tls_server_port(server), path);
	submit_url(url, trust, outcome);
}

static void finish_all(void)
{
	for (int i = 0; http_client_pending(client) > 0 && i < 1000; i++)
		http_client_poll(client, 5000, -1);
	ck_assert_uint_eq(http_client_pending(client), 0);
}

static struct outcome get_as(const char *path, const struct http_trust *trust)
{
	struct outcome outcome = { 0 };

	submit(path, trust, &outcome);
	ck_assert_int_eq(outcome.calls, 0);
	finish_all();
	ck_assert_int_eq(outcome.calls, 1);
	return outcome;
}

static struct outcome get(const char *path)
{
	const struct http_trust trust = { .ca_pem = ca.certificate_pem };

	return get_as(path, &trust);
}

static const struct {
	const char *path;
	enum http_failure failure;
	long status;
	const char *body, *says;
} ends[] = {
	{ "/good", HTTP_OK, 200, "fine", "" },
	{ "/empty", HTTP_OK, 200, "", "" },
	{ "/missing", HTTP_OK, 404, "no", "" },
	{ "/redirect", HTTP_OK, 302, "", "" },
	{ "/short", HTTP_CUT_OFF, 200, "abc", "" },
	{ "/half-head", HTTP_CUT_OFF, 200, "", "" },
	{ "/half-chunk", HTTP_CUT_OFF, 200, "abc", "" },
	{ "/nothing", HTTP_UNREACHABLE, 0, "", "" },
	{ "/garbage", HTTP_PROTOCOL, 0, "", "" },
	{ "/large", HTTP_TOO_LARGE, 200, "", "larger than 10000 bytes" },
	{ "/endless", HTTP_TOO_LARGE, 200, NULL, "larger than 10000 bytes" },
	{ "/zstd", HTTP_PROTOCOL, 200, "", "a transfer coding that nobody asked for" },
	{ "/gzip", HTTP_PROTOCOL, 200, "", "a transfer coding that nobody asked for" },
	{ "/in-chunks", HTTP_OK, 200, "OK", "" },
	{ "/hints", HTTP_NO_CONTENT, 103, "", "too much that is no answer" },
	{ "/chunks", HTTP_NO_CONTENT, 200, NULL, "too much that is no answer" },
	{ "/extensions", HTTP_NO_CONTENT, 200, "", "too much that is no answer" },
	{ "/key-updates", HTTP_NO_CONTENT, 0, "", "too much that is no answer" },
	{ "/hang", HTTP_TIMEOUT, 0, "", "timed out" },
	{ "/drip", HTTP_TIMEOUT, 0, "", "timed out" },
};

START_TEST(every_end_of_a_response_is_distinguished)
{
	struct outcome o = get(ends[_i].path);

	ck_assert_msg(o.failure == ends[_i].failure, "%s: %d, %s", ends[_i].path, o.failure,
		      o.message);
	ck_assert_msg(strstr(o.message, ends[_i].says) != NULL, "%s", o.message);
	ck_assert_int_eq(o.message[0] == '\0', o.failure == HTTP_OK);
	if (ends[_i].failure != HTTP_TIMEOUT)
		ck_assert_int_eq(o.status, ends[_i].status);
	if (ends[_i].body != NULL && ends[_i].failure != HTTP_TIMEOUT)
		ck_assert_str_eq(o.body, ends[_i].body);
	ck_assert_int_eq(tls_server_seen(server)->requests, 1);
}
END_TEST

START_TEST(requests_share_a_connection)
{
	const struct http_trust trust = { .ca_pem = ca.certificate_pem };
	struct outcome first = { .next = "/missing" };

	submit("/good", &trust, &first);
	finish_all();
	ck_assert_int_eq(first.calls, 2);
	ck_assert_int_eq(first.status, 404);
	ck_assert_str_eq(get("/good").body, "fine");
	ck_assert_int_eq(tls_server_seen(server)->connections, 1);
	ck_assert_int_eq(tls_server_seen(server)->requests, 3);
	ck_assert_uint_eq(http_client_submitted(client), 3);
}
END_TEST

START_TEST(a_slow_server_does_not_hold_up_the_others)
{
	const struct http_trust trust = { .ca_pem = ca.certificate_pem };
	struct outcome slow = { 0 }, quick = { 0 };

	submit("/hang", &trust, &slow);
	submit("/good", &trust, &quick);
	http_client_poll(client, 5000, -1);
	ck_assert_int_eq(quick.calls, 1);
	ck_assert_int_eq(slow.calls, 0);
	ck_assert_uint_eq(http_client_pending(client), 1);
	finish_all();
	ck_assert_int_eq(slow.failure, HTTP_TIMEOUT);
}
END_TEST

/* Bytes that are not part of a body have an allowance per request, so a connection can be used
 * forever. */
START_TEST(a_connection_bears_any_number_of_requests)
{
	enum { REQUESTS = 3 * GUARD_CONNECTION_BYTES / GUARD_RECORD_BYTES };

	for (int i = 0; i < REQUESTS; i++)
		ck_assert_int_eq(get("/good").failure, HTTP_OK);
	ck_assert_int_eq(tls_server_seen(server)->connections, 1);
}
END_TEST

static struct heartbeat heartbeat;

/* Records the owner that is set while the response is handled. */
static void record_owner(void *user, const struct http_answer *answer)
{
	char *ret_owner = user;

	ck_assert_int_eq(answer->failure, HTTP_OK);
	memcpy(ret_owner, heartbeat.owner, sizeof(heartbeat.owner));
}

START_TEST(the_owner_of_a_busy_connection_is_known)
{
	static const char user_id[] = "8b3f6d4e-0000-4000-8000-000000000001";
	const struct http_trust trust = { .ca_pem = ca.certificate_pem };
	char owner[sizeof(heartbeat.owner)] = "";
	char url[200];

	snprintf(url, sizeof(url), "https://127.0.0.1:%u/good", tls_server_port(server));
	const struct http_request request = { .method = "GET",
					      .url = url,
					      .owner = user_id,
					      .trust = &trust,
					      .timeout_ms = LONG_MS,
					      .body_max = BODY_MAX };
	heartbeat_open(&heartbeat);
	http_client_submit(client, &request, record_owner, owner);
	finish_all();
	heartbeat_open(NULL);
	ck_assert_str_eq(owner, user_id);
	ck_assert_str_eq(heartbeat.owner, ""); /* nobody's while idle */
}
END_TEST

static char *chain_of(EVP_PKEY *key, int count)
{
	CLEANUP(buf_release) struct buf chain = BUF_INIT(1 << 20);

	for (int i = 0; i < count; i++) {
		CLEANUP(cleanup_free) char *one = pki_certificate_with(key);
		ck_assert_int_eq(buf_append(&chain, one, strlen(one), NULL), 0);
	}
	return STEAL(chain.data);
}

/* The server's own certificate is good: those beside it are refused. */
static struct outcome get_beside(EVP_PKEY *key, int count)
{
	CLEANUP(cleanup_free) char *chain = chain_of(key, count);
	const struct tls_server_options options = { .certificate = &certificate,
						    .chain_pem = chain };

	EVP_PKEY_free(key);
	tls_server_stop(server);
	server = tls_server_start(&options, replies, ARRAY_SIZE(replies));
	return get("/good");
}

START_TEST(a_servers_certificates_are_limited_before_verification)
{
	struct outcome fine = get_beside(EVP_EC_gen("P-256"), CERTIFICATE_CHAIN_MAX - 1);
	struct outcome many = get_beside(EVP_EC_gen("P-256"), CERTIFICATE_CHAIN_MAX);
	struct outcome costly = get_beside(EVP_EC_gen("sect571r1"), 1);

	ck_assert_msg(fine.failure == HTTP_OK, "%s", fine.message);
	ck_assert_int_eq(many.failure, HTTP_COSTLY_CERTIFICATES);
	ck_assert_str_eq(many.message, "a chain of 9 certificates: at most 8 are taken");
	ck_assert_int_eq(costly.failure, HTTP_COSTLY_CERTIFICATES);
	ck_assert_ptr_nonnull(strstr(costly.message, "certificate 2 of the server's: an elliptic"));
	ck_assert_int_eq(tls_server_seen(server)->requests, 0);
}
END_TEST

START_TEST(a_chain_is_not_read_beyond_its_bytes)
{
	/* Small, so that more fit than the limit on their number. */
	struct outcome o = get_beside(EVP_EC_gen("P-256"), CERTIFICATE_CHAIN_BYTES / 256);

	ck_assert_int_eq(o.failure, HTTP_COSTLY_CERTIFICATES);
	ck_assert_str_eq(o.message, "more than 32768 bytes of certificates");
	ck_assert_int_eq(tls_server_seen(server)->requests, 0);
}
END_TEST

START_TEST(only_the_given_ca_and_name_are_believed)
{
	const struct http_trust other = { .ca_pem = other_ca.certificate_pem };

	ck_assert_int_eq(get_as("/good", &other).failure, HTTP_TLS);
	ck_assert_int_eq(get("/good").failure, HTTP_OK);
	/* An open connection must not be used by those who trust another CA. */
	ck_assert_int_eq(get_as("/good", &other).failure, HTTP_TLS);
	ck_assert_int_eq(tls_server_seen(server)->requests, 1);
	stop();
	start(&misnamed, NULL);
	ck_assert_int_eq(get("/good").failure, HTTP_TLS);
	ck_assert_int_eq(tls_server_seen(server)->requests, 0);
}
END_TEST

static void use_ca_file(const char *path)
{
	const struct http_client_options options = { .connect_timeout_ms = LONG_MS,
						     .allow_addresses = "127.0.0.1",
						     .ca_file = path };

	http_client_free(client);
	ck_assert_int_eq(http_client_new(&options, &client, NULL), 0);
}

START_TEST(without_a_ca_those_of_the_system_are_trusted)
{
	const struct http_trust none = { .ca_pem = NULL };
	const struct http_trust other = { .ca_pem = other_ca.certificate_pem };
	char path[] = "/tmp/fsa-ca-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, ca.certificate_pem, strlen(ca.certificate_pem)),
			 (ssize_t)strlen(ca.certificate_pem));
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(get_as("/good", &none).failure, HTTP_TLS); /* a client without any */
	use_ca_file(path);
	ck_assert_int_eq(get_as("/good", &none).failure, HTTP_OK);
	ck_assert_int_eq(get_as("/good", &other).failure, HTTP_TLS);
	use_ca_file("/nowhere/ca.crt");
	struct outcome unread = get_as("/good", &none);
	ck_assert_int_eq(unread.failure, HTTP_TLS);
	ck_assert_msg(strstr(unread.message, "/nowhere") == NULL, "%s", unread.message);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(a_connection_belongs_to_one_client_certificate)
{
	const struct http_trust of_alice = { ca.certificate_pem, alice.certificate_pem,
					     alice.key_pem };
	const struct http_trust of_bob = { ca.certificate_pem, bob.certificate_pem, bob.key_pem };

	stop();
	start(&certificate, ca.certificate_pem);
	ck_assert_str_eq(get_as("/peer", &of_alice).body, "alice");
	ck_assert_str_eq(get_as("/peer", &of_bob).body, "bob");
	ck_assert_str_eq(get_as("/peer", &of_alice).body, "alice");
	ck_assert_int_eq(tls_server_seen(server)->connections, 2);
	ck_assert_int_ne(get("/peer").failure, HTTP_OK);
	ck_assert_int_eq(tls_server_seen(server)->requests, 3);
}
END_TEST

static char refused[3][100];

static void keep_refused(const char *url, const char *address, const char *what)
{
	snprintf(refused[0], sizeof(refused[0]), "%s", url);
	snprintf(refused[1], sizeof(refused[1]), "%s", address);
	snprintf(refused[2], sizeof(refused[2]), "%s", what);
}

/* A user who names a host in our network must not learn its address; the operator does. */
START_TEST(a_forbidden_address_is_never_connected_to)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "[::ffff:127.0.0.1]" };
	const struct http_client_options options = { .connect_timeout_ms = LONG_MS,
						     .refused = keep_refused };
	const struct http_trust trust = { .ca_pem = ca.certificate_pem };

	http_client_free(client);
	ck_assert_int_eq(http_client_new(&options, &client, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct outcome o = { 0 };
		char url[100];
		snprintf(url, sizeof(url), "https://%s:%u/good", hosts[i], tls_server_port(server));
		submit_url(url, &trust, &o);
		finish_all();
		ck_assert_msg(o.failure == HTTP_ADDRESS_FORBIDDEN, "%s: %d, %s", hosts[i],
			      o.failure, o.message);
		ck_assert_str_eq(o.message, "the server's address is not allowed here");
		ck_assert_str_eq(refused[0], url);
		ck_assert_msg(strstr(refused[1], "127.0.0.1") || strcmp(refused[1], "::1") == 0,
			      "%s", refused[1]);
		ck_assert_str_eq(refused[2], "loopback");
	}
	ck_assert_int_eq(tls_server_seen(server)->connections, 0);
}
END_TEST

START_TEST(an_unreachable_server_is_reported)
{
	static const struct {
		const char *url;
		enum http_failure failure;
	} cases[] = {
		{ "https://127.0.0.1:1/", HTTP_UNREACHABLE },
		{ "https://no-such-host.invalid/", HTTP_UNREACHABLE },
		{ "http://127.0.0.1:1/", HTTP_PROTOCOL },
		{ "file:///etc/passwd", HTTP_PROTOCOL },
	};
	const struct http_trust trust = { .ca_pem = ca.certificate_pem };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outcome o = { 0 };
		submit_url(cases[i].url, &trust, &o);
		finish_all();
		ck_assert_int_eq(o.calls, 1);
		/* Without a network, a lookup may hang instead of failing. */
		if (i != 1 || o.failure != HTTP_TIMEOUT)
			ck_assert_msg(o.failure == cases[i].failure, "%s: %d, %s", cases[i].url,
				      o.failure, o.message);
		ck_assert_str_eq(o.body, "");
	}
}
END_TEST

static double seconds_of_poll(int timeout_ms, int wake_fd)
{
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	http_client_poll(client, timeout_ms, wake_fd);
	clock_gettime(CLOCK_MONOTONIC, &to);
	return (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
}

static int listen_on_loopback(unsigned *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

START_TEST(a_handshake_that_hangs_times_out_early)
{
	const struct http_client_options options = { .connect_timeout_ms = SHORT_MS,
						     .allow_addresses = "127.0.0.0/8" };
	const struct http_trust trust = { .ca_pem = ca.certificate_pem };
	unsigned port;
	int listener = listen_on_loopback(&port);
	struct outcome o = { 0 };
	char url[100];

	http_client_free(client);
	ck_assert_int_eq(http_client_new(&options, &client, NULL), 0);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", port);
	submit_url(url, &trust, &o); /* all of LONG_MS */
	double waited = seconds_of_poll(LONG_MS / 2, -1);
	ck_assert(waited < LONG_MS / 2000.0);
	ck_assert_int_eq(o.failure, HTTP_TIMEOUT);
	close(listener);
}
END_TEST

/* A load balancer does this when all its servers are down. */
START_TEST(hanging_up_in_the_handshake_is_no_matter_of_trust)
{
	const struct http_trust trust = { .ca_pem = ca.certificate_pem };
	unsigned port;
	int listener = listen_on_loopback(&port);
	char url[100];

	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", port);
	for (int reset = 0; reset < 2; reset++) {
		struct outcome o = { 0 };
		submit_url(url, &trust, &o);
		for (int i = 0; i < 5; i++) /* until the handshake has begun */
			http_client_poll(client, 20, -1);
		int fd = accept(listener, NULL, NULL);
		const struct linger linger = { .l_onoff = reset, .l_linger = 0 };
		ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
		char hello[4096];
		ck_assert_int_gt(recv(fd, hello, sizeof(hello), 0), 0);
		close(fd);
		finish_all();
		ck_assert_msg(o.failure == HTTP_UNREACHABLE, "%d: %s", o.failure, o.message);
	}
	close(listener);
}
END_TEST

START_TEST(the_environment_does_not_count)
{
	static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "ALL_PROXY",
					     "all_proxy" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_int_eq(setenv(names[i], "http://127.0.0.1:1", 1), 0);
	ck_assert_int_eq(get("/good").failure, HTTP_OK);
}
END_TEST

START_TEST(retry_after_is_read_and_capped)
{
	ck_assert_uint_eq(get("/again-seconds").retry_after_s, 7);
	ck_assert_uint_eq(get("/again-date").retry_after_s, 3600);
	ck_assert_uint_eq(get("/again-past").retry_after_s, 0);
	ck_assert_uint_eq(get("/again-rubbish").retry_after_s, 0);
	ck_assert_uint_eq(get("/good").retry_after_s, 0);
}
END_TEST

START_TEST(a_request_is_sent_as_given)
{
	const struct http_trust trust = { .ca_pem = ca.certificate_pem };
	char url[100], body[] = "{\"a\":1}", header[] = "X-Test: yes";
	struct outcome o = { 0 };

	snprintf(url, sizeof(url), "https://127.0.0.1:%u/echo?a=b", tls_server_port(server));
	const struct http_request request = { .method = "PATCH",
					      .url = url,
					      .headers = { header, "Content-Type: text/x" },
					      .body = body,
					      .trust = &trust,
					      .timeout_ms = LONG_MS,
					      .body_max = BODY_MAX };
	http_client_submit(client, &request, record, &o);
	memset(body, 'x', strlen(body)); /* the request must have copied it */
	memset(header, 'x', strlen(header));
	memset(url, 'x', strlen(url));
	finish_all();
	ck_assert_str_eq(o.body, "patched");
	const char *last = tls_server_seen(server)->last;
	ck_assert_int_eq(strncmp(last, "PATCH /echo?a=b HTTP/1.1\r\n", 26), 0);
	ck_assert_ptr_nonnull(strstr(last, "\r\nX-Test: yes\r\n"));
	ck_assert_ptr_nonnull(strstr(last, "\r\nContent-Type: text/x\r\n"));
	ck_assert_ptr_nonnull(strstr(last, "\r\n\r\n{\"a\":1}"));
}
END_TEST

START_TEST(waiting_ends_in_time)
{
	const struct http_trust trust = { .ca_pem = ca.certificate_pem };
	struct outcome o = { 0 };
	int pipe_fds[2];

	ck_assert_int_eq(pipe(pipe_fds), 0);
	ck_assert(seconds_of_poll(5000, -1) < 4); /* nothing to wait for */
	double waited = seconds_of_poll(100, pipe_fds[0]);
	ck_assert(waited > 0.09 && waited < 4);
	ck_assert_int_eq(write(pipe_fds[1], "x", 1), 1);
	ck_assert(seconds_of_poll(5000, pipe_fds[0]) < 4);
	submit("/hang", &trust, &o);
	ck_assert(seconds_of_poll(5000, pipe_fds[0]) < 4);
	ck_assert_int_eq(o.calls, 0);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}
END_TEST

START_TEST(freeing_a_client_calls_nobody_back)
{
	const struct http_client_options options = { .connect_timeout_ms = LONG_MS,
						     .allow_addresses = "127.0.0.0/8" };
	const struct http_trust trust = { .ca_pem = ca.certificate_pem };
	struct outcome flying = { 0 }, fresh = { 0 };
	struct err e = { 0 };

	submit("/hang", &trust, &flying);
	http_client_poll(client, 100, -1);
	submit("/good", &trust, &fresh);
	http_client_free(client);
	ck_assert_int_eq(flying.calls + fresh.calls, 0);
	ck_assert_int_eq(
		http_client_new(&(struct http_client_options) { .allow_addresses = "rubbish" },
				&client, &e),
		-1);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_int_eq(http_client_new(&options, &client, NULL), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http");
	TCase *address = tcase_create("address");
	TCase *requests = tcase_create("client");

	tcase_add_loop_test(address, addresses_are_allowed_or_refused_by_what_they_are, 0,
			    ARRAY_SIZE(addresses));
	tcase_add_test(address, names_are_refused_only_where_they_are_known);
	tcase_add_test(address, a_policy_that_cannot_be_read_is_refused);
	suite_add_tcase(suite, address);
	tcase_add_unchecked_fixture(requests, make_certificates, free_certificates);
	tcase_add_checked_fixture(requests, start_plain, stop);
	tcase_set_timeout(requests, 300);
	tcase_add_loop_test(requests, every_end_of_a_response_is_distinguished, 0,
			    ARRAY_SIZE(ends));
	tcase_add_test(requests, requests_share_a_connection);
	tcase_add_test(requests, a_slow_server_does_not_hold_up_the_others);
	tcase_add_test(requests, a_connection_bears_any_number_of_requests);
	tcase_add_test(requests, the_owner_of_a_busy_connection_is_known);
	tcase_add_test(requests, a_servers_certificates_are_limited_before_verification);
	tcase_add_test(requests, a_chain_is_not_read_beyond_its_bytes);
	tcase_add_test(requests, only_the_given_ca_and_name_are_believed);
	tcase_add_test(requests, a_connection_belongs_to_one_client_certificate);
	tcase_add_test(requests, a_forbidden_address_is_never_connected_to);
	tcase_add_test(requests, without_a_ca_those_of_the_system_are_trusted);
	tcase_add_test(requests, an_unreachable_server_is_reported);
	tcase_add_test(requests, a_handshake_that_hangs_times_out_early);
	tcase_add_test(requests, hanging_up_in_the_handshake_is_no_matter_of_trust);
	tcase_add_test(requests, the_environment_does_not_count);
	tcase_add_test(requests, retry_after_is_read_and_capped);
	tcase_add_test(requests, a_request_is_sent_as_given);
	tcase_add_test(requests, waiting_ends_in_time);
	tcase_add_test(requests, freeing_a_client_calls_nobody_back);
	suite_add_tcase(suite, requests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
