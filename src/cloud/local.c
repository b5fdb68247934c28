/* The client of the daemon: attach, expect, and one-shot control requests. */
#include "cloud/local.h"

#include "base/os.h"
#include "base/proc.h"
#include "cloud/api/doc.h"
#include "cloud/control.h"
#include "cloud/daemon.h"
#include "cloud/model/model.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ANSWER_MAX ((size_t)256 << 20)
#define ATTACH_TRIES 5
#define ENDING_MS 120000 /* a daemon that stops its instances needs a while */

struct local_cloud {
	char *dir;
	int fd;
	struct buf pending;
	json_t *info;
	bool started;
};

char *local_cloud_default_dir(void)
{
	const char *set = os_env("INGOT_CLOUD_DATA");
	auto_free char *data = set ? NULL : os_xdg_dir("DATA");

	return set ? xstrdup(set) : os_path_join(data, "cloud");
}

/* --- talking -------------------------------------------------------- */

static int connect_daemon(const char *dir, int *ret, struct err *err)
{
	struct sockaddr_un un;
	auto_fd int dir_fd = -1;
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(err, errno, "cannot make a socket");
	if (control_address(dir, &dir_fd, &un, err) < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return err_set(err, ERR_NOT_FOUND,
				       "no local cloud runs in %s: `ingot cloud up` starts one",
				       dir);
		return err_errno(err, errno, "cannot reach the local cloud in %s", dir);
	}
	*ret = steal_fd(fd);
	return 0;
}

/* One request and its answer: progress lines go to the callback. */
static int ask(int fd, struct buf *pending, const json_t *request,
	       void (*progress)(void *data, const char *text), void *data, json_t **ret,
	       struct err *err)
{
	auto_free char *text = json_dumps(request, JSON_COMPACT);
	auto_free char *line = xasprintf("%s\n", text);
	AUTO(buf) struct buf got = BUF_INIT;

	if (send(fd, line, strlen(line), MSG_NOSIGNAL) != (ssize_t)strlen(line))
		return err_set(err, ERR_LOST, "the local cloud went away");
	while (control_read_line(fd, pending, ANSWER_MAX, &got)) {
		AUTO(json) json_t *j = json_loadb(got.p, got.n, 0, NULL);
		const char *said = doc_str(j, "progress");

		if (said) {
			if (progress)
				progress(data, said);
			continue;
		}
		if (doc_str(j, "error"))
			return err_set(err, (enum err_code)MAX(doc_int(j, "code"), 1), "%s",
				       doc_str(j, "error"));
		if (!json_object_get(j, "result"))
			break;
		*ret = json_incref(json_object_get(j, "result"));
		return 0;
	}
	return err_set(err, ERR_LOST, "the local cloud went away in the middle of an answer");
}

int local_cloud_control(const char *dir, const json_t *request,
			void (*progress)(void *data, const char *text), void *data, json_t **ret,
			struct err *err)
{
	AUTO(buf) struct buf pending = BUF_INIT;
	auto_fd int fd = -1;

	if (connect_daemon(dir, &fd, err) < 0)
		return -1;
	return ask(fd, &pending, request, progress, data, ret, err);
}

/* --- starting ------------------------------------------------------- */

/* Lines of `cloud up` as it works; the last is kept for the error. */
struct starting {
	const struct local_cloud_options *o;
	struct buf line, last;
};

static void on_output(void *data, enum proc_stream s UNUSED, const char *p, size_t n)
{
	struct starting *st = data;

	for (size_t i = 0; i < n; i++) {
		if (p[i] != '\n') {
			buf_addc(&st->line, p[i]);
			continue;
		}
		buf_reset(&st->last);
		buf_add_str(&st->last, buf_str(&st->line));
		if (st->o->on_progress && st->line.n && !str_starts(buf_str(&st->line), "export "))
			st->o->on_progress(st->o->data, buf_cstr(&st->line));
		buf_reset(&st->line);
	}
}

static bool sudo_works(void)
{
	static const char *const argv[] = { "sudo", "-n", "true", NULL };
	struct proc_spec spec = { .argv = argv, .timeout_ms = 5000 };
	AUTO(err) struct err err = ERR_INIT;
	int status = -1;

	return proc_run(&spec, &status, &err) == 0 && status == 0;
}

static int run_up(const struct local_cloud_options *o, const char *dir, struct err *err)
{
	const char *argv[20], *backend = o->backend ? o->backend : "auto";
	bool root = geteuid() == 0,
	     sudo = !root && (streq(backend, "auto") || streq(backend, "container")) &&
		    sudo_works();
	struct starting st = { .o = o };
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	int n = 0, status = 0, result;

	if (len < 0)
		return err_errno(err, errno, "cannot find this program");
	exe[len] = '\0';
	if (sudo) {
		argv[n++] = "sudo";
		argv[n++] = "-n";
	} else if (!root && streq(backend, "auto")) {
		backend = "qemu";
	}
	argv[n++] = exe;
	argv[n++] = "cloud";
	argv[n++] = "up";
	argv[n++] = "-data";
	argv[n++] = dir;
	argv[n++] = "-backend";
	argv[n++] = backend;
	argv[n++] = "-net";
	argv[n++] = o->net ? o->net : "mirror";
	argv[n++] = "-session";
	argv[n] = NULL;
	struct proc_spec spec = { .argv = argv,
				  .on_output = on_output,
				  .data = &st,
				  .cancel = o->cancel,
				  .new_session = true };
	result = proc_run(&spec, &status, err);
	if (result < 0)
		err_prefix(err, "starting the local cloud");
	else if (status != 0)
		result = err_set(err, ERR_UNSUPPORTED, "the local cloud did not start: %s",
				 st.last.n ? buf_cstr(&st.last) : "it gave no reason");
	buf_release(&st.line);
	buf_release(&st.last);
	return result;
}

