/* Arena: chunks that double up to 64 KiB; large objects get a chunk of their own. Under ASan each
 * object is its own allocation, so that the sanitizer sees overruns. */
#include "base/arena.h"

#include <stdio.h>
#include <string.h>

#define CHUNK_MIN 1024
#define CHUNK_MAX 65536

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_SINGLE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_SINGLE 1
#endif
#endif

struct chunk {
	struct chunk *next;
	size_t n;
	_Alignas(max_align_t) char mem[];
};

struct on_free {
	struct on_free *next;
	void (*fn)(void *);
	void *data;
};

struct arena {
	struct chunk *chunks;
	struct chunk *spare; /* zeroed, of CHUNK_MAX: kept, since fresh ones cost page faults */
	char *p, *end;	     /* free part of the newest shared chunk */
	size_t next_size;
	size_t size;
	struct on_free *on_free;
};

struct arena *arena_new(void)
{
	struct arena *a = xcalloc(1, sizeof(*a));

	a->next_size = CHUNK_MIN;
	return a;
}

struct arena_mark arena_mark(const struct arena *a)
{
	return (struct arena_mark){ a->chunks, a->on_free, a->p, a->end, a->size };
}

static void free_chunks(struct chunk *c)
{
	while (c) {
		struct chunk *next = c->next;

		free(c);
		c = next;
	}
}

void arena_rewind(struct arena *a, struct arena_mark to)
{
	char *used = a->end == to.end ? a->p : to.end;

	for (; a->on_free != to.on_free; a->on_free = a->on_free->next)
		a->on_free->fn(a->on_free->data);
	while (a->chunks != to.chunk) {
		struct chunk *c = a->chunks;

		a->chunks = c->next;
		if (c->n == CHUNK_MAX) {
			memset(c->mem, 0, c->n);
			c->next = a->spare;
			a->spare = c;
		} else {
			free(c);
		}
	}
	if (to.p)
		memset(to.p, 0, (size_t)(used - to.p));
	a->p = to.p;
	a->end = to.end;
	a->size = to.size;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct on_free *f = a->on_free; f; f = f->next)
		f->fn(f->data);
	free_chunks(a->chunks);
	free_chunks(a->spare);
	free(a);
}

static void *new_chunk(struct arena *a, size_t n)
{
	struct chunk *c = a->spare;

	if (c && n == CHUNK_MAX)
		a->spare = c->next;
	else
		c = xcalloc(1, sizeof(*c) + n);
	c->n = n;
	c->next = a->chunks;
	a->chunks = c;
	a->size += n;
	return c->mem;
}

size_t arena_size(const struct arena *a)
{
	return a->size;
}

void *arena_alloc(struct arena *a, size_t n)
{
	const size_t align = _Alignof(max_align_t);
	void *p;

	n = (MAX(n, (size_t)1) + align - 1) & ~(align - 1);
#ifdef ARENA_SINGLE
	return new_chunk(a, n);
#endif
	if ((size_t)(a->end - a->p) < n) {
		if (n > a->next_size / 4)
			return new_chunk(a, n);
		a->p = new_chunk(a, a->next_size);
		a->end = a->p + a->next_size;
		a->next_size = MIN(a->next_size * 2, (size_t)CHUNK_MAX);
	}
	p = a->p;
	a->p += n;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	if (n)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

struct str arena_str(struct arena *a, struct str s)
{
	return (struct str){ arena_strndup(a, s.p, s.n), s.n };
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void *arena_copy(struct arena *a, const void *from, size_t n)
{
	return arena_grow(a, from, n, n);
}

void *arena_grow(struct arena *a, const void *old, size_t old_n, size_t new_n)
{
	void *p = arena_alloc(a, new_n);

	if (old_n)
		memcpy(p, old, MIN(old_n, new_n));
	return p;
}

void arena_on_free(struct arena *a, void (*fn)(void *), void *data)
{
	struct on_free *f = arena_new_obj(a, struct on_free);

	f->next = a->on_free;
	f->fn = fn;
	f->data = data;
	a->on_free = f;
}
