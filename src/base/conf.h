#ifndef FSA_BASE_CONF_H
#define FSA_BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The configuration: one file of `name = value` lines for all programs (fsa.conf(5)). Every option
 * is a row of the table in conf_table.c with type, default and limits; a type is a row in
 * conf_value.c; how options depend on each other is in conf_check.c. A file is read as a whole, and
 * everything that is wrong with it is reported at once. Secrets are never values: options that end
 * in `_file` name the file that holds them.
 *
 * Credentials: systemd hands a service its secrets as files in a directory that only this service
 * sees (LoadCredential=). If $CREDENTIALS_DIRECTORY has a file with the name, without folders, of
 * a CONF_SECRET_FILE, that one is the option's value. So one fsa.conf serves every program, and
 * the files that it names may be readable by root alone.
 */
enum conf_type {
	CONF_STRING,
	CONF_INTEGER,
	CONF_DURATION, /* milliseconds */
	CONF_BOOL,
	CONF_DOMAIN,      /* a name in the DNS */
	CONF_CHOICE,      /* one of the words in `choices` */
	CONF_NAME,        /* of an object in a cluster */
	CONF_QUANTITY,    /* as Kubernetes writes them, above 0 */
	CONF_IMAGE,       /* of a container */
	CONF_NETWORKS,    /* CIDR, separated by blanks */
	CONF_PODS,        /* NAMESPACE or NAMESPACE/LABEL=VALUE, separated by blanks */
	CONF_ORIGIN,      /* scheme, host and port */
	CONF_ORIGINS,     /* separated by blanks, without '/' at the end */
	CONF_HTTPS_URL,   /* with or without a path */
	CONF_CONNINFO,    /* of libpq */
	CONF_PATH,        /* of a file or folder */
	CONF_SECRET_FILE, /* a path; see "Credentials" above */
};

enum conf_option {
	/* general */
	CONF_MODE, /* production | development */
	CONF_LOG_LEVEL,
	CONF_METRICS_DIR,
	/* database */
	CONF_DATABASE,
	CONF_DATABASE_PREPARE,
	CONF_DATABASE_TIMEOUT,
	/* keys */
	CONF_OWNER_PUBLIC_KEY_FILE,
	CONF_OWNER_PRIVATE_KEY_FILE,
	CONF_CLUSTER_PUBLIC_KEY_FILE,
	CONF_CLUSTER_PRIVATE_KEY_FILE,
	/* web */
	CONF_PUBLIC_URL,
	CONF_FRAME_ANCESTORS,
	CONF_SESSION_IDLE,
	CONF_SESSION_LIFETIME,
	CONF_REGISTRATION, /* open | closed | at_login */
	CONF_PASSWORD_MEMORY_KIB,
	CONF_PASSWORD_PASSES,
	/* providers of identities */
	CONF_PROVIDER_REGISTRATION, /* open | closed */
	CONF_PROVIDER_CA_FILE,
	CONF_PROVIDER_ALLOW_ADDRESSES,
	CONF_PROVIDER_TIMEOUT,
	CONF_SEALOS_JWT_SECRET_FILE,
	CONF_GITHUB_CLIENT_ID,
	CONF_GITHUB_CLIENT_SECRET_FILE,
	CONF_GITHUB_URL,
	CONF_GITHUB_API_URL,
	CONF_GITHUB_SCOPE,
	CONF_OIDC_CLIENT_ID,
	CONF_OIDC_CLIENT_SECRET_FILE,
	CONF_OIDC_ISSUER,
	CONF_OIDC_NAME,
	CONF_OIDC_SCOPE,
	CONF_PROJECTS_PER_USER,
	CONF_CLUSTERS_PER_USER,
	CONF_SANDBOXES_PER_PROJECT,
	CONF_END_WARNING,
	CONF_END_GRACE,
	CONF_PORTS_PER_SANDBOX,
	CONF_TRASH_TIME,
	CONF_IDLE_TIME,
	CONF_IDLE_WARNING,
	CONF_RUNNING_PER_USER,
	CONF_CPU_PER_USER,
	CONF_MEMORY_PER_USER,
	CONF_STORAGE_PER_USER,
	CONF_STARTS_PER_USER,
	CONF_CHANGES_BURST,
	CONF_CHANGES_PER_MINUTE,
	CONF_IDEMPOTENCY_TTL,
	CONF_EVENT_RETENTION,
	CONF_AUDIT_RETENTION,
	CONF_WAKE_FILE,
	/* clusters */
	CONF_KUBE_ALLOW_ADDRESSES,
	CONF_KUBE_CA_FILE,
	CONF_KUBE_CONNECT_TIMEOUT,
	CONF_KUBE_REQUEST_TIMEOUT,
	CONF_KUBE_BODY_MAX,
	CONF_KUBE_MEMORY,
	/* sandboxes */
	CONF_INGRESS_DOMAIN,
	CONF_INGRESS_SCHEME,
	CONF_INGRESS_PORT,
	CONF_INGRESS_CLASS,
	CONF_INGRESS_TLS_SECRET,
	CONF_WAKE_SERVICE,
	CONF_WAKE_PORT,
	CONF_STORAGE_CLASS,
	CONF_RUNTIME_IMAGE,
	CONF_TOOLS_IMAGE,
	CONF_IMAGE_PULL_SECRET,
	CONF_HOME_SIZE,
	CONF_SANDBOX_CPU_REQUEST,
	CONF_SANDBOX_CPU_LIMIT,
	CONF_SANDBOX_MEMORY_REQUEST,
	CONF_SANDBOX_MEMORY_LIMIT,
	CONF_SANDBOX_STORAGE_LIMIT,
	CONF_OPERATOR_ENV_FILE,
	CONF_DNS_PODS,
	CONF_DNS_NETWORKS,
	/* databases of projects */
	CONF_KUBEBLOCKS_VERSION, /* auto | 0.8 | 0.9 | 1.0 | none */
	CONF_POSTGRES_VERSION,
	CONF_POSTGRES_IMAGE,
	CONF_POSTGRES_STORAGE,
	CONF_POSTGRES_CPU_REQUEST,
	CONF_POSTGRES_CPU_LIMIT,
	CONF_POSTGRES_MEMORY_REQUEST,
	CONF_POSTGRES_MEMORY_LIMIT,
	CONF_DATABASE_NETWORK_POLICY,
	CONF_API_SERVER_NETWORKS,
	CONF_BACKUP_PODS,
	CONF_BACKUP_NETWORKS,
	/* reconciler */
	CONF_PASS_TIME,
	CONF_LEASE_TIME,
	CONF_SHARDS,
	CONF_STALL_TIME,
	CONF_ROWS_IN_FLIGHT,
	CONF_ROWS_PER_USER,
	CONF_RESYNC,
	CONF_UNSCHEDULABLE_TIME,
	/* live updates */
	CONF_EVENTS_DATABASE,
	CONF_EVENTS_SOCKET,
	CONF_EVENTS_STATE_FILE,
	CONF_OPTION_COUNT
};

