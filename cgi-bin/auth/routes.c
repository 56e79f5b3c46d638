#include <stdlib.h>

#include "auth.h"

/* Logins, for clients without a session. They commit their own changes. */
#define LOGIN(path, fn, also, ...)                                                                 \
	{                                                                                          \
		.method = METHOD_POST, .pattern = (path), .handler = (fn),                         \
		.flags = ROUTE_CHANGES | (also), __VA_ARGS__                                       \
	}
#define READ ROUTE_READ
/* None takes an Idempotency-Key: auth.fcgi could not open the stored response, which is sealed for
 * api.fcgi. */
#define WRITE(...)      ROUTE_CHANGE(0, __VA_ARGS__)
#define WAKE(...)       ROUTE_CHANGE(ROUTE_WAKES, __VA_ARGS__)
#define END_ACCESS(...) ROUTE_CHANGE(ROUTE_WAKES | ROUTE_ALWAYS, __VA_ARGS__)

/* clang-format off */
/* The same for every provider that speaks OAuth. */
#define OAUTH_ROUTES(id)                                                                           \
	{ .method = METHOD_GET, .pattern = "/api/auth/" #id "/login", .flags = ROUTE_PAGE,         \
	  .handler = auth_##id##_login, .query = auth_login_query },                               \
	{ .method = METHOD_GET, .pattern = "/api/auth/" #id "/callback",                           \
	  .flags = ROUTE_PAGE | ROUTE_EXTENSIBLE,                                                  \
	  .handler = auth_##id##_callback, .query = auth_callback_query },                         \
	{ .method = METHOD_POST, .pattern = "/api/auth/" #id "/bind", .auth = ROUTE_SESSION,       \
	  .flags = ROUTE_CHANGES, .handler = auth_##id##_bind },                                   \
	WRITE(METHOD_POST, "/api/auth/" #id "/finish", auth_##id##_finish, "identity.bind",        \
	      .body = auth_finish_fields, .prepare = auth_##id##_prepare,                          \
	      .release = auth_release_account)

const struct route auth_routes[] = {
	LOGIN("/api/auth/register", auth_register, 0, .body = auth_password_fields),
	LOGIN("/api/auth/login", auth_login, ROUTE_ALWAYS, .body = auth_password_fields),
	LOGIN("/api/auth/invitation", auth_invitation, ROUTE_WAKES, .body = auth_invitation_fields),
	LOGIN("/api/auth/sealos", auth_sealos, ROUTE_ALWAYS | ROUTE_WAKES,
	      .body = auth_sealos_fields, .body_max = SEALOS_BODY_MAX),
	LOGIN("/api/auth/device", auth_device_post, 0, .body = auth_device_fields),
	LOGIN("/api/auth/device/token", auth_device_token_post, 0,
	      .body = auth_device_token_fields),
	OAUTH_ROUTES(github),
	OAUTH_ROUTES(oidc),
	{ .method = METHOD_GET, .pattern = "/api/auth/providers", .handler = auth_providers },
	{ .method = METHOD_GET, .pattern = "/api/auth/ready", .handler = auth_ready },

	READ ("/api/auth/session", auth_session),
	ROUTE_CHANGE(ROUTE_ALWAYS, METHOD_POST, "/api/auth/logout", auth_logout, "session.delete"),
	READ ("/api/auth/sessions", auth_sessions_get),
	END_ACCESS(METHOD_DELETE, "/api/auth/sessions", auth_sessions_delete, "session.delete",
		   .query = auth_sessions_query),
	END_ACCESS(METHOD_DELETE, "/api/auth/sessions/:sessionId", auth_session_delete,
		   "session.delete"),
	ROUTE_CHANGE(ROUTE_UNMETERED | ROUTE_WAKES, METHOD_PUT, "/api/auth/password",
		     auth_password_put, "password.change", .body = auth_password_change_fields,
		     .prepare = auth_password_prepare, .release = free),

	READ ("/api/auth/identities", auth_identities_get),
	WAKE (METHOD_DELETE, "/api/auth/identities/:identityId", auth_identity_delete,
	      "identity.unbind"),
	WRITE(METHOD_POST, "/api/auth/identities/:identityId/primary", auth_identity_primary,
	      "identity.primary"),
	WAKE (METHOD_POST, "/api/auth/sealos/bind", auth_sealos_bind, "identity.bind",
	      .body = auth_sealos_bind_fields, .body_max = SEALOS_BODY_MAX),

	READ ("/api/user/tokens", auth_tokens_get),
	WRITE(METHOD_POST, "/api/user/tokens", auth_tokens_post, "token.create",
	      .body = auth_token_fields, .prepare = auth_tokens_prepare),
	END_ACCESS(METHOD_DELETE, "/api/user/tokens/:tokenId", auth_token_delete, "token.delete"),
	READ ("/api/auth/device", auth_device_get, .query = auth_device_query),
	WRITE(METHOD_POST, "/api/auth/device/answer", auth_device_answer, "device.answer",
	      .body = auth_device_answer_fields, .prepare = auth_device_prepare),
	ROUTES_END,
};
/* clang-format on */
