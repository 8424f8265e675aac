/* SPDX-License-Identifier: MIT */
#include "narrow-linux.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

/*
 * A list of what is refused, not of what is allowed: the modules by which
 * names are looked up, and releases of libc that are still to come, call what
 * they like, and a mail is not to be lost by that. What is refused answers
 * with an error, as it does where it does not exist.
 */

#if defined(__x86_64__)
#define NARROW_ARCH AUDIT_ARCH_X86_64
/* Numbers from here on are those of x32. */
#define NARROW_FOREIGN 0x40000000u
#elif defined(__i386__)
#define NARROW_ARCH AUDIT_ARCH_I386
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define NARROW_ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__) && defined(__ARMEL__)
#define NARROW_ARCH AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define NARROW_ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define NARROW_ARCH AUDIT_ARCH_PPC64LE
#endif

#ifdef NARROW_ARCH

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#ifndef SHM_EXEC
#define SHM_EXEC 0100000
#endif
#ifndef SECCOMP_FILTER_FLAG_TSYNC
#define SECCOMP_FILTER_FLAG_TSYNC 1
#endif

#define INSTRUCTIONS_MAX 512

struct program {
	struct sock_filter code[INSTRUCTIONS_MAX];
	unsigned short len;
};

/* Calls that are refused whatever their arguments. */
static const int never[] = {
/* Other processes. */
#if !NARROW_INSTRUMENTED
	SYS_ptrace,
#endif
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
#ifdef SYS_pidfd_getfd
	SYS_pidfd_getfd,
#endif
#ifdef SYS_process_madvise
	SYS_process_madvise,
#endif
	/* Large and often broken parts of the kernel. */
	SYS_bpf,
	SYS_perf_event_open,
#ifdef SYS_userfaultfd
	SYS_userfaultfd,
#endif
#ifdef SYS_io_uring_setup
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
#endif
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	/* Namespaces, mounts and handles of files. */
	SYS_unshare,
	SYS_setns,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_open_by_handle_at,
#ifdef SYS_open_tree
	SYS_open_tree,
	SYS_move_mount,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
#endif
#ifdef SYS_mount_setattr
	SYS_mount_setattr,
#endif
	SYS_quotactl,
	SYS_swapon,
	SYS_swapoff,
	/* The machine itself. */
	SYS_reboot,
	SYS_kexec_load,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_acct,
	SYS_syslog,
	SYS_settimeofday,
	SYS_clock_settime,
#ifdef SYS_clock_settime64
	SYS_clock_settime64,
	SYS_clock_adjtime64,
#endif
	SYS_adjtimex,
	SYS_clock_adjtime,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_personality,
#ifdef SYS_iopl
	SYS_iopl,
	SYS_ioperm,
#endif
#ifdef SYS_modify_ldt
	SYS_modify_ldt,
#endif
};

/* No program and no process, but threads. */
static const int no_process[] = {
	SYS_execve,
	SYS_execveat,
#ifdef SYS_fork
	SYS_fork,
#endif
#ifdef SYS_vfork
	SYS_vfork,
#endif
};

/* What a server needs no more once it listens. */
static const int no_socket[] = {
	SYS_socket,
	SYS_socketpair,
	SYS_connect,
	SYS_bind,
	SYS_listen,
};

static const unsigned int families[] = {
	AF_UNIX,
	AF_INET,
	AF_INET6,
	/* By this getaddrinfo(3) asks which addresses the machine has. */
	AF_NETLINK,
};

static void
emit(struct program *program, unsigned int code, uint32_t k, size_t jt,
    size_t jf)
{
	assert(program->len < INSTRUCTIONS_MAX);
	program->code[program->len++] = (struct sock_filter){
		.code = (unsigned short)code,
		.jt = (unsigned char)jt,
		.jf = (unsigned char)jf,
		.k = k,
	};
}

static void
load(struct program *program, size_t offset)
{
	emit(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void
load_number(struct program *program)
{
	load(program, offsetof(struct seccomp_data, nr));
}

/* Its lower half: that is what the kernel looks at, too, in all of these. */
static void
load_argument(struct program *program, unsigned int i)
{
	size_t offset = offsetof(struct seccomp_data, args) + i * 8u;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	offset += 4;
#endif
	load(program, offset);
}

static void
answer(struct program *program, int errnum)
{
	emit(program, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)errnum, 0,
	    0);
}

/* The number of the call is loaded before and after each of these. */
static void
refuse(struct program *program, int number, int errnum)
{
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1);
	answer(program, errnum);
}

