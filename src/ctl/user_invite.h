#ifndef FSA_CTL_USER_INVITE_H
#define FSA_CTL_USER_INVITE_H

#include "ctl/command.h"
#include "store/store.h"

/* A link with which a user sets their password: created inside a transaction, and printed after it.
 * It can be read nowhere else. */
struct invitation {
	char *link, *expires_at;
};
void invitation_clear(struct invitation *made);

/* ERR_INVALID USAGE for what --days says. */
int invite(const struct call *call, struct db *tx, const char *user_id, const char *name,
	   struct invitation *ret_made, struct err *e);
void invite_print(const struct call *call, const char *user_id, const char *name,
		  const struct invitation *made);

#endif
