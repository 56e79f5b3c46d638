#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <check.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "kube/kubeconfig.h"
#include "kube/server_url.h"
#include "kube/yaml_tree.h"
#include "pki.h"

/* Linked without libcurl: linking proves that validation needs no HTTP client. */

static struct pki_pair ca, client;
static char *ca_data, *certificate_data, *key_data, *other_key_data;

static char *encode(const char *text)
{
	return base64_encode(text, strlen(text));
}

static void make_certificates(void)
{
	struct pki_pair other;

	pki_make_ca("kubernetes", &ca);
	pki_make_leaf(&ca, "someone", NULL, &client);
	pki_make_leaf(&ca, "someone else", NULL, &other);
	ca_data = encode(ca.certificate_pem);
	certificate_data = encode(client.certificate_pem);
	key_data = encode(client.key_pem);
	other_key_data = encode(other.key_pem);
	pki_release(&other);
}

static void free_certificates(void)
{
	pki_release(&ca);
	pki_release(&client);
	free(ca_data);
	free(certificate_data);
	free(key_data);
	free(other_key_data);
}

/* Returns `text` with $CA, $CERT, $KEY and $OTHERKEY replaced. */
static char *fill_in(const char *text)
{
	const struct {
		const char *name, *value;
	} variables[] = { { "$CA", ca_data },
			  { "$CERT", certificate_data },
			  { "$KEY", key_data },
			  { "$OTHERKEY", other_key_data } };
	CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 20);

	while (*text != '\0') {
		const char *add = text;
		size_t length = 1, skip = 1;
		for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
			size_t n = strlen(variables[i].name);
			if (strncmp(text, variables[i].name, n) == 0) {
				add = variables[i].value;
				length = strlen(add);
				skip = n;
			}
		}
		ck_assert_int_eq(buf_append(&out, add, length, NULL), 0);
		text += skip;
	}
	return mem_strdup(out.data != NULL ? out.data : "");
}

/* A valid kubeconfig; each test changes one thing. Line numbers matter. */
#define HEAD                                                                                       \
	"apiVersion: v1\n"                                                                         \
	"kind: Config\n"                                                                           \
	"current-context: me@sealos\n"
#define CLUSTERS                                                                                   \
	"clusters:\n"                                                                              \
	"- name: sealos\n"                                                                         \
	"  cluster:\n"                                                                             \
	"    server: https://Cluster.Example.com:6443/\n"                                          \
	"    certificate-authority-data: $CA\n"
#define CONTEXTS                                                                                   \
	"contexts:\n"                                                                              \
	"- name: me@sealos\n"                                                                      \
	"  context: {cluster: sealos, user: me, namespace: ns-me}\n"
#define USERS                                                                                      \
	"users:\n"                                                                                 \
	"- name: me\n"                                                                             \
	"  user:\n"
#define TOKEN "    token: abc.def.ghi\n"
#define GOOD  HEAD CLUSTERS CONTEXTS USERS TOKEN

static int parse(const char *text, struct kubeconfig *ret_config, struct err *e)
{
	CLEANUP(cleanup_free) char *filled = fill_in(text);

	return kubeconfig_parse(filled, strlen(filled), ret_config, e);
}

START_TEST(needed_members_are_read)
{
	CLEANUP(kubeconfig_clear) struct kubeconfig c = { 0 };
	struct err e = { 0 };

	ck_assert_msg(parse(GOOD, &c, &e) == 0, "%s", e.message);
	ck_assert_str_eq(c.server, "https://cluster.example.com:6443");
	ck_assert_str_eq(c.host, "cluster.example.com");
	ck_assert_str_eq(c.namespace, "ns-me");
	ck_assert_str_eq(c.user, "me");
	ck_assert_str_eq(c.token, "abc.def.ghi");
	ck_assert_str_eq(c.ca_pem, ca.certificate_pem);
	ck_assert_ptr_null(c.certificate_pem);
	ck_assert_ptr_null(c.key_pem);
	ck_assert_int_eq(c.expires_at, 0);
}
END_TEST

