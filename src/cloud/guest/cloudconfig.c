/* The part of #cloud-config that ingot runs where the image has no cloud-init. A table says which
 * key is done when; a key without a row is named on the console, so that nothing is left out in
 * silence.
 */
#include "guest.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

struct config {
	yaml_document_t *doc;
	int log_fd;
};

static struct str scalar(const yaml_node_t *n)
{
	if (!n || n->type != YAML_SCALAR_NODE)
		return STR("");
	return (struct str){ (const char *)n->data.scalar.value, n->data.scalar.length };
}

static bool truth(const yaml_node_t *n)
{
	static const char *const words[] = { "true", "yes", "on", "1" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_ieqs(scalar(n), words[i]))
			return true;
	return false;
}

static yaml_node_t *node_at(const struct config *c, int index)
{
	return yaml_document_get_node(c->doc, index);
}

static yaml_node_t *member(const struct config *c, const yaml_node_t *map, const char *key)
{
	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
	     p++)
		if (str_eqs(scalar(node_at(c, p->key)), key))
			return node_at(c, p->value);
	return NULL;
}

static size_t length(const yaml_node_t *n)
{
	if (!n || n->type != YAML_SEQUENCE_NODE)
		return 0;
	return (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
}

static yaml_node_t *item(const struct config *c, const yaml_node_t *n, size_t i)
{
	return node_at(c, n->data.sequence.items.start[i]);
}

/* A word, or a list of words, with a separator between. */
static char *joined(const struct config *c, const yaml_node_t *n, const char *separator)
{
	AUTO(buf) struct buf out = BUF_INIT;

	buf_add_str(&out, scalar(n));
	for (size_t i = 0; i < length(n); i++) {
		buf_adds(&out, i ? separator : "");
		buf_add_str(&out, scalar(item(c, n, i)));
	}
	return buf_steal(&out);
}

static void run(const struct config *c, const char *const *argv)
{
	AUTO(err) struct err err = ERR_INIT;

	if (guest_run(argv, c->log_fd, &err) < 0) {
		err_prefix(&err, "user data");
		guest_say_err(&err);
	}
}

/* A string is for the shell; a list is a program and its arguments. */
static void run_command(const struct config *c, const yaml_node_t *n)
{
	const char *argv[64] = { "/bin/sh", "-c" };
	char *words[64] = { NULL };
	size_t count = length(n);

	if (!count) {
		auto_free char *text = joined(c, n, "");

		argv[2] = text;
		run(c, argv);
		return;
	}
	if (count >= ARRAY_LEN(argv)) {
		guest_say("user data: a command of more than %zu words is not run",
			  ARRAY_LEN(argv) - 1);
		return;
	}
	for (size_t i = 0; i < count; i++)
		argv[i] = words[i] = joined(c, item(c, n, i), "");
	argv[count] = NULL;
	run(c, argv);
	for (size_t i = 0; i < count; i++)
		free(words[i]);
}

static void do_commands(const struct config *c, const yaml_node_t *n)
{
	for (size_t i = 0; i < length(n); i++)
		run_command(c, item(c, n, i));
}

static void do_hostname(const struct config *c, const yaml_node_t *n)
{
	auto_free char *name = joined(c, n, "");

	name[strcspn(name, ".")] = '\0';
	if (*name)
		guest_set_hostname(name, true);
}

static void do_packages(const struct config *c, const yaml_node_t *n)
{
	static const char *const apt[] = { "apt-get", "-qq", "-y", "-o", "Dpkg::Use-Pty=0" };
	static const char *const yum[] = { "yum", "-q", "-y" };
	bool has_yum = guest_has("yum");
	size_t count = length(n), at = has_yum ? ARRAY_LEN(yum) : ARRAY_LEN(apt);
	auto_free const char **argv = xcalloc(at + 1 + count + 1, sizeof(*argv));

	if (!count)
		return;
	setenv("DEBIAN_FRONTEND", "noninteractive", 1);
	memcpy(argv, has_yum ? yum : apt, at * sizeof(*argv));
	argv[at++] = "install";
	/* A package is its name, or [name, version]. */
	for (size_t i = 0; i < count; i++)
		argv[at + i] = joined(c, item(c, n, i), "=");
	run(c, argv);
	for (size_t i = 0; i < count; i++)
		free((char *)argv[at + i]);
}

static void do_package_update(const struct config *c, const yaml_node_t *n)
{
	static const char *const argv[] = { "apt-get", "-qq", "update", NULL };

	if (truth(n))
		run(c, argv);
}

static void do_package_upgrade(const struct config *c, const yaml_node_t *n)
{
	static const char *const argv[] = {
		"apt-get", "-qq", "-y", "-o", "Dpkg::Use-Pty=0", "upgrade", NULL
	};

	setenv("DEBIAN_FRONTEND", "noninteractive", 1);
	if (truth(n))
		run(c, argv);
}

static void authorize(const struct config *c, const struct guest_account *a,
		      const yaml_node_t *keys)
{
	auto_free char *text = joined(c, keys, "\n");
	AUTO(err) struct err err = ERR_INIT;

	if (*text && guest_authorize(a, str_from(text), "", &err) < 0)
		guest_say_err(&err);
}

static void do_ssh_keys(const struct config *c, const yaml_node_t *n)
{
	struct guest_account a;

	if (guest_account_by_uid(1000, &a) || guest_account_by_uid(0, &a))
		authorize(c, &a, n);
}

static void do_ssh_pwauth(const struct config *c UNUSED, const yaml_node_t *n)
{
	const char *text =
		truth(n) ? "PasswordAuthentication yes\n" : "PasswordAuthentication no\n";
	AUTO(err) struct err err = ERR_INIT;

	if (os_write_file("/etc/ssh/sshd_config.d/50-cloud-init.conf", text, strlen(text), 0600,
			  &err) < 0)
		guest_say_err(&err);
}

/* false: root may log in with the key itself. */
static void do_disable_root(const struct config *c UNUSED, const yaml_node_t *n)
{
	AUTO(buf) struct buf key = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct guest_account root;

	if (truth(n) || !guest_account_by_uid(0, &root))
		return;
	if (unlink("/root/.ssh/authorized_keys") < 0 && errno != ENOENT)
		guest_say("/root/.ssh/authorized_keys: %s", strerror(errno));
	if (guest_imds("meta-data/public-keys/0/openssh-key", &key, &err) < 0 ||
	    guest_authorize(&root, buf_str(&key), "", &err) < 0)
		guest_say_err(&err);
}

/* useradd with what the entry says. */
static void add_user(const struct config *c, const yaml_node_t *n, const char *name)
{
	static const struct {
		const char *key, *flag;
	} options[] = { { "gecos", "-c" },  { "groups", "-G" },	       { "homedir", "-d" },
			{ "passwd", "-p" }, { "primary_group", "-g" }, { "shell", "-s" },
			{ "uid", "-u" } };
	const char *argv[32] = { "useradd" };
	char *values[ARRAY_LEN(options)] = { NULL };
	size_t at = 1;

	argv[at++] = truth(member(c, n, "no_create_home")) ? "-M" : "-m";
	if (truth(member(c, n, "system")))
		argv[at++] = "-r";
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const yaml_node_t *v = member(c, n, options[i].key);

		if (!v)
			continue;
		values[i] = joined(c, v, ",");
		/* "adm, sudo" is written too */
		for (char *from = values[i], *to = values[i]; streq(options[i].key, "groups");
		     from++) {
			if (*from != ' ')
				*to++ = *from;
			if (!*from)
				break;
		}
		argv[at++] = options[i].flag;
		argv[at++] = values[i];
	}
	if (!member(c, n, "shell")) {
		argv[at++] = "-s";
		argv[at++] = "/bin/bash";
	}
	argv[at++] = name;
	argv[at] = NULL;
	run(c, argv);
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		free(values[i]);
}

