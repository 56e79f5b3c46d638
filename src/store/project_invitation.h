#ifndef FSA_STORE_PROJECT_INVITATION_H
#define FSA_STORE_PROJECT_INVITATION_H

#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "crypto/token.h"
#include "db/db.h"
#include "domain/role.h"
#include "store/store.h"

/*
 * Invitations to projects. One is for a user, who finds it in their list, or for whoever has its
 * link, of which only the hash is stored. It ends after seven days, or when it is accepted. Objects
 * of one have id, role, name (of the user; null: a link), createdAt and expiresAt.
 */

/* Invites the user with that name; another invitation of theirs to the project is replaced.
 * ERR_NOT_FOUND USER_NOT_FOUND; ERR_CONFLICT USER_AMBIGUOUS, ALREADY_MEMBER; ERR_RATE_LIMITED
 * MEMBER_QUOTA. The caller json_decref()s. */
int project_invite_user(struct db *tx, const char *owner_id, const char *project_id,
			const char *name, enum project_role role, json_t **ret_invitation,
			struct err *e);
/* Stores a link. ERR_RATE_LIMITED MEMBER_QUOTA. */
int project_invite_by_link(struct db *tx, const char *owner_id, const char *project_id,
			   const uint8_t token_hash[TOKEN_HASH_BYTES], enum project_role role,
			   json_t **ret_invitation, struct err *e);
/* Those of a project that have not ended, as an array. */
int project_invitation_list(struct db *db, const char *owner_id, const char *project_id,
			    json_t **ret_invitations, struct err *e);
/* ERR_NOT_FOUND INVITATION_NOT_FOUND. */
int project_invitation_withdraw(struct db *tx, const char *owner_id, const char *project_id,
				const char *invitation_id, struct err *e);

/* Those that wait for a user's answer, as an array of objects: id, role, project (its name), owner
 * (their name), createdAt, expiresAt. */
int project_invitation_list_own(struct db *db, const char *user_id, json_t **ret_invitations,
				struct err *e);
int project_invitation_decline(struct db *tx, const char *user_id, const char *invitation_id,
			       struct err *e);

/* By what an invitation is accepted: its id, or its link's token. */
struct project_invitation_key {
	const char *id;            /* NULL: by the hash */
	const uint8_t *token_hash; /* NULL: by the id, which must be the user's */
};
struct project_invitation_accepted {
	char project_id[STORE_ID_LENGTH + 1], owner_id[STORE_ID_LENGTH + 1];
	enum project_role role;
};
/* Makes the user a member, and ends the invitation. ERR_FORBIDDEN INVITATION_INVALID: there is no
 * such invitation, or not any more; ERR_CONFLICT ALREADY_MEMBER. */
int project_invitation_accept(struct db *tx, const char *user_id,
			      const struct project_invitation_key *key,
			      struct project_invitation_accepted *ret_accepted, struct err *e);

#endif
