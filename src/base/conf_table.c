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
			     "In development mode, error responses contain internal messages."),
	[CONF_LOG_LEVEL] = CHOICE("log_level", "info", "error warning info debug",
				  "Messages below this level are not logged."),
	[CONF_METRICS_DIR] = { .name = "metrics_dir",
			       .type = CONF_PATH,
			       .default_value = "/run/fullstack-agent/metrics",
			       .needs_restart = true,
			       .help = "Directory of the files in which programs keep their "
				       "counters." },
	[CONF_DATABASE] =
		CONNINFO("database", "dbname=fsa",
			 "libpq connection string; each program adds its own role as user."),
	[CONF_DATABASE_PREPARE] = BOOL(
		"database_prepare", "yes",
		"Whether statements are prepared; set no behind pgbouncer in transaction mode."),
	[CONF_DATABASE_TIMEOUT] =
		DURATION("database_timeout", "5s", 100, 5 * MINUTE,
			 "The longest that connecting, or one statement, may take."),
	[CONF_OWNER_PUBLIC_KEY_FILE] =
		PATH("owner_public_key_file", "/etc/fullstack-agent/keys/owner.pub",
		     "Key that seals what its owner may read back."),
	[CONF_OWNER_PRIVATE_KEY_FILE] =
		SECRET_FILE("owner_private_key_file", "/etc/fullstack-agent/keys/owner.key",
			    "Its private half, for api.fcgi and fsa-reconcile only."),
	[CONF_CLUSTER_PUBLIC_KEY_FILE] =
		PATH("cluster_public_key_file", "/etc/fullstack-agent/keys/cluster.pub",
		     "Key that seals kubeconfigs and provider tokens."),
	[CONF_CLUSTER_PRIVATE_KEY_FILE] =
		SECRET_FILE("cluster_private_key_file", "/etc/fullstack-agent/keys/cluster.key",
			    "Its private half, for fsa-reconcile only."),
	[CONF_PUBLIC_URL] = ORIGIN("public_url", "http://127.0.0.1:8080",
				   "Scheme, host and port at which browsers reach the site; with "
				   "https, cookies are Secure."),
	[CONF_FRAME_ANCESTORS] =
		ORIGINS("frame_ancestors", NULL,
			"Origins, separated by blanks, of the sites that may show this one in a "
			"frame, such as a Sealos desktop; needs https."),
	[CONF_SESSION_IDLE] = DURATION("session_idle", "1d", MINUTE, 30 * DAY,
				       "A session that is not used for this long ends."),
	[CONF_SESSION_LIFETIME] = DURATION("session_lifetime", "7d", MINUTE, 90 * DAY,
					   "A session ends after this long in any case."),
	[CONF_REGISTRATION] = CHOICE("registration", "closed", "open closed at_login",
				     "Whether strangers may register with a password; at_login: "
				     "also by logging in with a name that nobody has."),
	[CONF_PASSWORD_MEMORY_KIB] = INTEGER("password_memory_kib", "19456", 8192, 1048576,
					     "Memory of Argon2id, for new password hashes."),
	[CONF_PASSWORD_PASSES] = INTEGER("password_passes", "2", 1, 16,
					 "Passes of Argon2id, for new password hashes."),
	[CONF_PROVIDER_REGISTRATION] = CHOICE("provider_registration", "open", "open closed",
					      "Whether somebody who logs in through a provider for "
					      "the first time becomes a user."),
	[CONF_PROVIDER_CA_FILE] =
		PATH("provider_ca_file", "/etc/ssl/certs/ca-certificates.crt",
		     "Certificate authorities, in PEM, trusted for the providers' servers."),
	[CONF_PROVIDER_ALLOW_ADDRESSES] =
		NETWORKS("provider_allow_addresses", NULL,
			 "Networks (CIDR, separated by blanks) in which providers may be although "
			 "they are private, loopback or link-local."),
	[CONF_PROVIDER_TIMEOUT] = DURATION(
		"provider_timeout", "5s", 100, 9 * SECOND,
		"The longest that one request to a provider may take; a login needs two or three."),
	[CONF_SEALOS_JWT_SECRET_FILE] =
		SECRET_FILE("sealos_jwt_secret_file", NULL,
			    "The secret with which the Sealos desktop signs its tokens; unset: no "
			    "login through Sealos."),
	[CONF_GITHUB_CLIENT_ID] =
		STRING("github_client_id", NULL,
		       "Client ID of the OAuth app; unset: no login through GitHub."),
	[CONF_GITHUB_CLIENT_SECRET_FILE] =
		SECRET_FILE("github_client_secret_file", NULL, "Its client secret."),
	[CONF_GITHUB_URL] =
		HTTPS_URL("github_url", "https://github.com",
			  "Where people log in: GitHub, or a GitHub Enterprise Server."),
	[CONF_GITHUB_API_URL] =
		HTTPS_URL("github_api_url", "https://api.github.com",
			  "GitHub's API; of an Enterprise Server https://HOST/api/v3."),
	[CONF_GITHUB_SCOPE] = STRING(
		"github_scope", "read:user",
		"The scopes that are requested, separated by blanks; logging in needs no others."),
	[CONF_OIDC_CLIENT_ID] =
		STRING("oidc_client_id", NULL,
		       "Client ID at an OpenID Connect provider; unset: no login through one."),
	[CONF_OIDC_CLIENT_SECRET_FILE] =
		SECRET_FILE("oidc_client_secret_file", NULL, "Its client secret."),
	[CONF_OIDC_ISSUER] = HTTPS_URL("oidc_issuer", "https://accounts.google.com",
				       "The provider's issuer identifier, an https URL."),
	[CONF_OIDC_NAME] =
		STRING("oidc_name", "Google", "The provider's name, as the login page shows it."),
	[CONF_OIDC_SCOPE] = STRING(
		"oidc_scope", "openid profile",
		"The scopes that are requested, separated by blanks; openid must be one of them."),
	[CONF_PROJECTS_PER_USER] = INTEGER("projects_per_user", "50", 1, 1000000,
					   "Projects that a user may have at once."),
	[CONF_CLUSTERS_PER_USER] =
		INTEGER("clusters_per_user", "5", 1, 100, "Clusters that a user may have at once."),
	[CONF_SANDBOXES_PER_PROJECT] = INTEGER("sandboxes_per_project", "5", 1, 1000,
					       "Sandboxes that a project may have at once."),
	[CONF_END_WARNING] = DURATION("end_warning", "1d", MINUTE, 365 * DAY,
				      "How long before a project's end its owner is warned."),
	[CONF_END_GRACE] = DURATION("end_grace", "7d", MINUTE, 365 * DAY,
				    "A project that was stopped at its end is deleted after this "
				    "long."),
	[CONF_PORTS_PER_SANDBOX] =
		INTEGER("ports_per_sandbox", "8", 0, 100,
			"Ports, besides 3000 and 7681, that may be open in a sandbox at once."),
	[CONF_TRASH_TIME] = DURATION("trash_time", "7d", 0, 365 * DAY,
				     "How long a deleted project can be brought back; 0d: not at "
				     "all."),
	[CONF_IDLE_TIME] = DURATION("idle_time", "0d", 0, 365 * DAY,
				    "A project in which nothing happens for so long is stopped, "
				    "unless its owner has chosen another time; 0d: never."),
	[CONF_IDLE_WARNING] = DURATION("idle_warning", "10m", SECOND, DAY,
				       "How long before that its owner is warned."),
	[CONF_RUNNING_PER_USER] = INTEGER("running_per_user", "1000000", 0, 1000000,
					  "Sandboxes that a user may have running at once."),
	[CONF_CPU_PER_USER] =
		INTEGER("cpu_per_user", "1000000", 0, 1000000,
			"CPU limits, in millicores, of all that a user has running together."),
	[CONF_MEMORY_PER_USER] =
		INTEGER("memory_per_user", "1000000", 0, 1000000,
			"Memory limits, in MiB, of all that a user has running together."),
	[CONF_STORAGE_PER_USER] =
		INTEGER("storage_per_user", "1000000", 0, 1000000,
			"Sizes, in GiB, of all of a user's volumes together, those of what is "
			"stopped or in the trash included."),
	[CONF_STARTS_PER_USER] = INTEGER("starts_per_user", "1000000", 0, 1000000,
					 "Sandboxes that a user may start within an hour."),
	[CONF_CHANGES_BURST] =
		INTEGER("changes_burst", "120", 1, 1000000,
			"Changes that a user may request at once, whether they succeed or not."),
	[CONF_CHANGES_PER_MINUTE] =
		INTEGER("changes_per_minute", "20", 1, 1000000,
			"Changes per minute that a user may request after that."),
	[CONF_IDEMPOTENCY_TTL] = DURATION("idempotency_ttl", "1d", MINUTE, 30 * DAY,
					  "The longest that an Idempotency-Key is remembered: of "
					  "each user, the newest 256, and 4 MiB of responses."),
	[CONF_EVENT_RETENTION] = DURATION("event_retention", "90d", DAY, 3650 * DAY,
					  "How long a project's events are kept."),
	[CONF_AUDIT_RETENTION] = DURATION("audit_retention", "400d", 0, 36500 * DAY,
					  "How long the audit is kept; 0d: for ever."),
	[CONF_WAKE_FILE] = PATH("wake_file", "/run/fullstack-agent/wake",
				"Touched after each committed change; wakes the reconciler."),
	[CONF_KUBE_ALLOW_ADDRESSES] =
		NETWORKS("kube_allow_addresses", NULL,
			 "Networks (CIDR, separated by blanks) in which API servers may be "
			 "although they are private, loopback or link-local."),
	[CONF_KUBE_CA_FILE] = PATH("kube_ca_file", "/etc/ssl/certs/ca-certificates.crt",
				   "Certificate authorities, in PEM, trusted for API servers whose "
				   "kubeconfig names none."),
	[CONF_KUBE_CONNECT_TIMEOUT] = DURATION(
		"kube_connect_timeout", "3s", 100, MINUTE,
		"The longest that resolving, connecting to, and TLS with an API server may take."),
	[CONF_KUBE_REQUEST_TIMEOUT] =
		DURATION("kube_request_timeout", "5s", 100, 5 * MINUTE,
			 "The longest that one request to an API server may take."),
	[CONF_KUBE_BODY_MAX] =
		INTEGER("kube_body_max", "8388608", 65536, 1073741824,
			"The largest response of an API server that is read, in bytes."),
	[CONF_KUBE_MEMORY] =
		INTEGER("kube_memory", "1073741824", 16777216, 1099511627776,
			"Memory for all responses that one reconciler works on at once, in bytes; "
			"half of it is divided equally among rows_in_flight."),
	[CONF_INGRESS_DOMAIN] = { .name = "ingress_domain",
				  .type = CONF_DOMAIN,
				  .required = true,
				  .help = "Sandboxes get <12 letters>.<this domain>." },
	[CONF_INGRESS_SCHEME] = CHOICE("ingress_scheme", "https", "https http",
				       "Scheme of the addresses at which browsers open sandboxes."),
	[CONF_INGRESS_PORT] = INTEGER("ingress_port", "0", 0, 65535,
				      "Port of these addresses, if the ingress controller is not "
				      "on the scheme's default port; 0: the default port."),
	[CONF_INGRESS_CLASS] = NAME("ingress_class", "nginx", "ingressClassName of the Ingresses."),
	[CONF_INGRESS_TLS_SECRET] = NAME("ingress_tls_secret", "wildcard-cert",
					 "Secret that holds the certificate for the domain."),
	[CONF_WAKE_SERVICE] = { .name = "wake_service",
				.type = CONF_DOMAIN,
				.help = "Name at which clusters reach this site for visits to "
					"stopped sandboxes; unset: their addresses do not lead "
					"there." },
	[CONF_WAKE_PORT] = INTEGER("wake_port", "80", 1, 65535, "Port of that, without TLS."),
	[CONF_STORAGE_CLASS] = NAME("storage_class", NULL,
				    "storageClassName of volumes; unset: the cluster's default."),
	[CONF_RUNTIME_IMAGE] =
		IMAGE("runtime_image", "fullstackagent/fullstack-web-runtime:v0.0.1-alpha.12",
		      "Image of new sandboxes."),
	[CONF_TOOLS_IMAGE] =
		IMAGE("tools_image", NULL,
		      "Image that brings the terminal and sandboxd to sandboxes of other images."),
	[CONF_IMAGE_PULL_SECRET] =
		NAME("image_pull_secret", NULL,
		     "Secret in the user's namespace with which the image is pulled."),
	[CONF_HOME_SIZE] =
		QUANTITY("home_size", "1Gi", "Size of the volume of the home directory."),
	[CONF_SANDBOX_CPU_REQUEST] =
		QUANTITY("sandbox_cpu_request", "20m", "CPU that new sandboxes request."),
	[CONF_SANDBOX_CPU_LIMIT] =
		QUANTITY("sandbox_cpu_limit", "200m", "CPU limit of new sandboxes."),
	[CONF_SANDBOX_MEMORY_REQUEST] =
		QUANTITY("sandbox_memory_request", "25Mi", "Memory that new sandboxes request."),
	[CONF_SANDBOX_MEMORY_LIMIT] =
		QUANTITY("sandbox_memory_limit", "256Mi", "Memory limit of new sandboxes."),
	[CONF_SANDBOX_STORAGE_LIMIT] = QUANTITY("sandbox_storage_limit", "1Gi",
						"Limit of ephemeral storage of new sandboxes."),
	[CONF_OPERATOR_ENV_FILE] =
		SECRET_FILE("operator_env_file", NULL,
			    "File of NAME=value lines: environment variables of every sandbox."),
	[CONF_DNS_PODS] =
		PODS("dns_pods", "kube-system/k8s-app=kube-dns kube-system/k8s-app=node-local-dns",
		     "Pods that resolve names for sandboxes and databases, as NAMESPACE or "
		     "NAMESPACE/LABEL=VALUE, separated by blanks."),
	[CONF_DNS_NETWORKS] = NETWORKS("dns_networks", "169.254.20.10",
				       "Networks (CIDR, separated by blanks) of DNS resolvers that "
				       "are not pods, such as those of nodes."),
	[CONF_KUBEBLOCKS_VERSION] =
		CHOICE("kubeblocks_version", "auto", "auto 0.8 0.9 1.0 none",
		       "KubeBlocks in the users' clusters, which makes their databases; none: a "
		       "plain PostgreSQL; auto: what each cluster serves."),
	[CONF_POSTGRES_VERSION] = NAME("postgres_version", "postgresql-14.8.0",
				       "Version of new databases, as KubeBlocks calls it."),
	[CONF_POSTGRES_IMAGE] = IMAGE(
		"postgres_image", "docker.io/library/postgres",
		"Image of databases where there is no KubeBlocks; without a tag, the version's."),
	[CONF_POSTGRES_STORAGE] =
		QUANTITY("postgres_storage", "3Gi", "Size of the volume of new databases."),
	[CONF_POSTGRES_CPU_REQUEST] =
		QUANTITY("postgres_cpu_request", "100m", "CPU that new databases request."),
	[CONF_POSTGRES_CPU_LIMIT] =
		QUANTITY("postgres_cpu_limit", "1000m", "CPU limit of new databases."),
	[CONF_POSTGRES_MEMORY_REQUEST] =
		QUANTITY("postgres_memory_request", "102Mi", "Memory that new databases request."),
	[CONF_POSTGRES_MEMORY_LIMIT] =
		QUANTITY("postgres_memory_limit", "1024Mi", "Memory limit of new databases."),
	[CONF_DATABASE_NETWORK_POLICY] =
		BOOL("database_network_policy", "yes",
		     "Whether databases reach nothing but DNS, API servers and the places of their "
		     "backups; no: they reach everything."),
	[CONF_API_SERVER_NETWORKS] = NETWORKS(
		"api_server_networks", NULL,
		"Networks (CIDR, separated by blanks) of the clusters' API servers as pods reach "
		"them; unset: ports 443, 6443, 8443 and 16443 of every address."),
	[CONF_BACKUP_PODS] = PODS("backup_pods", NULL,
				  "Pods in which backups of databases are kept, as NAMESPACE or "
				  "NAMESPACE/LABEL=VALUE, separated by blanks."),
	[CONF_BACKUP_NETWORKS] = NETWORKS(
		"backup_networks", NULL,
		"Networks (CIDR, separated by blanks) in which backups of databases are kept."),
	[CONF_PASS_TIME] = DURATION("pass_time", "25s", SECOND, HOUR,
				    "After this, a pass claims no more rows, except healthy ones "
				    "while it still waits for others."),
	[CONF_LEASE_TIME] = DURATION("lease_time", "30s", 5 * SECOND, HOUR,
				     "How long a claimed row belongs to one pass."),
	[CONF_SHARDS] = INTEGER("shards", "4", 1, 64,
				"Processes of one reconciler, each for the users of its shard."),
	[CONF_STALL_TIME] = DURATION(
		"stall_time", "3s", SECOND, HOUR,
		"A shard's process that one API server keeps busy for this long is ended."),
	[CONF_ROWS_IN_FLIGHT] = INTEGER("rows_in_flight", "256", 1, 10000,
					"Rows that one reconciler works on at once."),
	[CONF_ROWS_PER_USER] =
		INTEGER("rows_per_user", "16", 1, 10000, "How many of these may be one user's."),
	[CONF_RESYNC] = DURATION("resync", "5m", SECOND, DAY,
				 "How often stable rows are compared with the cluster."),
	[CONF_UNSCHEDULABLE_TIME] =
		DURATION("unschedulable_time", "5m", 10 * SECOND, DAY,
			 "How long a pod may wait for a node with room before that is an ERROR."),
	[CONF_EVENTS_DATABASE] =
		CONNINFO("events_database", NULL,
			 "libpq connection string of fsa-events, which needs PostgreSQL's primary "
			 "itself: set it where database leads to pgbouncer."),
	[CONF_EVENTS_SOCKET] = PATH("events_socket", "/run/fullstack-agent/events/nginx.sock",
				    "Socket on which the local nginx takes live updates."),
	[CONF_EVENTS_STATE_FILE] =
		PATH("events_state_file", "/run/fullstack-agent/live",
		     "Locked by fsa-events while live updates flow; /readyz checks it."),
};

const struct conf_spec *conf_spec(enum conf_option option)
{
	return &specs[option];
}