static void allow_sudo(const struct config *c, const yaml_node_t *rules, const char *name)
{
	auto_free char *path = xasprintf("/etc/sudoers.d/90-ingot-%s", name);
	AUTO(buf) struct buf out = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;

	if (scalar(rules).n && !str_ieqs(scalar(rules), "false"))
		buf_printf(&out, "%s " STR_FMT "\n", name, STR_ARG(scalar(rules)));
	for (size_t i = 0; i < length(rules); i++)
		buf_printf(&out, "%s " STR_FMT "\n", name, STR_ARG(scalar(item(c, rules, i))));
	if (out.n && os_write_file(path, out.p, out.n, 0440, &err) < 0)
		guest_say_err(&err);
}

static void do_users(const struct config *c, const yaml_node_t *n)
{
	static const char *const known[] = {
		"name",	  "gecos", "groups", "homedir",	       "passwd", "primary_group",
		"shell",  "uid",   "system", "no_create_home", "sudo",	 "lock_passwd",
		"ssh_authorized_keys", "ssh-authorized-keys",
	};

	for (size_t i = 0; i < length(n); i++) {
		const yaml_node_t *u = item(c, n, i);
		auto_free char *name = joined(c, member(c, u, "name"), "");
		struct guest_account a;

		if (!*name)
			continue; /* "default": it is there already */
		for (yaml_node_pair_t *p = u->data.mapping.pairs.start;
		     p < u->data.mapping.pairs.top; p++) {
			struct str key = scalar(node_at(c, p->key));
			bool found = false;

			for (size_t k = 0; k < ARRAY_LEN(known); k++)
				found = found || str_eqs(key, known[k]);
			if (!found)
				guest_say("user data: users: " STR_FMT
					  " is not supported and left out",
					  STR_ARG(key));
		}
		if (!guest_account_by_name(name, &a))
			add_user(c, u, name);
		if (!guest_account_by_name(name, &a))
			continue;
		allow_sudo(c, member(c, u, "sudo"), name);
		authorize(c, &a, member(c, u, "ssh_authorized_keys"));
		authorize(c, &a, member(c, u, "ssh-authorized-keys"));
	}
}

