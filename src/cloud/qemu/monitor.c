/* The monitor of a machine: JSON lines, one command at a time, events in between (QEMU QMP
 * reference). */
#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"
#include "base/str.h"
#include "cloud/qemu/qemu.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MS 30000
#define DEVICE_MS 60000 /* an emulated guest under load takes its time */

static void on_event(struct instance *i, const char *name, json_t *data)
{
	const char *reason = json_string_value(json_object_get(data, "reason"));
	const char *device = json_string_value(json_object_get(data, "device"));

	if (streq(name, "SHUTDOWN") && streq(reason, "guest-reset"))
		i->reboots = true;
	if (streq(name, "DEVICE_DELETED") && device) {
		free(i->deleted);
		i->deleted = xstrdup(device);
	}
}

static void on_line(struct instance *i, struct str line)
{
	json_t *message = json_loadb(line.p, line.n, 0, NULL);
	const char *event = json_string_value(json_object_get(message, "event"));

	if (event)
		on_event(i, event, json_object_get(message, "data"));
	else if (message && !i->reply)
		i->reply = json_incref(message);
	json_decref(message);
}

void qemu_monitor_read(struct instance *i)
{
	char chunk[16384];
	ssize_t n = recv(i->monitor, chunk, sizeof(chunk), MSG_DONTWAIT);
	ptrdiff_t end;

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			fd_close(&i->monitor);
		return;
	}
	buf_add(&i->monitor_in, chunk, (size_t)n);
	while ((end = str_find(buf_str(&i->monitor_in), STR("\n"))) >= 0) {
		on_line(i, str_slice(buf_str(&i->monitor_in), 0, (size_t)end));
		buf_remove(&i->monitor_in, 0, (size_t)end + 1);
	}
}

void qemu_monitor_reset(struct instance *i)
{
	json_decref(i->reply);
	i->reply = NULL;
	buf_reset(&i->monitor_in);
}

static int await_reply(struct instance *i, json_t **ret, struct err *err)
{
	int64_t deadline = clock_ms() + ANSWER_MS;

	while (!i->reply && !i->exited && i->monitor >= 0)
		if (qemu_pump(i, deadline) < 0)
			return err_set(err, ERR_TIMEOUT,
				       "the virtual machine's monitor does not answer");
	if (!i->reply)
		return err_set(err, ERR_LOST, "the virtual machine has ended");
	*ret = i->reply;
	i->reply = NULL;
	return 0;
}

/* Takes the arguments over. */
static int command(struct instance *i, const char *name, json_t *arguments, json_t **ret,
		   struct err *err)
{
	json_t *message = json_pack("{s:s}", "execute", name), *reply = NULL, *error;
	auto_free char *text = NULL;

	if (arguments)
		json_object_set_new(message, "arguments", arguments);
	text = json_dumps(message, JSON_COMPACT);
	json_decref(message);
	if (i->monitor < 0 || os_write_all(i->monitor, text, strlen(text)) < 0 ||
	    os_write_all(i->monitor, "\n", 1) < 0)
		return err_set(err, ERR_LOST, "the virtual machine has ended");
	if (await_reply(i, &reply, err) < 0)
		return -1;
	error = json_object_get(reply, "error");
	if (error) {
		err_set(err, ERR_REMOTE, "qemu: %s: %s", name,
			json_string_value(json_object_get(error, "desc")));
		json_decref(reply);
		return -1;
	}
	if (ret)
		*ret = json_incref(json_object_get(reply, "return"));
	json_decref(reply);
	return 0;
}

int qemu_monitor_hello(struct instance *i, struct err *err)
{
	json_t *greeting;

	if (await_reply(i, &greeting, err) < 0)
		return -1;
	json_decref(greeting);
	return command(i, "qmp_capabilities", NULL, NULL, err);
}

int qemu_monitor_simple(struct instance *i, const char *name, struct err *err)
{
	return command(i, name, NULL, NULL, err);
}

/* The human monitor's text, for what has no command of its own. */
static int human(struct instance *i, const char *line, char **ret, struct err *err)
{
	json_t *answer;

	if (command(i, "human-monitor-command", json_pack("{s:s}", "command-line", line), &answer,
		    err) < 0)
		return -1;
	*ret = xstrdup(json_string_value(answer) ? json_string_value(answer) : "");
	(*ret)[strcspn(*ret, "\r\n")] = '\0';
	json_decref(answer);
	return 0;
}

