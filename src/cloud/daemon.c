/* The daemon: opens everything in order, waits, closes everything in the other order. */
#include "cloud/daemon.h"

#include "base/clock.h"
#include "base/os.h"
#include "cloud/actions/credentials.h"
#include "cloud/api/api.h"
#include "cloud/api/dispatch.h"
#include "cloud/api/faults.h"
#include "cloud/api/http.h"
#include "cloud/backends.h"
#include "cloud/baseimage/baseimage.h"
#include "cloud/console.h"
#include "cloud/control.h"
#include "cloud/disk/volume.h"
#include "cloud/jobs.h"
#include "cloud/model/catalogue.h"
#include "cloud/model/lifecycle.h"
#include "cloud/model/task.h"
#include "cloud/net/imds.h"
#include "cloud/owned.h"
#include "cloud/reqlog.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define WORKERS 6
#define PORTS_TRIED 100
#define PARTS 256 /* of 127.77.0.0/16 */
#define STOP_MS 60000

struct daemon {
	struct cloud cloud;
	struct http_server *http;
	struct control *control;
	int lock_fd, stop_fds[2];
	void (*progress)(void *data, const char *text);
	void *data;
};

/* --- the data directory --------------------------------------------- */

static char *lock_path(const char *dir)
{
	return os_path_join(dir, "daemon.lock");
}

bool daemon_gone(const char *dir, int64_t timeout_ms)
{
	auto_free char *path = lock_path(dir);
	auto_fd int fd = open(path, O_RDWR | O_CLOEXEC);
	int64_t end = clock_ms() + timeout_ms;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR;
	/* A lock cannot be polled for: a short sleep between tries. */
	while (flock(fd, LOCK_SH | LOCK_NB) < 0) {
		if (clock_ms() >= end)
			return false;
		clock_sleep(20, NULL);
	}
	return true;
}

static int take_lock(struct daemon *d, struct err *err)
{
	auto_free char *path = lock_path(d->cloud.config.data_dir);

	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->lock_fd < 0)
		return err_errno(err, errno, "cannot open %s", path);
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	/* Somebody may just be asking whether we run. */
	clock_sleep(50, NULL);
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return err_set(err, ERR_EXISTS, "a local cloud of %s is running already",
		       d->cloud.config.data_dir);
}

static int make_dirs(struct cloud *c, struct err *err)
{
	auto_free char *console = os_path_join(c->config.data_dir, "console");

	if (owned_dir_make(c->config.data_dir, c->config.owner, c->config.owner_group, err) < 0 ||
	    os_mkdir_all(console, 0700, err) < 0)
		return -1;
	if (chmod(c->config.data_dir, 0700) < 0)
		return err_errno(err, errno, "cannot make %s private", c->config.data_dir);
	return 0;
}

/* Under sudo the calling user owns what is made, so that it serves without root later. */
static void give_to_owner(const struct cloud_config *config, const char *path)
{
	struct stat st;

	if (geteuid() == 0 && config->owner != 0 && lstat(path, &st) == 0 && !S_ISLNK(st.st_mode) &&
	    lchown(path, config->owner, config->owner_group) < 0)
		return; /* what cannot change hands stays root's */
}

/* Keys at random for each data directory. */
static int load_keys(struct cloud *c, struct err *err)
{
	auto_free char *path = os_path_join(c->config.data_dir, "keys.json");
	AUTO(json) json_t *keys = json_load_file(path, 0, NULL);
	char id[21], secret[41];
	auto_free char *text = NULL;

	snprintf(c->account, sizeof(c->account), "000000000000");
	if (!keys && !os_exists(path)) {
		memcpy(id, "AKIA", 4);
		random_text(id + 4, 16);
		random_text(secret, 40);
		keys = json_pack("{s:s, s:s}", "access_key", id, "secret_key", secret);
		text = json_dumps(keys, JSON_INDENT(1));
		if (os_write_file(path, text, strlen(text), 0600, err) < 0)
			return -1;
		give_to_owner(&c->config, path);
	}
	c->access_key = xstrdup(doc_str(keys, "access_key"));
	c->secret_key = xstrdup(doc_str(keys, "secret_key"));
	if (!c->access_key || !c->secret_key)
		return err_set(err, ERR_INVALID, "%s is damaged: remove it and new keys are made",
			       path);
	return 0;
}

/* A range of addresses is claimed by an abstract socket: it goes with the process, whatever
 * happens. */
static int claim_addresses(struct cloud *c, struct err *err)
{
	for (int i = 0; i < PARTS - 2; i++) {
		struct sockaddr_un un = { .sun_family = AF_UNIX };
		auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		socklen_t size;
		int n;

		if (fd < 0)
			break;
		c->address_part = (int)((unsigned)getpid() + (unsigned)i) % (PARTS - 2) + 1;
		n = snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "ingot-cloud/127.77.%d",
			     c->address_part);
		size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
		if (bind(fd, (struct sockaddr *)&un, size) == 0) {
			c->address_part_fd = steal_fd(fd);
			return 0;
		}
	}
	return err_set(err, ERR_UNSUPPORTED,
		       "all parts of 127.77.0.0/16 are taken by other local clouds of this "
		       "machine");
}

