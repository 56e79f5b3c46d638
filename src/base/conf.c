#include "base/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ini.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

#define STRING(n, d, h)                                                                            \
	{                                                                                          \
		n, CONF_STRING, d, 1, 1024, NULL, h                                                \
	}
#define INTEGER(n, d, lo, hi, h)                                                                   \
	{                                                                                          \
		n, CONF_INTEGER, d, lo, hi, NULL, h                                                \
	}
#define DURATION(n, d, lo, hi, h)                                                                  \
	{                                                                                          \
		n, CONF_DURATION, d, lo, hi, NULL, h                                               \
	}
#define BOOL(n, d, h)                                                                              \
	{                                                                                          \
		n, CONF_BOOL, d, 0, 0, NULL, h                                                     \
	}
#define CHOICE(n, d, c, h)                                                                         \
	{                                                                                          \
		n, CONF_CHOICE, d, 0, 0, c, h                                                      \
	}

#define DOMAIN(n, d, h)                                                                            \
	{                                                                                          \
		n, CONF_DOMAIN, d, 0, 0, NULL, h                                                   \
	}
#define SECRET_FILE(n, d, h)                                                                       \
	{                                                                                          \
		n, CONF_SECRET_FILE, d, 1, 1024, NULL, h                                           \
	}

static const struct conf_spec specs[CONF_OPTION_COUNT] = {
	[CONF_MODE] = CHOICE("mode", "production", "production development",
			     "In development mode error answers carry internal messages."),
	[CONF_LOG_LEVEL] = CHOICE("log_level", "info", "error warning info debug",
				  "Lines below this level are not written."),
	[CONF_METRICS_DIR] = STRING("metrics_dir", "/run/fullstack-agent/metrics",
				    "Folder of the files that programs count into."),
	[CONF_DATABASE] =
		STRING("database", "dbname=fsa",
		       "libpq connection string; each program adds its own role as user."),
	[CONF_DATABASE_PREPARE] =
		BOOL("database_prepare", "yes",
		     "Prepared statements; no behind pgbouncer in transaction mode."),
	[CONF_DATABASE_TIMEOUT] =
		DURATION("database_timeout", "5s", 100, 5 * MINUTE,
			 "The longest a connection attempt or statement may take."),
	[CONF_OWNER_PUBLIC_KEY_FILE] =
		STRING("owner_public_key_file", "/etc/fullstack-agent/keys/owner.pub",
		       "Key that seals what an owner may see again, for fsa-reconcile."),
	[CONF_OWNER_PRIVATE_KEY_FILE] =
		SECRET_FILE("owner_private_key_file", "/etc/fullstack-agent/keys/owner.key",
			    "Its private half: api.fcgi and fsa-reconcile only."),
	[CONF_CLUSTER_PUBLIC_KEY_FILE] =
		STRING("cluster_public_key_file", "/etc/fullstack-agent/keys/cluster.pub",
		       "Key that seals kubeconfigs and provider tokens."),
	[CONF_CLUSTER_PRIVATE_KEY_FILE] =
		SECRET_FILE("cluster_private_key_file", "/etc/fullstack-agent/keys/cluster.key",
			    "Its private half: fsa-reconcile only."),
	[CONF_PUBLIC_URL] = STRING("public_url", "http://127.0.0.1:8080",
				   "Scheme, host and port under which browsers see the site; https "
				   "makes cookies Secure."),
	[CONF_FRAME_ANCESTORS] =
		STRING("frame_ancestors", NULL,
		       "Origins, separated by blanks, of the sites that may show this one in a "
		       "frame, such as a Sealos desktop; needs https."),
	[CONF_SESSION_IDLE] = DURATION("session_idle", "1d", MINUTE, 30 * DAY,
				       "A session unused for so long ends."),
	[CONF_SESSION_LIFETIME] = DURATION("session_lifetime", "7d", MINUTE, 90 * DAY,
					   "A session ends after so long in any case."),
	[CONF_REGISTRATION] = CHOICE("registration", "closed", "open closed at_login",
				     "Whether strangers may register with a password; at_login: "
				     "also by logging in with a name that nobody has."),
	[CONF_PASSWORD_MEMORY_KIB] = INTEGER("password_memory_kib", "19456", 8192, 1048576,
					     "Argon2id memory; new hashes only."),
	[CONF_PASSWORD_PASSES] =
		INTEGER("password_passes", "2", 1, 16, "Argon2id passes; new hashes only."),
	[CONF_PROVIDER_REGISTRATION] =
		CHOICE("provider_registration", "open", "open closed",
		       "Whether whom a provider vouches for, and nobody here knows, becomes a "
		       "user."),
	[CONF_PROVIDER_CA_FILE] =
		STRING("provider_ca_file", "/etc/ssl/certs/ca-certificates.crt",
		       "Certificate authorities, in PEM, that vouch for the providers' servers."),
	[CONF_PROVIDER_ALLOW_ADDRESSES] =
		STRING("provider_allow_addresses", NULL,
		       "Networks (CIDR, separated by blanks) that providers may be in although "
		       "they are private, loopback or link-local."),
	[CONF_PROVIDER_TIMEOUT] = DURATION("provider_timeout", "5s", 100, 9 * SECOND,
					   "One whole request to a provider; a login takes two or "
					   "three."),
	[CONF_SEALOS_JWT_SECRET_FILE] =
		SECRET_FILE("sealos_jwt_secret_file", NULL,
			    "The secret with which the Sealos desktop signs its tokens; unset: no "
			    "login by Sealos."),
	[CONF_GITHUB_CLIENT_ID] =
		STRING("github_client_id", NULL, "Of the OAuth app; unset: no login by GitHub."),
	[CONF_GITHUB_CLIENT_SECRET_FILE] =
		SECRET_FILE("github_client_secret_file", NULL, "The client secret of the same."),
	[CONF_GITHUB_URL] = STRING("github_url", "https://github.com",
				   "Where people log in; that of a GitHub Enterprise Server."),
	[CONF_GITHUB_API_URL] =
		STRING("github_api_url", "https://api.github.com",
		       "GitHub's API; of an Enterprise Server https://HOST/api/v3."),
	[CONF_GITHUB_SCOPE] =
		STRING("github_scope", "read:user",
		       "What is asked for, separated by blanks; logging in needs no more."),
	[CONF_OIDC_CLIENT_ID] = STRING("oidc_client_id", NULL,
				       "At an OpenID Connect provider; unset: no login by one."),
	[CONF_OIDC_CLIENT_SECRET_FILE] =
		SECRET_FILE("oidc_client_secret_file", NULL, "The client secret of the same."),
	[CONF_OIDC_ISSUER] = STRING("oidc_issuer", "https://accounts.google.com",
				    "The provider's issuer identifier, an https URL."),
	[CONF_OIDC_NAME] = STRING("oidc_name", "Google", "What people know the provider by."),
	[CONF_OIDC_SCOPE] =
		STRING("oidc_scope", "openid profile",
		       "What is asked for, separated by blanks; openid has to be in it."),
	[CONF_PROJECTS_PER_USER] =
		INTEGER("projects_per_user", "50", 1, 1000000, "Projects a user may have at once."),
	[CONF_IDEMPOTENCY_TTL] = DURATION("idempotency_ttl", "1d", MINUTE, 30 * DAY,
					  "How long an Idempotency-Key is remembered."),
	[CONF_EVENT_RETENTION] = DURATION("event_retention", "90d", DAY, 3650 * DAY,
					  "How long a project's events are kept."),
	[CONF_AUDIT_RETENTION] = DURATION("audit_retention", "400d", 0, 36500 * DAY,
					  "How long it is kept who did what; 0d: for ever."),
	[CONF_WAKE_FILE] = STRING("wake_file", "/run/fullstack-agent/wake",
				  "Touched after each committed change; wakes the reconciler."),
	[CONF_KUBE_ALLOW_ADDRESSES] =
		STRING("kube_allow_addresses", NULL,
		       "Networks (CIDR, separated by blanks) that API servers may be in although "
		       "they are private, loopback or link-local."),
	[CONF_KUBE_CONNECT_TIMEOUT] = DURATION("kube_connect_timeout", "3s", 100, MINUTE,
					       "Name resolution, TCP and TLS to an API server."),
	[CONF_KUBE_REQUEST_TIMEOUT] = DURATION("kube_request_timeout", "5s", 100, 5 * MINUTE,
					       "One whole request to an API server."),
	[CONF_KUBE_BODY_MAX] = INTEGER("kube_body_max", "8388608", 65536, 1073741824,
				       "Largest answer of an API server that is read, in bytes."),
	[CONF_KUBE_MEMORY] =
		INTEGER("kube_memory", "1073741824", 16777216, 1099511627776,
			"What all answers that one reconciler is working on may take, in bytes; "
			"half of it is shared out among rows_in_flight."),
	[CONF_INGRESS_DOMAIN] =
		DOMAIN("ingress_domain", NULL, "Sandboxes get <12 letters>.<this domain>."),
	[CONF_INGRESS_CLASS] =
		STRING("ingress_class", "nginx", "ingressClassName of the Ingresses."),
	[CONF_INGRESS_TLS_SECRET] = STRING("ingress_tls_secret", "wildcard-cert",
					   "Secret with the certificate of the domain."),
	[CONF_STORAGE_CLASS] = STRING("storage_class", NULL,
				      "storageClassName of volumes; unset: the cluster's default."),
	[CONF_RUNTIME_IMAGE] =
		STRING("runtime_image", "fullstackagent/fullstack-web-runtime:v0.0.1-alpha.12",
		       "Image of new sandboxes."),
	[CONF_IMAGE_PULL_SECRET] = STRING("image_pull_secret", NULL,
					  "Secret in the user's namespace for pulling the image."),
	[CONF_HOME_SIZE] = STRING("home_size", "1Gi", "Volume of the home directory."),
	[CONF_SANDBOX_CPU_REQUEST] = STRING("sandbox_cpu_request", "20m", "Of new sandboxes."),
	[CONF_SANDBOX_CPU_LIMIT] = STRING("sandbox_cpu_limit", "200m", "Of new sandboxes."),
	[CONF_SANDBOX_MEMORY_REQUEST] =
		STRING("sandbox_memory_request", "25Mi", "Of new sandboxes."),
	[CONF_SANDBOX_MEMORY_LIMIT] = STRING("sandbox_memory_limit", "256Mi", "Of new sandboxes."),
	[CONF_SANDBOX_STORAGE_LIMIT] =
		STRING("sandbox_storage_limit", "1Gi", "Ephemeral storage of new sandboxes."),
	[CONF_OPERATOR_ENV_FILE] =
		SECRET_FILE("operator_env_file", NULL, "NAME=value lines that every sandbox gets."),
	[CONF_KUBEBLOCKS_VERSION] =
		CHOICE("kubeblocks_version", "0.8", "0.8 0.9",
		       "How a database is stopped: 0.8 by replicas, 0.9 by stop."),
	[CONF_POSTGRES_VERSION] = STRING("postgres_version", "postgresql-14.8.0",
					 "clusterVersionRef of new databases."),
	[CONF_POSTGRES_STORAGE] = STRING("postgres_storage", "3Gi", "Of new databases."),
	[CONF_POSTGRES_CPU_REQUEST] = STRING("postgres_cpu_request", "100m", "Of new databases."),
	[CONF_POSTGRES_CPU_LIMIT] = STRING("postgres_cpu_limit", "1000m", "Of new databases."),
	[CONF_POSTGRES_MEMORY_REQUEST] =
		STRING("postgres_memory_request", "102Mi", "Of new databases."),
	[CONF_POSTGRES_MEMORY_LIMIT] =
		STRING("postgres_memory_limit", "1024Mi", "Of new databases."),
	[CONF_PASS_TIME] =
		DURATION("pass_time", "25s", SECOND, HOUR,
			 "A pass claims no more rows after this, but for healthy ones while "
			 "others are waited for."),
	[CONF_LEASE_TIME] = DURATION("lease_time", "30s", 5 * SECOND, HOUR,
				     "How long a claimed row belongs to one pass."),
	[CONF_ROWS_IN_FLIGHT] = INTEGER("rows_in_flight", "256", 1, 10000,
					"Rows that one reconciler works on at once."),
	[CONF_ROWS_PER_USER] =
		INTEGER("rows_per_user", "16", 1, 10000, "Of these, rows of one user."),
	[CONF_RESYNC] = DURATION("resync", "5m", SECOND, DAY,
				 "How often stable rows are compared with the cluster."),
	[CONF_EVENTS_DATABASE] =
		STRING("events_database", NULL,
		       "libpq connection string of fsa-events, where that of database leads to "
		       "pgbouncer: it needs PostgreSQL itself, and the primary."),
	[CONF_EVENTS_SOCKET] = STRING("events_socket", "/run/fullstack-agent/events/nginx.sock",
				      "Where the local nginx takes live updates."),
	[CONF_EVENTS_STATE_FILE] =
		STRING("events_state_file", "/run/fullstack-agent/live",
		       "Locked by fsa-events while live updates flow; /readyz looks at it."),
};

