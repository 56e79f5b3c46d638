#ifndef FSA_STORE_WRITABLE_H
#define FSA_STORE_WRITABLE_H

#include "base/err.h"
#include "db/db.h"

/* The program whose rights are tested, with statements that it depends on and that change no row;
 * the schema's owner has all rights. */
enum writable_by { WRITABLE_BY_OWNER, WRITABLE_BY_API, WRITABLE_BY_AUTH, WRITABLE_BY_COUNT };

/* Whether a write would succeed: writes a row to a new table, tests the rights, and rolls all of it
 * back. Detects a full disk, a read-only server, and missing rights. ERR_UNAVAILABLE, or
 * ERR_INTERNAL for a right. */
int writable_check(struct db *db, enum writable_by by, struct err *e);
/* The rights alone, and whether the server only reads: next to nothing for the database. */
int writable_check_rights(struct db *db, enum writable_by by, struct err *e);

#endif
