#ifndef FSA_MANIFEST_MANIFEST_H
#define FSA_MANIFEST_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "domain/types.h"

/*
 * The JSON of every Kubernetes object we own: pure functions of their arguments, for server-side
 * apply with field manager MANIFEST_FIELD_MANAGER. Only the fields that we mean to own are there.
 */
#define MANIFEST_FIELD_MANAGER   "fullstack-agent"
#define MANIFEST_LABEL_PROJECT   "project.fullstackagent.io/name"
#define MANIFEST_LABEL_RESOURCE  "project.fullstackagent.io/resource" /* the resource's id */
#define MANIFEST_LABEL_MANAGED   "app.kubernetes.io/managed-by"
#define MANIFEST_MANAGED_BY      "fullstack-agent"       /* "kbcli" on what goes with a Cluster */
#define MANIFEST_SELECTOR        MANIFEST_LABEL_RESOURCE /* whatever has it is ours */
#define MANIFEST_ANNOTATION_HASH "project.fullstackagent.io/spec-hash"
#define MANIFEST_CONTAINER       "agentruntime"
/* The variable with the site's origin. A change of it alone does not replace a pod. */
#define MANIFEST_VARIABLE_SITE "FSA_SITE"

enum { MANIFEST_HASH_SIZE = 65 }; /* SHA-256 in hex, its NUL included */

/* What the operator configured, the same for all. Strings are borrowed. */
struct manifest_settings {
	const char *ingress_class;
	const char *ingress_domain;
	const char *ingress_tls_secret;
	const char *storage_class;     /* NULL: the cluster's default */
	const char *image_pull_secret; /* NULL: none */
	const char *postgres_image;    /* of FORM_PLAIN; without a tag, that of the version */
	/* Lists of words: "NAMESPACE" or "NAMESPACE/LABEL=VALUE", and networks. NULL: none. */
	const char *dns_pods, *dns_networks;
	const char *api_server_networks; /* NULL: everywhere */
	const char *backup_pods, *backup_networks;
	const char
		*wake_service; /* where the site gets visits to stopped sandboxes; NULL: nowhere */
	/* Set by manifest_settings_fingerprint(): the effect of the settings and of this code on
	 * every sandbox and every database. Part of each one's hash. */
	char sandbox_fingerprint[MANIFEST_HASH_SIZE];
	char database_fingerprints[FORM_COUNT][MANIFEST_HASH_SIZE];
	bool databases_open; /* they may connect to everything */
	int wake_port;
};
/* Call it when all else is set, before anything is hashed. It builds some samples, so that a
 * setting that counts, or another version of this program, changes every hash. */
void manifest_settings_fingerprint(struct manifest_settings *settings);

struct manifest_resources {
	const char *cpu_request, *cpu_limit;
	const char *memory_request, *memory_limit;
	const char *storage_limit; /* ephemeral storage; sandboxes only */
};

struct manifest_variable {
	const char *name;
	const char *value;
};

/* A port that has an address of its own. */
struct manifest_port {
	int number;
	bool guarded; /* the address leads to sandboxd, which decides who gets through */
};

struct manifest_sandbox {
	const char *resource_id;
	const char *name;          /* <project>-agentruntime-<6 letters> */
	const char *project_name;  /* its Kubernetes form */
	const char *database_name; /* of the project's Cluster, for egress rules; NULL: none */
	const char *namespace;
	const char *image;
	const char *tools_image; /* brings the terminal and sandboxd; NULL: `image` has them */
	const char *run_as;      /* the user's number; NULL: the one that the image names */
	const char *app_host, *ttyd_host;          /* whole host names */
	const char *ingress_class, *storage_class; /* NULL: as the settings say */
	const char *home_size;
	const char *restarted; /* changes with every restart asked for; rolls the pod. May be "" */
	struct manifest_resources resources;
	/* The merged environment, TTYD_ACCESS_TOKEN included. Names are unique. */
	const struct manifest_variable *variables;
	size_t variable_count;
	/* Besides the app's and the terminal's, in ascending order. */
	const struct manifest_port *ports;
	size_t port_count;
	bool stopped; /* replicas 0 */
};

