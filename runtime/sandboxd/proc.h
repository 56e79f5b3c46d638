#ifndef SANDBOXD_PROC_H
#define SANDBOXD_PROC_H

#include <stdbool.h>
#include <stddef.h>

/* The processes of the sandbox, as /proc lists them. */

enum { PROC_MAX = 1024 };

struct proc {
	int pid, group;
	bool zombie;
	unsigned long long ticks; /* of processor time */
	char program[32];
};

/* The first PROC_MAX of them; returns how many. */
size_t proc_read_all(struct proc *ret);
/* Whether a process group has members that have not ended, besides its leader. */
bool proc_group_has_others(int leader);

#endif
