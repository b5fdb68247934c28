/* Device rules for cgroup v2: a BPF program of a few instructions that looks block devices up in a
 * table, so that partitions can come and go while the instance runs.
 *
 * Written in instructions rather than with a compiler: it has one rule after the other, as the
 * table `always` lists them, then the look-up.
 */
#include "cloud/container/cgroup.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TABLE_MAX 1024
#define CODE_MAX 128

struct cgroup_bpf {
	int program, table;
};

struct key {
	uint32_t major, minor;
};

static int bpf(int cmd, union bpf_attr *a)
{
	return (int)syscall(SYS_bpf, cmd, a, sizeof(*a));
}

struct code {
	struct bpf_insn v[CODE_MAX];
	int n;
};

static void emit(struct code *c, uint8_t op, int dst, int src, int off, int32_t imm)
{
	c->v[c->n++] = (struct bpf_insn){ .code = op,
					  .dst_reg = (uint8_t)(dst & 15),
					  .src_reg = (uint8_t)(src & 15),
					  .off = (int16_t)off,
					  .imm = imm };
}

/* Characters that every instance may use: what the kernel itself answers. minor -1: all. */
static const struct {
	int major, minor;
} always[] = {
	{ 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 }, { 1, 9 }, /* null zero full random urandom */
	{ 5, 0 }, { 5, 1 }, { 5, 2 },			  /* tty console ptmx */
	{ 136, -1 },					  /* pts */
};

enum { R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 };

static void emit_return(struct code *c, int value)
{
	emit(c, BPF_ALU64 | BPF_MOV | BPF_K, R0, 0, 0, value);
	emit(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* R2: type, R3: access, R4: major, R5: minor. */
static void emit_always(struct code *c)
{
	/* Only mknod: making nodes is harmless, opening them is checked again. */
	emit(c, BPF_JMP | BPF_JNE | BPF_K, R3, 0, 2, BPF_DEVCG_ACC_MKNOD);
	emit_return(c, 1);
	for (size_t i = 0; i < ARRAY_LEN(always); i++) {
		bool all = always[i].minor < 0;

		emit(c, BPF_JMP | BPF_JNE | BPF_K, R2, 0, all ? 3 : 4, BPF_DEVCG_DEV_CHAR);
		emit(c, BPF_JMP | BPF_JNE | BPF_K, R4, 0, all ? 2 : 3, always[i].major);
		if (!all)
			emit(c, BPF_JMP | BPF_JNE | BPF_K, R5, 0, 2, always[i].minor);
		emit_return(c, 1);
	}
}

static void emit_lookup(struct code *c, int table)
{
	emit(c, BPF_JMP | BPF_JEQ | BPF_K, R2, 0, 2, BPF_DEVCG_DEV_BLOCK);
	emit_return(c, 0);
	emit(c, BPF_STX | BPF_MEM | BPF_W, R10, R4, -8, 0);
	emit(c, BPF_STX | BPF_MEM | BPF_W, R10, R5, -4, 0);
	emit(c, BPF_ALU64 | BPF_MOV | BPF_X, R2, R10, 0, 0);
	emit(c, BPF_ALU64 | BPF_ADD | BPF_K, R2, 0, 0, -8);
	emit(c, BPF_LD | BPF_DW | BPF_IMM, R1, BPF_PSEUDO_MAP_FD, 0, table);
	emit(c, 0, 0, 0, 0, 0);
	emit(c, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	emit(c, BPF_JMP | BPF_JNE | BPF_K, R0, 0, 2, 0);
	emit_return(c, 0);
	emit_return(c, 1);
}

static int load(int table)
{
	struct code c = { .n = 0 };
	union bpf_attr a = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE };

	/* access_type: the kind of device in the low half, what is wanted in the high one. */
	emit(&c, BPF_LDX | BPF_MEM | BPF_W, R2, R1,
	     offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	emit(&c, BPF_ALU64 | BPF_MOV | BPF_X, R3, R2, 0, 0);
	emit(&c, BPF_ALU64 | BPF_AND | BPF_K, R2, 0, 0, 0xffff);
	emit(&c, BPF_ALU64 | BPF_RSH | BPF_K, R3, 0, 0, 16);
	emit(&c, BPF_LDX | BPF_MEM | BPF_W, R4, R1, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	emit(&c, BPF_LDX | BPF_MEM | BPF_W, R5, R1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
	emit_always(&c);
	emit_lookup(&c, table);
	a.insns = (uintptr_t)c.v;
	a.insn_cnt = (uint32_t)c.n;
	a.license = (uintptr_t) "Apache-2.0";
	return bpf(BPF_PROG_LOAD, &a);
}

static int new_table(void)
{
	union bpf_attr a = { .map_type = BPF_MAP_TYPE_HASH,
			     .key_size = sizeof(struct key),
			     .value_size = 1,
			     .max_entries = TABLE_MAX };

	return bpf(BPF_MAP_CREATE, &a);
}

bool cgroup_bpf_works(void)
{
	auto_fd int table = new_table();
	auto_fd int program = table >= 0 ? load(table) : -1;

	return program >= 0;
}

int cgroup_bpf_attach(int group, struct cgroup_bpf **ret)
{
	auto_fd int table = new_table();
	auto_fd int program = table >= 0 ? load(table) : -1;
	union bpf_attr a = { .target_fd = (uint32_t)group,
			     .attach_bpf_fd = (uint32_t)program,
			     .attach_type = BPF_CGROUP_DEVICE,
			     .attach_flags = BPF_F_ALLOW_MULTI };

	if (program < 0 || bpf(BPF_PROG_ATTACH, &a) < 0)
		return -1;
	*ret = xmalloc(sizeof(**ret));
	**ret = (struct cgroup_bpf){ steal_fd(program), steal_fd(table) };
	return 0;
}

int cgroup_bpf_allow(struct cgroup_bpf *b, dev_t dev, bool allow)
{
	struct key key = { major(dev), minor(dev) };
	char yes = 1;
	union bpf_attr a = { .map_fd = (uint32_t)b->table, .key = (uintptr_t)&key };

	if (allow) {
		a.value = (uintptr_t)&yes;
		return bpf(BPF_MAP_UPDATE_ELEM, &a);
	}
	return bpf(BPF_MAP_DELETE_ELEM, &a) < 0 && errno != ENOENT ? -1 : 0;
}

void cgroup_bpf_free(struct cgroup_bpf *b)
{
	if (!b)
		return;
	fd_close(&b->program);
	fd_close(&b->table);
	free(b);
}
