/*
 * The floor of `make bench`: the least that a FastCGI responder on libfcgi and libpq does to answer
 * GET /api/sandbox/:id. It hashes the session token, runs the statements it is given, prepared, and
 * writes the last row as a JSON array. No checks, no limits, no reconnecting, no logging.
 *
 *     bare_fcgi SOCKET WORKERS CONNINFO STATEMENTS
 *
 * STATEMENTS is a file of two lines a statement: its SQL, and the words for its parameters: `hash`
 * (of the token), `user` (first column of the first statement), `project` (last part of the path),
 * `empty` (an empty text), or the value itself. The benchmark writes it from what api.fcgi was seen
 * to send, so the floor's SQL is the product's by construction.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcgiapp.h>
#include <libpq-fe.h>

#include "crypto/token.h"

enum { STATEMENTS_MAX = 8, PARAMETERS_MAX = 8, BACKLOG = 511, SOCKET_MODE = 0666 };

struct statement {
	char name[16];
	char *sql;
	int count;
	char *words[PARAMETERS_MAX];
};

struct bare {
	struct statement statements[STATEMENTS_MAX];
	int count;
	PGconn *conn;
};

struct values {
	uint8_t hash[TOKEN_HASH_BYTES];
	const char *project;
	char user[40];
};

static void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "bare_fcgi: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static char *read_line(FILE *file)
{
	char *line = NULL;
	size_t size = 0;

	if (getline(&line, &size, file) <= 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static void read_statements(struct bare *b, const char *path)
{
	FILE *file = fopen(path, "re");
	char *sql, *words;

	if (file == NULL)
		die(path, "cannot be opened");
	while (b->count < STATEMENTS_MAX && (sql = read_line(file)) != NULL) {
		struct statement *s = &b->statements[b->count];
		words = read_line(file);
		if (words == NULL)
			die(path, "a statement without its line of parameters");
		(void)snprintf(s->name, sizeof(s->name), "s%d", b->count++);
		s->sql = sql;
		for (char *word = strtok(words, " "); word != NULL && s->count < PARAMETERS_MAX;
		     word = strtok(NULL, " "))
			s->words[s->count++] = word; /* `words` stays */
	}
	(void)fclose(file);
}

static void open_database(struct bare *b, const char *conninfo)
{
	b->conn = PQconnectdb(conninfo);
	if (PQstatus(b->conn) != CONNECTION_OK)
		die("cannot connect", PQerrorMessage(b->conn));
	for (int i = 0; i < b->count; i++) {
		const struct statement *s = &b->statements[i];
		PGresult *r = PQprepare(b->conn, s->name, s->sql, 0, NULL);
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			die(s->sql, PQerrorMessage(b->conn));
		PQclear(r);
	}
}

static PGresult *run(const struct bare *b, const struct statement *s, const struct values *v)
{
	const char *values[PARAMETERS_MAX];
	int lengths[PARAMETERS_MAX] = { 0 };
	int formats[PARAMETERS_MAX] = { 0 };

	for (int i = 0; i < s->count; i++) {
		values[i] = s->words[i];
		if (strcmp(s->words[i], "hash") == 0) {
			values[i] = (const char *)v->hash;
			lengths[i] = (int)sizeof(v->hash);
			formats[i] = 1;
		} else if (strcmp(s->words[i], "user") == 0) {
			values[i] = v->user;
		} else if (strcmp(s->words[i], "project") == 0) {
			values[i] = v->project;
		} else if (strcmp(s->words[i], "empty") == 0) {
			values[i] = "";
		}
	}
	return PQexecPrepared(b->conn, s->name, s->count, values, lengths, formats, 0);
}

static bool read_request(const FCGX_Request *request, struct values *v)
{
	static const char name[] = "fsa=";
	const char *uri = FCGX_GetParam("REQUEST_URI", request->envp);
	const char *cookie = FCGX_GetParam("HTTP_COOKIE", request->envp);
	const char *slash = uri ? strrchr(uri, '/') : NULL;

	if (slash == NULL || cookie == NULL || strncmp(cookie, name, sizeof(name) - 1) != 0)
		return false;
	v->project = slash + 1;
	token_hash(cookie + sizeof(name) - 1, v->hash);
	return true;
}

static void put_string(FCGX_Stream *out, const char *text)
{
	FCGX_PutChar('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			FCGX_PutChar('\\', out);
		FCGX_PutChar(*text, out);
	}
	FCGX_PutChar('"', out);
}

static void put_row(FCGX_Stream *out, const PGresult *r)
{
	FCGX_PutS("Content-Type: application/json\r\n\r\n[", out);
	for (int i = 0; i < PQnfields(r); i++) {
		if (i > 0)
			FCGX_PutChar(',', out);
		put_string(out, PQgetvalue(r, 0, i));
	}
	FCGX_PutChar(']', out);
}

static void answer(const struct bare *b, const FCGX_Request *request)
{
	struct values v = { .project = NULL };
	PGresult *r = NULL;
	bool found = read_request(request, &v);

	for (int i = 0; found && i < b->count; i++) {
		PQclear(r);
		r = run(b, &b->statements[i], &v);
		found = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1;
		if (found && i == 0)
			(void)snprintf(v.user, sizeof(v.user), "%s", PQgetvalue(r, 0, 0));
	}
	if (found)
		put_row(request->out, r);
	else
		FCGX_PutS("Status: 404 Not Found\r\n\r\n", request->out);
	PQclear(r);
}

static void work(struct bare *b, int fd, const char *conninfo)
{
	FCGX_Request request;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	open_database(b, conninfo);
	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, fd, 0) != 0)
		die("libfcgi", "cannot begin");
	while (FCGX_Accept_r(&request) >= 0) {
		answer(b, &request);
		FCGX_Finish_r(&request);
	}
}

int main(int argc, char **argv)
{
	static struct bare b;
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc != 5)
		die("usage", "SOCKET WORKERS CONNINFO STATEMENTS");
	crypto_init();
	read_statements(&b, argv[4]);
	(void)unlink(argv[1]);
	int fd = FCGX_OpenSocket(argv[1], BACKLOG);
	if (fd < 0 || chmod(argv[1], SOCKET_MODE) < 0)
		die(argv[1], "cannot be listened on");
	for (long workers = strtol(argv[2], NULL, 10); workers > 0; workers--) {
		if (fork() == 0) {
			work(&b, fd, argv[3]);
			return EXIT_FAILURE;
		}
	}
	while (wait(NULL) > 0)
		;
	return EXIT_SUCCESS;
}
