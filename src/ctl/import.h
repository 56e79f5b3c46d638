#ifndef FSA_CTL_IMPORT_H
#define FSA_CTL_IMPORT_H

#include <jansson.h>

#include "crypto/seal.h"
#include "ctl/command.h"
#include "http/address.h"
#include "store/import.h"
#include "store/original.h"

/*
 * fsactl import: reads the database of version 0.4 row by row, checks each by the rules for users'
 * requests, and seals secrets on the way. A row that does not pass is a line of the report, not an
 * error. Ids are derived from those of version 0.4, so a second run finds the rows that the first
 * one created.
 */
struct import {
	const struct call *call;
	struct db *tx;
	struct keyring *owner_private, *cluster_public;
	struct address_policy *policy;
	json_t *tables[ORIGINAL_TABLE_COUNT];
	json_t *report; /* a line for each row */
};

/* A line of the report: what kind of row, whose or which, what became of it, and why. `reason`
 * NULL: needs none. */
void import_say(struct import *i, const char *what, const char *name, const char *result,
		const char *reason);
/* The same for what a statement did. `taken` is the reason for IMPORT_TAKEN. */
void import_say_outcome(struct import *i, const char *what, const char *name,
			enum import_outcome outcome, const char *taken);

/* Our id for one of version 0.4 (UUID version 8, RFC 9562, from a hash). */
void import_id(const char *model, const char *original_id, char ret_id[STORE_ID_LENGTH + 1]);

/* import_people.c: users, identities, kubeconfigs and settings. */
int import_people(struct import *i, struct err *e);
/* import_projects.c: projects, with sandbox, database and variables. */
int import_projects(struct import *i, struct err *e);

#endif
