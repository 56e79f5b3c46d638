#include "sandboxd/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/conn.h"
#include "sandboxd/idempotency.h"
#include "sandboxd/problem.h"
#include "sandboxd/proc.h"

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "HUP", SIGHUP },   { "INT", SIGINT },   { "QUIT", SIGQUIT },   { "KILL", SIGKILL },
	{ "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "TERM", SIGTERM },   { "CONT", SIGCONT },
	{ "STOP", SIGSTOP }, { "TSTP", SIGTSTP }, { "WINCH", SIGWINCH },
};

static LIST_HEAD(, process) processes = LIST_HEAD_INITIALIZER(processes); /* newest first */
static size_t running;

const char *signal_name(int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (signals[i].number == number)
			return signals[i].name;
	return sigabbrev_np(number);
}

/* ---- finding ------------------------------------------------------------------------------- */

struct process *process_first(void)
{
	return LIST_FIRST(&processes);
}

struct process *process_find(const char *id)
{
	struct process *p;

	LIST_FOREACH(p, &processes, entry)
	if (strcmp(p->id, id) == 0)
		return p;
	return NULL;
}

struct process *process_named(const char *name)
{
	struct process *p;

	LIST_FOREACH(p, &processes, entry)
	if (strcmp(p->name, name) == 0)
		return p;
	return NULL;
}

int process_get(const char *id, struct process **ret, struct err *e)
{
	*ret = process_find(id);
	if (*ret == NULL)
		return problem(e, "NOT_FOUND",
			       "there is no such process, or it ended too long ago");
	return 0;
}

/* ---- observers ----------------------------------------------------------------------------- */

void process_observe(struct process *p, struct observer *o)
{
	o->process = p;
	LIST_INSERT_HEAD(&p->observers, o, entry);
}

void process_unobserve(struct observer *o)
{
	if (o->process != NULL) {
		LIST_REMOVE(o, entry);
		o->process->observed_at = loop_now();
	}
	o->process = NULL;
}

static void notify(struct process *p)
{
	struct observer *o = LIST_FIRST(&p->observers), *next;

	for (; o != NULL; o = next) {
		next = LIST_NEXT(o, entry);
		if (o->process == p) /* an earlier observer may have removed the process */
			o->changed(o);
	}
}

/* ---- output -------------------------------------------------------------------------------- */

bool process_is_done(const struct process *p)
{
	return p->ended;
}

static void note_drained(struct process *p)
{
	for (size_t i = 0; i < OUTPUTS; i++)
		if (!p->streams[i].drained && p->streams[i].watch.fd >= 0)
			return;
	if (!p->exited || p->ended)
		return;
	p->ended = true;
	running--;
	clock_gettime(CLOCK_REALTIME, &p->ended_at);
	watch_close(&p->input.watch);
	buf_release(&p->input.pending);
}

/* Once the process itself has ended, the output of its children is not waited for. */
static bool drops(const struct process *p)
{
	return p->drop || p->ended;
}

static size_t room(struct stream *s)
{
	size_t there = ring_room(&s->ring);

	if (there > 0 || !drops(s->process))
		return there;
	ring_release(&s->ring, s->ring.start + s->ring.size / 4);
	return ring_room(&s->ring);
}

/* Returns false if there is nothing (more) to read now. */
static bool read_some(struct stream *s)
{
	if (s->watch.fd < 0)
		return false;
	if (room(s) == 0) {
		watch_for(&s->watch, 0);
		return false;
	}
	ssize_t got = ring_read(&s->ring, s->watch.fd);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		watch_close(&s->watch); /* EIO: no process has the terminal open */
	if (s->process->exited && !s->process->terminal && s->ring.end >= s->drained_at)
		s->drained = true;
	return got > 0;
}

static void stream_ready(struct watch *w, uint32_t events)
{
	struct stream *s = CONTAINER_OF(w, struct stream, watch);

	(void)events;
	read_some(s);
	note_drained(s->process);
	notify(s->process);
}

