#ifndef FSA_API_API_H
#define FSA_API_API_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/conf.h"
#include "http/address.h"
#include "store/image.h"
#include "store/new_part.h"
#include "store/size.h"
#include "web/route.h"

/* What api.fcgi's handlers have in common: configuration and keys. One file an aggregate. */
extern const struct route api_routes[];

enum api_key {
	API_OWNER,          /* seals and opens what an owner may see again */
	API_CLUSTER_PUBLIC, /* seals kubeconfigs; nobody here can open them */
	API_KEY_COUNT
};

struct api;

int api_open(const struct conf *conf, void **ret_context, struct err *e);
void api_close(void *context);

const struct conf *api_conf(const struct call *c);
const struct address_policy *api_address_policy(const struct call *c);
/* Whether the key's file can be read; keys are read when first needed. */
int api_key_check(const struct call *c, enum api_key key, struct err *e);
/* Whether what this program writes would be kept. It costs the database more than anybody may ask
 * for as often as they like: the last answer holds for two seconds. */
int api_writes_check(const struct call *c, struct err *e);
/* Seals to a key; appends to `ret_sealed`. For contexts, see crypto/seal.h. */
int api_seal(const struct call *c, enum api_key key, const char *context, const void *plain,
	     size_t length, struct buf *ret_sealed, struct err *e);
/* Opens what was sealed to the owner's key. Wipe with buf_wipe(). If the key is not known, the file
 * is read again: it may have been added since this process started. */
int api_unseal(const struct call *c, const char *context, const void *sealed, size_t length,
	       struct buf *ret_plain, struct err *e);

/* new_sandbox_init() with a new id and the owner's key. */
int api_new_sandbox(const struct call *c, struct new_sandbox *ret_sandbox, struct err *e);

/* How the router keeps answers: sealed to the owner's key. */
route_keep_fn api_seal_answer;

/* Call it before carrying out a request that may lose data (`request`: RISK_…, and `sandbox_id`, of
 * store/project.h). ERR_DATA_AT_RISK if data is known to be at risk, unless the body has "force":
 * true. */
int api_ask_risk(const struct call *c, const char *sandbox_id, unsigned request, struct err *e);
#define FIELD_FORCE                                                                                \
	{                                                                                          \
		.name = "force", .type = FIELD_BOOL                                                \
	}
extern const struct field force_fields[];

/* Field tables and handlers, by file. */
extern const struct field project_create_fields[], project_change_fields[], project_list_query[];
route_fn project_list_get, project_post, project_read, project_patch, project_remove,
	project_start_post, project_stop_post, project_restart_post, project_lifetime_put,
	project_restore_post, project_idle_put, project_keep_post;
extern const struct field project_lifetime_fields[], project_delete_fields[],
	project_restore_fields[], project_idle_fields[], project_keep_fields[];

/* Answers with the project of the path. */
int api_answer_project(struct call *c, struct err *e);

extern const struct field sandbox_start_fields[], sandbox_add_fields[], sandbox_change_fields[];
/* The name of a size that the site offers (store/size.h); null: the operator's default. */
#define FIELD_SIZE                                                                                 \
	{                                                                                          \
		.name = "size", .type = FIELD_STRING, .nullable = true, .min = 1,                  \
		.max = SIZE_NAME_MAX, .pattern = SIZE_NAME_PATTERN, .check = check_size_name       \
	}
/* The name of an image that the site offers, or the reference of one that it allows
 * (store/image.h); null: the operator's default. */
#define FIELD_IMAGE                                                                                \
	{                                                                                          \
		.name = "image", .type = FIELD_STRING, .nullable = true, .min = 1,                 \
		.max = IMAGE_REFERENCE_MAX, .pattern = IMAGE_PATTERN, .check = check_image         \
	}
enum { SANDBOX_BODY_MAX = 262144 };
route_fn sandbox_read, sandbox_post, sandbox_patch, sandbox_delete;
route_fn sandboxes_list_get, sandboxes_post, sandboxes_start_post, sandboxes_stop_post,
	sandboxes_restart_post;