/* Adds one line to the cluster, or to the user. */
#define IN_CLUSTER(line) HEAD CLUSTERS "    " line "\n" CONTEXTS USERS TOKEN
#define IN_USER(line)    GOOD "    " line "\n"
#define SERVER(url)                                                                                \
	HEAD "clusters:\n- name: sealos\n  cluster:\n    server: " url                             \
	     "\n    certificate-authority-data: $CA\n" CONTEXTS USERS TOKEN
#define WITH_CA(data)                                                                              \
	HEAD "clusters:\n- name: sealos\n  cluster:\n    server: https://x.example\n"              \
	     "    certificate-authority-data: " data "\n" CONTEXTS USERS TOKEN
#define WITH_TOKEN(token) HEAD CLUSTERS CONTEXTS USERS "    token: " token "\n"

static const struct {
	const char *what, *text;
} good[] = {
	{ "members we do not need",
	  HEAD "preferences: {colors: true}\nextensions: []\n" CLUSTERS
	       "    disable-compression: true\n    extensions: [{name: x, extension: {a: [1]}}]\n"
	       "    insecure-skip-tls-verify: false\n" CONTEXTS USERS TOKEN },
	{ "entries that are not used",
	  HEAD CLUSTERS "- name: other\n  cluster: {server: 'http://other'}\n" CONTEXTS
			"- {name: else, context: {cluster: other, user: other}}\n" USERS TOKEN
			"- {name: other, user: {}}\n" },
	{ "JSON", "{\"apiVersion\":\"v1\",\"kind\":\"Config\",\"current-context\":\"c\",\n"
		  "\t\"clusters\":[{\"name\":\"k\",\"cluster\":{\"server\":\"https:\\/\\/1.2.3.4\","
		  "\"certificate-authority-data\":\"$CA\"}}],\"contexts\":[{\"name\":\"c\","
		  "\"context\":{\"cluster\":\"k\",\"user\":\"u\",\"namespace\":\"n\"}}],\"users\":"
		  "[{\"name\":\"u\",\"user\":{\"token\":\"t\"}}]}" },
	{ "neither apiVersion nor kind",
	  "current-context: me@sealos\n" CLUSTERS CONTEXTS USERS TOKEN },
	{ "folded scalars",
	  HEAD "clusters:\n- name: sealos\n  cluster:\n    server: >-\n      https://x.example\n"
	       "    certificate-authority-data: >-\n      $CA\n" CONTEXTS USERS
	       "    token: >-\n      abc.def\n" },
	{ "a client certificate", HEAD CLUSTERS CONTEXTS USERS
	  "    client-certificate-data: $CERT\n    client-key-data: $KEY\n" },
	{ "null where nothing is needed",
	  HEAD "preferences: ~\n" CLUSTERS CONTEXTS USERS TOKEN "    client-key-data:\n" },
	{ "a comment and a start marker", "# mine\n---\n" GOOD },
	{ "a byte order mark", "\xef\xbb\xbf" GOOD },
	{ "what Rancher writes beside the server", IN_CLUSTER("api-version: v1") },
	{ "empty members that would be refused", HEAD CLUSTERS
	  "    certificate-authority: \"\"\n    proxy-url: ''\n    tls-server-name:\n"
	  "    insecure-skip-tls-verify: ''\n" CONTEXTS USERS TOKEN
	  "    exec: null\n    username: ''\n    as-groups: []\n    tokenFile: ''\n" },
	{ "verification that is not skipped, in YAML's words",
	  IN_CLUSTER("insecure-skip-tls-verify: no") },
	{ "the same, in other letters", IN_CLUSTER("insecure-skip-tls-verify: False") },
	{ "the same, as a switch", IN_CLUSTER("insecure-skip-tls-verify: OFF") },
	{ "an empty token beside a certificate",
	  HEAD CLUSTERS CONTEXTS USERS "    token: ''\n    client-certificate-data: $CERT\n"
				       "    client-key-data: $KEY\n" },
	{ "an empty certificate beside a token", IN_USER("client-certificate-data: ''") },
};