/* --- the backend ---------------------------------------------------- */

static int open_backend(struct cloud *c, struct err *err)
{
	struct backend_config config = { .data_dir = c->config.data_dir,
					 .events = lifecycle_events_template,
					 .net = c->config.net };

	config.events.data = c;
	if (backends_choose(c->config.backend, &c->ops, err) < 0)
		return -1;
	if (!streq(c->ops->name, "none") &&
	    volume_store_open(c->config.data_dir, &c->store, err) < 0)
		return -1;
	return c->ops->open(&config, &c->backend, err);
}

static int make_base_images(struct daemon *d, struct err *err)
{
	struct cloud *c = &d->cloud;
	struct base_image_snapshot *snapshots = NULL;
	size_t n = 0;

	if (c->store && base_images_make(c->store, c->config.data_dir, streq(c->ops->name, "qemu"),
					 d->progress, d->data, &snapshots, &n, err) < 0)
		return err_prefix(err, "making the base images");
	CLOUD_LOCK(c);
	catalogue_add(c, snapshots, n);
	free(snapshots);
	return 0;
}

static uint64_t machine_memory(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* --- start and stop ------------------------------------------------- */

static int open_listener(struct daemon *d, struct err *err)
{
	struct cloud *c = &d->cloud;
	int tries = c->config.port_default ? PORTS_TRIED : 1;

	for (int i = 0; i < tries; i++) {
		err_release(err);
		if (http_start(c->config.listen, (uint16_t)(c->config.port + i), dispatch, c,
			       &d->http, err) == 0) {
			snprintf(c->endpoint, sizeof(c->endpoint), "http://%s:%u", c->config.listen,
				 http_port(d->http));
			return 0;
		}
		if (err->code != ERR_EXISTS)
			return -1;
	}
	return -1;
}

static void init_cloud(struct cloud *c, const struct cloud_config *config)
{
	pthread_condattr_t attr;

	c->config = *config;
	c->config.data_dir = xstrdup(config->data_dir);
	c->config.listen = xstrdup(config->listen);
	c->config.backend = xstrdup(config->backend);
	if (!c->config.max_memory)
		c->config.max_memory = 2 * machine_memory();
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->moved, &attr);
	pthread_condattr_destroy(&attr);
	c->address_part_fd = -1;
	c->started_ms = clock_unix_ms();
}

static int start_all(struct daemon *d, struct err *err)
{
	struct cloud *c = &d->cloud;

	c->faults = faults_new();
	if (c->config.faults && faults_load(c->faults, c->config.faults, err) < 0)
		return err_prefix(err, "-faults");
	if (make_dirs(c, err) < 0 || take_lock(d, err) < 0)
		return -1;
	give_to_owner(&c->config, c->config.data_dir);
	backend_clean(c->config.data_dir);
	if (load_keys(c, err) < 0 || model_open(c->config.data_dir, &c->model, err) < 0 ||
	    claim_addresses(c, err) < 0)
		return -1;
	c->log = reqlog_new(c->config.data_dir);
	c->jobs = jobs_new(WORKERS);
	if (imds_start(c, &c->imds, err) < 0 || open_backend(c, err) < 0 ||
	    make_base_images(d, err) < 0)
		return -1;
	pthread_mutex_lock(&c->lock);
	lifecycle_recover(c);
	pthread_mutex_unlock(&c->lock);
	return open_listener(d, err) < 0 || control_start(c, &d->control, err) < 0 ? -1 : 0;
}

static void drop_task(void *data)
{
	task_free(data);
}

static void give_files_to_owner(const struct cloud *c)
{
	char *const roots[] = { c->config.data_dir, NULL };
	FTS *tree;
	FTSENT *e;

	if (geteuid() != 0 || c->config.owner == 0)
		return;
	tree = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	while (tree && (e = fts_read(tree)))
		if (e->fts_info != FTS_DP)
			give_to_owner(&c->config, e->fts_path);
	if (tree)
		fts_close(tree);
}

static void stop_all(struct daemon *d)
{
	struct cloud *c = &d->cloud;

	/* Nobody asks any more from here on. */
	control_stop(d->control);
	http_stop(d->http);
	/* The backend's events still find everything there. */
	if (c->jobs)
		jobs_drain(c->jobs, c->backend ? STOP_MS / 4 : 0);
	pthread_mutex_lock(&c->lock);
	c->ending = true;
	pthread_mutex_unlock(&c->lock);
	if (c->backend)
		c->ops->close(c->backend);
	jobs_free(c->jobs, drop_task);
	imds_stop(c->imds);
	volume_store_close(c->store);
	model_close(c->model);
	faults_free(c->faults);
	reqlog_free(c->log);
	for (size_t i = 0; i < map_len(&c->notices); i++)
		json_decref(map_at(&c->notices, i));
	map_release(&c->notices);
	map_release(&c->up);
	give_files_to_owner(c);
	fd_close(&c->address_part_fd);
	free(c->access_key);
	xfree_secret(c->secret_key);
	free(c->config.data_dir);
	free(c->config.listen);
	free(c->config.backend);
	fd_close(&d->stop_fds[0]);
	fd_close(&d->stop_fds[1]);
	fd_close(&d->lock_fd); /* last: now it is gone */
}

