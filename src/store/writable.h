#ifndef FSA_STORE_WRITABLE_H
#define FSA_STORE_WRITABLE_H

#include "base/err.h"
#include "db/db.h"

/* Whose rights are tried: those of a program, by statements that it lives by and that change no
 * row; the schema's owner has all. */
enum writable_by { WRITABLE_BY_OWNER, WRITABLE_BY_API, WRITABLE_BY_AUTH, WRITABLE_BY_COUNT };

/* Whether what is written would be kept: a row is written to a new table, the rights are tried, and
 * all of it is rolled back. Finds a disk that is full, a server that only reads, missing rights.
 * ERR_UNAVAILABLE, or ERR_INTERNAL for a right. */
int writable_check(struct db *db, enum writable_by by, struct err *e);
/* The rights alone, and whether the server only reads: next to nothing for the database. */
int writable_check_rights(struct db *db, enum writable_by by, struct err *e);

#endif