struct conf_spec {
	const char *name;
	const char *default_value; /* NULL: none */
	uint64_t min, max;         /* of numbers and durations */
	const char *choices;       /* CONF_CHOICE: "one two three" */
	const char *help;          /* one sentence, for fsa.conf(5) */
	enum conf_type type;
	bool required;      /* has no default, and no site is without it */
	bool needs_restart; /* a reload does not take it over */
};

struct conf;

struct conf_problem {
	bool warning;  /* can be lived with: it has no effect, or is unwise */
	bool missing;  /* an option that is required: only services need it */
	unsigned line; /* 0: of the file as a whole */
	char *message; /* begins with the option's name, where it is about one */
};

/* In the order of their lines. */
struct conf_problems {
	struct conf_problem *list;
	size_t count;
	size_t errors; /* of these */
};

/* Reads `path`, and says all that is wrong with it; NULL reads nothing and gives the defaults.
 * With errors, `*ret_conf` has the defaults in place of the values that are wrong: to be shown, not
 * to be used. The caller frees both. */
void conf_read(const char *path, struct conf **ret_conf, struct conf_problems *ret_problems);
void conf_problems_clear(struct conf_problems *problems);

/* The same for callers that need a valid configuration: ERR_INVALID with code CONFIGURATION names
 * the file, line and option of the first error, and the number of errors. The caller frees with
 * conf_free(). */
int conf_load(const char *path, struct conf **ret_conf, struct err *e);
/* And for services, which need it to be complete. */
int conf_load_complete(const char *path, struct conf **ret_conf, struct err *e);
/* With a line in the log for each error. */
int conf_load_logged(const char *path, struct conf **ret_conf, struct err *e);
void conf_free(struct conf *c);
void conf_freep(struct conf **c);

/* Strings live as long as the configuration; NULL when neither set nor defaulted. */
const char *conf_string(const struct conf *c, enum conf_option option);
uint64_t conf_number(const struct conf *c,
		     enum conf_option option); /* CONF_INTEGER, CONF_DURATION */
bool conf_bool(const struct conf *c, enum conf_option option);
/* As conf_string(), but ERR_INVALID with the option's name if it has no value. */
int conf_require(const struct conf *c, enum conf_option option, const char **ret_value,
		 struct err *e);
/* The line that sets it; 0: it has its default. */
unsigned conf_line(const struct conf *c, enum conf_option option);
/* The first option that differs and that a reload does not apply, or NULL. */
const char *conf_needs_restart(const struct conf *before, const struct conf *after);
/* The value as it may be shown: a connection string without its password. NULL if it has no value.
 * The caller frees. */
char *conf_text_to_show(const struct conf *c, enum conf_option option);

const struct conf_spec *conf_spec(enum conf_option option);
/* What fsa.conf(5) calls such a value; NULL for CONF_CHOICE, which names its words. */
const char *conf_type_name(enum conf_type type);

#endif
