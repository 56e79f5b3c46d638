#include "auth.h"

/* The same for every provider that speaks OAuth. */
#define OAUTH_ROUTES(id)                                                                           \
	{ .method = METHOD_GET,                                                                    \
	  .pattern = "/api/auth/" #id "/login",                                                    \
	  .flags = ROUTE_PAGE,                                                                     \
	  .handler = auth_##id##_login,                                                            \
	  .query = auth_login_query },                                                             \
		{ .method = METHOD_GET,                                                            \
		  .pattern = "/api/auth/" #id "/callback",                                         \
		  .flags = ROUTE_PAGE | ROUTE_EXTENSIBLE,                                          \
		  .handler = auth_##id##_callback,                                                 \
		  .query = auth_callback_query },                                                  \
		{ .method = METHOD_POST,                                                           \
		  .pattern = "/api/auth/" #id "/bind",                                             \
		  .auth = ROUTE_SESSION,                                                           \
		  .flags = ROUTE_CHANGES,                                                          \
		  .handler = auth_##id##_bind },                                                   \
	{                                                                                          \
		.method = METHOD_POST, .pattern = "/api/auth/" #id "/finish",                      \
		.auth = ROUTE_SESSION, .flags = ROUTE_CHANGES, .handler = auth_##id##_finish,      \
		.body = auth_finish_fields                                                         \
	}

const struct route auth_routes[] = {
	{ .method = METHOD_POST,
	  .pattern = "/api/auth/register",
	  .flags = ROUTE_CHANGES,
	  .handler = auth_register,
	  .body = auth_password_fields },
	{ .method = METHOD_POST,
	  .pattern = "/api/auth/login",
	  .flags = ROUTE_CHANGES | ROUTE_ALWAYS,
	  .handler = auth_login,
	  .body = auth_password_fields },
	{ .method = METHOD_POST,
	  .pattern = "/api/auth/invitation",
	  .flags = ROUTE_CHANGES | ROUTE_WAKES,
	  .handler = auth_invitation,
	  .body = auth_invitation_fields },
	{ .method = METHOD_PUT,
	  .pattern = "/api/auth/password",
	  .auth = ROUTE_SESSION,
	  .flags = ROUTE_CHANGES | ROUTE_UNMETERED | ROUTE_WAKES,
	  .handler = auth_password_put,
	  .body = auth_password_change_fields },
	{ .method = METHOD_POST,
	  .pattern = "/api/auth/logout",
	  .auth = ROUTE_SESSION,
	  .flags = ROUTE_CHANGES | ROUTE_ALWAYS,
	  .handler = auth_logout },
	{ .method = METHOD_GET,
	  .pattern = "/api/auth/session",
	  .auth = ROUTE_SESSION,
	  .handler = auth_session },
	{ .method = METHOD_GET, .pattern = "/api/auth/providers", .handler = auth_providers },
	{ .method = METHOD_GET, .pattern = "/api/auth/ready", .handler = auth_ready },
	{ .method = METHOD_POST,
	  .pattern = "/api/auth/sealos",
	  .flags = ROUTE_CHANGES | ROUTE_ALWAYS | ROUTE_WAKES,
	  .handler = auth_sealos,
	  .body = auth_sealos_fields,
	  .body_max = SEALOS_BODY_MAX },
	OAUTH_ROUTES(github),
	OAUTH_ROUTES(oidc),
	{ .method = METHOD_POST,
	  .pattern = "/api/auth/sealos/bind",
	  .auth = ROUTE_SESSION,
	  .flags = ROUTE_CHANGES | ROUTE_WAKES,
	  .handler = auth_sealos_bind,
	  .body = auth_sealos_bind_fields,
	  .body_max = SEALOS_BODY_MAX },
	{ .method = METHOD_GET,
	  .pattern = "/api/auth/identities",
	  .auth = ROUTE_SESSION,
	  .handler = auth_identities_get },
	{ .method = METHOD_DELETE,
	  .pattern = "/api/auth/identities/:identityId",
	  .auth = ROUTE_SESSION,
	  .flags = ROUTE_CHANGES | ROUTE_WAKES,
	  .handler = auth_identity_delete },
	{ .method = METHOD_POST,
	  .pattern = "/api/auth/identities/:identityId/primary",
	  .auth = ROUTE_SESSION,
	  .flags = ROUTE_CHANGES,
	  .handler = auth_identity_primary },
	{ .method = METHOD_GET,
	  .pattern = "/api/auth/sessions",
	  .auth = ROUTE_SESSION,
	  .handler = auth_sessions_get },
	{ .method = METHOD_DELETE,
	  .pattern = "/api/auth/sessions",
	  .auth = ROUTE_SESSION,
	  .flags = ROUTE_CHANGES | ROUTE_ALWAYS | ROUTE_WAKES,
	  .handler = auth_sessions_delete,
	  .query = auth_sessions_query },
	{ .method = METHOD_DELETE,
	  .pattern = "/api/auth/sessions/:sessionId",
	  .auth = ROUTE_SESSION,
	  .flags = ROUTE_CHANGES | ROUTE_ALWAYS | ROUTE_WAKES,
	  .handler = auth_session_delete },
	{ .method = METHOD_GET,
	  .pattern = "/api/user/tokens",
	  .auth = ROUTE_SESSION,
	  .handler = auth_tokens_get },
	{ .method = METHOD_POST,
	  .pattern = "/api/user/tokens",
	  .auth = ROUTE_SESSION,
	  .flags = ROUTE_CHANGES,
	  .handler = auth_tokens_post,
	  .body = auth_token_fields },
	{ .method = METHOD_DELETE,
	  .pattern = "/api/user/tokens/:tokenId",
	  .auth = ROUTE_SESSION,
	  .flags = ROUTE_CHANGES | ROUTE_ALWAYS | ROUTE_WAKES,
	  .handler = auth_token_delete },
	ROUTES_END,
};