void process_acknowledge(struct process *p, enum output which, uint64_t offset)
{
	struct stream *s = &p->streams[which];

	ring_release(&s->ring, offset);
	if (s->watch.fd >= 0 && s->watch.events == 0)
		watch_for(&s->watch, EPOLLIN);
	if (p->ended && s->watch.fd < 0 && s->ring.start == s->ring.end) {
		uint64_t end = s->ring.end;
		ring_free(&s->ring);
		s->ring.start = s->ring.end = end;
	}
}

/* ---- input --------------------------------------------------------------------------------- */

static void close_input(struct input *in)
{
	watch_close(&in->watch);
	buf_release(&in->pending);
}

static void push_input(struct input *in)
{
	while (in->watch.fd >= 0 && in->pending.length > 0) {
		ssize_t done = write(in->watch.fd, in->pending.data, in->pending.length);
		if (done < 0 && errno == EAGAIN)
			break;
		if (done <= 0) { /* it has closed its standard input: the rest is dropped */
			close_input(in);
			return;
		}
		in->taken += (uint64_t)done;
		in->pending.length -= (size_t)done;
		memmove(in->pending.data, in->pending.data + done, in->pending.length);
	}
	if (in->pending.length == 0 && in->end && !in->process->terminal)
		close_input(in);
	watch_for(&in->watch, in->pending.length > 0 ? EPOLLOUT : 0);
}

static void input_ready(struct watch *w, uint32_t events)
{
	struct input *in = CONTAINER_OF(w, struct input, watch);

	(void)events;
	push_input(in);
	notify(in->process);
}

int process_write(struct process *p, const char *data, size_t length, size_t *ret_taken,
		  struct err *e)
{
	struct input *in = &p->input;
	size_t there = in->pending.max - in->pending.length;

	*ret_taken = length < there ? length : there;
	if (in->watch.fd < 0 || in->end)
		return problem(e, "STDIN_CLOSED",
			       p->ended ? "the process has ended" : "its standard input is closed");
	conn_note_input();
	if (buf_append(&in->pending, data, *ret_taken, e) < 0)
		return -1;
	push_input(in);
	return 0;
}

int process_end_input(struct process *p, struct err *e)
{
	static const char end_of_file[] = "\x04";

	if (p->input.end || p->input.watch.fd < 0)
		return 0;
	p->input.pending.max++; /* there is room for it whatever else is pending */
	if (p->terminal && buf_append(&p->input.pending, end_of_file, 1, e) < 0)
		return -1;
	p->input.end = true;
	push_input(&p->input);
	return 0;
}

/* ---- the end ------------------------------------------------------------------------------- */

/* The number of a process group is not reused before its leader has been reaped. */
static void release_group(struct process *p)
{
	p->leads = proc_group_has_others(p->pid);
	if (!p->leads)
		waitpid(p->pid, NULL, 0);
}

static bool take_status(struct process *p)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    info.si_pid != p->pid)
		return false;
	p->status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
					       : W_EXITCODE(0, info.si_status);
	return true;
}

/* Its output so far is in the pipes, and is read before its end is reported. */
static void process_exited(struct watch *w, uint32_t events)
{
	struct process *p = CONTAINER_OF(w, struct process, exit);
	int there;

	(void)events;
	if (!take_status(p))
		return;
	release_group(p);
	p->exited = true;
	watch_close(&p->exit);
	for (size_t i = 0; i < OUTPUTS; i++) {
		struct stream *s = &p->streams[i];
		if (s->watch.fd < 0)
			continue;
		if (ioctl(s->watch.fd, FIONREAD, &there) != 0)
			there = 0;
		s->drained_at = s->ring.end + (uint64_t)there;
		if (!p->terminal && there == 0)
			s->drained = true;
		while (!s->drained && read_some(s))
			;
	}
	note_drained(p);
	notify(p);
}

static void destroy(struct process *p)
{
	struct observer *o;

	LIST_REMOVE(p, entry);
	if (!p->ended)
		running--;
	while ((o = LIST_FIRST(&p->observers)) != NULL) {
		process_unobserve(o);
		o->changed(o);
	}
	watch_close(&p->exit);
	close_input(&p->input);
	for (size_t i = 0; i < OUTPUTS; i++) {
		watch_close(&p->streams[i].watch);
		ring_free(&p->streams[i].ring);
	}
	if (p->leads)
		waitpid(p->pid, NULL, 0);
	json_decref(p->command);
	free(p->directory);
	loop_free(p);
}