START_TEST(valid_kubeconfigs_are_accepted)
{
	CLEANUP(kubeconfig_clear) struct kubeconfig c = { 0 };
	struct err e = { 0 };

	ck_assert_msg(parse(good[_i].text, &c, &e) == 0, "%s: %s", good[_i].what, e.message);
	ck_assert(c.token != NULL || (c.certificate_pem != NULL && c.key_pem != NULL));
	ck_assert_ptr_nonnull(strstr(c.ca_pem, "BEGIN CERTIFICATE"));
}
END_TEST

/* The message begins with `says`, which checks line and member, too. */
static const struct {
	const char *text, *code, *says;
} bad[] = {
	{ IN_USER("exec: {command: /bin/sh}"), "KUBECONFIG_EXEC",
	  "line 16: users[0].user.exec: running a program" },
	{ IN_USER("exec: {}"), "KUBECONFIG_EXEC", "line 16: users[0].user.exec" },
	{ IN_USER("auth-provider: {name: gcp}"), "KUBECONFIG_EXEC",
	  "line 16: users[0].user.auth-provider" },
	{ GOOD "- name: other\n  user: {exec: {command: x}}\n", "KUBECONFIG_EXEC",
	  "line 17: users[1].user.exec" },
	{ IN_USER("tokenFile: /etc/passwd"), "KUBECONFIG_FILE",
	  "line 16: users[0].user.tokenFile" },
	{ IN_USER("client-certificate: /x"), "KUBECONFIG_FILE",
	  "line 16: users[0].user.client-certificate" },
	{ IN_USER("client-key: /x"), "KUBECONFIG_FILE", "line 16: users[0].user.client-key" },
	{ IN_CLUSTER("certificate-authority: /x"), "KUBECONFIG_FILE",
	  "line 9: clusters[0].cluster.certificate-authority" },
	{ IN_CLUSTER("insecure-skip-tls-verify: true"), "KUBECONFIG_INSECURE",
	  "line 9: clusters[0].cluster.insecure-skip-tls-verify" },
	{ IN_CLUSTER("insecure-skip-tls-verify: yes"), "KUBECONFIG_INSECURE", "line 9" },
	{ IN_CLUSTER("insecure-skip-tls-verify: nope"), "KUBECONFIG_INSECURE", "line 9" },
	{ IN_CLUSTER("insecure-skip-tls-verify: 0"), "KUBECONFIG_INSECURE", "line 9" },
	{ IN_CLUSTER("insecure-skip-tls-verify: [no]"), "KUBECONFIG_INSECURE", "line 9" },
	{ IN_CLUSTER("proxy-url: no"), "KUBECONFIG_PROXY", "line 9" },
	{ IN_CLUSTER("certificate-authority: ' '"), "KUBECONFIG_FILE", "line 9" },
	{ IN_CLUSTER("API-Version: v1"), "KUBECONFIG_MEMBER", "line 9" },
	{ IN_CLUSTER("proxy-url: http://p"), "KUBECONFIG_PROXY",
	  "line 9: clusters[0].cluster.proxy-url" },
	{ IN_CLUSTER("tls-server-name: other"), "KUBECONFIG_MEMBER",
	  "line 9: clusters[0].cluster.tls-server-name" },
	{ IN_USER("as: admin"), "KUBECONFIG_IMPERSONATE", "line 16: users[0].user.as" },
	{ IN_USER("as-uid: '0'"), "KUBECONFIG_IMPERSONATE", "line 16: users[0].user.as-uid" },
	{ IN_USER("as-groups: ['system:masters']"), "KUBECONFIG_IMPERSONATE",
	  "line 16: users[0].user.as-groups" },
	{ IN_USER("as-user-extra: {a: [b]}"), "KUBECONFIG_IMPERSONATE",
	  "line 16: users[0].user.as-user-extra" },
	{ IN_USER("username: admin"), "KUBECONFIG_BASIC_AUTH", "line 16: users[0].user.username" },
	{ IN_USER("password: admin"), "KUBECONFIG_BASIC_AUTH", "line 16: users[0].user.password" },
	{ IN_USER("Exec: {}"), "KUBECONFIG_MEMBER", "line 16: users[0].user.Exec: no such member" },
	{ IN_USER("\"a\\nb\": 1"), "KUBECONFIG_MEMBER", "line 16: users[0].user.a?b: no such" },
	{ IN_USER("<<: {token: x}"), "KUBECONFIG_MEMBER", "line 16: users[0].user.??: no such" },
	{ GOOD "users[].user.token: x\n", "KUBECONFIG_MEMBER", "line 16: users???user?token" },
	{ GOOD "\"\": x\n", "KUBECONFIG_MEMBER", "line 16: : no such" },
	{ GOOD "extra: 1\n", "KUBECONFIG_MEMBER", "line 16: extra: no such member" },
	{ IN_USER("token: again"), "KUBECONFIG_SYNTAX", "line 16: the same key twice" },
	{ HEAD "preferences: {a: 1, a: 2}\n" CLUSTERS CONTEXTS USERS TOKEN, "KUBECONFIG_SYNTAX",
	  "line 4: the same key twice" },
	{ HEAD CLUSTERS CONTEXTS USERS "    token: &a abc\n", "KUBECONFIG_ALIAS", "line 15" },
	{ HEAD CLUSTERS CONTEXTS "users: *a\n", "KUBECONFIG_ALIAS", "line 12" },
	{ HEAD "preferences: &a {}\n" CLUSTERS CONTEXTS USERS TOKEN, "KUBECONFIG_ALIAS", "line 4" },
	{ HEAD "extensions: &a []\n" CLUSTERS CONTEXTS USERS TOKEN, "KUBECONFIG_ALIAS", "line 4" },
	{ WITH_TOKEN("!!str abc"), "KUBECONFIG_TAG", "line 15" },
	{ WITH_TOKEN("! abc"), "KUBECONFIG_TAG", "line 15" },
	{ HEAD "preferences: !!map {}\n" CLUSTERS CONTEXTS USERS TOKEN, "KUBECONFIG_TAG",
	  "line 4" },
	{ HEAD "extensions: !!python/object []\n" CLUSTERS CONTEXTS USERS TOKEN, "KUBECONFIG_TAG",
	  "line 4" },
	{ GOOD "---\na: b\n", "KUBECONFIG_SYNTAX", "line 16: more than one document" },
	{ HEAD "? {a: b}\n: c\n", "KUBECONFIG_SYNTAX", "line 4: a key that is a collection" },
	{ "", "KUBECONFIG_SYNTAX", "line 1: nothing" },
	{ "---\n...\n", "KUBECONFIG_SYNTAX", "line 2: not a mapping" },
	{ "just text", "KUBECONFIG_SYNTAX", "line 1: not a mapping" },
	{ "- a\n", "KUBECONFIG_SYNTAX", "line 1: not a mapping" },
	{ "a: [b\nc: {", "KUBECONFIG_SYNTAX", "line " },
	{ "a: b\n  c: d\n", "KUBECONFIG_SYNTAX", "line 2" },
	{ "a: \"\\0\"\n", "KUBECONFIG_SYNTAX", "line 1: a NUL" },
	{ "a: \xff\n", "KUBECONFIG_SYNTAX", "not text" },
	{ "a: [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]\n", "KUBECONFIG_TOO_LARGE",
	  "line 1: nested too deeply" },
	{ "apiVersion: v2\n" CLUSTERS CONTEXTS USERS TOKEN, "KUBECONFIG_MEMBER",
	  "line 1: apiVersion: not a kubeconfig" },
	{ "kind: Secret\n" CLUSTERS CONTEXTS USERS TOKEN, "KUBECONFIG_MEMBER",
	  "line 1: kind: not a kubeconfig" },
	{ "kind: Config\nusers: {}\n", "KUBECONFIG_MEMBER", "line 2: users: must be a list" },
	{ "kind: Config\nusers: [x]\n", "KUBECONFIG_MEMBER",
	  "line 2: users[0]: must be a mapping" },
	{ "kind: [Config]\n", "KUBECONFIG_MEMBER", "line 1: kind: must be a string" },
	{ "kind: Config\n", "KUBECONFIG_MISSING", "line 1: current-context: is missing" },
	{ "kind: Config\ncurrent-context: ''\n", "KUBECONFIG_MISSING", "line 1: current-context" },
	{ HEAD CLUSTERS USERS TOKEN, "KUBECONFIG_MISSING",
	  "line 3: current-context: names an entry that is not in contexts" },
	{ HEAD CONTEXTS USERS TOKEN, "KUBECONFIG_MISSING",
	  "line 6: contexts[0].context.cluster: names an entry that is not in clusters" },
	{ HEAD CLUSTERS CONTEXTS, "KUBECONFIG_MISSING",
	  "line 11: contexts[0].context.user: names an entry that is not in users" },
	{ HEAD CLUSTERS "contexts: [{name: me@sealos}]\n" USERS TOKEN, "KUBECONFIG_MISSING",
	  "line 9: contexts[0].context: is missing" },
	{ HEAD CLUSTERS CONTEXTS "- name: me@sealos\n" USERS TOKEN, "KUBECONFIG_MEMBER",
	  "line 12: contexts[1].name: this name is there twice" },
	{ HEAD CLUSTERS "contexts: [{name: me@sealos, context: {cluster: sealos, user: me, "
			"namespace: kube_system}}]\n" USERS TOKEN,
	  "KUBECONFIG_NAMESPACE", "line 9: contexts[0].context.namespace: not a namespace" },
	{ HEAD CLUSTERS CONTEXTS USERS "    {}\n", "KUBECONFIG_MISSING",
	  "line 15: users[0].user.token: is missing" },
	{ WITH_TOKEN("'a b'"), "KUBECONFIG_TOKEN", "line 15: users[0].user.token: blanks" },
	{ WITH_TOKEN("\"a\\r\\nX-Evil: 1\""), "KUBECONFIG_TOKEN", "line 15" },
	{ WITH_TOKEN("\"\xc3\xa9\""), "KUBECONFIG_TOKEN", "line 15" },
	{ WITH_TOKEN("null"), "KUBECONFIG_MISSING", "line 15: users[0].user.token" },
	{ HEAD CLUSTERS CONTEXTS USERS "    client-certificate-data: $CERT\n", "KUBECONFIG_MISSING",
	  "line 15: users[0].user.client-key-data" },
	{ HEAD CLUSTERS CONTEXTS USERS "    client-certificate-data: $CERT\n"
				       "    client-key-data: $OTHERKEY\n",
	  "KUBECONFIG_CERTIFICATE",
	  "line 16: users[0].user.client-key-data: the private key is not" },
	{ HEAD CLUSTERS CONTEXTS USERS "    client-certificate-data: $CERT\n"
				       "    client-key-data: $CERT\n",
	  "KUBECONFIG_CERTIFICATE", "line 16: users[0].user.client-key-data: not an unencrypted" },
	{ HEAD CLUSTERS CONTEXTS USERS "    client-certificate-data: $KEY\n"
				       "    client-key-data: $KEY\n",
	  "KUBECONFIG_CERTIFICATE",
	  "line 15: users[0].user.client-certificate-data: not PEM certificates" },
	{ WITH_CA("' '"), "KUBECONFIG_CA",
	  "line 8: clusters[0].cluster.certificate-authority-data: not base64" },
	{ "\xef\xbb\xbf\xef\xbb\xbf" GOOD, "KUBECONFIG_SYNTAX", "line 2" },
	{ WITH_CA("'***'"), "KUBECONFIG_CA",
	  "line 8: clusters[0].cluster.certificate-authority-data: not base64" },
	{ WITH_CA("AAAA"), "KUBECONFIG_CA", "line 8" },
	{ WITH_CA("bm90IGEgY2VydGlmaWNhdGU="), "KUBECONFIG_CA",
	  "line 8: clusters[0].cluster.certificate-authority-data: not PEM" },
	{ SERVER("http://x.example"), "KUBECONFIG_SERVER",
	  "line 7: clusters[0].cluster.server: must begin with https" },
};

