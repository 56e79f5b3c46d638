#include "api.h"

#include "checks.h"

#define PROJECT  "/api/projects/:projectId"
#define VARIABLE PROJECT "/environment/:envId"
#define SANDBOX  "/api/sandbox/:projectId"
#define ANOTHER  PROJECT "/sandboxes/:sandboxId"
#define CLUSTER  "/api/clusters/:clusterId"
#define PERSON   "/api/admin/users/:userId"

#define READ ROUTE_READ
/* WRITE changes stored data; WAKE also requires the reconciler to act. Both take an
 * Idempotency-Key. */
#define WRITE(...) ROUTE_CHANGE(ROUTE_IDEMPOTENT, __VA_ARGS__)
#define WAKE(...)  ROUTE_CHANGE(ROUTE_IDEMPOTENT | ROUTE_WAKES, __VA_ARGS__)
/* For members of the project, too. */
#define VIEWER     .role = PROJECT_VIEWER
#define EDITOR     .role = PROJECT_EDITOR
#define ADMIN(...) ROUTE_CHANGE(ROUTE_IDEMPOTENT | ROUTE_WAKES | ROUTE_ADMIN, __VA_ARGS__)

/* clang-format off */
const struct route api_routes[] = {
	READ ("/api/projects", project_list_get, .query = project_list_query),
	WAKE (METHOD_POST, "/api/projects", project_post, "project.create",
	      .body = project_create_fields),
	READ (PROJECT, project_read, VIEWER),
	WRITE(METHOD_PATCH, PROJECT, project_patch, "project.change",
	      .body = project_change_fields, EDITOR),
	WRITE(METHOD_PUT, PROJECT "/lifetime", project_lifetime_put, "project.lifetime",
	      .body = project_lifetime_fields),
	WAKE (METHOD_PUT, PROJECT "/idle", project_idle_put, "project.idle",
	      .body = project_idle_fields, EDITOR),
	WRITE(METHOD_POST, PROJECT "/keep", project_keep_post, "project.keep",
	      .body = project_keep_fields, EDITOR),
	WAKE (METHOD_DELETE, PROJECT, project_remove, "project.delete",
	      .body = project_delete_fields),
	WAKE (METHOD_POST, PROJECT "/delete", project_remove, "project.delete",
	      .body = project_delete_fields),
	WRITE(METHOD_POST, PROJECT "/restore", project_restore_post, "project.restore",
	      .body = project_restore_fields),
	WAKE (METHOD_POST, PROJECT "/start", project_start_post, "project.start",
	      .body = force_fields, EDITOR),
	WAKE (METHOD_POST, PROJECT "/stop", project_stop_post, "project.stop",
	      .body = force_fields, EDITOR),
	WAKE (METHOD_POST, PROJECT "/restart", project_restart_post, "project.restart",
	      .body = force_fields, EDITOR),

	READ (PROJECT "/environment", environment_list_get, VIEWER),
	WAKE (METHOD_POST, PROJECT "/environment", environment_post, "environment.put",
	      .body = environment_create_fields, .body_max = ENVIRONMENT_BODY_MAX, EDITOR),
	WAKE (METHOD_PATCH, PROJECT "/environment", environment_merge, "environment.put",
	      .body = environment_merge_fields, .body_max = ENVIRONMENT_BODY_MAX, EDITOR),
	READ (VARIABLE, environment_read, VIEWER),
	WAKE (METHOD_PATCH, VARIABLE, environment_patch, "environment.change",
	      .body = environment_change_fields, .body_max = ENVIRONMENT_BODY_MAX, EDITOR),
	WAKE (METHOD_PUT, VARIABLE, environment_patch, "environment.change",
	      .body = environment_change_fields, .body_max = ENVIRONMENT_BODY_MAX, EDITOR),
	WAKE (METHOD_DELETE, VARIABLE, environment_delete, "environment.delete",
	      .body = force_fields, EDITOR),

	READ (PROJECT "/database", database_read, VIEWER),
	WAKE (METHOD_POST, PROJECT "/database", database_post, "database.create",
	      .body = force_fields, EDITOR),
	WAKE (METHOD_DELETE, PROJECT "/database", database_delete, "database.delete",
	      .body = force_fields),
	READ (PROJECT "/events", event_list_get, .query = page_query, VIEWER),

	READ (SANDBOX, sandbox_read, VIEWER),
	WAKE (METHOD_POST, SANDBOX, sandbox_post, "sandbox.start",
	      .body = sandbox_start_fields, .body_max = SANDBOX_BODY_MAX, EDITOR),
	WAKE (METHOD_PATCH, SANDBOX, sandbox_patch, "sandbox.change",
	      .body = sandbox_change_fields, EDITOR),
	WAKE (METHOD_DELETE, SANDBOX, sandbox_delete, "sandbox.terminate"),
	WRITE(METHOD_POST, SANDBOX "/tokens", sandbox_token_post, "sandbox.token",
	      .body = sandbox_token_fields, VIEWER),

	READ (PROJECT "/sandboxes", sandboxes_list_get, VIEWER),
	WAKE (METHOD_POST, PROJECT "/sandboxes", sandboxes_post, "sandbox.create",
	      .body = sandbox_add_fields, .body_max = SANDBOX_BODY_MAX, EDITOR),
	READ (ANOTHER, sandbox_read, VIEWER),
	WAKE (METHOD_PATCH, ANOTHER, sandbox_patch, "sandbox.change",
	      .body = sandbox_change_fields, EDITOR),
	WAKE (METHOD_DELETE, ANOTHER, sandbox_delete, "sandbox.terminate"),
	WAKE (METHOD_POST, ANOTHER "/start", sandboxes_start_post, "sandbox.start",
	      .body = force_fields, EDITOR),
	WAKE (METHOD_POST, ANOTHER "/stop", sandboxes_stop_post, "sandbox.stop",
	      .body = force_fields, EDITOR),
	WAKE (METHOD_POST, ANOTHER "/restart", sandboxes_restart_post, "sandbox.restart",
	      .body = force_fields, EDITOR),
	READ (ANOTHER "/ports", ports_list_get, VIEWER),
	WAKE (METHOD_POST, ANOTHER "/ports", ports_post, "port.open", .body = port_fields, EDITOR),
	WAKE (METHOD_DELETE, ANOTHER "/ports/:portId", ports_delete, "port.close", EDITOR),
	WRITE(METHOD_POST, ANOTHER "/ports/:portId/links", port_link_post, "port.link",
	      .body = port_link_fields, EDITOR),
	WRITE(METHOD_POST, "/api/visits", visit_post, "port.visit", .body = visit_fields),
	WRITE(METHOD_POST, ANOTHER "/tokens", sandbox_token_post, "sandbox.token",
	      .body = sandbox_token_fields, VIEWER),
	WRITE(METHOD_POST, PROJECT "/agent", agent_post, "agent.start",
	      .body = agent_fields, .body_max = AGENT_BODY_MAX, EDITOR),

	READ (PROJECT "/members", members_list_get, VIEWER),
	WAKE (METHOD_PATCH, PROJECT "/members/:memberId", member_patch, "member.change",
	      .body = member_change_fields),
	WAKE (METHOD_DELETE, PROJECT "/members/:memberId", member_delete, "member.remove"),
	WAKE (METHOD_DELETE, PROJECT "/membership", membership_delete, "member.leave", VIEWER),
	/* Without an Idempotency-Key: a kept response would be a stored link. */
	ROUTE_CHANGE(0, METHOD_POST, PROJECT "/invitations", project_invitation_post,
		     "member.invite", .body = project_invitation_fields),
	WRITE(METHOD_DELETE, PROJECT "/invitations/:invitationId", project_invitation_delete,
	      "member.uninvite"),
	READ ("/api/invitations", invitations_list_get),
	WRITE(METHOD_POST, "/api/invitations/accept", invitation_link_post, "member.join",
	      .body = invitation_link_fields),
	WRITE(METHOD_POST, "/api/invitations/:invitationId/accept", invitation_accept_post,
	      "member.join"),
	WRITE(METHOD_DELETE, "/api/invitations/:invitationId", invitation_decline,
	      "member.decline"),

	READ ("/api/sizes", sizes_list_get),
	READ ("/api/images", images_list_get),
	READ ("/api/templates", templates_list_get),

	READ ("/api/events", live_admit),

	READ ("/api/user/config", setting_read, .query = setting_query, .flags = ROUTE_SECRET),
	WAKE (METHOD_PUT, "/api/user/config", setting_write, "settings.put",
	      .body = setting_put_fields, .body_max = SETTING_BODY_MAX),
	WAKE (METHOD_POST, "/api/user/config", setting_write, "settings.put",
	      .body = setting_put_fields, .body_max = SETTING_BODY_MAX),
	READ ("/api/user/config/anthropic", anthropic_read, .flags = ROUTE_SECRET),
	WAKE (METHOD_PUT, "/api/user/config/anthropic", anthropic_write, "settings.put",
	      .body = anthropic_fields),
	WAKE (METHOD_POST, "/api/user/config/anthropic", anthropic_write, "settings.put",
	      .body = anthropic_fields),
	READ ("/api/user/config/system-prompt", system_prompt_read, .flags = ROUTE_SECRET),
	WAKE (METHOD_PUT, "/api/user/config/system-prompt", system_prompt_write, "settings.put",
	      .body = system_prompt_fields, .body_max = SETTING_BODY_MAX),
	WAKE (METHOD_POST, "/api/user/config/system-prompt", system_prompt_write, "settings.put",
	      .body = system_prompt_fields, .body_max = SETTING_BODY_MAX),
	READ ("/api/user/config/kc", kubeconfig_read),
	WAKE (METHOD_PUT, "/api/user/config/kc", kubeconfig_write, "kubeconfig.put",
	      .body = kubeconfig_fields, .body_max = KUBECONFIG_BODY_MAX),
	WAKE (METHOD_POST, "/api/user/config/kc", kubeconfig_write, "kubeconfig.put",
	      .body = kubeconfig_fields, .body_max = KUBECONFIG_BODY_MAX),

	READ ("/api/clusters", clusters_list_get),
	WAKE (METHOD_POST, "/api/clusters", clusters_post, "cluster.create",
	      .body = cluster_create_fields, .body_max = KUBECONFIG_BODY_MAX),
	READ (CLUSTER, clusters_read),
	WAKE (METHOD_PUT, CLUSTER, clusters_put, "cluster.change",
	      .body = cluster_change_fields, .body_max = KUBECONFIG_BODY_MAX),
	WRITE(METHOD_DELETE, CLUSTER, clusters_delete, "cluster.remove"),
	WAKE (METHOD_POST, CLUSTER "/check", clusters_check, "cluster.check"),

	READ ("/api/user/limits", limits_read),
	WAKE (METHOD_POST, "/api/user/config/kc/check", kubeconfig_check, "kubeconfig.check"),

	READ ("/api/user/audit", audit_list_get, .query = page_query),

	READ ("/api/admin/state", admin_state_get, .flags = ROUTE_ADMIN),
	READ ("/api/admin/health", admin_health_get, .flags = ROUTE_ADMIN),
	READ ("/api/admin/samples", admin_samples_get, .flags = ROUTE_ADMIN),
	READ ("/api/admin/stuck", admin_stuck_get, .flags = ROUTE_ADMIN),
	READ ("/api/admin/users", admin_users_get, .query = admin_users_query,
	      .flags = ROUTE_ADMIN),
	READ (PERSON "/limits", admin_limits_get, .flags = ROUTE_ADMIN),
	ADMIN(METHOD_PUT, PERSON "/limits", admin_limit_put, "admin.user.limit",
	      .body = admin_limit_fields),
	/* Without an Idempotency-Key: a kept response would be a stored link, and asking again makes
	 * another link for the same user. */
	ROUTE_CHANGE(ROUTE_ADMIN, METHOD_POST, "/api/admin/invitations", admin_invitation_post,
		     "admin.user.invite", .body = admin_invitation_fields),
	ADMIN(METHOD_DELETE, PERSON "/invitation", admin_invitation_delete, "admin.user.withdraw"),
	ADMIN(METHOD_POST, PERSON "/disable", admin_disable_post, "admin.user.disable"),
	ADMIN(METHOD_POST, PERSON "/enable", admin_enable_post, "admin.user.enable"),

	{ .method = METHOD_GET, .pattern = "/api/site", .handler = site_read },
	{ .method = METHOD_GET, .pattern = "/api/wake", .auth = ROUTE_VISITOR, .handler = wake_read,
	  .query = wake_fields },
	{ .method = METHOD_POST, .pattern = "/api/wake", .auth = ROUTE_VISITOR,
	  .flags = ROUTE_CHANGES | ROUTE_WAKES, .handler = wake_post, .body = wake_fields,
	  .action = "sandbox.wake" },
	{ .method = METHOD_GET, .pattern = "/api/wake/visit", .auth = ROUTE_LOCAL,
	  .flags = ROUTE_WAKES, .handler = wake_visit },
	{ .method = METHOD_GET, .pattern = "/healthz", .handler = health_read },
	{ .method = METHOD_GET, .pattern = "/readyz", .handler = ready_read },
	{ .method = METHOD_GET, .pattern = "/metrics", .auth = ROUTE_LOCAL, .handler = metrics_read },
	ROUTES_END,
};
/* clang-format on */
