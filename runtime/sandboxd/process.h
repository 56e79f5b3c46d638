#ifndef SANDBOXD_PROCESS_H
#define SANDBOXD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <time.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "sandboxd/loop.h"
#include "sandboxd/ring.h"
#include "sandboxd/token.h"

/*
 * Programs that clients have started. Each runs whether or not somebody is connected; its output is
 * kept until acknowledged, within bounds, and its result for a while after its end.
 */

enum {
	PROCESSES_RUNNING_MAX = 128,
	PROCESSES_PER_TOKEN = 64, /* of those that run */
	PROCESSES_ENDED_MAX = 128,
	STDIN_MAX = 65536,
	ID_LENGTH = 16,
	NAME_MAX_LENGTH = 32,
};

enum output { STDOUT, STDERR, OUTPUTS };

struct process;

struct stream {
	struct watch watch;
	struct process *process;
	struct ring ring;
	uint64_t drained_at; /* once the process has exited: the length of its output by then */
	bool drained;
};

struct input {
	struct watch watch;
	struct process *process;
	struct buf pending;
	uint64_t taken; /* bytes that were written to the process */
	bool end;       /* close standard input after what is pending */
};

/* A connection that waits for output or the end of a process. */
struct observer {
	LIST_ENTRY(observer) entry;
	struct process *process; /* NULL: it was removed */
	void (*changed)(struct observer *o);
};

struct process {
	LIST_ENTRY(process) entry;
	LIST_HEAD(, observer) observers;
	char id[ID_LENGTH + 1];
	char name[NAME_MAX_LENGTH + 1];
	char token[TOKEN_ID_MAX]; /* by which it was started */
	json_t *command;
	char *directory;
	pid_t pid;
	bool terminal, drop, exited, ended;
	bool leads;     /* it has exited, and others of its process group have not */
	bool abandoned; /* it got HUP because it was unattended */
	int status;     /* as of waitpid */
	unsigned unattended_s;
	int64_t observed_at; /* until when it had an observer, or its start */
	struct watch exit;
	struct stream streams[OUTPUTS];
	struct input input;
	struct timespec started_at, ended_at;
};

/* A client's request to start a process. Pointers are borrowed from its JSON. */
struct start {
	char **command;
	json_t *shown;
	const char *directory, *name;
	char **environment; /* complete */
	bool stdin_open, terminal, drop;
	unsigned unattended_s; /* without an observer, after which it gets HUP; 0: it runs on */
	unsigned short columns, rows;
};

/* start.c: the bash that runs command lines, unless it is the image's, is in that directory. */
void start_init(const char *tools);
/* Reads one from JSON, strictly. */
int start_parse(const json_t *json, struct start *ret, struct err *e);
void start_release(struct start *s);

/* spawn.c: the descriptors of a new child, all non-blocking. */
struct spawned {
	pid_t pid;
	int pid_fd, input, output[OUTPUTS]; /* -1: has none */
};
int spawn(const struct start *s, struct spawned *ret, struct err *e);
/* In a child, before it executes another program. */
void spawn_reset_signals(void);
int terminal_resize(int fd, unsigned short columns, unsigned short rows);

/* Starts a process for the holder of a token. If one was started with the same key, returns that
 * one. */
int process_start(const json_t *request, const char *key, const struct grant *grant,
		  struct process **ret, struct err *e);
/* Starts one for sandboxd itself. */
int process_start_own(const json_t *request, struct process **ret, struct err *e);
struct process *process_find(const char *id);
struct process *process_first(void);
/* The newest process with a name. */
struct process *process_named(const char *name);
int process_get(const char *id, struct process **ret, struct err *e);
json_t *process_json(const struct process *p);
void process_remove(struct process *p);
void process_kill_all(void);

int process_signal(struct process *p, const char *name, struct err *e);
int process_resize(struct process *p, const json_t *size, struct err *e);
/* Queues as much input as fits; *ret_taken says how much. */
int process_write(struct process *p, const char *data, size_t length, size_t *ret_taken,
		  struct err *e);
/* Ends the input after what was written. */
int process_end_input(struct process *p, struct err *e);
/* The client has received all output before the offset. */
void process_acknowledge(struct process *p, enum output which, uint64_t offset);
/* Whether nothing follows after what is in the ring. */
bool process_is_done(const struct process *p);

void process_observe(struct process *p, struct observer *o);
void process_unobserve(struct observer *o);

const char *signal_name(int number);

#endif
