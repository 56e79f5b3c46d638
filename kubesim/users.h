#ifndef KUBESIM_USERS_H
#define KUBESIM_USERS_H

#include <stdbool.h>
#include <stdint.h>

#include "kind.h"
#include "refusal.h"

/*
 * Authentication and authorization: users with bearer tokens, who are confined to namespaces, and
 * administrators with client certificates. Rights are the two roles that the stand gives to its
 * users, and not what Role and RoleBinding objects say.
 */
struct users;
struct user;

enum role { ROLE_DEVELOPER, ROLE_OWNER, ROLE_ADMIN };

struct users *users_new(void);
void users_free(struct users *u);

/* Gives a user (created if the name is new) rights in a namespace, and a token that is valid for
 * `lifetime_ms`. `name` appears in messages. */
void users_grant(struct users *u, const char *name, const char *namespace, enum role role,
		 const char *token, uint64_t lifetime_ms);
/* Revokes the tokens of a user, as after a rotation. False: there is no user of that name. */
bool users_revoke(struct users *u, const char *name);

/* The person with that token, and "system:anonymous" without one (NULL). NULL if the token is
 * unknown or has expired. Borrowed. */
const struct user *users_by_token(const struct users *u, const char *token);
/* The person that a certificate names; `group` "system:masters" is that of administrators. */
const struct user *users_by_certificate(struct users *u, const char *name, const char *group);
/* The server itself, for its controllers. */
const struct user *users_system(const struct users *u);

const char *user_name(const struct user *user);
bool user_is_admin(const struct user *user);
/* `verb` as in RBAC, of anything in that namespace. */
bool user_may(const struct user *user, const char *verb, const char *namespace);
/* 403 if they may not. `verb` as in RBAC: get, list, create, patch, update, delete. */
int user_check(const struct user *user, const char *verb, const struct kind *kind,
	       const char *namespace, const char *name, struct refusal *r);

#endif