/* Takes off what the encoding says: base64, gzip, or gzip in base64. */
static int decode(struct str content, struct str encoding, struct buf *ret, struct err *err)
{
	static const char *const gunzip[] = { "gzip", "-dc", NULL };
	AUTO(buf) struct buf packed = BUF_INIT;

	if (!encoding.n || str_ieqs(encoding, "text/plain")) {
		buf_add_str(ret, content);
		return 0;
	}
	if (str_eqs(encoding, "gz") || str_eqs(encoding, "gzip")) {
		buf_add_str(&packed, content);
	} else if (str_eqs(encoding, "b64") || str_eqs(encoding, "base64")) {
		if (buf_add_unbase64(ret, str_trim(content)) < 0)
			return err_set(err, ERR_INVALID, "malformed base64 text");
		return 0;
	} else if (str_starts(encoding, "gz") && str_find(encoding, STR("64")) > 0) {
		if (buf_add_unbase64(&packed, str_trim(content)) < 0)
			return err_set(err, ERR_INVALID, "malformed base64 text");
	} else {
		return err_set(err, ERR_INVALID, "unknown encoding " STR_FMT, STR_ARG(encoding));
	}
	return guest_filter(gunzip, buf_str(&packed), ret, err);
}

static int write_file(const struct config *c, const yaml_node_t *n, const char *path,
		      struct err *err)
{
	auto_free char *owner = joined(c, member(c, n, "owner"), ""),
		       *mode = joined(c, member(c, n, "permissions"), "");
	auto_free char *dir = xstrdup(path);
	AUTO(buf) struct buf text = BUF_INIT;
	auto_fd int fd = -1;

	if (decode(scalar(member(c, n, "content")), scalar(member(c, n, "encoding")), &text, err) <
	    0)
		return -1;
	dir[os_basename(path) - path] = '\0';
	if (*dir && os_mkdir_all(dir, 0755, err) < 0)
		return -1;
	fd = open(path,
		  O_WRONLY | O_CREAT | O_CLOEXEC |
			  (truth(member(c, n, "append")) ? O_APPEND : O_TRUNC),
		  0644);
	if (fd < 0 || os_write_all(fd, text.p, text.n) < 0)
		return err_errno(err, errno, "writing");
	if (*mode && fchmod(fd, (mode_t)strtoul(mode + strspn(mode, "o"), NULL, 8)) < 0)
		return err_errno(err, errno, "setting permissions %s", mode);
	if (*owner) {
		const char *argv[] = { "chown", owner, path, NULL };

		return guest_run(argv, c->log_fd, err);
	}
	return 0;
}

static void do_write_files(const struct config *c, const yaml_node_t *n)
{
	for (size_t i = 0; i < length(n); i++) {
		auto_free char *path = joined(c, member(c, item(c, n, i), "path"), "");
		AUTO(err) struct err err = ERR_INIT;

		if (*path != '/') {
			guest_say("user data: write_files: entry %zu has no absolute path", i + 1);
		} else if (write_file(c, item(c, n, i), path, &err) < 0) {
			err_prefix(&err, "user data: write_files: %s", path);
			guest_say_err(&err);
		}
	}
}

/* In the order in which they are done. */
static const struct {
	const char *key;
	bool late;
	void (*run)(const struct config *c, const yaml_node_t *n);
} keys[] = {
	{ "bootcmd", false, do_commands },
	{ "hostname", false, do_hostname },
	{ "fqdn", false, do_hostname },
	{ "write_files", false, do_write_files },
	{ "users", false, do_users },
	{ "ssh_authorized_keys", false, do_ssh_keys },
	{ "ssh_pwauth", false, do_ssh_pwauth },
	{ "disable_root", false, do_disable_root },
	{ "package_update", true, do_package_update },
	{ "package_upgrade", true, do_package_upgrade },
	{ "packages", true, do_packages },
	{ "runcmd", true, do_commands },
};

static void name_unknown(const struct config *c, const yaml_node_t *root)
{
	for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top;
	     p++) {
		struct str key = scalar(node_at(c, p->key));
		bool known = false;

		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			known = known || str_eqs(key, keys[i].key);
		if (!known)
			guest_say("user data: #cloud-config: " STR_FMT
				  " is not supported and left out",
				  STR_ARG(key));
	}
}

void guest_cloud_config(struct str text, bool late, int log_fd)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	struct config c = { &doc, log_fd };
	yaml_node_t *root;

	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
	if (!yaml_parser_load(&parser, &doc)) {
		guest_say("user data: #cloud-config: line %zu: %s", parser.problem_mark.line + 1,
			  parser.problem ? parser.problem : "no YAML");
		yaml_parser_delete(&parser);
		return;
	}
	root = yaml_document_get_root_node(&doc);
	if (root && root->type == YAML_MAPPING_NODE) {
		if (!late)
			name_unknown(&c, root);
		for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
			yaml_node_t *n = member(&c, root, keys[i].key);

			if (n && keys[i].late == late)
				keys[i].run(&c, n);
		}
	} else if (root) {
		guest_say("user data: #cloud-config: not a map of keys");
	}
	yaml_document_delete(&doc);
	yaml_parser_delete(&parser);
}
