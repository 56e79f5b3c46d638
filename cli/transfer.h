#ifndef FSA_CLI_TRANSFER_H
#define FSA_CLI_TRANSFER_H

#include <sys/stat.h>

#include "sandbox.h"

/*
 * One file to a sandbox, or from there. After a lost connection both go on where they stopped; the
 * old file stays until the new one is complete; if it fails or is interrupted, nothing is left.
 */
int transfer_upload(struct sandbox *s, const char *from, const char *to, const struct stat *st,
		    struct err *e);
int transfer_download(struct sandbox *s, const char *from, const char *to, mode_t mode,
		      struct err *e);

/* "/v1/files" and `what`, with the path as its parameter. The caller frees. */
char *transfer_path(const char *what, const char *path);

#endif