struct manifest_database {
	const char *resource_id;
	const char *name;
	const char *project_name;
	const char *namespace;
	const char *version;       /* as KubeBlocks calls it: "postgresql-14.8.0" */
	const char *password;      /* of FORM_PLAIN; the others make their own */
	const char *storage_class; /* NULL: as the settings say */
	const char *storage_size;
	struct manifest_resources resources;
	bool stopped;
	enum database_form form; /* not FORM_UNDECIDED */
};

/*
 * The objects of each kind: first its companions, then its anchor, which is applied last and
 * carries the hash of all in MANIFEST_ANNOTATION_HASH. So finding that hash in the cluster means
 * that the companions were applied, too.
 *
 * Companions are an array in the order of their apply. Every object is complete, with apiVersion,
 * kind and metadata; equal arguments give equal bytes. The caller json_decref()s. NULL if a string
 * is not UTF-8.
 */
json_t *manifest_sandbox_companions(const struct manifest_sandbox *s,
				    const struct manifest_settings *settings);
json_t *manifest_stateful_set(const struct manifest_sandbox *s,
			      const struct manifest_settings *settings, const char *hash);

json_t *manifest_database_companions(const struct manifest_database *d,
				     const struct manifest_settings *settings);
json_t *manifest_database_anchor(const struct manifest_database *d,
				 const struct manifest_settings *settings, const char *hash);
/* Of FORM_PLAIN: the Service of the database. The caller frees. */
char *manifest_plain_host(const char *name, const char *namespace);

/*
 * That hash, computed from the arguments, which is much cheaper than building the objects. Every
 * change of the objects changes the hash, except `stopped` where only `replicas` shows it, and the
 * storage class, which cannot be changed once there is a volume. Quantities are compared by value,
 * and the order of variables is ignored.
 */
void manifest_sandbox_hash(const struct manifest_sandbox *s,
			   const struct manifest_settings *settings,
			   char ret_hash[MANIFEST_HASH_SIZE]);
void manifest_database_hash(const struct manifest_database *d,
			    const struct manifest_settings *settings,
			    char ret_hash[MANIFEST_HASH_SIZE]);

/* The value of MANIFEST_ANNOTATION_HASH on an object, or "". Borrowed from it. */
const char *manifest_hash(const json_t *object);

/* Whether `live` has every field of `desired` with that value: objects by member, arrays by
 * position (of the same length), quantities by value. null, "", [] and {} count as absent; false
 * and 0 do not. Further fields of `live` belong to others. apiVersion and kind are not compared:
 * the items of a list have neither. */
bool manifest_covers(const json_t *live, const json_t *desired);
/* Where it does not: an array of {path, live, wanted}, cut when there are very many. `live` is null
 * where there is nothing. The caller json_decref()s. */
json_t *manifest_differences(const json_t *live, const json_t *desired);

/* Copies into `desired` the fields of the live object that cannot be changed: a StatefulSet's
 * volume claims, and their storage class in a Cluster. Call it for an existing object before
 * manifest_covers() and before an apply. Other kinds are not changed. */
void manifest_keep_immutable(json_t *desired, const json_t *live);

/* The host of an open port of a sandbox: "abc-5173.example.com" for "abc.example.com". The caller
 * frees. */
char *manifest_port_host(const char *app_host, int port);
/* A database's host as it resolves from any namespace: one without a dot gets ".<namespace>.svc".
 * The caller frees. */
char *manifest_database_host(const char *host, const char *namespace);
/* postgresql://user:password@host:port/database?schema=public with every part escaped, and the host
 * as above. The caller frees. */
char *manifest_database_url(const char *username, const char *password, const char *host,
			    unsigned port, const char *database, const char *namespace);

#endif
