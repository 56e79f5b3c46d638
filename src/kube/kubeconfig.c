#include "kube/kubeconfig.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "http/certificate.h"
#include "kube/credential.h"
#include "kube/server_url.h"
#include "kube/yaml_tree.h"

enum { NAME_MAX_BYTES = 253, NAMESPACE_MAX = 63 };

/* The same as kubectl's. */
static const char default_namespace[] = "default";

/* ---- the members allowed ------------------------------------------------------------------- */

enum verdict {
	MAP,
	LIST,
	TEXT,
	ANYTHING, /* not examined */
	REFUSED,
	REFUSED_UNLESS_NO, /* accepted only if it is false */
};

/* One row per member of kubeconfig.v1. Other members are refused as unknown. */
static const struct rule {
	const char *path;
	enum verdict verdict;
	const char *code, *why; /* for refused members */
} rules[] = {
#define FILE_RULE(path)                                                                            \
	{                                                                                          \
		path, REFUSED, "KUBECONFIG_FILE",                                                  \
			"reading a file is not allowed; put its content in the -data member"       \
	}
#define IMPERSONATE_RULE(path)                                                                     \
	{                                                                                          \
		path, REFUSED, "KUBECONFIG_IMPERSONATE", "impersonation is not allowed"            \
	}
#define BASIC_RULE(path)                                                                           \
	{                                                                                          \
		path, REFUSED, "KUBECONFIG_BASIC_AUTH",                                            \
			"user name and password are not supported; use a token"                    \
	}
	{ "apiVersion", TEXT, NULL, NULL },
	{ "kind", TEXT, NULL, NULL },
	{ "preferences", ANYTHING, NULL, NULL },
	{ "extensions", ANYTHING, NULL, NULL },
	{ "current-context", TEXT, NULL, NULL },
	{ "clusters", LIST, NULL, NULL },
	{ "clusters[]", MAP, NULL, NULL },
	{ "clusters[].name", TEXT, NULL, NULL },
	{ "clusters[].cluster", MAP, NULL, NULL },
	{ "clusters[].cluster.server", TEXT, NULL, NULL },
	{ "clusters[].cluster.api-version", TEXT, NULL, NULL }, /* Rancher, and old versions */
	{ "clusters[].cluster.certificate-authority-data", TEXT, NULL, NULL },
	{ "clusters[].cluster.disable-compression", TEXT, NULL, NULL },
	{ "clusters[].cluster.extensions", ANYTHING, NULL, NULL },
	FILE_RULE("clusters[].cluster.certificate-authority"),
	{ "clusters[].cluster.insecure-skip-tls-verify", REFUSED_UNLESS_NO, "KUBECONFIG_INSECURE",
	  "the server's certificate is always verified: put the cluster's CA in "
	  "certificate-authority-data instead" },
	{ "clusters[].cluster.proxy-url", REFUSED, "KUBECONFIG_PROXY", "a proxy is not allowed" },
	{ "clusters[].cluster.tls-server-name", REFUSED, "KUBECONFIG_MEMBER",
	  "not supported: the certificate must be for the server's own name" },
	{ "contexts", LIST, NULL, NULL },
	{ "contexts[]", MAP, NULL, NULL },
	{ "contexts[].name", TEXT, NULL, NULL },
	{ "contexts[].context", MAP, NULL, NULL },
	{ "contexts[].context.cluster", TEXT, NULL, NULL },
	{ "contexts[].context.user", TEXT, NULL, NULL },
	{ "contexts[].context.namespace", TEXT, NULL, NULL },
	{ "contexts[].context.extensions", ANYTHING, NULL, NULL },
	{ "users", LIST, NULL, NULL },
	{ "users[]", MAP, NULL, NULL },
	{ "users[].name", TEXT, NULL, NULL },
	{ "users[].user", MAP, NULL, NULL },
	{ "users[].user.token", TEXT, NULL, NULL },
	{ "users[].user.client-certificate-data", TEXT, NULL, NULL },
	{ "users[].user.client-key-data", TEXT, NULL, NULL },
	{ "users[].user.extensions", ANYTHING, NULL, NULL },
	{ "users[].user.exec", REFUSED, "KUBECONFIG_EXEC",
	  "running a program is not allowed: use the token of a service account instead" },
	{ "users[].user.auth-provider", REFUSED, "KUBECONFIG_EXEC",
	  "authentication plugins are not allowed: use the token of a service account instead" },
	FILE_RULE("users[].user.tokenFile"),
	FILE_RULE("users[].user.client-certificate"),
	FILE_RULE("users[].user.client-key"),
	IMPERSONATE_RULE("users[].user.as"),
	IMPERSONATE_RULE("users[].user.as-uid"),
	IMPERSONATE_RULE("users[].user.as-groups"),
	IMPERSONATE_RULE("users[].user.as-user-extra"),
	BASIC_RULE("users[].user.username"),
	BASIC_RULE("users[].user.password"),
#undef FILE_RULE
#undef IMPERSONATE_RULE
#undef BASIC_RULE
};

