#ifndef FSA_STORE_NEW_PART_H
#define FSA_STORE_NEW_PART_H

#include "base/buf.h"
#include "base/err.h"
#include "store/project.h"

/* The parts of a new sandbox or database that a program makes: an id, to which secrets are bound,
 * and a terminal token. Names, hosts, image and sizes are made in the database
 * (sql/0017_operator.sql). */

void new_id(char ret_id[STORE_ID_LENGTH + 1]); /* a random UUID */

struct new_sandbox {
	struct sandbox_new row; /* points into the rest */
	char id[STORE_ID_LENGTH + 1];
	struct buf terminal_token_sealed;
};

/* With a terminal token of its own, sealed. `id` NULL: a new one. Fails with what `seal` fails
 * with. `s` is to be cleared also after a failure. */
int new_sandbox_init(struct new_sandbox *s, const char *id, store_seal_fn *seal, const void *user,
		     struct err *e);
void new_sandbox_clear(struct new_sandbox *s); /* for CLEANUP */

#endif
