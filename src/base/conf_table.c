/* The table of options. */
#include "base/conf.h"

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

#define OPTION(n, t, d, lo, hi, c, h)                                                              \
	{                                                                                          \
		.name = (n), .type = (t), .default_value = (d), .min = (lo), .max = (hi),          \
		.choices = (c), .help = (h)                                                        \
	}
#define STRING(n, d, h)           OPTION(n, CONF_STRING, d, 0, 0, NULL, h)
#define INTEGER(n, d, lo, hi, h)  OPTION(n, CONF_INTEGER, d, lo, hi, NULL, h)
#define DURATION(n, d, lo, hi, h) OPTION(n, CONF_DURATION, d, lo, hi, NULL, h)
#define BOOL(n, d, h)             OPTION(n, CONF_BOOL, d, 0, 0, NULL, h)
#define CHOICE(n, d, c, h)        OPTION(n, CONF_CHOICE, d, 0, 0, c, h)
#define NAME(n, d, h)             OPTION(n, CONF_NAME, d, 0, 0, NULL, h)
#define QUANTITY(n, d, h)         OPTION(n, CONF_QUANTITY, d, 0, 0, NULL, h)
#define IMAGE(n, d, h)            OPTION(n, CONF_IMAGE, d, 0, 0, NULL, h)
#define NETWORKS(n, d, h)         OPTION(n, CONF_NETWORKS, d, 0, 0, NULL, h)
#define PODS(n, d, h)             OPTION(n, CONF_PODS, d, 0, 0, NULL, h)
#define ORIGIN(n, d, h)           OPTION(n, CONF_ORIGIN, d, 0, 0, NULL, h)
#define ORIGINS(n, d, h)          OPTION(n, CONF_ORIGINS, d, 0, 0, NULL, h)
#define HTTPS_URL(n, d, h)        OPTION(n, CONF_HTTPS_URL, d, 0, 0, NULL, h)
#define CONNINFO(n, d, h)         OPTION(n, CONF_CONNINFO, d, 0, 0, NULL, h)
#define PATH(n, d, h)             OPTION(n, CONF_PATH, d, 0, 0, NULL, h)
#define SECRET_FILE(n, d, h)      OPTION(n, CONF_SECRET_FILE, d, 0, 0, NULL, h)

