/* ssh and config-ssh: OpenSSH's own client, whose ProxyCommand is `fsa ssh --stdio`. That starts an
 * sshd in the sandbox for this one connection, over its standard input and output. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "command.h"
#include "process.h"
#include "project.h"
#include "run.h"
#include "sites.h"
#include "ssh_keys.h"

#define SUFFIX ".fsa"  /* of host names */
#define USER   "agent" /* in the sandbox's image (runtime/build) */

enum { CONFIG_MAX = 1 << 20 };

/* Reads keys from standard input, each terminated by a line with a dot, and stays as sshd's parent
 * to remove them afterwards. It runs as the sandbox's user, so only that user can log in. The login
 * gets the environment of the sandbox's other programs, which sshd would not pass on. */
static const char script[] =
	"umask 077\n"
	/* Removes what killed sessions could not remove. */
	"(for old in \"${TMPDIR:-/tmp}\"/fsa-ssh.*.*; do\n"
	"	p=${old##*/fsa-ssh.} p=${p%%.*}\n"
	"	case $p in '' | *[!0-9]*) continue ;; esac\n"
	"	kill -0 \"$p\" 2>/dev/null || rm -rf \"$old\"\n"
	"done)\n"
	"d=$(mktemp -d \"${TMPDIR:-/tmp}/fsa-ssh.$$.XXXXXX\") || exit 1\n"
	"trap 'rm -rf \"$d\"' EXIT\n"
	"trap 'exit 1' HUP INT TERM\n"
	"for f in host host-cert.pub authorized; do\n"
	"	while IFS= read -r line && [ \"$line\" != . ]; do printf '%s\\n' \"$line\"; done "
	">\"$d/$f\"\n"
	"done\n"
	"sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || {\n"
	"	echo 'fsa: there is no sshd in this sandbox: its image lacks openssh-server' >&2\n"
	"	exit 127\n"
	"}\n"
	"[ \"$(id -u)\" != 0 ] || mkdir -p -m 755 /run/sshd\n"
	"(unset TERM PWD OLDPWD SHLVL SHELL USER LOGNAME d f line; export -p) "
	">\"$d/environment\"\n"
	"cat >\"$d/enter\" <<END\n"
	"#!/bin/sh\n"
	". '$d/environment'\n"
	"cd\n"
	"[ -z \"\\${SSH_ORIGINAL_COMMAND+x}\" ] || exec \"\\$SHELL\" -c "
	"\"\\$SSH_ORIGINAL_COMMAND\"\n"
	"exec \"\\$SHELL\"\n"
	"END\n"
	"chmod 700 \"$d/enter\"\n"
	"cat >\"$d/config\" <<END\n"
	"HostKey $d/host\n"
	"HostCertificate $d/host-cert.pub\n"
	"AuthorizedKeysFile $d/authorized\n"
	"AuthenticationMethods publickey\n"
	"PermitRootLogin prohibit-password\n"
	"StrictModes no\n" /* the folder is under /tmp, but private */
	"UsePAM no\n"
	"PidFile none\n"
	"PrintMotd no\n"
	"PrintLastLog no\n"
	"X11Forwarding no\n"
	"AcceptEnv LANG LC_*\n"
	"ClientAliveInterval 30\n" /* ends the session if fsa vanishes */
	"ClientAliveCountMax 4\n"
	"LogLevel ERROR\n"
	"Subsystem sftp /usr/lib/openssh/sftp-server\n"
	"ForceCommand $d/enter\n"
	"END\n"
	"exec 3>&2 2>/dev/null\n" /* hides the shell's message when sshd is hung up on */
	"(exec \"$sshd\" -i -e -f \"$d/config\" 2>&3 3>&-)\n";

/* ---- names of hosts -------------------------------------------------------------------------- */

/* "My shop" becomes my-shop. The caller frees. */
static char *host_label(const char *name)
{
	char *label = mem_strdup(name);

	for (char *c = label; *c != '\0'; c++)
		*c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '-';
	return label;
}

