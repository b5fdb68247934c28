/* cloud up: starts the daemon in the background and returns when it is ready. */
#include "command/cloud_common.h"
#include "command/ui.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/os.h"
#include "base/str.h"
#include "cloud/daemon.h"
#include "cloud/local.h"
#include "cloud/owned.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define DEFAULT_PORT 4599
#define MIB ((uint64_t)1 << 20)

/* Lines from the daemon to the command that started it, over a pipe: the first byte tells what
 * follows. */
enum { LINE_PROGRESS = '.', LINE_READY = '+', LINE_FAILED = '-', LINE_OTHER = '=' };

/* Another daemon of the same data directory was faster, or is ending just now. */
enum { START_OTHER = -1 };
#define OTHER_MS (15 * 60 * 1000)

struct reporting {
	const struct invocation *in;
	int fd; /* -1: in the foreground */
};

/* False: the one who asked has gone. */
static bool send_line(int fd, char kind, const char *text)
{
	AUTO(buf) struct buf b = BUF_INIT;

	buf_addc(&b, kind);
	for (; *text; text++)
		buf_addc(&b, *text == '\n' ? ' ' : *text);
	buf_addc(&b, '\n');
	return os_write_all(fd, b.p, b.n) == 0;
}

static void on_progress(void *data, const char *text)
{
	struct reporting *r = data;

	if (r->fd >= 0)
		send_line(r->fd, LINE_PROGRESS, text);
	else
		ui_say(r->in, "%s", text);
}

static bool on_ready(void *data, const char *endpoint)
{
	struct reporting *r = data;
	bool heard;

	if (r->fd < 0) {
		ui_say(r->in, "The local cloud is up at %s; Ctrl-C stops it.", endpoint);
		return true;
	}
	heard = send_line(r->fd, LINE_READY, endpoint);
	fd_close(&r->fd);
	return heard;
}

/* --- flags ---------------------------------------------------------- */

static int parse_listen(const char *text, struct cloud_config *c, struct err *err)
{
	const char *colon = strrchr(text, ':');
	struct in_addr address;
	int64_t port;

	if (!colon || !parse_i64(str_from(colon + 1), &port) || port < 0 || port > 65535)
		return err_set(err, ERR_INVALID,
			       "-listen %s: must be an address and a port, such as 127.0.0.1:%d",
			       text, DEFAULT_PORT);
	c->listen = xstrndup(text, (size_t)(colon - text));
	if (inet_pton(AF_INET, c->listen, &address) != 1 || ntohl(address.s_addr) >> 24 != 127)
		return err_set(err, ERR_INVALID,
			       "-listen %s: must be a loopback address, 127.x.y.z, because every "
			       "host of the network could use the local cloud otherwise",
			       text);
	c->port = (uint16_t)port;
	return 0;
}