START_TEST(bad_ones_are_refused_with_code_line_and_member)
{
	struct kubeconfig c = { 0 };
	struct err e = { 0 };

	ck_assert_msg(parse(bad[_i].text, &c, &e) == -1, "taken: %s", bad[_i].text);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_msg(strcmp(e.code, bad[_i].code) == 0, "%s instead of %s: %s", e.code,
		      bad[_i].code, e.message);
	ck_assert_msg(strncmp(e.message, bad[_i].says, strlen(bad[_i].says)) == 0,
		      "\"%s\" instead of \"%s\"", e.message, bad[_i].says);
	ck_assert_ptr_null(c.server);
}
END_TEST

START_TEST(sizes_are_capped)
{
	CLEANUP(buf_release) struct buf text = BUF_INIT(1 << 20);
	struct kubeconfig c = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(buf_append(&text, "extensions: [", 13, NULL), 0);
	for (int i = 0; i < YAML_TREE_NODES; i++)
		ck_assert_int_eq(buf_append(&text, "1,", 2, NULL), 0);
	ck_assert_int_eq(kubeconfig_parse(text.data, text.length, &c, &e), -1);
	ck_assert_str_eq(e.code, "KUBECONFIG_TOO_LARGE");
	ck_assert_str_eq(e.message, "line 1: too many members");
	while (text.length <= KUBECONFIG_MAX_BYTES)
		ck_assert_int_eq(buf_append(&text, "          ", 10, NULL), 0);
	ck_assert_int_eq(kubeconfig_parse(text.data, text.length, &c, &e), -1);
	ck_assert_str_eq(e.code, "KUBECONFIG_TOO_LARGE");
	ck_assert_ptr_nonnull(strstr(e.message, "65536"));
	ck_assert_int_eq(kubeconfig_parse("a: b\0c: d", 9, &c, &e), -1);
	ck_assert_str_eq(e.code, "KUBECONFIG_SYNTAX");
}
END_TEST