/* What a verdict requires of a node; null counts as absent. */
static const struct {
	enum yaml_kind kind;
	const char *demand;
} shapes[] = {
	[MAP] = { YAML_TREE_MAP, "must be a mapping" },
	[LIST] = { YAML_TREE_LIST, "must be a list" },
	[TEXT] = { YAML_TREE_TEXT, "must be a string" },
};

/* Puts "line 12: users[0].user.exec: " in front of the message. `member`: of the node, or NULL. */
static int at(struct err *e, const struct yaml_tree *node, const char *member)
{
	char path[YAML_TREE_PATH_MAX];

	yaml_tree_path(node, true, path);
	err_wrap(e, "line %u: %s%s%s", node->line, path,
		 path[0] != '\0' && member != NULL ? "." : "", member ? member : "");
	return -1;
}

static int refuse(struct err *e, const struct yaml_tree *node, const char *code, const char *why)
{
	err_set(e, ERR_INVALID, code, "%s", why);
	return at(e, node, NULL);
}

static const struct rule *find_rule(const struct yaml_tree *node)
{
	char path[YAML_TREE_PATH_MAX];

	yaml_tree_path(node, false, path);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (strcmp(path, rules[i].path) == 0)
			return &rules[i];
	}
	return NULL;
}

/* Whether a value is empty, and so counts as absent: "certificate-authority: ''". */
static bool is_empty(const struct yaml_tree *node)
{
	return node->kind == YAML_TREE_NULL ||
	       (node->kind == YAML_TREE_TEXT && node->text[0] == '\0') ||
	       (node->kind == YAML_TREE_LIST && node->first == NULL);
}

/* Whether it is false in YAML 1.1, which kubectl reads. */
static bool says_no(const struct yaml_tree *node)
{
	static const char *const words[] = { "false", "False", "FALSE", "no", "No", "NO",
					     "off",   "Off",   "OFF",   "n",  "N" };

	for (size_t i = 0; node->text != NULL && i < ARRAY_SIZE(words); i++) {
		if (strcmp(node->text, words[i]) == 0)
			return true;
	}
	return false;
}

/* Returns a member that exists and is not empty, or NULL. */
static const struct yaml_tree *given(const struct yaml_tree *map, const char *member)
{
	const struct yaml_tree *node = yaml_tree_member(map, member);

	return node != NULL && !is_empty(node) ? node : NULL;
}

/* Checks one node; `ret_inside`: whether its children must be checked, too. */
static int check_node(const struct yaml_tree *node, bool *ret_inside, struct err *e)
{
	const struct rule *rule = find_rule(node);

	if (rule == NULL)
		return refuse(e, node, "KUBECONFIG_MEMBER", "no such member in a kubeconfig");
	*ret_inside = rule->verdict == MAP || rule->verdict == LIST;
	if (rule->verdict == ANYTHING || node->kind == YAML_TREE_NULL)
		return 0;
	if (rule->verdict == REFUSED || rule->verdict == REFUSED_UNLESS_NO) {
		if (is_empty(node) || (rule->verdict == REFUSED_UNLESS_NO && says_no(node)))
			return 0;
		return refuse(e, node, rule->code, rule->why);
	}
	if (node->kind != shapes[rule->verdict].kind)
		return refuse(e, node, "KUBECONFIG_MEMBER", shapes[rule->verdict].demand);
	return 0;
}

/* Checks every node: refused members are refused in contexts that are not current, too. */
static int check_nodes(const struct yaml_tree *parent, struct err *e)
{
	for (const struct yaml_tree *node = parent->first; node != NULL; node = node->next) {
		bool inside = false;
		if (check_node(node, &inside, e) < 0 || (inside && check_nodes(node, e) < 0))
			return -1;
	}
	return 0;
}

/* ---- reading the members needed ------------------------------------------------------------ */