static int find_project(struct site *site, const char *label, json_t **ret_project, struct err *e)
{
	CLEANUP(json_decrefp) json_t *projects = NULL;
	const json_t *project, *found = NULL;
	size_t i, count = 0;

	if (project_list(site, &projects, e) < 0)
		return -1;
	json_array_foreach(projects, i, project)
	{
		CLEANUP(cleanup_free) char *name = host_label(project_name(project));
		if (strcmp(project_id(project), label) != 0 && strcmp(name, label) != 0)
			continue;
		found = project;
		count++;
	}
	if (count == 0)
		return err_set(e, ERR_NOT_FOUND, "PROJECT_NOT_FOUND",
			       "there is no project %s; fsa projects lists yours", label);
	if (count > 1)
		return err_set(e, ERR_CONFLICT, "AMBIGUOUS",
			       "%zu projects are called %s: use an id, which fsa projects prints",
			       count, label);
	*ret_project = json_incref((json_t *)(uintptr_t)found);
	return 0;
}

/* ---- the connection -------------------------------------------------------------------------- */

static int run_sshd(struct sandbox *sandbox, const char *keys, struct err *e)
{
	CLEANUP(json_decrefp) json_t *process = NULL;
	CLEANUP(json_decrefp) json_t *command = json_pack("[s, s, s]", "sh", "-c", script);
	struct process_options options = {
		.command = command,
		.first = keys,
		.input = STDIN_FILENO,
		.signals = true,
		.write = run_write_through,
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return process_run(sandbox, &options, &process, e) < 0 ? -1 : run_exit_code(process);
}

static int connect_to(const struct call *call, const char *host, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };
	CLEANUP(cleanup_free) char *folder = NULL, *keys = NULL;
	size_t length = strlen(host), suffix = strlen(SUFFIX);
	bool is_host = length > suffix && strcasecmp(host + length - suffix, SUFFIX) == 0;
	CLEANUP(cleanup_free)
	char *name = mem_strndup(host, is_host ? length - suffix : length);
	CLEANUP(cleanup_free) char *label = host_label(name);
	CLEANUP(cleanup_free) char *principal = mem_printf("%s%s", label, SUFFIX);

	if (call_site(call, &site, e) < 0 || find_project(&site, label, &project, e) < 0 ||
	    sandbox_open(&site, project, "exec", &sandbox, e) < 0 ||
	    ssh_keys_folder(&folder, e) < 0 || ssh_keys_session(folder, principal, &keys, e) < 0)
		return -1;
	int status = run_sshd(&sandbox, keys, e);
	explicit_bzero(keys, strlen(keys));
	return status;
}

/* ---- OpenSSH's configuration ----------------------------------------------------------------- */

/* Refuses paths that cannot be within double quotes in ssh_config(5), or in the shell that runs a
 * ProxyCommand. */
static int check_quotable(const char *path, struct err *e)
{
	if (strpbrk(path, "\"\\$`%\n") == NULL)
		return 0;
	return err_set(e, ERR_INVALID, NULL, "%s: OpenSSH cannot be configured with such a path",
		       path);
}

static char *program_path(void)
{
	char *path = realpath("/proc/self/exe", NULL);

	return path != NULL ? path : mem_strdup("fsa");
}

/* Writes the file `name`. Only config-ssh writes "config", so that `fsa ssh` elsewhere does not
 * change it. */
static int write_config(const struct call *call, const char *folder, const char *name,
			struct err *e)
{
	CLEANUP(cleanup_free) char *program = program_path();
	CLEANUP(cleanup_free) char *path = mem_printf("%s/%s", folder, name);
	CLEANUP(cleanup_free) char *whole = mem_printf("%s/%s-with-yours", folder, name);
	CLEANUP(cleanup_free)
	char *site = call->site ? mem_printf("--site \"%s\" ", call->site) : mem_strdup("");
	CLEANUP(cleanup_free)
	char *text = mem_printf("# Written by fsa config-ssh.\n"
				/* The quotes protect special characters of a name from the
				 * shell. */
				"Host *" SUFFIX " \"!*'*\"\n"
				"\tUser " USER "\n"
				"\tProxyCommand \"%s\" %sssh --stdio '%%n'\n"
				"\tIdentityFile \"%s/id_ed25519\"\n"
				"\tIdentitiesOnly yes\n"
				"\tUserKnownHostsFile \"%s/known_hosts\"\n"
				"\tGlobalKnownHostsFile /dev/null\n"
				"\tStrictHostKeyChecking yes\n"
				"\tHostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com\n"
				"\tUpdateHostKeys no\n",
				program, site, folder, folder);
	CLEANUP(cleanup_free)
	char *both = mem_printf("Include \"%s\"\nInclude ~/.ssh/config\n"
				"Match all\nInclude /etc/ssh/ssh_config\n",
				path);