START_TEST(a_message_never_quotes_a_credential)
{
	static const char *const texts[] = {
		WITH_TOKEN("'SECRET with blanks'"),
		WITH_TOKEN("[SECRET]"),
		IN_USER("client-certificate-data: SECRET\n    client-key-data: {a: SECRET}"),
		HEAD CLUSTERS CONTEXTS USERS "    token: SECRET: SECRET\n",
		HEAD CLUSTERS CONTEXTS USERS "    token: 'SECRET\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct kubeconfig c = { 0 };
		struct err e = { 0 };
		ck_assert_int_eq(parse(texts[i], &c, &e), -1);
		ck_assert_msg(strstr(e.message, "SECRET") == NULL, "%s", e.message);
	}
}
END_TEST

START_TEST(expiry_is_that_of_the_token_or_certificate)
{
	CLEANUP(cleanup_free)
	char *with_exp =
		/* {"exp":1900000000,"iat":1} */
		mem_strdup(WITH_TOKEN("h.eyJleHAiOjE5MDAwMDAwMDAsImlhdCI6MX0.s"));
	static const char *const without[] = {
		WITH_TOKEN("opaque"),
		WITH_TOKEN("h.bm90IGpzb24.s"),
		WITH_TOKEN("h..s"),
		WITH_TOKEN("h.eyJleHAiOiJ4In0.s"),  /* {"exp":"x"} */
		WITH_TOKEN("h.eyJleHAiOjFlMzB9.s"), /* {"exp":1e30} */
		WITH_TOKEN("h.eyJleHAiOi01fQ.s"),   /* {"exp":-5} */
	};
	struct kubeconfig c = { 0 };
	struct err e = { 0 };

	ck_assert_msg(parse(with_exp, &c, &e) == 0, "%s", e.message);
	ck_assert_int_eq(c.expires_at, 1900000000);
	kubeconfig_clear(&c);
	for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
		ck_assert_msg(parse(without[i], &c, &e) == 0, "%s", e.message);
		ck_assert_int_eq(c.expires_at, 0);
		kubeconfig_clear(&c);
	}
	ck_assert_int_eq(parse(HEAD CLUSTERS CONTEXTS USERS "    client-certificate-data: $CERT\n"
							    "    client-key-data: $KEY\n",
			       &c, &e),
			 0);
	ck_assert(llabs((long long)c.expires_at - (long long)time(NULL) - 86400) < 120);
	kubeconfig_clear(&c);
}
END_TEST

