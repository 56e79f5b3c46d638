#ifndef FSA_CTL_BACKUP_H
#define FSA_CTL_BACKUP_H

#include <jansson.h>

#include "ctl/command.h"

/*
 * A backup is a folder with two parts, each a folder that can be kept, checked and copied
 * separately, because somebody who has both has everything:
 *
 *     data/  database.dump (pg_dump's custom form), files.tar: configuration that anybody may read
 *     keys/  files.tar: the private keys, and every other file that is not for everybody
 *
 * In each, manifest.json says what it is, and SHA256SUMS has the checksums as sha256sum(1) reads
 * them.
 */
enum backup_part { BACKUP_DATA, BACKUP_KEYS, BACKUP_PARTS };

enum { BACKUP_FORMAT = 1 };

#define BACKUP_DUMP     "database.dump"
#define BACKUP_ARCHIVE  "files.tar"
#define BACKUP_MANIFEST "manifest.json"

const char *backup_part_name(enum backup_part part);
/* The path of a file of a part, for the caller to free(). */
char *backup_path(const char *folder, enum backup_part part, const char *file);

/* Writes manifest and checksums of a part whose other files are there, all of it to the disk. */
int backup_part_finish(const char *folder, enum backup_part part, const json_t *manifest,
		       struct err *e);
/* Compares the checksums and reads the manifest. ERR_INVALID names what is missing or altered. */
int backup_part_read(const char *folder, enum backup_part part, json_t **ret_manifest,
		     struct err *e);
/* Makes the folder and its parts, or takes over what a backup that was cut off has left.
 * ERR_CONFLICT: another is at work there. `*ret_lock` is the caller's to close. */
int backup_folder_make(const char *folder, int *ret_lock, struct err *e);
/* Removes what belongs to a backup, and the folders when nothing else is in them. */
void backup_folder_remove(const char *folder);
/* Makes what a folder lists permanent. */
int backup_folder_sync(const char *folder, struct err *e);

/* The files of a site: an object for each part of the backup, whose members' names are paths. */
int backup_files_find(const struct call *call, json_t *ret_paths[BACKUP_PARTS], struct err *e);

#endif