/* Whether anything is left of its process group. */
static bool has_group(const struct process *p)
{
	return !p->exited || p->leads;
}

void process_remove(struct process *p)
{
	if (has_group(p))
		kill(-p->pid, SIGKILL);
	if (!p->exited)
		waitpid(p->pid, NULL, 0);
	destroy(p);
}

void process_kill_all(void)
{
	struct process *p;

	LIST_FOREACH(p, &processes, entry)
	if (has_group(p))
		kill(-p->pid, SIGTERM);
}

/* Hangs up processes whose clients have left, such as a terminal whose page was closed. */
static bool hang_up_unattended(int64_t now)
{
	struct process *p;
	bool any = false;

	LIST_FOREACH(p, &processes, entry)
	{
		if (p->exited || p->unattended_s == 0)
			continue;
		any = true;
		if (!LIST_EMPTY(&p->observers) || now - p->observed_at < p->unattended_s)
			continue;
		p->abandoned = true;
		p->observed_at = now;
		kill(-p->pid, SIGHUP);
	}
	return any;
}

static void forget_oldest(void)
{
	struct process *p, *oldest = NULL;
	size_t ended = 0;

	LIST_FOREACH(p, &processes, entry)
	{
		if (p->ended && LIST_EMPTY(&p->observers))
			oldest = p;
		ended += p->ended;
	}
	if (ended >= PROCESSES_ENDED_MAX && oldest != NULL)
		destroy(oldest);
}

/* ---- the beginning ------------------------------------------------------------------------- */

static void new_id(char *ret_id)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
	unsigned char random[ID_LENGTH];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		abort();
	for (size_t i = 0; i < ID_LENGTH; i++)
		ret_id[i] = letters[random[i] % 32];
	ret_id[ID_LENGTH] = '\0';
}

static void watch_process(struct process *p, const struct spawned *child)
{
	p->exit = (struct watch) { .fd = child->pid_fd, .ready = process_exited };
	watch_for(&p->exit, EPOLLIN);
	for (size_t i = 0; i < OUTPUTS; i++) {
		struct stream *s = &p->streams[i];
		s->process = p;
		s->watch = (struct watch) { .fd = child->output[i], .ready = stream_ready };
		watch_for(&s->watch, EPOLLIN);
	}
	p->input = (struct input) { .process = p, .pending = BUF_INIT(STDIN_MAX) };
	p->input.watch = (struct watch) { .fd = child->input, .ready = input_ready };
}

static struct process *process_new(const struct start *s, const struct spawned *child)
{
	static bool ticking;
	struct process *p = mem_calloc(1, sizeof(*p));

	if (!ticking)
		loop_add_tick(hang_up_unattended);
	ticking = true;
	new_id(p->id);
	if (s->name != NULL)
		memcpy(p->name, s->name, strlen(s->name) + 1);
	p->command = json_incref(s->shown);
	p->directory = mem_strdup(s->directory != NULL ? s->directory : "");
	p->pid = child->pid;
	p->terminal = s->terminal;
	p->drop = s->drop;
	p->unattended_s = s->unattended_s;
	p->observed_at = loop_now();
	clock_gettime(CLOCK_REALTIME, &p->started_at);
	LIST_INIT(&p->observers);
	LIST_INSERT_HEAD(&processes, p, entry);
	running++;
	watch_process(p, child);
	return p;
}

static int check_limits(const struct grant *grant, struct err *e)
{
	const struct process *p;
	size_t of_token = 0;

	if (running >= PROCESSES_RUNNING_MAX)
		return problem(e, "TOO_MANY", "%d processes run already: end one",
			       PROCESSES_RUNNING_MAX);
	LIST_FOREACH(p, &processes, entry)
	of_token += !p->ended && strcmp(p->token, grant->id) == 0;
	if (of_token >= PROCESSES_PER_TOKEN)
		return problem(e, "TOO_MANY", "%d processes of this token run already: end one",
			       PROCESSES_PER_TOKEN);
	return 0;
}

/* `grant` NULL: for sandboxd itself. */
static int start_new(const json_t *request, const struct grant *grant, struct process **ret,
		     struct err *e)
{
	struct start s;
	struct spawned child;
	int done = start_parse(request, &s, e);