START_TEST(defaults_are_those_of_kubectl)
{
	static const char *const texts[] = {
		WITH_CA("''"),
		HEAD
		"clusters:\n- name: sealos\n  cluster: {server: https://x.example}\n"
		"contexts: [{name: me@sealos, context: {cluster: sealos, user: me}}]\n" USERS TOKEN,
	};
	static const char *const namespaces[] = { "ns-me", "default" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(kubeconfig_clear) struct kubeconfig c = { 0 };
		struct err e = { 0 };
		ck_assert_msg(parse(texts[i], &c, &e) == 0, "%s", e.message);
		ck_assert_ptr_null(c.ca_pem); /* the system's */
		ck_assert_str_eq(c.namespace, namespaces[i]);
	}
}
END_TEST

static const struct {
	const char *url, *server, *host; /* server NULL: refused */
} urls[] = {
	{ "https://x.example", "https://x.example", "x.example" },
	{ "HTTPS://X.Example/", "https://x.example", "x.example" },
	{ "https://x.example:443", "https://x.example", "x.example" },
	{ "https://x.example:6443/k8s/clusters/c-1:2/", "https://x.example:6443/k8s/clusters/c-1:2",
	  "x.example" },
	{ "https://10.0.0.1:6443", "https://10.0.0.1:6443", "10.0.0.1" },
	{ "https://[2001:DB8:0::1]:6443", "https://[2001:db8::1]:6443", "2001:db8::1" },
	{ "https://xn--bcher-kva.example", "https://xn--bcher-kva.example",
	  "xn--bcher-kva.example" },
	{ "https://localhost:6443", "https://localhost:6443", "localhost" },
	{ "http://x.example", NULL, NULL },
	{ "x.example", NULL, NULL },
	{ "https:x.example", NULL, NULL },
	{ "file:///etc/passwd", NULL, NULL },
	{ "https://", NULL, NULL },
	{ "https:///path", NULL, NULL },
	{ "https://user@x.example", NULL, NULL },
	{ "https://x.example@evil.example", NULL, NULL },
	{ "https://x.example?x=y", NULL, NULL },
	{ "https://x.example#f", NULL, NULL },
	{ "https://x.example\\@evil", NULL, NULL },
	{ "https://x.example/a b", NULL, NULL },
	{ "https://x.example/%2e%2e/", NULL, NULL },
	{ "https://x.example/../y", NULL, NULL },
	{ "https://x.example/./y", NULL, NULL },
	{ "https://x.example//y", NULL, NULL },
	{ "https://x.example:", NULL, NULL },
	{ "https://x.example:0", NULL, NULL },
	{ "https://x.example:65536", NULL, NULL },
	{ "https://x.example:+1", NULL, NULL },
	{ "https://x.example:123456789", NULL, NULL },
	{ "https://x..example", NULL, NULL },
	{ "https://.example", NULL, NULL },
	{ "https://x.example.", NULL, NULL },
	{ "https://-x.example", NULL, NULL },
	{ "https://x_y.example", NULL, NULL },
	{ "https://b\xc3\xbc"
	  "cher.example",
	  NULL, NULL },
	{ "https://2130706433", NULL, NULL },
	{ "https://0x7f000001", NULL, NULL },
	{ "https://127.1", NULL, NULL },
	{ "https://0177.0.0.1", NULL, NULL },
	{ "https://256.0.0.1", NULL, NULL },
	{ "https://1.2.3.0x4", NULL, NULL },
	{ "https://[::1", NULL, NULL },
	{ "https://[::1]x", NULL, NULL },
	{ "https://[fe80::1%25eth0]", NULL, NULL },
	{ "https://[127.0.0.1]", NULL, NULL },
	{ "https://[x.example]", NULL, NULL },
};