static const struct conf_spec specs[CONF_OPTION_COUNT] = {
	[CONF_MODE] = CHOICE("mode", "production", "production development",
			     "In development mode error answers carry internal messages."),
	[CONF_LOG_LEVEL] = CHOICE("log_level", "info", "error warning info debug",
				  "Lines below this level are not written."),
	[CONF_METRICS_DIR] = { .name = "metrics_dir",
			       .type = CONF_PATH,
			       .default_value = "/run/fullstack-agent/metrics",
			       .needs_restart = true,
			       .help = "Folder of the files that programs count into." },
	[CONF_DATABASE] =
		CONNINFO("database", "dbname=fsa",
			 "libpq connection string; each program adds its own role as user."),
	[CONF_DATABASE_PREPARE] =
		BOOL("database_prepare", "yes",
		     "Prepared statements; no behind pgbouncer in transaction mode."),
	[CONF_DATABASE_TIMEOUT] =
		DURATION("database_timeout", "5s", 100, 5 * MINUTE,
			 "The longest a connection attempt or statement may take."),
	[CONF_OWNER_PUBLIC_KEY_FILE] =
		PATH("owner_public_key_file", "/etc/fullstack-agent/keys/owner.pub",
		     "Key that seals what an owner may see again, for fsa-reconcile."),
	[CONF_OWNER_PRIVATE_KEY_FILE] =
		SECRET_FILE("owner_private_key_file", "/etc/fullstack-agent/keys/owner.key",
			    "Its private half: api.fcgi and fsa-reconcile only."),
	[CONF_CLUSTER_PUBLIC_KEY_FILE] =
		PATH("cluster_public_key_file", "/etc/fullstack-agent/keys/cluster.pub",
		     "Key that seals kubeconfigs and provider tokens."),
	[CONF_CLUSTER_PRIVATE_KEY_FILE] =
		SECRET_FILE("cluster_private_key_file", "/etc/fullstack-agent/keys/cluster.key",
			    "Its private half: fsa-reconcile only."),
	[CONF_PUBLIC_URL] = ORIGIN("public_url", "http://127.0.0.1:8080",
				   "Scheme, host and port under which browsers see the site; https "
				   "makes cookies Secure."),
	[CONF_FRAME_ANCESTORS] =
		ORIGINS("frame_ancestors", NULL,
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
		PATH("provider_ca_file", "/etc/ssl/certs/ca-certificates.crt",
		     "Certificate authorities, in PEM, that vouch for the providers' servers."),
	[CONF_PROVIDER_ALLOW_ADDRESSES] =
		NETWORKS("provider_allow_addresses", NULL,
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
	[CONF_GITHUB_URL] = HTTPS_URL("github_url", "https://github.com",
				      "Where people log in; that of a GitHub Enterprise Server."),
	[CONF_GITHUB_API_URL] =
		HTTPS_URL("github_api_url", "https://api.github.com",
			  "GitHub's API; of an Enterprise Server https://HOST/api/v3."),
	[CONF_GITHUB_SCOPE] =
		STRING("github_scope", "read:user",
		       "What is asked for, separated by blanks; logging in needs no more."),
	[CONF_OIDC_CLIENT_ID] = STRING("oidc_client_id", NULL,
				       "At an OpenID Connect provider; unset: no login by one."),
	[CONF_OIDC_CLIENT_SECRET_FILE] =
		SECRET_FILE("oidc_client_secret_file", NULL, "The client secret of the same."),
	[CONF_OIDC_ISSUER] = HTTPS_URL("oidc_issuer", "https://accounts.google.com",
				       "The provider's issuer identifier, an https URL."),
	[CONF_OIDC_NAME] = STRING("oidc_name", "Google", "What people know the provider by."),
	[CONF_OIDC_SCOPE] =
		STRING("oidc_scope", "openid profile",
		       "What is asked for, separated by blanks; openid has to be in it."),
	[CONF_PROJECTS_PER_USER] =
		INTEGER("projects_per_user", "50", 1, 1000000, "Projects a user may have at once."),
	[CONF_SANDBOXES_PER_PROJECT] = INTEGER("sandboxes_per_project", "5", 1, 1000,
					       "The most sandboxes that a project may have."),
	[CONF_CHANGES_BURST] =
		INTEGER("changes_burst", "120", 1, 1000000,
			"Changes that a user may ask for at once, whether they succeed or not."),
	[CONF_CHANGES_PER_MINUTE] = INTEGER("changes_per_minute", "20", 1, 1000000,
					    "And how many a minute after that."),
	[CONF_IDEMPOTENCY_TTL] =
		DURATION("idempotency_ttl", "1d", MINUTE, 30 * DAY,
			 "How long an Idempotency-Key is remembered, at most: a user's newest "
			 "256, and 4 MiB of answers."),
	[CONF_EVENT_RETENTION] = DURATION("event_retention", "90d", DAY, 3650 * DAY,
					  "How long a project's events are kept."),
	[CONF_AUDIT_RETENTION] = DURATION("audit_retention", "400d", 0, 36500 * DAY,
					  "How long it is kept who did what; 0d: for ever."),
	[CONF_WAKE_FILE] = PATH("wake_file", "/run/fullstack-agent/wake",
				"Touched after each committed change; wakes the reconciler."),
	[CONF_KUBE_ALLOW_ADDRESSES] =
		NETWORKS("kube_allow_addresses", NULL,
			 "Networks (CIDR, separated by blanks) that API servers may be in although "
			 "they are private, loopback or link-local."),
	[CONF_KUBE_CA_FILE] =
		PATH("kube_ca_file", "/etc/ssl/certs/ca-certificates.crt",
		     "Certificate authorities, in PEM, that vouch for API servers whose "
		     "kubeconfig names none."),
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
	[CONF_INGRESS_DOMAIN] = { .name = "ingress_domain",
				  .type = CONF_DOMAIN,
				  .required = true,
				  .help = "Sandboxes get <12 letters>.<this domain>." },
	[CONF_INGRESS_SCHEME] = CHOICE("ingress_scheme", "https", "https http",
				       "Scheme of the addresses at which browsers open sandboxes."),
	[CONF_INGRESS_PORT] = INTEGER("ingress_port", "0", 0, 65535,
				      "Port of these addresses, if the ingress controller is not "
				      "reached at the scheme's own; 0: the scheme's own."),
	[CONF_INGRESS_CLASS] = NAME("ingress_class", "nginx", "ingressClassName of the Ingresses."),
	[CONF_INGRESS_TLS_SECRET] = NAME("ingress_tls_secret", "wildcard-cert",
					 "Secret with the certificate of the domain."),
	[CONF_STORAGE_CLASS] = NAME("storage_class", NULL,
				    "storageClassName of volumes; unset: the cluster's default."),
	[CONF_RUNTIME_IMAGE] =
		IMAGE("runtime_image", "fullstackagent/fullstack-web-runtime:v0.0.1-alpha.12",
		      "Image of new sandboxes."),
	[CONF_IMAGE_PULL_SECRET] = NAME("image_pull_secret", NULL,
					"Secret in the user's namespace for pulling the image."),
	[CONF_HOME_SIZE] = QUANTITY("home_size", "1Gi", "Volume of the home directory."),
	[CONF_SANDBOX_CPU_REQUEST] = QUANTITY("sandbox_cpu_request", "20m", "Of new sandboxes."),
	[CONF_SANDBOX_CPU_LIMIT] = QUANTITY("sandbox_cpu_limit", "200m", "Of new sandboxes."),
	[CONF_SANDBOX_MEMORY_REQUEST] =
		QUANTITY("sandbox_memory_request", "25Mi", "Of new sandboxes."),
	[CONF_SANDBOX_MEMORY_LIMIT] =
		QUANTITY("sandbox_memory_limit", "256Mi", "Of new sandboxes."),
	[CONF_SANDBOX_STORAGE_LIMIT] =
		QUANTITY("sandbox_storage_limit", "1Gi", "Ephemeral storage of new sandboxes."),
	[CONF_OPERATOR_ENV_FILE] =
		SECRET_FILE("operator_env_file", NULL, "NAME=value lines that every sandbox gets."),
	[CONF_DNS_PODS] =
		PODS("dns_pods", "kube-system/k8s-app=kube-dns kube-system/k8s-app=node-local-dns",
		     "Pods that resolve names for sandboxes and databases, as NAMESPACE or "
		     "NAMESPACE/LABEL=VALUE, separated by blanks."),
	[CONF_DNS_NETWORKS] =
		NETWORKS("dns_networks", "169.254.20.10",
			 "Networks (CIDR, separated by blanks) of resolvers that are no pods, as "
			 "those of nodes."),
	[CONF_KUBEBLOCKS_VERSION] =
		CHOICE("kubeblocks_version", "0.8", "0.8 0.9",
		       "How a database is stopped: 0.8 by replicas, 0.9 by stop."),
	[CONF_POSTGRES_VERSION] = NAME("postgres_version", "postgresql-14.8.0",
				       "clusterVersionRef of new databases."),
	[CONF_POSTGRES_STORAGE] = QUANTITY("postgres_storage", "3Gi", "Of new databases."),
	[CONF_POSTGRES_CPU_REQUEST] = QUANTITY("postgres_cpu_request", "100m", "Of new databases."),
	[CONF_POSTGRES_CPU_LIMIT] = QUANTITY("postgres_cpu_limit", "1000m", "Of new databases."),
	[CONF_POSTGRES_MEMORY_REQUEST] =
		QUANTITY("postgres_memory_request", "102Mi", "Of new databases."),
	[CONF_POSTGRES_MEMORY_LIMIT] =
		QUANTITY("postgres_memory_limit", "1024Mi", "Of new databases."),
	[CONF_DATABASE_NETWORK_POLICY] = BOOL(
		"database_network_policy", "yes",
		"Databases reach DNS, API servers and places of backups only; no: everything."),
	[CONF_API_SERVER_NETWORKS] = NETWORKS(
		"api_server_networks", NULL,
		"Networks (CIDR, separated by blanks) of the clusters' API servers as pods "
		"reach them; unset: ports 443, 6443, 8443 and 16443 of every address."),
	[CONF_BACKUP_PODS] = PODS("backup_pods", NULL,
				  "Pods in which backups of databases are kept, as NAMESPACE or "
				  "NAMESPACE/LABEL=VALUE, separated by blanks."),
	[CONF_BACKUP_NETWORKS] =
		NETWORKS("backup_networks", NULL,
			 "Networks (CIDR, separated by blanks) in which backups of databases are "
			 "kept."),
	[CONF_PASS_TIME] =
		DURATION("pass_time", "25s", SECOND, HOUR,
			 "A pass claims no more rows after this, but for healthy ones while "
			 "others are waited for."),
	[CONF_LEASE_TIME] = DURATION("lease_time", "30s", 5 * SECOND, HOUR,
				     "How long a claimed row belongs to one pass."),
	[CONF_SHARDS] = INTEGER("shards", "4", 1, 64,
				"Processes of one reconciler, each for the users of its shard."),
	[CONF_STALL_TIME] =
		DURATION("stall_time", "3s", SECOND, HOUR,
			 "A shard's process that is kept busy for so long by one API server is "
			 "ended."),
	[CONF_ROWS_IN_FLIGHT] = INTEGER("rows_in_flight", "256", 1, 10000,
					"Rows that one reconciler works on at once."),
	[CONF_ROWS_PER_USER] =
		INTEGER("rows_per_user", "16", 1, 10000, "Of these, rows of one user."),
	[CONF_RESYNC] = DURATION("resync", "5m", SECOND, DAY,
				 "How often stable rows are compared with the cluster."),
	[CONF_UNSCHEDULABLE_TIME] = DURATION(
		"unschedulable_time", "5m", 10 * SECOND, DAY,
		"How long a pod may wait for a node that has room before that is an ERROR."),
	[CONF_EVENTS_DATABASE] =
		CONNINFO("events_database", NULL,
			 "libpq connection string of fsa-events, where that of database leads to "
			 "pgbouncer: it needs PostgreSQL itself, and the primary."),
	[CONF_EVENTS_SOCKET] = PATH("events_socket", "/run/fullstack-agent/events/nginx.sock",
				    "Where the local nginx takes live updates."),
	[CONF_EVENTS_STATE_FILE] =
		PATH("events_state_file", "/run/fullstack-agent/live",
		     "Locked by fsa-events while live updates flow; /readyz looks at it."),
};

const struct conf_spec *conf_spec(enum conf_option option)
{
	return &specs[option];
}
