/* Libraries opened at first use (libcurl, libssh, libarchive, libmicrohttpd): one table of symbols
 * each, so that commands which do not need them start in milliseconds.
 *
 *	static struct { void *(*easy_init)(void); … } curl;
 *	static const struct dl_symbol symbols[] = { DL_SYMBOL(curl, curl_easy_init, easy_init), … };
 *	static struct dl_library lib = { "libcurl.so.4", "libcurl4", symbols, ARRAY_LEN(symbols) };
 *	if (dl_open(&lib, err) < 0) …            thread-safe, once
 */
#ifndef INGOT_BASE_DL_H
#define INGOT_BASE_DL_H

#include "base/base.h"
#include "base/err.h"

#include <pthread.h>

struct dl_symbol {
	const char *name;
	void **slot;
};

struct dl_library {
	const char *soname;  /* "libcurl.so.4" */
	const char *package; /* Debian package named in the error */
	const struct dl_symbol *symbols;
	size_t nsymbols;
	void *handle; /* set once, under the lock of dl.c */
};

/* Refuses to compile unless the slot has the declared type of the function. */
#define DL_SAME_TYPE(slot, function) \
	_Static_assert(__builtin_types_compatible_p(__typeof__(slot), __typeof__(&function)), \
		       #slot " has not the type of " #function)

/* A row of the table: a slot and the function that belongs there. The library's own header must be
 * included. */
#define DL_SYMBOL(table, function, member) \
	{ #function, (void **)(void *)((char *)&(table).member + 0 * sizeof(struct { \
			DL_SAME_TYPE((table).member, function); \
			int pad_; \
		})) }

int dl_open(struct dl_library *lib, struct err *err) MUST_USE;

#endif