int qemu_attach(struct instance *i, const struct instance_disk *d, struct err *err)
{
	auto_free char *id = xasprintf("disk-%s", d->volume);
	const char *name = os_basename(d->device);
	AUTO(err) struct err ignored = ERR_INIT;
	int64_t deadline = clock_ms() + DEVICE_MS;

	if (command(i, "blockdev-add",
		    json_pack("{s:s,s:s,s:s,s:s,s:{s:b},s:{s:s,s:s,s:s}}",
			      "driver", "raw",
			      "node-name", d->volume,
			      "discard", "unmap",
			      "detect-zeroes", "unmap",
			      "cache", "no-flush", 1,
			      "file", "driver", "file", "locking", "off", "filename", d->path),
		    NULL, err) < 0)
		return -1;
	free(steal(i->arrived));
	if (command(i, "device_add",
		    json_pack("{s:s,s:s,s:s,s:s,s:s}",
			      "driver", "scsi-hd",
			      "bus", "scsi.0",
			      "drive", d->volume,
			      "id", id,
			      "serial", name),
		    NULL, err) < 0) {
		command(i, "blockdev-del", json_pack("{s:s}", "node-name", d->volume), NULL,
			&ignored);
		return -1;
	}
	/* The agent tells when the node is there; a guest without one gets it in its own time. */
	while (i->agent_there && !i->exited && !streq(i->arrived, name))
		if (qemu_pump(i, deadline) < 0)
			break;
	return 0;
}

int qemu_detach(struct instance *i, const char *volume, struct err *err)
{
	auto_free char *id = xasprintf("disk-%s", volume);
	int64_t deadline = clock_ms() + DEVICE_MS;

	free(steal(i->deleted));
	if (command(i, "device_del", json_pack("{s:s}", "id", id), NULL, err) < 0)
		return -1;
	while (!i->exited && !streq(i->deleted, id))
		if (qemu_pump(i, deadline) < 0)
			return err_set(err, ERR_TIMEOUT,
				       "the instance does not let go of %s: is it mounted there?",
				       volume);
	return command(i, "blockdev-del", json_pack("{s:s}", "node-name", volume), NULL, err);
}

static bool forward_port(struct instance *i, uint16_t host_port, uint16_t port)
{
	struct forward f = { xasprintf("tcp:%s:%u", i->spec.public_ip, host_port), port, true };
	auto_free char *line = xasprintf("hostfwd_add net %s-" QEMU_GUEST_ADDRESS ":%u", f.host,
					 port),
		       *answer = NULL;
	AUTO(err) struct err err = ERR_INIT;

	if (human(i, line, &answer, &err) < 0 || *answer) {
		log_line("cloud: %s: %s: %s", i->spec.id, f.host, answer ? answer : err.msg);
		free(f.host);
		return false;
	}
	vec_push(&i->forwards, f);
	return true;
}

static bool has_forward(struct instance *i, uint16_t port)
{
	bool found = false;

	for (size_t n = 0; n < i->forwards.n; n++) {
		if (i->forwards.v[n].port != port)
			continue;
		i->forwards.v[n].kept = true;
		found = true;
	}
	return found;
}

void qemu_set_forwards(struct instance *i, const struct instance_port *p, size_t n)
{
	if (!i->spec.public_ip)
		return;
	for (size_t k = 0; k < i->forwards.n; k++)
		i->forwards.v[k].kept = false;
	for (size_t k = 0; k < n; k++) {
		for (unsigned port = p[k].from; port <= p[k].to && port < p[k].from + 64u; port++) {
			if (has_forward(i, (uint16_t)port) ||
			    forward_port(i, (uint16_t)port, (uint16_t)port))
				continue;
			if (port < 1024)
				forward_port(i, (uint16_t)(port + QEMU_PORT_SHIFT), (uint16_t)port);
		}
	}
	for (size_t k = i->forwards.n; k-- > 0;) {
		auto_free char *line = NULL, *answer = NULL;
		AUTO(err) struct err err = ERR_INIT;

		if (i->forwards.v[k].kept)
			continue;
		line = xasprintf("hostfwd_remove net %s", i->forwards.v[k].host);
		if (human(i, line, &answer, &err) < 0)
			log_line("cloud: %s: %s", i->spec.id, err.msg);
		free(i->forwards.v[k].host);
		vec_remove(&i->forwards, k);
	}
}