static void
refuse_all(struct program *program, const int *numbers, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		refuse(program, numbers[i], EPERM);
}

/* Where these bits of an argument have this value. */
static void
refuse_bits(struct program *program, int number, unsigned int argument,
    uint32_t mask, uint32_t value)
{
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 5);
	load_argument(program, argument);
	emit(program, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	answer(program, EPERM);
	load_number(program);
}

static void
refuse_other_families(struct program *program, int number)
{
	size_t count = ARRAY_LEN(families), i;

	emit(
	    program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, count + 3);
	load_argument(program, 0);
	for (i = 0; i < count; i++)
		emit(program, BPF_JMP | BPF_JEQ | BPF_K, families[i], count - i,
		    0);
	answer(program, EAFNOSUPPORT);
	load_number(program);
}

static void
refuse_foreign_calls(struct program *program)
{
	load(program, offsetof(struct seccomp_data, arch));
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, NARROW_ARCH, 1, 0);
	answer(program, ENOSYS);
	load_number(program);
#ifdef NARROW_FOREIGN
	emit(program, BPF_JMP | BPF_JGE | BPF_K, NARROW_FOREIGN, 0, 1);
	answer(program, ENOSYS);
#endif
}

static void
refuse_processes(struct program *program)
{
	refuse_all(program, no_process, ARRAY_LEN(no_process));
	refuse_bits(program, SYS_clone, 0, CLONE_THREAD, 0);
#ifdef SYS_clone3
	/* Its flags cannot be seen; libc goes on to clone(2) then. */
	refuse(program, SYS_clone3, ENOSYS);
#endif
}

/* For kernels before PR_SET_MDWE, which Linux has since 6.3. */
static void
refuse_writable_code(struct program *program)
{
#ifdef SYS_mmap2
	refuse_bits(program, SYS_mmap2, 2, PROT_WRITE | PROT_EXEC,
	    PROT_WRITE | PROT_EXEC);
#else
	refuse_bits(program, SYS_mmap, 2, PROT_WRITE | PROT_EXEC,
	    PROT_WRITE | PROT_EXEC);
#endif
	refuse_bits(program, SYS_mprotect, 2, PROT_EXEC, PROT_EXEC);
#ifdef SYS_pkey_mprotect
	refuse_bits(program, SYS_pkey_mprotect, 2, PROT_EXEC, PROT_EXEC);
#endif
#ifdef SYS_shmat
	refuse_bits(program, SYS_shmat, 2, SHM_EXEC, SHM_EXEC);
#endif
}

static void
build(struct program *program, enum narrow_kind kind)
{
	program->len = 0;
	refuse_foreign_calls(program);
	refuse_all(program, never, ARRAY_LEN(never));
	if (!NARROW_INSTRUMENTED)
		refuse_processes(program);
	refuse_writable_code(program);
	/* What is put into a terminal is typed, for the shell behind it. */
	refuse_bits(program, SYS_ioctl, 1, UINT32_MAX, TIOCSTI);
#ifdef TIOCLINUX
	/* So is what a console has selected. */
	refuse_bits(program, SYS_ioctl, 1, UINT32_MAX, TIOCLINUX);
#endif
	if (kind == NARROW_SERVER)
		refuse_all(program, no_socket, ARRAY_LEN(no_socket));
	refuse_other_families(program, SYS_socket);
	refuse_other_families(program, SYS_socketpair);
	emit(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

int
narrow_calls(enum narrow_kind kind)
{
	struct program program;
	struct sock_fprog filter = { 0, program.code };
	long r;
	int failed;

	build(&program, kind);
	filter.len = program.len;
	failed = narrow_no_new_privileges();
	if (failed < 0)
		return narrow_lacks(-failed);
	r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_TSYNC, &filter);
	/* A thread with another filter, which nobody has here. */
	if (r > 0)
		return -EBUSY;
	return r < 0 ? narrow_lacks(errno) : 0;
}

#else

int
narrow_calls(enum narrow_kind kind)
{
	int failed = narrow_no_new_privileges();

	(void)kind;
	return failed < 0 ? narrow_lacks(-failed) : 0;
}

#endif