static int missing(struct err *e, const struct yaml_tree *map, const char *member)
{
	err_set(e, ERR_INVALID, "KUBECONFIG_MISSING", "is missing");
	return at(e, map, member);
}

/* Returns a member that must exist and not be empty. */
static int need(const struct yaml_tree *map, const char *member, const struct yaml_tree **ret_node,
		struct err *e)
{
	const struct yaml_tree *node = given(map, member);

	if (node == NULL || node->text == NULL)
		return missing(e, map, member);
	*ret_node = node;
	return 0;
}

/* Finds the entry of `list` (clusters, contexts, users) that `reference` names, and returns its
 * member `inner`. */
static int find_entry(const struct yaml_tree *root, const char *list, const char *inner,
		      const struct yaml_tree *reference, const struct yaml_tree **ret_entry,
		      struct err *e)
{
	const struct yaml_tree *all = yaml_tree_member(root, list), *found = NULL;

	for (const struct yaml_tree *one = all ? all->first : NULL; one != NULL; one = one->next) {
		const struct yaml_tree *name = yaml_tree_member(one, "name");
		if (name == NULL || strcmp(name->text, reference->text) != 0)
			continue;
		if (found != NULL)
			return refuse(e, name, "KUBECONFIG_MEMBER", "this name is there twice");
		found = one;
	}
	if (found == NULL) {
		err_set(e, ERR_INVALID, "KUBECONFIG_MISSING", "names an entry that is not in %s",
			list);
		return at(e, reference, NULL);
	}
	*ret_entry = yaml_tree_member(found, inner);
	return *ret_entry != NULL ? 0 : missing(e, found, inner);
}

/* Decodes a member that contains text in base64. */
static int need_data(const struct yaml_tree *map, const char *member, const char *code,
		     const struct yaml_tree **ret_node, struct buf *ret_text, struct err *e)
{
	if (need(map, member, ret_node, e) < 0)
		return -1;
	const char *text = (*ret_node)->text;
	if (!base64_decode(BASE64_STANDARD, text, strlen(text), ret_text) ||
	    ret_text->length == 0 || strlen(ret_text->data) != ret_text->length)
		return refuse(e, *ret_node, code, "not base64 of text");
	return 0;
}

static int fail_at(struct err *e, const struct yaml_tree *node, const char *code)
{
	return e == NULL ? -1 : refuse(e, node, code, e->message);
}

static int take_certificates(const struct yaml_tree *map, const char *member, const char *code,
			     int most, char **ret_pem, int64_t *ret_expires_at, struct err *e)
{
	CLEANUP(buf_release) struct buf pem = BUF_INIT(KUBECONFIG_MAX_BYTES);
	const struct yaml_tree *node;

	if (need_data(map, member, code, &node, &pem, e) < 0)
		return -1;
	if (credential_read_certificates(pem.data, most, ret_pem, ret_expires_at, e) < 0)
		return fail_at(e, node, code);
	return 0;
}

static int take_client_certificate(const struct yaml_tree *user, struct kubeconfig *config,
				   struct err *e)
{
	static const char code[] = "KUBECONFIG_CERTIFICATE";
	CLEANUP(buf_wipe) struct buf key = BUF_INIT(KUBECONFIG_MAX_BYTES);
	const struct yaml_tree *node;

	if (take_certificates(user, "client-certificate-data", code, CERTIFICATE_CHAIN_MAX,
			      &config->certificate_pem, &config->expires_at, e) < 0 ||
	    need_data(user, "client-key-data", code, &node, &key, e) < 0)
		return -1;
	if (credential_read_key(config->certificate_pem, key.data, &config->key_pem, e) < 0)
		return fail_at(e, node, code);
	return 0;
}

static int take_user(const struct yaml_tree *user, struct kubeconfig *config, struct err *e)
{
	const struct yaml_tree *token = given(user, "token");

	if (token == NULL && given(user, "client-certificate-data") != NULL)
		return take_client_certificate(user, config, e);
	if (need(user, "token", &token, e) < 0)
		return -1;
	if (credential_check_token(token->text, e) < 0)
		return fail_at(e, token, "KUBECONFIG_TOKEN");
	config->token = mem_strdup(token->text);
	config->expires_at = credential_token_expiry(token->text);
	return 0;
}