	if (done == 0 && grant != NULL)
		done = check_limits(grant, e);
	if (done == 0)
		done = spawn(&s, &child, e);
	if (done == 0) {
		forget_oldest();
		*ret = process_new(&s, &child);
	}
	if (done == 0 && grant != NULL) {
		conn_note_input();
		memcpy((*ret)->token, grant->id, sizeof((*ret)->token));
	}
	start_release(&s);
	return done;
}

int process_start_own(const json_t *request, struct process **ret, struct err *e)
{
	return start_new(request, NULL, ret, e);
}

int process_start(const json_t *request, const char *key, const struct grant *grant,
		  struct process **ret, struct err *e)
{
	char id[ID_LENGTH + 1];
	int known = key == NULL ? 0 : idempotency_find(key, request, id, e);

	if (known < 0)
		return -1;
	if (known > 0) {
		*ret = process_find(id);
		if (*ret != NULL)
			return 0;
		return problem(e, "FORGOTTEN",
			       "the process of this Idempotency-Key ended too long ago");
	}
	if (start_new(request, grant, ret, e) < 0)
		return -1;
	if (key != NULL)
		idempotency_keep(key, request, (*ret)->id);
	return 0;
}

/* ---- the rest ------------------------------------------------------------------------------ */

int process_signal(struct process *p, const char *name, struct err *e)
{
	for (size_t i = 0; name != NULL && i < ARRAY_SIZE(signals); i++) {
		if (strcmp(signals[i].name, name) != 0)
			continue;
		if (p->leads)
			release_group(p);
		if (!has_group(p) || kill(-p->pid, signals[i].number) != 0)
			return problem(e, "PROCESS_ENDED", "the process has ended");
		return 0;
	}
	return problem(e, "INVALID_REQUEST",
		       "signal must be one of HUP, INT, QUIT, KILL, USR1, "
		       "USR2, TERM, CONT, STOP, TSTP, WINCH");
}

int process_resize(struct process *p, const json_t *size, struct err *e)
{
	int columns = (int)json_integer_value(json_object_get(size, "columns"));
	int rows = (int)json_integer_value(json_object_get(size, "rows"));

	if (columns < 1 || columns > 1000 || rows < 1 || rows > 1000)
		return problem(e, "INVALID_REQUEST", "columns and rows must be from 1 to 1000");
	if (!p->terminal)
		return problem(e, "NO_TERMINAL", "the process has no terminal");
	if (p->streams[STDOUT].watch.fd >= 0)
		(void)terminal_resize(p->streams[STDOUT].watch.fd, (unsigned short)columns,
				      (unsigned short)rows);
	return 0;
}

static json_t *exit_code(const struct process *p)
{
	return p->ended && WIFEXITED(p->status) ? json_integer(WEXITSTATUS(p->status))
						: json_null();
}

static json_t *exit_signal(const struct process *p)
{
	const char *name;

	if (!p->ended || !WIFSIGNALED(p->status))
		return json_null();
	name = signal_name(WTERMSIG(p->status));
	return json_string(name != NULL ? name : "UNKNOWN");
}

json_t *process_json(const struct process *p)
{
	return json_pack(
		"{s:s, s:s?, s:i, s:O, s:s, s:b, s:s, s:o, s:o, s:b, s:o, s:o, s:I, s:I, s:I}",
		"id", p->id, "name", p->name[0] != '\0' ? p->name : NULL, "pid", (int)p->pid,
		"command", p->command, "directory", p->directory, "terminal", p->terminal, "status",
		p->ended ? "ended" : "running", "exitCode", exit_code(p), "signal", exit_signal(p),
		"unattended", p->abandoned, "startedAt",
		json_time(p->started_at.tv_sec, p->started_at.tv_nsec), "endedAt",
		p->ended ? json_time(p->ended_at.tv_sec, p->ended_at.tv_nsec) : json_null(),
		"stdinOffset", (json_int_t)p->input.taken, "stdoutSize",
		(json_int_t)p->streams[STDOUT].ring.end, "stderrSize",
		(json_int_t)p->streams[STDERR].ring.end);
}
