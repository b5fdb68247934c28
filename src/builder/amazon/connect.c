/* Reaching the instance: which of its addresses, what its console says, and the steps around the
 * provisioners. */
#include "builder/amazon/local.h"
#include "builder/amazon/steps.h"

#include "communicator/connect.h"

/* "" where the interface has no address. */
static const char *interface_address(const struct amazon *s)
{
	const struct ec2_instance *i = &s->instance;
	const char *name = s->run->ssh_interface;

	if (s->b->run->local)
		return *i->public_ip ? i->public_ip : i->private_ip;
	if (!name && !*i->public_ip)
		return *i->private_ip ? i->private_ip : i->public_dns;
	if (!name)
		return i->public_ip;
	if (streq(name, "public_ip"))
		return i->public_ip;
	if (streq(name, "private_ip"))
		return i->private_ip;
	if (streq(name, "public_dns"))
		return i->public_dns;
	if (streq(name, "private_dns"))
		return i->private_dns;
	return i->ipv6;
}

static int address(void *data, char **ret_host, int64_t *ret_port, struct err *err)
{
	struct amazon *s = data;
	const char *fixed = s->b->run->local ? NULL : comm_config_host(s->comm);
	const char *host = given(fixed) ? fixed : interface_address(s);

	if (!*host) {
		if (ec2_get_instance(&s->ec2, s->instance.id, &s->instance, err) < 0)
			return -1;
		host = interface_address(s);
	}
	if (!*host)
		return err_set(err, ERR_AGAIN,
			       "instance %s has no %s yet (ssh_interface can choose another "
			       "address)",
			       s->instance.id,
			       s->run->ssh_interface ? s->run->ssh_interface : "address");
	s->host = host;
	*ret_host = xstrdup(host);
	if (s->b->run->local)
		*ret_port = amazon_local_port(s, host, *ret_port);
	return 0;
}

static int console(void *data, struct buf *ret, struct err *err)
{
	struct amazon *s = data;
	const char *text;

	if (ec2_console_output(&s->ec2, s->instance.id, true, &text, err) < 0) {
		err_release(err);
		if (ec2_console_output(&s->ec2, s->instance.id, false, &text, err) < 0)
			return -1;
	}
	buf_adds(ret, text);
	return 0;
}

void amazon_console_keys(struct str text, struct buf *ret)
{
	size_t whole = ret->n;
	struct str line;
	bool inside = false;

	while (str_split(&text, '\n', &line)) {
		line = str_trim(line);
		if (str_find(line, STR("BEGIN SSH HOST KEY KEYS")) >= 0) {
			inside = true;
		} else if (str_find(line, STR("END SSH HOST KEY KEYS")) >= 0) {
			inside = false;
			whole = ret->n;
		} else if (inside) {
			buf_printf(ret, STR_FMT "\n", STR_ARG(line));
		}
	}
	buf_truncate(ret, whole);
}

static int host_keys(void *data, struct buf *ret, struct err *err UNUSED)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(err) struct err why = ERR_INIT;

	if (console(data, &text, &why) == 0)
		amazon_console_keys(buf_str(&text), ret);
	return 0;
}

static void unreachable(void *data, const char *host UNUSED)
{
	amazon_widen(data);
}

int amazon_connect(struct build *b, void *state, struct err *err)
{
	struct amazon *s = state;
	/* A simulator's console says nothing about the machine that is connected to. */
	bool real = b->run->local || !aws_session_is_custom(s->session, "ec2");
	const struct comm_target target = {
		.address = address,
		.console = console,
		.host_keys = real ? host_keys : NULL,
		.unreachable = unreachable,
		.data = s,
		.private_key = s->key_pem,
	};

	return comm_connect(b, b->run->local ? amazon_local_comm(s) : s->comm, &target, err);
}

void amazon_connect_undo(struct build *b, void *state UNUSED, bool failed UNUSED)
{
	comm_disconnect(b);
}

int amazon_source_values(struct build *b UNUSED, void *state, struct err *err UNUSED)
{
	amazon_set_source_values(state);
	return 0;
}

int amazon_clear_keys(struct build *b, void *state, struct err *err UNUSED)
{
	struct amazon *s = state;

	amazon_local_notices(s);
	if (s->key && s->key->id)
		comm_clear_temporary_key(b, s->comm, s->key_name);
	return 0;
}
