#include "ssh_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "sites.h"

#define VALIDITY "-5m:+1d" /* tolerates a clock that is slow */

enum { KEY_MAX = 16384, SESSION_MAX = 65536, WORDS_MAX = 16 };

extern char **environ;

static int failed(const char *path, struct err *e)
{
	return err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
}

/* Runs ssh-keygen with these words, up to a NULL. */
static int keygen(const char *const *words, struct err *e)
{
	char *copies[WORDS_MAX] = { (char[]) { "ssh-keygen" }, (char[]) { "-q" } };
	posix_spawn_file_actions_t files;
	size_t count = 2;
	pid_t pid = 0;
	int status = 0, spawned;

	for (; words[count - 2] != NULL && count + 1 < WORDS_MAX; count++)
		copies[count] = mem_strdup(words[count - 2]);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	spawned = posix_spawnp(&pid, "ssh-keygen", &files, NULL, copies, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	while (count > 2)
		free(copies[--count]);
	if (spawned != 0)
		return err_set(e, ERR_UNPROCESSABLE, "NO_OPENSSH",
			       "ssh-keygen cannot be run: install OpenSSH's client (%s)",
			       strerror(spawned));
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return err_set(e, ERR_UNPROCESSABLE, "NO_KEY", "ssh-keygen made no key");
	return 0;
}

static int read_text(const char *path, struct buf *text, struct err *e)
{
	buf_reset(text);
	return buf_read_file(text, path, e);
}

/* ---- the permanent keys ---------------------------------------------------------------------- */

/* ssh-keygen makes the key readable by its owner only. */
static int make_key(const char *path, const char *comment, struct err *e)
{
	if (access(path, F_OK) == 0)
		return 0;
	return keygen((const char *const[]) { "-t", "ed25519", "-N", "", "-C", comment, "-f", path,
					      NULL },
		      e);
}

static int make_known_hosts(const char *folder, const char *authority, struct err *e)
{
	CLEANUP(cleanup_free) char *path = mem_printf("%s/known_hosts", folder);
	CLEANUP(cleanup_free) char *public = mem_printf("%s.pub", authority);
	CLEANUP(buf_release) struct buf key = BUF_INIT(KEY_MAX);

	if (read_text(public, &key, e) < 0)
		return -1;
	FILE *file = fopen(path, "we");
	if (file == NULL)
		return failed(path, e);
	bool written = fprintf(file, "@cert-authority *.fsa %s", key.data) > 0;
	return fclose(file) == 0 && written ? 0 : failed(path, e);
}

static int make_all(const char *folder, struct err *e)
{
	CLEANUP(cleanup_free) char *authority = mem_printf("%s/authority", folder);
	CLEANUP(cleanup_free) char *identity = mem_printf("%s/id_ed25519", folder);
	CLEANUP(cleanup_free) char *known = mem_printf("%s/known_hosts", folder);

	if (make_key(authority, "fsa", e) < 0 || make_key(identity, "fsa", e) < 0)
		return -1;
	return access(known, F_OK) == 0 ? 0 : make_known_hosts(folder, authority, e);
}

int ssh_keys_folder(char **ret_folder, struct err *e)
{
	CLEANUP(cleanup_free) char *above = NULL;

	if (sites_folder(&above, e) < 0)
		return -1;
	CLEANUP(cleanup_free) char *folder = mem_printf("%s/ssh", above);
	CLEANUP(cleanup_free) char *lock = mem_printf("%s/lock", folder);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return failed(folder, e);
	/* Another fsa may be making the keys concurrently. */
	CLEANUP(cleanup_close) int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return failed(lock, e);
	if (make_all(folder, e) < 0)
		return -1;
	*ret_folder = STEAL(folder);
	return 0;
}

/* ---- the keys of a session ------------------------------------------------------------------- */

static int add_part(const char *path, struct buf *all, struct err *e)
{
	CLEANUP(buf_wipe) struct buf part = BUF_INIT(KEY_MAX);

	return read_text(path, &part, e) < 0 || buf_append(all, part.data, part.length, e) < 0 ||
			       buf_append(all, ".\n", 2, e) < 0
		       ? -1
		       : 0;
}

static int make_session(const char *folder, const char *at, const char *host, struct buf *all,
			struct err *e)
{
	CLEANUP(cleanup_free) char *authority = mem_printf("%s/authority", folder);
	CLEANUP(cleanup_free) char *identity = mem_printf("%s/id_ed25519.pub", folder);
	CLEANUP(cleanup_free) char *key = mem_printf("%s/host", at);
	CLEANUP(cleanup_free) char *public = mem_printf("%s/host.pub", at);
	CLEANUP(cleanup_free) char *certificate = mem_printf("%s/host-cert.pub", at);
	int status = make_key(key, "", e);

	if (status == 0)
		status = keygen((const char *const[]) { "-s", authority, "-h", "-I", "fsa", "-n",
							host, "-V", VALIDITY, public, NULL },
				e);
	if (status == 0 && (add_part(key, all, e) < 0 || add_part(certificate, all, e) < 0 ||
			    add_part(identity, all, e) < 0))
		status = -1;
	(void)unlink(key);
	(void)unlink(public);
	(void)unlink(certificate);
	return status;
}

int ssh_keys_session(const char *folder, const char *host, char **ret_text, struct err *e)
{
	CLEANUP(cleanup_free) char *at = mem_printf("%s/session-XXXXXX", folder);
	CLEANUP(buf_wipe) struct buf all = BUF_INIT(SESSION_MAX);

	if (mkdtemp(at) == NULL)
		return failed(at, e);
	int status = make_session(folder, at, host, &all, e);
	(void)rmdir(at);
	if (status == 0)
		*ret_text = mem_strdup(all.data);
	return status;
}
