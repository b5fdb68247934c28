/* The public address of an instance: a listener for each open TCP port, relayed to its private
 * address. */
#include "base/clock.h"
#include "cloud/container/container.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long after its start a connection waits for a service that is not there yet. */
#define BOOT_MS 30000
#define PATIENCE_MS 10000

static void port_accepted(void *data, int fd)
{
	struct port_listener *l = data;
	struct machine *i = l->instance;
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(l->port),
				  .sin_addr = i->private_ip };
	int64_t now = clock_ms(), booted = i->booted_ms;

	relay_connect(i->backend->relay, i, fd, i->vpc, to,
		      now < booted + BOOT_MS ? now + PATIENCE_MS : now);
}

static bool is_wanted(const struct machine *i, uint16_t port)
{
	for (size_t k = 0; k < i->want_ports.n; k++) {
		const struct instance_port *p = &i->want_ports.v[k];

		if (port >= p->from && port <= p->to)
			return true;
	}
	return false;
}

static bool has_port(const struct machine *i, uint16_t port)
{
	for (size_t k = 0; k < i->ports.n; k++)
		if (i->ports.v[k]->port == port)
			return true;
	return false;
}

static int open_port(struct machine *i, uint16_t port, struct err *err)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr = i->public_ip };
	auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct port_listener *l;
	int one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 128) < 0) {
		char text[INET_ADDRSTRLEN];

		return err_errno(err, errno, "listening on %s:%u",
				 inet_ntop(AF_INET, &i->public_ip, text, sizeof(text)), port);
	}
	l = xmalloc(sizeof(*l));
	*l = (struct port_listener){ i, port, NULL };
	vec_push(&i->ports, l);
	l->listener = relay_listen(i->backend->relay, i, steal_fd(fd), port_accepted, l);
	return 0;
}

static void close_port(struct machine *i, size_t at)
{
	struct port_listener *l = i->ports.v[at];

	vec_remove(&i->ports, at);
	relay_unlisten(i->backend->relay, l->listener);
	free(l);
}

static int open_range(struct machine *i, struct instance_port p, struct err *err)
{
	for (unsigned port = MAX(p.from, 1u); port <= p.to; port++)
		if (!has_port(i, (uint16_t)port) && open_port(i, (uint16_t)port, err) < 0)
			return -1;
	return 0;
}

int machine_open_ports(struct machine *i, struct err *err)
{
	if (!i->public_ip.s_addr || !i->has_address)
		return 0;
	for (size_t k = i->ports.n; k-- > 0;)
		if (!is_wanted(i, i->ports.v[k]->port))
			close_port(i, k);
	for (size_t k = 0; k < i->want_ports.n; k++)
		if (open_range(i, i->want_ports.v[k], err) < 0)
			return -1;
	return 0;
}

int machine_set_ports(struct machine *i, const struct instance_port *p, size_t n, struct err *err)
{
	i->want_ports.n = 0;
	for (size_t k = 0; k < n; k++)
		vec_push(&i->want_ports, p[k]);
	return machine_open_ports(i, err);
}

void machine_close_ports(struct machine *i)
{
	pthread_mutex_lock(&i->lock);
	while (i->ports.n)
		close_port(i, i->ports.n - 1);
	vec_release(&i->ports);
	vec_release(&i->want_ports);
	pthread_mutex_unlock(&i->lock);
}
