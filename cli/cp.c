/* cp: files and folders to a sandbox, and from there. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "command.h"
#include "links.h"
#include "process.h"
#include "project.h"
#include "run.h"
#include "transfer.h"

enum { SAID_MAX = 400 };

extern char **environ;

static atomic_bool interrupted;

/* "PROJECT:PATH"; anything else is on this machine. A name with a slash before its colon is
 * a path. */
struct place {
	char *project; /* NULL: on this machine */
	const char *path;
};

static void read_place(const char *word, struct place *ret_place)
{
	size_t length = strcspn(word, ":/");

	*ret_place = (struct place) { .path = word };
	if (length == 0 || word[length] != ':')
		return;
	ret_place->project = mem_strndup(word, length);
	ret_place->path = word[length + 1] != '\0' ? word + length + 1 : ".";
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* The OpenAPI's Entry; NULL: it does not exist. */
static int describe(struct sandbox *s, const char *path, json_t **ret_entry, struct err *e)
{
	CLEANUP(cleanup_free) char *request = transfer_path("/stat?", path);

	*ret_entry = NULL;
	return site_call(&s->server, "GET", request, NULL, ret_entry, e) < 0 &&
			       e->kind != ERR_NOT_FOUND
		       ? -1
		       : 0;
}

static bool is_of_type(const json_t *entry, const char *type)
{
	const char *its = json_string_value(json_object_get(entry, "type"));

	return its != NULL && strcmp(its, type) == 0;
}

/* A file that is executable there becomes executable here; for links, the mode says nothing. */
static mode_t mode_of(const json_t *entry)
{
	const char *mode = json_string_value(json_object_get(entry, "mode"));

	return mode != NULL && is_of_type(entry, "file") ? (mode_t)strtoul(mode, NULL, 8) & 0777
							 : 0;
}

static int system_failed(const char *path, struct err *e)
{
	return err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
}

/* ---- a folder, by tar at both ends ----------------------------------------------------------- */

/* Starts tar on this machine at one end of a pipe; the other end is `*ret_fd`. */
static int start_tar(char *const *words, int end, int *ret_fd, pid_t *ret_pid, struct err *e)
{
	posix_spawn_file_actions_t files;
	int ends[2] = { -1, -1 }, failed;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return system_failed("pipe", e);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_adddup2(&files, ends[end], end);
	failed = posix_spawnp(ret_pid, "tar", &files, NULL, words, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)close(ends[end]);
	*ret_fd = ends[1 - end];
	if (failed == 0)
		return 0;
	(void)close(*ret_fd);
	return err_set(e, ERR_UNPROCESSABLE, NULL, "tar cannot be run: %s", strerror(failed));
}

static int end_tar(pid_t pid, struct err *e)
{
	int status = 0;

	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return err_set(e, ERR_UNPROCESSABLE, NULL, "tar failed on this machine");
	return 0;
}

struct unpacking {
	int fd;
	struct collected said;
};

static bool take_tar(void *user, enum process_stream stream, const void *data, size_t length)
{
	struct unpacking *u = user;
	const char *at = data;

	if (stream == PROCESS_STDERR)
		return collected_add(&u->said, stream, data, length);
	while (length > 0) {
		ssize_t wrote = write(u->fd, at, length);
		if (wrote < 0 && errno != EINTR)
			return false;
		at += wrote > 0 ? wrote : 0;
		length -= wrote > 0 ? (size_t)wrote : 0;
	}
	return true;
}

/* Runs tar in the sandbox, with `fd` as its standard input or output. */
static int run_tar(struct sandbox *s, json_t *command, int input, int output, struct err *e)
{
	struct unpacking u = { .fd = output };
	CLEANUP(json_decrefp) json_t *process = NULL;
	struct process_options options = {
		.command = command, .input = input, .write = take_tar, .user = &u
	};

	collected_init(&u.said, SAID_MAX);
	int status = process_run(s, &options, &process, e);
	const struct buf *said = &u.said.text[PROCESS_STDERR];
	/* A process that was killed, for example for lack of memory, has no exit code. */
	const json_t *code = json_object_get(process, "exitCode");
	if (status == 0 && (!json_is_integer(code) || json_integer_value(code) != 0))
		status =
			err_set(e, ERR_UNPROCESSABLE, "TAR_FAILED", "tar failed in the sandbox: %s",
				said->data ? said->data : "it was killed");
	collected_release(&u.said);
	return status;
}

static int send_folder(struct sandbox *s, const char *from, const char *to, struct err *e)
{
	CLEANUP(cleanup_free) char *source = mem_strdup(from);
	char *words[] = { (char[]) { "tar" },
			  (char[]) { "-cf" },
			  (char[]) { "-" },
			  (char[]) { "-C" },
			  source,
			  (char[]) { "." },
			  NULL };
	CLEANUP(json_decrefp)
	json_t *command = json_pack("[s, s, s, s, s]", "sh", "-c",
				    "mkdir -p -- \"$1\" && exec tar -xf - -C \"$1\"", "sh", to);
	struct err local;
	pid_t pid = 0;
	int fd = -1;

	if (start_tar(words, STDOUT_FILENO, &fd, &pid, e) < 0)
		return -1;
	int status = run_tar(s, command, fd, -1, e);
	(void)close(fd);
	if (end_tar(pid, status < 0 ? &local : e) < 0)
		status = -1;
	return status;
}

static int fetch_folder(struct sandbox *s, const char *from, const char *to, struct err *e)
{
	CLEANUP(cleanup_free) char *target = mem_strdup(to);
	char *words[] = { (char[]) { "tar" }, (char[]) { "-xf" }, (char[]) { "-" },
			  (char[]) { "-C" }, target, (char[]) { "--no-same-owner" },
			  /* prevents setuid programs, as root unpacks modes unchanged */
			  (char[]) { "--no-same-permissions" }, NULL };
	CLEANUP(json_decrefp)
	json_t *command = json_pack("[s, s, s, s, s, s]", "tar", "-cf", "-", "-C", from, ".");
	struct err local;
	pid_t pid = 0;
	int fd = -1;

	if (mkdir(to, 0777) < 0 && errno != EEXIST)
		return system_failed(to, e);
	if (links_check(to, e) < 0)
		return -1;
	if (start_tar(words, STDIN_FILENO, &fd, &pid, e) < 0)
		return -1;
	int status = run_tar(s, command, -1, fd, e);
	(void)close(fd);
	if (end_tar(pid, status < 0 ? &local : e) < 0)
		status = -1;
	return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int upload(struct sandbox *s, const char *from, const char *to, struct err *e)
{
	CLEANUP(json_decrefp) json_t *entry = NULL;
	struct stat st;

	if (stat(from, &st) < 0)
		return system_failed(from, e);
	if (S_ISDIR(st.st_mode))
		return send_folder(s, from, to, e);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, NULL, "%s is neither a file nor a folder", from);
	if (describe(s, to, &entry, e) < 0)
		return -1;
	CLEANUP(cleanup_free)
	char *inside = is_of_type(entry, "directory") ? mem_printf("%s/%s", to, last_name(from))
						      : mem_strdup(to);
	return transfer_upload(s, from, inside, &st, e);
}

static int download(struct sandbox *s, const char *from, const char *to, struct err *e)
{
	CLEANUP(json_decrefp) json_t *entry = NULL;
	struct stat st;

	if (describe(s, from, &entry, e) < 0)
		return -1;
	if (entry == NULL)
		return err_set(e, ERR_NOT_FOUND, NULL, "there is no %s in the sandbox", from);
	if (is_of_type(entry, "directory"))
		return fetch_folder(s, from, to, e);
	CLEANUP(cleanup_free)
	char *inside = stat(to, &st) == 0 && S_ISDIR(st.st_mode)
			       ? mem_printf("%s/%s", to, last_name(from))
			       : mem_strdup(to);
	return transfer_download(s, from, inside, mode_of(entry), e);
}

static void interrupt(int number)
{
	(void)number;
	atomic_store(&interrupted, true);
}

/* After an interruption, no partial files are left, here or there. */
static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	const struct sigaction action = { .sa_handler = interrupt };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)sigaction(signals[i], &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static int copy(const struct call *call, const struct place *from, const struct place *to,
		struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };
	const char *name = from->project ? from->project : to->project;

	if ((from->project == NULL) == (to->project == NULL))
		return err_set(e, ERR_INVALID, "USAGE",
			       "one of the two is in a sandbox: fsa cp FILE PROJECT:PATH, or the "
			       "other way round");
	catch_signals();
	if (call_site(call, &site, e) < 0)
		return -1;
	site.cancelled = &interrupted;
	if (project_find(&site, name, &project, e) < 0 ||
	    sandbox_open(&site, project, "exec files:read files:write", &sandbox, e) < 0)
		return -1;
	return from->project == NULL ? upload(&sandbox, from->path, to->path, e)
				     : download(&sandbox, from->path, to->path, e);
}

int command_cp(const struct call *call, struct err *e)
{
	struct place from, to;

	read_place(call->arguments[0], &from);
	read_place(call->arguments[1], &to);
	int status = copy(call, &from, &to, e);
	CLEANUP(json_decrefp)
	json_t *shown =
		json_pack("{s:s, s:s}", "from", call->arguments[0], "to", call->arguments[1]);
	if (status == 0)
		(void)call_json(call, shown);
	free(from.project);
	free(to.project);
	return status;
}