void daemon_stop(struct cloud *c)
{
	struct daemon *d = (struct daemon *)(void *)((char *)c - offsetof(struct daemon, cloud));

	if (write(d->stop_fds[1], "", 1) < 0)
		return; /* full: told already */
}

static int block_signals(int *ret_fd, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	*ret_fd = signalfd(-1, &set, SFD_CLOEXEC);
	return *ret_fd < 0 ? err_errno(err, errno, "cannot take signals") : 0;
}

int daemon_run(const struct cloud_config *config, void (*progress)(void *data, const char *text),
	       bool (*ready)(void *data, const char *endpoint), void *data, struct err *err)
{
	struct daemon *d = xcalloc(1, sizeof(*d));
	auto_fd int signals = -1;
	int result = -1;

	d->lock_fd = d->stop_fds[0] = d->stop_fds[1] = -1;
	d->progress = progress;
	d->data = data;
	init_cloud(&d->cloud, config);
	if (block_signals(&signals, err) == 0) {
		if (pipe2(d->stop_fds, O_CLOEXEC | O_NONBLOCK) < 0)
			err_errno(err, errno, "cannot make a pipe");
		else
			result = start_all(d, err);
	}
	if (result == 0) {
		struct pollfd p[] = { { .fd = signals, .events = POLLIN },
				      { .fd = d->stop_fds[0], .events = POLLIN } };

		if (!ready(data, d->cloud.endpoint) && config->session)
			daemon_stop(&d->cloud);
		while (poll(p, 2, -1) < 0 && errno == EINTR)
			;
	}
	stop_all(d);
	free(d);
	return result;
}

void daemon_clean(const char *dir)
{
	if (os_is_dir(dir) && daemon_gone(dir, 0))
		backend_clean(dir);
}

/* --- reset ---------------------------------------------------------- */

static bool keep_row(const struct row *r)
{
	return r->region[0] == '*';
}

static void terminate_all(struct cloud *c)
{
	CLOUD_LOCK(c);

	for (size_t i = 0; i < model_count(c->model, KIND_INSTANCE); i++) {
		struct row *r = model_at(c->model, KIND_INSTANCE, i);
		size_t k;
		json_t *m;

		if (instance_is(r, "terminated"))
			continue;
		json_array_foreach(json_object_get(r->doc, "blockDeviceMapping"), k, m)
			doc_set_bool(m, "ebs.deleteOnTermination", true);
		instance_set_state(c, r, STATE_SHUTTING_DOWN);
		lifecycle_terminate(c, r);
	}
}

static void delete_disks(struct cloud *c)
{
	CLOUD_LOCK(c);

	for (size_t i = 0; i < model_count(c->model, KIND_VOLUME); i++)
		lifecycle_delete_volume(c, model_at(c->model, KIND_VOLUME, i));
	for (size_t i = 0; i < model_count(c->model, KIND_SNAPSHOT); i++)
		if (!keep_row(model_at(c->model, KIND_SNAPSHOT, i)))
			lifecycle_delete_snapshot(c, model_at(c->model, KIND_SNAPSHOT, i)->id);
}

void daemon_reset(struct cloud *c)
{
	terminate_all(c);
	/* Stops may be under way in the backend, which no job shows: the states tell. */
	for (int64_t end = clock_ms() + STOP_MS; clock_ms() < end;) {
		bool quiet;

		jobs_drain(c->jobs, STOP_MS);
		pthread_mutex_lock(&c->lock);
		quiet = map_len(&c->up) == 0;
		pthread_mutex_unlock(&c->lock);
		if (quiet && jobs_drain(c->jobs, 0))
			break;
		clock_sleep(10, NULL);
	}
	delete_disks(c);
	jobs_drain(c->jobs, STOP_MS);
	CLOUD_LOCK(c);
	for (size_t i = 0; i < model_count(c->model, KIND_INSTANCE); i++)
		console_remove(c, model_at(c->model, KIND_INSTANCE, i)->id);
	model_reset(c->model, keep_row);
	reqlog_clear(c->log);
	AUTO(err) struct err err = ERR_INIT;
	AUTO(json) json_t *none = json_object();
	if (faults_load(c->faults, none, &err) < 0)
		err_release(&err);
}

void cloud_notice(struct cloud *c, const char *id, const char *fmt, ...)
{
	AUTO(buf) struct buf b = BUF_INIT;
	json_t *list = map_gets(&c->notices, id);
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	if (!list) {
		list = json_array();
		map_sets(&c->notices, id, list);
	}
	json_array_append_new(list, json_string(buf_cstr(&b)));
}