extern const struct field port_fields[], port_link_fields[];
route_fn ports_list_get, ports_post, ports_delete, port_link_post;
extern const struct field visit_fields[];
route_fn visit_post;

extern const struct field sandbox_token_fields[];
route_fn sandbox_token_post;
struct sandbox;
struct sandbox_view;
struct token_wanted {
	const char *scope; /* names separated by blanks */
	const char *host;  /* of a port: for that address only; NULL: for sandboxd's API */
	int64_t lifetime_s;
	int64_t visit_s; /* it is exchanged once, for a visit that lasts so long; 0: it is not */
};
enum { TOKEN_TIME_SIZE = 32 };
/* A token that sandboxd takes, and when it ends. The caller frees. */
int api_make_token(const struct call *c, const struct sandbox *s, const struct token_wanted *wanted,
		   char **ret_token, char ret_expires[TOKEN_TIME_SIZE], struct err *e);
/* A token for that sandbox: {token, url, scopes, expiresAt}; sets what the audit says of it. */
int api_sandbox_token(struct call *c, const struct sandbox_view *view, json_t *scopes,
		      int64_t lifetime_s, json_t **ret_answer, struct err *e);

/* ERR_UNPROCESSABLE TOO_LITTLE_MEMORY: a sandbox in which no agent can run. */
int agent_check_memory(const struct sandbox *sandbox, struct err *e);
extern const struct field agent_fields[];
enum { AGENT_BODY_MAX = 131072 };
route_fn agent_post;

extern const struct field environment_create_fields[], environment_merge_fields[],
	environment_change_fields[];
enum { ENVIRONMENT_BODY_MAX = 1048576 };
/* Adds or replaces one variable of a project. */
int api_put_variable(const struct call *c, const char *project_id, const char *key,
		     const char *value, struct err *e);
route_fn environment_list_get, environment_post, environment_merge, environment_read,
	environment_patch, environment_delete;

route_fn database_read, database_post, database_delete;

route_fn admin_state_get, admin_samples_get, admin_health_get, admin_stuck_get, admin_users_get,
	admin_limits_get, admin_limit_put, admin_disable_post, admin_enable_post,
	admin_invitation_post, admin_invitation_delete;
extern const struct field admin_users_query[], admin_limit_fields[], admin_invitation_fields[];

/* Adds to each project of an array what the caller is to it ("role"), and whose it is ("owner"). */
int api_add_access(const struct call *c, json_t *items, struct err *e);
extern const struct field member_change_fields[], project_invitation_fields[],
	invitation_link_fields[];
route_fn members_list_get, member_patch, member_delete, membership_delete, project_invitation_post,
	project_invitation_delete, invitations_list_get, invitation_accept_post,
	invitation_link_post, invitation_decline;

route_fn event_list_get;

route_fn audit_list_get;

extern const struct field setting_query[], setting_put_fields[], anthropic_fields[],
	system_prompt_fields[];
enum { SETTING_BODY_MAX = 262144 };
route_fn setting_read, setting_write, anthropic_read, anthropic_write, system_prompt_read,
	system_prompt_write;

extern const struct field kubeconfig_fields[], cluster_create_fields[], cluster_change_fields[];
enum { KUBECONFIG_BODY_MAX = 147456 }; /* of KUBECONFIG_MAX_BYTES, every other byte escaped */
route_fn kubeconfig_read, kubeconfig_write, kubeconfig_check, clusters_list_get, clusters_post,
	clusters_read, clusters_put, clusters_delete, clusters_check;

route_fn live_admit;

route_fn limits_read;
route_fn sizes_list_get, images_list_get, templates_list_get;

extern const struct field wake_fields[];
route_fn wake_read, wake_post, wake_visit;

route_fn health_read, ready_read, metrics_read, site_read;

#endif
