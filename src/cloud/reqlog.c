/* The request log: a ring of JSON objects and a file. */
#include "cloud/reqlog.h"

#include "base/os.h"

#include <fcntl.h>
#include <pthread.h>

struct reqlog {
	pthread_mutex_t lock;
	json_t *entries; /* number of the first: first */
	uint64_t first, next;
	char *path;
	int fd;
};

static void open_file(struct reqlog *l)
{
	l->fd = open(l->path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
}

struct reqlog *reqlog_new(const char *dir)
{
	struct reqlog *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	l->entries = json_array();
	l->first = l->next = 1;
	l->path = os_path_join(dir, "requests.jsonl");
	open_file(l);
	return l;
}

void reqlog_free(struct reqlog *l)
{
	if (!l)
		return;
	json_decref(l->entries);
	fd_close(&l->fd);
	free(l->path);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

uint64_t reqlog_begin(struct reqlog *l, json_t *entry)
{
	uint64_t n;

	pthread_mutex_lock(&l->lock);
	n = l->next++;
	json_object_set_new(entry, "n", json_integer((json_int_t)n));
	json_array_append_new(l->entries, entry);
	if (json_array_size(l->entries) > REQLOG_MAX) {
		json_array_remove(l->entries, 0);
		l->first++;
	}
	pthread_mutex_unlock(&l->lock);
	return n;
}

void reqlog_end(struct reqlog *l, uint64_t n, json_t *more)
{
	auto_free char *line = NULL;
	json_t *entry;

	pthread_mutex_lock(&l->lock);
	entry = n >= l->first ? json_array_get(l->entries, (size_t)(n - l->first)) : NULL;
	if (entry) {
		json_object_update(entry, more);
		line = json_dumps(entry, JSON_COMPACT);
		/* The file is for people who look afterwards: a full disk must not stop the cloud.
		 */
		if (l->fd >= 0 && (os_write_all(l->fd, line, strlen(line)) < 0 ||
				   os_write_all(l->fd, "\n", 1) < 0))
			fd_close(&l->fd);
	}
	pthread_mutex_unlock(&l->lock);
	json_decref(more);
}

json_t *reqlog_since(struct reqlog *l, uint64_t n)
{
	json_t *out = json_array(), *e;
	size_t i;

	pthread_mutex_lock(&l->lock);
	json_array_foreach(l->entries, i, e)
		if (l->first + i > n)
			json_array_append_new(out, json_deep_copy(e));
	pthread_mutex_unlock(&l->lock);
	return out;
}

void reqlog_clear(struct reqlog *l)
{
	pthread_mutex_lock(&l->lock);
	json_array_clear(l->entries);
	l->first = l->next; /* calls under way keep their numbers */
	fd_close(&l->fd);
	open_file(l);
	pthread_mutex_unlock(&l->lock);
}
