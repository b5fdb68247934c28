/* Cancel flags: an eventfd each, written once and never read. Children are linked so that a parent reaches them. */
#include "base/cancel.h"
#include "base/err.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct cancel {
	int fd;
	atomic_bool set;
	struct cancel *parent;
	_Atomic(struct cancel *) children; /* list heads; walked by cancel_set() in a signal handler */
	_Atomic(struct cancel *) next;
	atomic_bool dead; /* unlinked lazily: see cancel_free() */
};

/* Guards linking and unlinking only; cancel_set() takes no lock. */
static pthread_mutex_t tree_lock = PTHREAD_MUTEX_INITIALIZER;

struct cancel *cancel_new(struct cancel *parent)
{
	struct cancel *c = xcalloc(1, sizeof(*c));

	c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->fd < 0)
		abort(); /* no descriptor left: nothing could be interrupted any more */
	c->parent = parent;
	if (parent) {
		pthread_mutex_lock(&tree_lock);
		atomic_store(&c->next, atomic_load(&parent->children));
		atomic_store(&parent->children, c);
		pthread_mutex_unlock(&tree_lock);
		if (atomic_load(&parent->set))
			cancel_set(c);
	}
	return c;
}

/* The memory of a child stays until its parent goes, since a signal handler may be walking the list; its
 * descriptor is closed at once. */
static void free_tree(struct cancel *c)
{
	struct cancel *next;

	for (struct cancel *k = atomic_load(&c->children); k; k = next) {
		next = atomic_load(&k->next);
		free_tree(k);
	}
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

void cancel_free(struct cancel *c)
{
	if (!c)
		return;
	if (!c->parent) {
		free_tree(c);
		return;
	}
	if (!atomic_exchange(&c->dead, true)) {
		int fd = c->fd;

		c->fd = -1;
		close(fd);
	}
}

void cancel_set(struct cancel *c)
{
	int saved = errno;

	if (!atomic_exchange(&c->set, true) && !atomic_load(&c->dead)) {
		ssize_t n = write(c->fd, &(uint64_t){ 1 }, sizeof(uint64_t));

		(void)n; /* cannot fail on a fresh counter */
	}
	for (struct cancel *k = atomic_load(&c->children); k; k = atomic_load(&k->next))
		cancel_set(k);
	errno = saved;
}

bool cancel_is_set(const struct cancel *c)
{
	return c && atomic_load(&c->set);
}

int cancel_fd(const struct cancel *c)
{
	return c ? c->fd : -1;
}

int cancel_check(const struct cancel *c, struct err *err)
{
	return cancel_is_set(c) ? err_set(err, ERR_CANCELLED, "cancelled") : 0;
}