static int take_cluster(const struct yaml_tree *cluster, struct kubeconfig *config, struct err *e)
{
	const struct yaml_tree *server;

	if (need(cluster, "server", &server, e) < 0)
		return -1;
	if (server_url_parse(server->text, &config->server, &config->host, e) < 0)
		return fail_at(e, server, "KUBECONFIG_SERVER");
	if (given(cluster, "certificate-authority-data") == NULL)
		return 0; /* a public certificate */
	return take_certificates(cluster, "certificate-authority-data", "KUBECONFIG_CA",
				 CERTIFICATE_BUNDLE_MAX, &config->ca_pem, NULL, e);
}

/* RFC 1123, as Kubernetes requires for a namespace's name. */
static bool is_dns_label(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return text[length] == '\0' && length > 0 && length <= NAMESPACE_MAX && text[0] != '-' &&
	       text[length - 1] != '-';
}

static bool is_plain_name(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	}
	return strlen(text) <= NAME_MAX_BYTES;
}

static int take_context(const struct yaml_tree *root, const struct yaml_tree *context,
			struct kubeconfig *config, struct err *e)
{
	const struct yaml_tree *cluster_name, *user_name, *cluster, *user;
	const struct yaml_tree *namespace = given(context, "namespace");

	if (need(context, "cluster", &cluster_name, e) < 0 ||
	    need(context, "user", &user_name, e) < 0 ||
	    find_entry(root, "clusters", "cluster", cluster_name, &cluster, e) < 0 ||
	    find_entry(root, "users", "user", user_name, &user, e) < 0)
		return -1;
	if (namespace != NULL && !is_dns_label(namespace->text))
		return refuse(e, namespace, "KUBECONFIG_NAMESPACE",
			      "not a namespace: lower-case letters, digits and '-', 63 at most");
	if (!is_plain_name(user_name->text))
		return refuse(e, user_name, "KUBECONFIG_MEMBER", "too long or not printable");
	config->namespace = mem_strdup(namespace != NULL ? namespace->text : default_namespace);
	config->user = mem_strdup(user_name->text);
	return take_cluster(cluster, config, e) < 0 ? -1 : take_user(user, config, e);
}

/* apiVersion and kind may be absent, as for kubectl; otherwise they must be right. */
static int check_version(const struct yaml_tree *root, struct err *e)
{
	static const char *const header[][2] = { { "apiVersion", "v1" }, { "kind", "Config" } };

	for (size_t i = 0; i < ARRAY_SIZE(header); i++) {
		const struct yaml_tree *node = yaml_tree_member(root, header[i][0]);
		if (node != NULL && strcmp(node->text, header[i][1]) != 0)
			return refuse(e, node, "KUBECONFIG_MEMBER",
				      "not a kubeconfig: apiVersion is v1, kind is Config");
	}
	return 0;
}

int kubeconfig_parse(const char *text, size_t length, struct kubeconfig *ret_config, struct err *e)
{
	CLEANUP(yaml_tree_freep) struct yaml_tree *root = NULL;
	CLEANUP(kubeconfig_clear) struct kubeconfig config = { 0 };
	const struct yaml_tree *current, *context;

	if (length > KUBECONFIG_MAX_BYTES)
		return err_set(e, ERR_INVALID, "KUBECONFIG_TOO_LARGE",
			       "the kubeconfig is larger than %d bytes", KUBECONFIG_MAX_BYTES);
	if (yaml_tree_parse(text, length, &root, e) < 0)
		return -1;
	if (root->kind != YAML_TREE_MAP)
		return err_set(e, ERR_INVALID, "KUBECONFIG_SYNTAX", "line %u: not a mapping",
			       root->line);
	if (check_nodes(root, e) < 0 || check_version(root, e) < 0 ||
	    need(root, "current-context", &current, e) < 0 ||
	    find_entry(root, "contexts", "context", current, &context, e) < 0 ||
	    take_context(root, context, &config, e) < 0)
		return -1;
	*ret_config = config;
	config = (struct kubeconfig) { 0 };
	return 0;
}

int kubeconfig_check_address(const struct kubeconfig *config, const struct address_policy *policy,
			     struct err *e)
{
	const char *refusal = address_policy_refusal_of_host(policy, config->host);

	if (refusal == NULL)
		return 0;
	return err_set(e, ERR_INVALID, "ADDRESS_FORBIDDEN",
		       "the server's address is not allowed: %s is %s", config->host, refusal);
}

static void wipe(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void kubeconfig_clear(struct kubeconfig *config)
{
	free(config->server);
	free(config->host);
	free(config->namespace);
	free(config->user);
	free(config->ca_pem);
	free(config->certificate_pem);
	wipe(config->token);
	wipe(config->key_pem);
	*config = (struct kubeconfig) { 0 };
}
