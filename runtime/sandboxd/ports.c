/* Listening ports, from the kernel's tables, and connections to them. */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "sandboxd/handlers.h"
#include "sandboxd/peer.h"
#include "sandboxd/problem.h"
#include "sandboxd/websocket.h"

enum { LISTENERS_MAX = 256, LISTEN_STATE = 0x0a, LINE_MAX_LENGTH = 512 };

struct listener {
	unsigned port;
	unsigned long inode;
	char address[INET6_ADDRSTRLEN];
	int pid; /* 0: not known */
	char program[32];
};

/* ---- listening ports ----------------------------------------------------------------------- */

/* The kernel writes an address as words in the machine's byte order. */
static void parse_address(const char *hex, char *ret_text)
{
	uint32_t words[4] = { 0 };
	size_t count = strlen(hex) / 8;
	char word[9] = "";

	for (size_t i = 0; i < count && i < 4; i++) {
		memcpy(word, hex + 8 * i, 8);
		words[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	(void)inet_ntop(count > 1 ? AF_INET6 : AF_INET, words, ret_text, INET6_ADDRSTRLEN);
}

/* Parses a line of the table: number, local and remote address:port, state, …, inode; returns false
 * if the socket does not listen. */
static bool parse_line(char *line, struct listener *ret)
{
	char *fields[10], *rest = line;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strtok_r(rest, " \n", &rest);
		if (fields[i] == NULL)
			return false;
	}
	char *port = strchr(fields[1], ':');
	if (port == NULL || strtoul(fields[3], NULL, 16) != LISTEN_STATE)
		return false;
	*port++ = '\0';
	*ret = (struct listener) { .port = (unsigned)strtoul(port, NULL, 16),
				   .inode = strtoul(fields[9], NULL, 10) };
	parse_address(fields[1], ret->address);
	return true;
}

static size_t read_table(const char *path, struct listener *found, size_t count)
{
	char line[LINE_MAX_LENGTH];
	FILE *file = fopen(path, "re");

	while (file != NULL && count < LISTENERS_MAX && fgets(line, sizeof(line), file) != NULL)
		if (parse_line(line, &found[count]))
			count++;
	if (file != NULL)
		(void)fclose(file);
	return count;
}

/* By its file: /proc/PID/comm names a thread, which of Node.js is "MainThread". */
static void name_program(int pid, char *ret_name, size_t size)
{
	char link[40], path[PATH_MAX];

	(void)snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	ssize_t length = readlink(link, path, sizeof(path) - 1);
	path[length < 0 ? 0 : length] = '\0';
	const char *slash = strrchr(path, '/');
	(void)snprintf(ret_name, size, "%.*s", (int)size - 1, slash == NULL ? path : slash + 1);
	parse_make_utf8(ret_name);
}

static void note_socket(unsigned long inode, int pid, struct listener *found, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (found[i].inode != inode || found[i].pid != 0)
			continue;
		found[i].pid = pid;
		name_program(pid, found[i].program, sizeof(found[i].program));
	}
}

static void inspect_process(int pid, struct listener *found, size_t count)
{
	char path[300], link[64];
	const struct dirent *entry;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *directory = opendir(path);
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		ssize_t length =
			readlinkat(dirfd(directory), entry->d_name, link, sizeof(link) - 1);
		link[length < 0 ? 0 : length] = '\0';
		if (strncmp(link, "socket:[", 8) == 0)
			note_socket(strtoul(link + 8, NULL, 10), pid, found, count);
	}
	if (directory != NULL)
		closedir(directory);
}

static void find_programs(struct listener *found, size_t count)
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;

	while (processes != NULL && (entry = readdir(processes)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			inspect_process((int)strtol(entry->d_name, NULL, 10), found, count);
	if (processes != NULL)
		closedir(processes);
}

static int by_port(const void *a, const void *b)
{
	return (int)((const struct listener *)a)->port - (int)((const struct listener *)b)->port;
}

int ports_list(struct conn *c, json_t *body, struct err *e)
{
	CLEANUP(cleanup_free)
	struct listener *found = mem_calloc(LISTENERS_MAX, sizeof(*found));
	size_t count = read_table("/proc/net/tcp6", found, read_table("/proc/net/tcp", found, 0));
	json_t *list = json_array();

	(void)body;
	(void)e;
	find_programs(found, count);
	qsort(found, count, sizeof(*found), by_port);
	for (size_t i = 0; i < count; i++) {
		const struct listener *l = &found[i];
		json_array_append_new(
			list, json_pack("{s:i, s:s, s:o, s:s?}", "port", (int)l->port, "address",
					l->address, "pid",
					l->pid != 0 ? json_integer(l->pid) : json_null(), "program",
					l->program[0] != '\0' ? l->program : NULL));
	}
	conn_json(c, 200, json_pack("{s:o}", "ports", list));
	return 0;
}

/* ---- a connection to one ------------------------------------------------------------------- */

static void connected(struct peer *p)
{
	websocket_json(p->conn, json_pack("{s:s}", "type", "connected"));
}

static void failed(struct peer *p)
{
	struct err e;

	(void)problem(&e, "NOT_LISTENING", "nothing listens on this port");
	websocket_fail(p->conn, &e);
	websocket_close(p->conn, WS_NORMAL);
}

static void received(struct peer *p, const char *data, size_t length)
{
	websocket_binary(p->conn, "", 0, data, length);
}

static void close_if_done(struct peer *p)
{
	if (p->ended && p->no_more)
		websocket_close(p->conn, WS_NORMAL);
}

static void ended(struct peer *p)
{
	websocket_json(p->conn, json_pack("{s:s}", "type", "end"));
	close_if_done(p);
}

static const struct peer_ops tunnel = { connected, failed, received, ended };

static int from_client(struct conn *c, const char *data, size_t length, struct err *e)
{
	(void)e;
	conn_note_input();
	peer_send(c->context, data, length);
	return 0;
}

static int message(struct conn *c, json_t *json, struct err *e)
{
	struct peer *p = c->context;
	const char *type = json_string_value(json_object_get(json, "type"));

	if (strcmp(type, "end") != 0)
		return problem(e, "INVALID_REQUEST", "unknown type %.40s", type);
	peer_end(p);
	close_if_done(p);
	return 0;
}

static void more(struct conn *c)
{
	peer_go_on(c->context);
}

static void closed(struct conn *c)
{
	peer_free(c->context);
}

static const struct conn_ops tunneling = {
	.data = from_client, .message = message, .produce = more, .closed = closed
};

int ports_open(struct conn *c, json_t *body, struct err *e)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint64_t port;
	struct peer *p;

	(void)body;
	if (!parse_u64(c->parameter, 1, 65535, &port))
		return problem(e, "INVALID_REQUEST", "a port is a number from 1 to 65535");
	to.sin_port = htons((uint16_t)port);
	p = peer_new(c, &tunnel, (const struct sockaddr *)&to, sizeof(to), e);
	if (p == NULL)
		return -1;
	conn_set_ops(c, &tunneling, p);
	return 0;
}