struct value {
	char *text;
	uint64_t number;
	bool set;
};

struct conf {
	struct value values[CONF_OPTION_COUNT];
};

const struct conf_spec *conf_spec(enum conf_option option)
{
	return &specs[option];
}

static bool is_choice(const char *choices, const char *word)
{
	size_t length = strlen(word);

	for (const char *p = choices; *p != '\0'; p += strspn(p, " ")) {
		size_t word_length = strcspn(p, " ");
		if (word_length == length && strncmp(p, word, length) == 0)
			return true;
		p += word_length;
	}
	return false;
}

static int parse_value(const struct conf_spec *spec, const char *text, struct value *ret_value,
		       struct err *e)
{
	uint64_t number = 0;
	bool yes = false;
	bool valid = false;

	switch (spec->type) {
	case CONF_STRING:
	case CONF_SECRET_FILE:
		valid = strlen(text) >= spec->min && strlen(text) <= spec->max;
		if (!valid)
			return err_set(e, ERR_INVALID, NULL, "%s: empty or too long", spec->name);
		break;
	case CONF_DOMAIN:
		if (!parse_is_domain(text))
			return err_set(e, ERR_INVALID, NULL,
				       "%s: \"%s\" is not a domain name such as apps.example.org",
				       spec->name, text);
		break;
	case CONF_INTEGER:
		if (!parse_u64(text, spec->min, spec->max, &number))
			return err_set(e, ERR_INVALID, NULL,
				       "%s: \"%s\" is not a number from %llu to %llu", spec->name,
				       text, (unsigned long long)spec->min,
				       (unsigned long long)spec->max);
		break;
	case CONF_DURATION:
		valid = parse_duration_ms(text, &number) && number >= spec->min &&
			number <= spec->max;
		if (!valid)
			return err_set(e, ERR_INVALID, NULL,
				       "%s: \"%s\" is not a duration (500ms, 3s, 5m, 12h, 7d) from "
				       "%llums to %llums",
				       spec->name, text, (unsigned long long)spec->min,
				       (unsigned long long)spec->max);
		break;
	case CONF_BOOL:
		if (!parse_bool(text, &yes))
			return err_set(e, ERR_INVALID, NULL, "%s: \"%s\" is not yes or no",
				       spec->name, text);
		number = yes;
		break;
	case CONF_CHOICE:
		if (!is_choice(spec->choices, text))
			return err_set(e, ERR_INVALID, NULL, "%s: \"%s\" is not one of: %s",
				       spec->name, text, spec->choices);
		break;
	}
	ret_value->text = mem_strdup(text);
	ret_value->number = number;
	return 0;
}

