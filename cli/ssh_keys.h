#ifndef FSA_CLI_SSH_KEYS_H
#define FSA_CLI_SSH_KEYS_H

#include "base/err.h"

/*
 * What OpenSSH's client needs for sandboxes, in a folder beside the sites' tokens: the user's key,
 * and an authority that vouches for host keys. Each session's sshd gets a new host key, with a
 * certificate for its host's name and a day. So a host's key is always verified, no key is accepted
 * unseen, and a sandbox that keeps one can pass for no other.
 */

/* Creates the missing parts. The caller frees. */
int ssh_keys_folder(char **ret_folder, struct err *e);
/* For sshd's side: a host key, its certificate and the key that may log in, each followed by a line
 * with a dot. The caller overwrites and frees. */
int ssh_keys_session(const char *folder, const char *host, char **ret_text, struct err *e);

#endif