static int parse_net(const char *text, enum net_policy *ret, struct err *err)
{
	static const char *const names[] = {
		[NET_MIRROR] = "mirror", [NET_ANY] = "any", [NET_NONE] = "none"
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (streq(names[i], text)) {
			*ret = (enum net_policy)i;
			return 0;
		}
	return err_set(err, ERR_INVALID, "-net %s: must be mirror, any or none", text);
}

/* Under sudo the caller owns the data directory. */
static void find_owner(struct cloud_config *c)
{
	int64_t uid, gid;

	c->owner = geteuid();
	c->owner_group = getegid();
	if (geteuid() != 0 || !os_env("SUDO_UID") || !os_env("SUDO_GID"))
		return;
	if (parse_i64(str_from(os_env("SUDO_UID")), &uid) &&
	    parse_i64(str_from(os_env("SUDO_GID")), &gid) && uid > 0) {
		c->owner = (uid_t)uid;
		c->owner_group = (gid_t)gid;
	}
}

static int read_flags(const struct invocation *in, struct cloud_config *c, struct err *err)
{
	int64_t delay, instances = flags_int(in->flags, "max-instances"),
		       memory = flags_int(in->flags, "max-memory");
	const char *faults = flags_string(in->flags, "faults");

	*c = (struct cloud_config){ .session = flags_bool(in->flags, "session"),
				    .port_default = !flags_given(in->flags, "listen") };
	if (parse_listen(flags_string(in->flags, "listen"), c, err) < 0 ||
	    parse_net(flags_string(in->flags, "net"), &c->net, err) < 0 ||
	    (faults && cloud_read_faults(faults, &c->faults, err) < 0))
		return -1;
	if (!clock_parse_duration(str_from(flags_string(in->flags, "state-delay")), &delay) ||
	    delay < 0)
		return err_set(err, ERR_INVALID,
			       "-state-delay %s: must be a duration, such as 500ms, or 0",
			       flags_string(in->flags, "state-delay"));
	if (instances < 1 || memory < 0)
		return err_set(err, ERR_INVALID,
			       "-max-instances must be at least 1, -max-memory at least 0");
	c->delay_ms = delay / 1000000;
	c->max_instances = (unsigned)instances;
	c->max_memory = (uint64_t)memory * MIB;
	c->backend = xstrdup(flags_string(in->flags, "backend"));
	c->data_dir = cloud_data_dir(in->flags);
	find_owner(c);
	return 0;
}

static void config_release(struct cloud_config *c)
{
	free(c->data_dir);
	free(c->listen);
	free(c->backend);
	json_decref(c->faults);
}
DEFINE_AUTO(config, struct cloud_config, config_release);

/* --- starting ------------------------------------------------------- */

static json_t *running_info(const char *dir)
{
	AUTO(err) struct err err = ERR_INIT;
	json_t *request = json_pack("{s:s}", "op", "info"), *info = NULL;

	if (local_cloud_control(dir, request, NULL, NULL, &info, &err) < 0)
		info = NULL;
	json_decref(request);
	return info;
}

static int already_up(const struct invocation *in, const json_t *info, json_t *faults)
{
	int code = 0;

	ui_say(in, "The local cloud is already up at %s (backend %s).",
	       cloud_text(info, "endpoint"), cloud_text(info, "backend"));
	/* One that builds have started stays from now on, unless it is a build that asks. */
	if (!flags_bool(in->flags, "session"))
		json_decref(cloud_ask(in, json_pack("{s:s}", "op", "keep"), &code));
	if (!code && faults)
		json_decref(cloud_ask(
			in, json_pack("{s:s, s:O}", "op", "faults", "plan", faults), &code));
	return code;
}

/* The daemon itself: its output is the log file of the data directory. */
static void become_daemon(const struct cloud_config *c)
{
	auto_free char *log = os_path_join(c->data_dir, "cloud.log");
	int null = open("/dev/null", O_RDWR | O_CLOEXEC),
	    out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	setsid();
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(out >= 0 ? out : null, STDOUT_FILENO);
	dup2(out >= 0 ? out : null, STDERR_FILENO);
	fd_close(&null);
	fd_close(&out);
	if (chdir("/") < 0)
		return; /* then some directory stays in use */
}

static int run_daemon(const struct cloud_config *c, struct reporting *r)
{
	AUTO(err) struct err err = ERR_INIT;

	if (daemon_run(c, on_progress, on_ready, r, &err) == 0)
		return 0;
	if (r->fd >= 0)
		send_line(r->fd,
			  err.code == ERR_EXISTS && strstr(err.msg, "running already")
				  ? LINE_OTHER
				  : LINE_FAILED,
			  err.msg);
	else
		ui_error(r->in, "%s", err.msg);
	return 1;
}

/* Passes on what the daemon says until it is ready or has failed: 0, 1 or START_OTHER. */
static int watch_start(const struct invocation *in, int fd, char **ret_endpoint)
{
	FILE *f = fdopen(fd, "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int result = -1, other = 0;

	while (f && result < 0 && !other && (n = getline(&line, &cap, f)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == LINE_PROGRESS) {
			ui_say(in, "%s", line + 1);
		} else if (line[0] == LINE_READY) {
			*ret_endpoint = xstrdup(line + 1);
			result = 0;
		} else if (line[0] == LINE_OTHER) {
			other = 1;
		} else {
			ui_error(in, "%s", line + 1);
			result = 1;
		}
	}
	free(line);
	if (f)
		fclose(f);
	if (other)
		return START_OTHER;
	if (result < 0)
		ui_error(in, "The local cloud stopped before it was ready; see cloud.log in its "
			     "data directory.");
	return result != 0;
}

/* What runs, once it answers; NULL when nothing runs. One that is starting or ending is waited for.
 */
static json_t *settled_info(const struct invocation *in, const char *dir)
{
	int64_t end = clock_ms() + OTHER_MS;
	bool told = false;
	json_t *info;

	while (!(info = running_info(dir)) && !daemon_gone(dir, 100) && clock_ms() < end) {
		if (!told)
			ui_say(in,
			       "Waiting for another local cloud in %s that is starting or "
			       "stopping.",
			       dir);
		told = true;
	}
	return info;
}

static int start(const struct invocation *in, const struct cloud_config *c, char **ret_endpoint)
{
	struct reporting r = { .in = in, .fd = -1 };
	AUTO(err) struct err err = ERR_INIT;
	int fds[2], code;
	pid_t pid;

	if (owned_dir_make(c->data_dir, c->owner, c->owner_group, &err) < 0 ||
	    pipe2(fds, O_CLOEXEC) < 0) {
		ui_error(in, "%s", err_any(&err) ? err.msg : strerror(errno));
		return 1;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		fd_close(&fds[0]);
		r.fd = fds[1];
		become_daemon(c);
		code = run_daemon(c, &r);
		fd_close(&r.fd);
		exit(code);
	}
	fd_close(&fds[1]);
	if (pid < 0) {
		fd_close(&fds[0]);
		ui_error(in, "Cannot start the daemon: %s", strerror(errno));
		return 1;
	}
	return watch_start(in, fds[0], ret_endpoint);
}

static int run_foreground(const struct invocation *in, const struct cloud_config *c)
{
	struct reporting r = { .in = in, .fd = -1 };

	return run_daemon(c, &r);
}

static int run(const struct invocation *in)
{
	AUTO(config) struct cloud_config c = { 0 };
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *endpoint = NULL;
	json_t *info;
	int code;

	if (read_flags(in, &c, &err) < 0) {
		ui_error(in, "%s", err.msg);
		return 1;
	}
	do {
		info = settled_info(in, c.data_dir);
		if (info)
			break;
		if (flags_bool(in->flags, "foreground"))
			return run_foreground(in, &c);
		code = start(in, &c, &endpoint);
	} while (code == START_OTHER);
	if (info) {
		code = already_up(in, info, c.faults);
		json_decref(info);
	} else if (code == 0 && !flags_bool(in->flags, "session")) {
		ui_say(in,
		       "The local cloud is up at %s.\nFor other AWS clients: eval \"$(%s cloud "
		       "env)\"; `%s cloud down` stops it.",
		       endpoint, in->program, in->program);
	}
	return code;
}

static const struct flag flags[] = {
	CLOUD_DATA_FLAG,
	{ "listen", FLAG_STRING, "address:port", .def = "127.0.0.1:4599",
	  .doc = "Address of the API; loopback only. If the default port is taken, the next free "
		 "one is used; port 0 picks any free port." },
	{ "backend", FLAG_STRING, "name", .def = "auto",
	  .doc = "How instances run: container (needs root), qemu (slow, needs no root), auto "
		 "(container where possible), or none (instances have states but nothing boots; "
		 "for API tests)." },
	{ "net", FLAG_STRING, "policy", .def = "mirror",
	  .doc = "What instances can reach: mirror (the host's package mirrors), any (all HTTP "
		 "and HTTPS hosts), or none." },
	{ "faults", FLAG_STRING, "file",
	  .doc = "Fault plan to start with (see `ingot cloud faults -h`)." },
	{ "state-delay", FLAG_STRING, "duration", .def = "1s",
	  .doc = "Minimum time spent in each transitional state (pending, stopping…); 0 for "
		 "tests." },
	{ "max-instances", FLAG_INT, "n", .def = "100",
	  .doc = "Maximum number of running instances." },
	{ "max-memory", FLAG_INT, "MiB", .def = "0",
	  .doc = "Maximum memory of all running instances together; 0 means twice the machine's "
		 "memory." },
	{ "foreground", FLAG_BOOL, .doc = "Stay in the foreground until Ctrl-C." },
	{ "session", FLAG_BOOL, .doc = "Stop when the last build that uses it ends.",
	  .hidden = true },
};

const struct command command_cloud_up = {
	.name = "up",
	.parent = "cloud",
	.arguments = "[options]",
	.summary = "Start the local cloud",
	.description = "Starts the local cloud in the background and returns once it answers. "
		       "The first start makes the base images, which takes a minute or two. If "
		       "the local cloud is already up, it says so and exits with status 0.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.run = run,
};