struct reading {
	struct conf *conf;
	struct err *e;
	bool failed;
};

/* inih's callback: 0 means that this line is wrong. inih goes on all the same, and tells the number
 * of the first such line, so it is the first message that is kept. */
static int read_option(void *user, const char *section, const char *name, const char *text)
{
	struct reading *r = user;

	if (r->failed)
		return 0;
	for (int i = 0; i < CONF_OPTION_COUNT && section[0] == '\0'; i++) {
		struct value *value = &r->conf->values[i];
		if (strcmp(specs[i].name, name) != 0)
			continue;
		if (value->set) {
			err_set(r->e, ERR_INVALID, NULL, "%s: given twice", name);
			r->failed = true;
			return 0;
		}
		free(STEAL(value->text));
		value->set = true;
		r->failed = parse_value(&specs[i], text, value, r->e) < 0;
		return !r->failed;
	}
	if (section[0] != '\0')
		err_set(r->e, ERR_INVALID, NULL, "[%s]: there are no sections in this file",
			section);
	else
		err_set(r->e, ERR_INVALID, NULL, "%s: no such option", name);
	r->failed = true;
	return 0;
}

static int read_file(struct conf *c, const char *path, struct err *e)
{
	struct reading r = { .conf = c, .e = e };
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
	int line = ini_parse_file(file, read_option, &r);
	(void)fclose(file);
	if (line > 0 && r.failed)
		return err_wrap(e, "%s:%d", path, line);
	if (line != 0)
		return err_set(e, ERR_INVALID, NULL, "%s:%d: not a line of \"name = value\"", path,
			       line);
	return 0;
}