	if (check_quotable(program, e) < 0 || check_quotable(folder, e) < 0 ||
	    check_quotable(call->site ? call->site : "", e) < 0)
		return -1;
	if (sites_replace(path, text, 0600, e) < 0)
		return -1;
	return sites_replace(whole, both, 0600, e);
}

/* At the beginning of the file, where it is in no Host block. */
static int include_in(const char *path, const char *line, struct err *e)
{
	CLEANUP(cleanup_free) char *real = realpath(path, NULL); /* it may be a link */
	CLEANUP(buf_release) struct buf text = BUF_INIT(CONFIG_MAX);
	struct stat st = { .st_mode = 0600 };

	if (real != NULL && (stat(real, &st) < 0 || buf_read_file(&text, real, e) < 0))
		return -1;
	if (text.data != NULL && strstr(text.data, line) != NULL)
		return 0;
	CLEANUP(cleanup_free)
	char *longer = mem_printf("%s\n%s", line, text.data != NULL ? text.data : "");
	return sites_replace(real != NULL ? real : path, longer, st.st_mode & 0777, e);
}

int command_config_ssh(const struct call *call, struct err *e)
{
	CLEANUP(cleanup_free) char *folder = NULL;
	const char *home = getenv("HOME");

	if (home == NULL || home[0] != '/')
		return err_set(e, ERR_INVALID, "NO_HOME", "HOME does not say where ~/.ssh is");
	CLEANUP(cleanup_free) char *own = mem_printf("%s/.ssh", home);
	CLEANUP(cleanup_free) char *path = mem_printf("%s/config", own);
	if (ssh_keys_folder(&folder, e) < 0 || write_config(call, folder, "config", e) < 0)
		return -1;
	CLEANUP(cleanup_free) char *line = mem_printf("Include \"%s/config\"", folder);
	(void)mkdir(own, 0700);
	if (include_in(path, line, e) < 0)
		return -1;
	CLEANUP(json_decrefp) json_t *done = json_pack("{s:s}", "config", path);
	if (!call_json(call, done))
		(void)printf("%s knows your projects now: ssh NAME" SUFFIX "\n", path);
	return 0;
}

/* ---- ssh ------------------------------------------------------------------------------------- */

static int become_ssh(const struct call *call, struct err *e)
{
	CLEANUP(cleanup_free) char *folder = NULL;
	CLEANUP(cleanup_free) char *label = host_label(call->arguments[0]);

	CLEANUP(cleanup_free) char *site = host_label(call->site ? call->site : "current");
	CLEANUP(cleanup_free) char *name = mem_printf("ssh-%s", site);
	if (ssh_keys_folder(&folder, e) < 0 || write_config(call, folder, name, e) < 0)
		return -1;
	CLEANUP(cleanup_free) char *config = mem_printf("%s/%s-with-yours", folder, name);
	CLEANUP(cleanup_free) char *host = mem_printf("%s%s", label, SUFFIX);
	CLEANUP(cleanup_free)
	char **words = mem_calloc((size_t)call->argument_count + 4, sizeof(*words));
	words[0] = (char[]) { "ssh" };
	words[1] = (char[]) { "-F" };
	words[2] = config;
	words[3] = host;
	for (int i = 1; i < call->argument_count; i++)
		words[i + 3] = call->arguments[i];
	(void)execvp(words[0], words);
	return err_set(e, ERR_UNPROCESSABLE, "NO_OPENSSH",
		       "ssh cannot be run: install OpenSSH's client (%s)", strerror(errno));
}

int command_ssh(const struct call *call, struct err *e)
{
	return call->options[OPTION_STDIO] != NULL ? connect_to(call, call->arguments[0], e)
						   : become_ssh(call, e);
}
