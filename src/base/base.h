/* Attributes and scope-bound release, the few macros that every file uses.
 *
 *	auto_free char *path = NULL;              freed at the end of the scope
 *	AUTO(buf) struct buf b = BUF_INIT;        buf_release(&b) there
 *	return steal(path);                       handed over: the scope forgets it
 */
#ifndef INGOT_BASE_BASE_H
#define INGOT_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define MUST_USE __attribute__((warn_unused_result))
#define UNUSED __attribute__((unused))
#define NORETURN __attribute__((noreturn))
#define FALLTHROUGH __attribute__((fallthrough))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/* Arguments are evaluated twice: no side effects in them. */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* AUTO(kind): the scope's end calls kind_auto_(), which DEFINE_AUTO makes. */
#define AUTO(kind) __attribute__((cleanup(kind##_auto_)))
#define DEFINE_AUTO(kind, type, release) \
	static inline void kind##_auto_(type *v) \
	{ \
		release(v); \
	} \
	struct kind##_auto_needs_semicolon_
/* The same for a pointer type whose free function takes the pointer. */
#define DEFINE_AUTO_PTR(kind, type, free_fn) \
	static inline void kind##_auto_(type *v) \
	{ \
		free_fn(*v); \
	} \
	struct kind##_auto_needs_semicolon_

static inline void free_auto_(void *p)
{
	free(*(void **)p);
}
#define auto_free AUTO(free)

#define steal(lvalue) \
	({ \
		__typeof__(lvalue) stolen_ = (lvalue); \
		(lvalue) = NULL; \
		stolen_; \
	})

/* Takes a descriptor out of its variable, leaving -1. */
#define steal_fd(lvalue) \
	({ \
		int stolen_ = (lvalue); \
		(lvalue) = -1; \
		stolen_; \
	})
void fd_close(int *fd); /* closes if >= 0, keeps errno, leaves -1 */
DEFINE_AUTO(fd, int, fd_close);
#define auto_fd AUTO(fd)

/* Memory: out of memory aborts with one line. */
void *xmalloc(size_t n) MUST_USE;
void *xcalloc(size_t n, size_t size) MUST_USE;
void *xrealloc(void *p, size_t n) MUST_USE;
char *xstrdup(const char *s) MUST_USE; /* NULL gives NULL */
char *xstrndup(const char *s, size_t n) MUST_USE;
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2) MUST_USE;
/* Wipes and frees a secret; NULL is fine. */
void xfree_secret(char *s);

#endif
