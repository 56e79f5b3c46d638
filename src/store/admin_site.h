#ifndef FSA_STORE_ADMIN_SITE_H
#define FSA_STORE_ADMIN_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "crypto/token.h"
#include "db/db.h"
#include "store/limit.h"

/*
 * What the console's administration shows, over all users: for api.fcgi, on routes that only users
 * with the role "admin" get to. What it reads is what api.fcgi may read anyway. As in admin.h,
 * lists are arrays of objects, ready to be shown, and the caller json_decref()s.
 */
struct admin_page {
	json_t *items;
	int64_t total; /* how many there are, of which `items` are the first */
};

/* Users whose name contains `keyword` (NULL: all), by name. */
int admin_page_users(struct db *db, const char *keyword, unsigned limit,
		     struct admin_page *ret_page, struct err *e);
/* As limit_list() of limit.h. ERR_NOT_FOUND USER_NOT_FOUND. */
int admin_limits(struct db *db, const char *user_id, json_t **ret_limits, struct err *e);
/* Sandboxes and databases that are not as desired and have a cause, or have been on their way for
 * ten minutes, each with its project and owner; the oldest first. Causes are as they are stored:
 * causeKind, causeCode, causeMessage. */
int admin_page_stuck(struct db *db, unsigned limit, struct admin_page *ret_page, struct err *e);
/* One object: how many users, projects and resources there are, and how many resources run. */
int admin_counts(struct db *db, json_t **ret_counts, struct err *e);
/* The hosts that passes run on: host, version, lastPassAt, ageMs. */
int admin_hosts(struct db *db, json_t **ret_rows, struct err *e);
/* What the site was like in the last day, the oldest first: the most of each five minutes. */
int admin_samples(struct db *db, json_t **ret_rows, struct err *e);

/*
 * What administrators change: by functions of the database that get the token of the caller's
 * session, check the role once more, and write the line of the audit themselves
 * (sql/0038_administration.sql). ERR_NOT_FOUND without the role, or USER_NOT_FOUND.
 */
struct admin_caller {
	const char *token; /* of their session */
	const char *address, *request_id;
};
/* An exception for one user; negative: back to the default. */
int admin_change_limit(struct db *db, const struct admin_caller *by, const char *user_id,
		       enum limit_kind kind, int64_t value, struct err *e);
/* As admin_set_disabled() of admin.h. ERR_CONFLICT USER_IS_ADMIN: the operator takes the role
 * first; USER_DELETED. */
int admin_change_access(struct db *db, const struct admin_caller *by, const char *user_id,
			bool disable, struct err *e);
/* Creates a user called `name` who sets a password by the link with that token, and has none until
 * then; if they were invited and have not set one, their former link ends. ERR_CONFLICT USER_EXISTS
 * if they have: links for those are the operator's to make. */
int admin_invite(struct db *db, const struct admin_caller *by, const char *name,
		 const uint8_t token_hash[TOKEN_HASH_BYTES], unsigned days, struct err *e);
/* Of the one who was invited: {id, name, expiresAt}. */
int admin_invitation(struct db *db, const char *name, json_t **ret_made, struct err *e);
/* Ends a user's link. ERR_NOT_FOUND NO_INVITATION. */
int admin_end_invitation(struct db *db, const struct admin_caller *by, const char *user_id,
			 struct err *e);

#endif
