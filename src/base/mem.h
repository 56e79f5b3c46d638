#ifndef FSA_BASE_MEM_H
#define FSA_BASE_MEM_H

#include <stddef.h>

/*
 * Memory. Running out of it ends the process with a line in the log (systemd starts it again):
 * no caller checks for NULL. That is right only because every size that a stranger controls has
 * a cap of its own (see base/buf.h).
 */

/* Zeroed memory for `count` objects of `size` bytes. The caller frees it. */
void *mem_calloc(size_t count, size_t size);
/* Grows or shrinks; new bytes are not initialised. */
void *mem_realloc(void *memory, size_t count, size_t size);
/* A copy of a string, and of its first `length` bytes. The caller frees it. */
char *mem_strdup(const char *string);
char *mem_strndup(const char *string, size_t length);
/* A formatted string. The caller frees it. */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Makes libraries that take allocator hooks (jansson) follow the same rule. Call once in main. */
void mem_init_libraries(void);

#endif
