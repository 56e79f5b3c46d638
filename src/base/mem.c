#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static void *checked(void *memory)
{
	if (memory == NULL) {
		(void)fputs("level=error msg=\"out of memory\"\n", stderr);
		abort();
	}
	return memory;
}

void *mem_calloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *mem_realloc(void *memory, size_t count, size_t size)
{
	return checked(reallocarray(memory, count ? count : 1, size ? size : 1));
}

char *mem_strdup(const char *string)
{
	return checked(strdup(string));
}

char *mem_strndup(const char *string, size_t length)
{
	return checked(strndup(string, length));
}

char *mem_printf(const char *format, ...)
{
	char *string = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&string, format, arguments) < 0)
		string = NULL;
	va_end(arguments);
	return checked(string);
}

static void *json_malloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void mem_init_libraries(void)
{
	json_set_alloc_funcs(json_malloc, free);
}