static void prefer_credential(struct value *value)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");

	if (directory == NULL || value->text == NULL)
		return;
	const char *slash = strrchr(value->text, '/');
	CLEANUP(cleanup_free)
	char *path = mem_printf("%s/%s", directory, slash ? slash + 1 : value->text);
	if (access(path, F_OK) < 0)
		return;
	free(value->text);
	value->text = STEAL(path);
}

int conf_load(const char *path, struct conf **ret_conf, struct err *e)
{
	CLEANUP(conf_freep) struct conf *c = mem_calloc(1, sizeof(*c));

	for (int i = 0; i < CONF_OPTION_COUNT; i++) {
		if (specs[i].default_value != NULL &&
		    parse_value(&specs[i], specs[i].default_value, &c->values[i], e) < 0)
			return err_wrap(e, "default");
	}
	if (path != NULL && read_file(c, path, e) < 0)
		return -1;
	for (int i = 0; i < CONF_OPTION_COUNT; i++) {
		if (specs[i].type == CONF_SECRET_FILE)
			prefer_credential(&c->values[i]);
	}
	*ret_conf = STEAL(c);
	return 0;
}

void conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < CONF_OPTION_COUNT; i++)
		free(c->values[i].text);
	free(c);
}

void conf_freep(struct conf **c)
{
	conf_free(*c);
}

const char *conf_string(const struct conf *c, enum conf_option option)
{
	return c->values[option].text;
}

uint64_t conf_number(const struct conf *c, enum conf_option option)
{
	return c->values[option].number;
}

bool conf_bool(const struct conf *c, enum conf_option option)
{
	return c->values[option].number != 0;
}

int conf_require(const struct conf *c, enum conf_option option, const char **ret_value,
		 struct err *e)
{
	if (c->values[option].text == NULL)
		return err_set(e, ERR_INVALID, NULL, "%s is not set in the configuration",
			       specs[option].name);
	*ret_value = c->values[option].text;
	return 0;
}