static int attach_running(struct local_cloud *lc, struct err *err)
{
	AUTO(json) json_t *attach = json_pack("{s:s}", "op", "attach"), *nothing = NULL;
	AUTO(json) json_t *info = json_pack("{s:s}", "op", "info");

	if (connect_daemon(lc->dir, &lc->fd, err) < 0 ||
	    ask(lc->fd, &lc->pending, attach, NULL, NULL, &nothing, err) < 0)
		return -1;
	return ask(lc->fd, &lc->pending, info, NULL, NULL, &lc->info, err);
}

int local_cloud_attach(const struct local_cloud_options *o, struct local_cloud **ret,
		       struct err *err)
{
	struct local_cloud *lc = xcalloc(1, sizeof(*lc));

	lc->dir = o->data_dir ? xstrdup(o->data_dir) : local_cloud_default_dir();
	lc->fd = -1;
	if (attach_running(lc, err) == 0)
		goto done;
	if (err->code != ERR_NOT_FOUND && err->code != ERR_LOST)
		goto fail;
	for (int i = 0; i < ATTACH_TRIES; i++) {
		err_release(err);
		fd_close(&lc->fd);
		buf_reset(&lc->pending);
		if (run_up(o, lc->dir, err) < 0)
			goto fail;
		/* The one that runs may be ending with the last build of others: then once more. */
		if (attach_running(lc, err) == 0)
			goto done;
	}
	goto fail;
done:
	/* Whoever started it: a session ends with its last attachment. */
	lc->started = doc_bool(lc->info, "session");
	*ret = lc;
	return 0;
fail:
	fd_close(&lc->fd);
	local_cloud_detach(lc);
	return -1;
}

void local_cloud_detach(struct local_cloud *lc)
{
	AUTO(json) json_t *request = NULL, *answer = NULL;
	AUTO(err) struct err err = ERR_INIT;
	bool ending = false;

	if (!lc)
		return;
	if (lc->fd >= 0) {
		request = json_pack("{s:s}", "op", "detach");
		ending = ask(lc->fd, &lc->pending, request, NULL, NULL, &answer, &err) == 0 &&
			 doc_bool(answer, "ending");
	}
	fd_close(&lc->fd);
	if (ending)
		daemon_gone(lc->dir, ENDING_MS);
	buf_release(&lc->pending);
	json_decref(lc->info);
	free(lc->dir);
	free(lc);
}

int local_cloud_fd(const struct local_cloud *lc)
{
	return lc->fd;
}

const char *local_cloud_endpoint(const struct local_cloud *lc)
{
	return doc_str(lc->info, "endpoint");
}

const char *local_cloud_access_key(const struct local_cloud *lc)
{
	return doc_str(lc->info, "access_key");
}

const char *local_cloud_secret_key(const struct local_cloud *lc)
{
	return doc_str(lc->info, "secret_key");
}

const char *local_cloud_region(const struct local_cloud *lc)
{
	return doc_str(lc->info, "region");
}

const char *local_cloud_backend(const struct local_cloud *lc)
{
	return doc_str(lc->info, "backend");
}

const char *local_cloud_data_dir(const struct local_cloud *lc)
{
	return lc->dir;
}

bool local_cloud_started(const struct local_cloud *lc)
{
	return lc->started;
}

static void tell_all(const json_t *list, void (*tell)(void *data, const char *text), void *data)
{
	size_t i;
	json_t *e;

	json_array_foreach((json_t *)list, i, e)
		tell(data, json_string_value(e));
}

/* Several builds may ask at once over the one attachment: each has a connection of its own. */
int local_cloud_expect(struct local_cloud *lc, const struct local_id *ids, size_t n,
		       void (*warn)(void *data, const char *text), void *data, struct err *err)
{
	AUTO(json) json_t *request = json_pack("{s:s, s:[]}", "op", "expect", "ids");
	AUTO(json) json_t *answer = NULL;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(json_object_get(request, "ids"),
				      json_pack("{s:i, s:s, s:s?, s:s?}",
						"kind", (int)ids[i].kind,
						"id", ids[i].id,
						"region", ids[i].region,
						"hint", ids[i].hint));
	if (local_cloud_control(lc->dir, request, NULL, NULL, &answer, err) < 0)
		return -1;
	tell_all(json_object_get(answer, "warnings"), warn, data);
	return 0;
}

int local_cloud_notices(struct local_cloud *lc, const char *instance_id,
			void (*tell)(void *data, const char *text), void *data, struct err *err)
{
	AUTO(json) json_t *request = json_pack("{s:s, s:s}", "op", "notices",
					       "instance", instance_id);
	AUTO(json) json_t *answer = NULL;

	if (local_cloud_control(lc->dir, request, NULL, NULL, &answer, err) < 0)
		return -1;
	tell_all(json_object_get(answer, "notices"), tell, data);
	return 0;
}