START_TEST(server_urls)
{
	CLEANUP(cleanup_free) char *server = NULL;
	CLEANUP(cleanup_free) char *host = NULL;
	struct err e = { 0 };
	int result = server_url_parse(urls[_i].url, &server, &host, &e);

	if (urls[_i].server == NULL) {
		ck_assert_msg(result == -1, "%s was taken as %s", urls[_i].url, server);
		ck_assert_str_eq(e.code, "KUBECONFIG_SERVER");
		return;
	}
	ck_assert_msg(result == 0, "%s: %s", urls[_i].url, e.message);
	ck_assert_str_eq(server, urls[_i].server);
	ck_assert_str_eq(host, urls[_i].host);
}
END_TEST

START_TEST(a_forbidden_address_is_reported_at_once)
{
	static const struct {
		const char *text, *allow, *says; /* says NULL: allowed */
	} cases[] = {
		{ SERVER("https://127.0.0.1:6443"), NULL, "127.0.0.1 is loopback" },
		{ SERVER("https://127.0.0.1:6443"), "127.0.0.0/8", NULL },
		{ SERVER("https://localhost"), NULL, "localhost is loopback" },
		{ SERVER("https://metadata.google.internal"), NULL, "is metadata service" },
		{ SERVER("https://[fd00::1]"), NULL, "fd00::1 is private" },
		{ SERVER("https://x.example"), NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(kubeconfig_clear) struct kubeconfig c = { 0 };
		CLEANUP(address_policy_freep) struct address_policy *policy = NULL;
		struct err e = { 0 };
		ck_assert_msg(parse(cases[i].text, &c, &e) == 0, "%s", e.message);
		ck_assert_int_eq(address_policy_new(cases[i].allow, &policy, &e), 0);
		ck_assert_int_eq(kubeconfig_check_address(&c, policy, &e), cases[i].says ? -1 : 0);
		if (cases[i].says != NULL) {
			ck_assert_str_eq(e.code, "ADDRESS_FORBIDDEN");
			ck_assert_int_eq(e.kind, ERR_INVALID);
			ck_assert_msg(strstr(e.message, cases[i].says), "%s", e.message);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kubeconfig");
	TCase *parsing = tcase_create("parse");

	crypto_init();
	tcase_add_unchecked_fixture(parsing, make_certificates, free_certificates);
	tcase_add_test(parsing, needed_members_are_read);
	tcase_add_loop_test(parsing, valid_kubeconfigs_are_accepted, 0, ARRAY_SIZE(good));
	tcase_add_loop_test(parsing, bad_ones_are_refused_with_code_line_and_member, 0,
			    ARRAY_SIZE(bad));
	tcase_add_test(parsing, sizes_are_capped);
	tcase_add_test(parsing, a_message_never_quotes_a_credential);
	tcase_add_test(parsing, defaults_are_those_of_kubectl);
	tcase_add_test(parsing, expiry_is_that_of_the_token_or_certificate);
	tcase_add_loop_test(parsing, server_urls, 0, ARRAY_SIZE(urls));
	tcase_add_test(parsing, a_forbidden_address_is_reported_at_once);
	suite_add_tcase(suite, parsing);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
