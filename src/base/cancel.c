/* Cancel flags: an eventfd each, written once and never read. Children are linked so that a parent
 * reaches them. One lock guards all links and the life of descriptors: a flag must never be written
 * to a descriptor number that its child has given back and somebody else now has. */
#include "base/cancel.h"
#include "base/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct cancel {
	int fd;
	atomic_bool set;
	struct cancel *parent, *children, *next;
};

static pthread_mutex_t tree_lock = PTHREAD_MUTEX_INITIALIZER;

static void set_tree(struct cancel *c)
{
	if (!atomic_exchange(&c->set, true))
		eventfd_write(c->fd, 1); /* cannot fail on a fresh counter */
	for (struct cancel *k = c->children; k; k = k->next)
		set_tree(k);
}

struct cancel *cancel_new(struct cancel *parent)
{
	struct cancel *c = xcalloc(1, sizeof(*c));

	c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->fd < 0)
		abort(); /* no descriptor left: nothing could be interrupted any more */
	c->parent = parent;
	if (!parent)
		return c;
	pthread_mutex_lock(&tree_lock);
	c->next = parent->children;
	parent->children = c;
	if (atomic_load(&parent->set))
		set_tree(c);
	pthread_mutex_unlock(&tree_lock);
	return c;
}

void cancel_free(struct cancel *c)
{
	struct cancel **link;

	if (!c)
		return;
	pthread_mutex_lock(&tree_lock);
	for (struct cancel *k = c->children; k; k = k->next)
		k->parent = NULL;
	if (c->parent) {
		for (link = &c->parent->children; *link != c; link = &(*link)->next)
			;
		*link = c->next;
	}
	pthread_mutex_unlock(&tree_lock);
	close(c->fd);
	free(c);
}

void cancel_set(struct cancel *c)
{
	pthread_mutex_lock(&tree_lock);
	set_tree(c);
	pthread_mutex_unlock(&tree_lock);
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
