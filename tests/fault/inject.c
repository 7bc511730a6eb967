/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * To be preloaded: the n-th call of a kind fails, and the program runs for one n after the other without being
 * loaded again. Kinds are "alloc" (memory), "lib" (OpenSSL, jansson, libcurl, tpm2-tss and libcryptsetup, as our
 * own code calls them) and "sys" (the C library's system calls), as inject-calls.h lists them.
 *
 * Before main() the process becomes a server on the descriptor INJECT_FD: for each line "KIND N" it forks, has
 * main() run in the child with call N of KIND failing, and answers with the child's process id and then, in a second
 * line, with its wait status. With "+" behind N all calls from N on fail. N 0: none fails, and the file INJECT_POINTS
 * gets a line "N NAME" for each call of "lib", else for the first of each distinct call stack. stdin is read anew from INJECT_STDIN; stdout and
 * stderr are new files, INJECT_OUT and INJECT_ERR; INJECT_STACK gets "N NAME" of the call that failed
 * and its stack. Calls are counted
 * over the child's own children, in the file INJECT_COUNTER.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unwind.h>

#ifndef __x86_64__
#error "the entries below are written for x86-64"
#endif

enum kind { KIND_NONE, KIND_ALLOC, KIND_LIB, KIND_SYS };

static const char *const kind_names[] = {"", "alloc", "lib", "sys"};

/* The order of the first two is known to the code at inject_enter. */
struct call {
	long value; /* what it returns where it fails */
	void *next; /* what is called otherwise */
	const char *name;
	enum kind kind;
	int error; /* errno, where it fails; 0: as it was */
	int stolen; /* the argument, from 1, that is the callee's even so: JSON, or below 0 a descriptor; 0: none */
};

/* What was in the registers, and the frame that inject_enter made. */
struct frame {
	uint64_t xmm[16];
	uint64_t rax, r11, r9, r8, rcx, rdx, rsi, rdi;
	uint64_t rbp;
	void *caller;
};

/*
 * An entry jumps to inject_enter, which asks inject_hit() and then goes on to the real function with the registers as
 * they were, or returns.
 */
/* clang-format off */
#define ENTRY(kind_, name_, value_, error_, stolen_)                                            \
	__attribute__((visibility("hidden"))) struct call call_##name_ = {                     \
		.value = (value_), .name = #name_, .kind = KIND_##kind_, .error = (error_),    \
		.stolen = (stolen_)};                                                          \
	__asm__(".text\n.globl " #name_ "\n.type " #name_ ",@function\n" #name_ ":\n"          \
		".cfi_startproc\n"                                                             \
		"lea call_" #name_ "(%rip), %r11\n"                                            \
		"jmp inject_enter\n"                                                           \
		".cfi_endproc\n.size " #name_ ", .-" #name_ "\n");

__asm__(".text\n.type inject_enter,@function\ninject_enter:\n"
	".cfi_startproc\n"
	"push %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset %rbp, -16\n"
	"mov %rsp, %rbp\n.cfi_def_cfa_register %rbp\n"
	"push %rdi\npush %rsi\npush %rdx\npush %rcx\npush %r8\npush %r9\npush %r11\npush %rax\n"
	"sub $128, %rsp\n"
	"movups %xmm0, (%rsp)\nmovups %xmm1, 16(%rsp)\nmovups %xmm2, 32(%rsp)\nmovups %xmm3, 48(%rsp)\n"
	"movups %xmm4, 64(%rsp)\nmovups %xmm5, 80(%rsp)\nmovups %xmm6, 96(%rsp)\nmovups %xmm7, 112(%rsp)\n"
	"mov %r11, %rdi\nmov %rsp, %rsi\ncall inject_hit\nmov %rax, %r10\n"
	"movups (%rsp), %xmm0\nmovups 16(%rsp), %xmm1\nmovups 32(%rsp), %xmm2\nmovups 48(%rsp), %xmm3\n"
	"movups 64(%rsp), %xmm4\nmovups 80(%rsp), %xmm5\nmovups 96(%rsp), %xmm6\nmovups 112(%rsp), %xmm7\n"
	"add $128, %rsp\n"
	"pop %rax\npop %r11\npop %r9\npop %r8\npop %rcx\npop %rdx\npop %rsi\npop %rdi\n"
	"pop %rbp\n.cfi_def_cfa %rsp, 8\n"
	"test %r10, %r10\njz 1f\njmp *%r10\n"
	"1: mov (%r11), %rax\nret\n"
	".cfi_endproc\n.size inject_enter, .-inject_enter\n");
/* clang-format on */

#include "inject-calls.h"

static struct call *const calls[] = {
#define ENTRY_LIST
#include "inject-calls.h"
};

enum { STACKS_MAX = 1 << 16, DEPTH_MAX = 100 };

static struct {
	_Atomic long *count; /* shared with all processes of this run */
	enum kind kind;
	long at;                      /* 0: none */
	bool on;                      /* those after it, too */
	int points, stack;            /* files */
	uintptr_t own_start, own_end; /* the program's own code */
} run;

static _Atomic bool active;
static _Thread_local bool inside;
static uint64_t stacks[STACKS_MAX];
static _Atomic bool stacks_taken;
static int (*real_main)(int argc, char **argv, char **env);

/* --- what is called otherwise --- */

static void *(*real_dlsym)(void *handle, const char *name);

static void find_dlsym(void)
{
	static const char *const versions[] = {"GLIBC_2.34", "GLIBC_2.2.5"};
	void *found = NULL;

	for (size_t i = 0; !found && i < sizeof(versions) / sizeof(*versions); i++)
		found = dlvsym(RTLD_NEXT, "dlsym", versions[i]);
	if (!found)
		_exit(99);
	memcpy(&real_dlsym, &found, sizeof(found));
}

static void *next_of(struct call *call)
{
	if (!real_dlsym)
		find_dlsym();
	if (!call->next)
		call->next = real_dlsym(RTLD_NEXT, call->name);
	if (!call->next)
		_exit(98);
	return call->next;
}

/* For the entry of dlsym(): our entry for what was asked for by name in a library that was loaded, or NULL. */
static void *own_entry(void *handle, const char *name)
{
	Dl_info info;
	void *found;

	if (handle == RTLD_NEXT || handle == RTLD_DEFAULT)
		return NULL;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (calls[i]->kind != KIND_LIB || strcmp(calls[i]->name, name) != 0)
			continue;
		found = real_dlsym(handle, name);
		if (!found || !dladdr(calls[i], &info))
			return NULL;
		calls[i]->next = found;
		return real_dlsym(RTLD_DEFAULT, name);
	}
	return NULL;
}

/* --- whether a call fails --- */

struct hash {
	uint64_t value;
	int depth;
};

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *arg)
{
	struct hash *hash = arg;

	hash->value = (hash->value ^ _Unwind_GetIP(context)) * 0x100000001b3;
	return ++hash->depth < DEPTH_MAX ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* Whether a stack was not seen before. */
static bool is_new(uint64_t value)
{
	size_t i = value % STACKS_MAX;
	bool found;

	while (atomic_exchange(&stacks_taken, true))
		;
	for (size_t tries = 0; stacks[i] && stacks[i] != value && tries < STACKS_MAX; tries++)
		i = (i + 1) % STACKS_MAX;
	found = stacks[i] == value;
	stacks[i] = value;
	atomic_store(&stacks_taken, false);
	return !found;
}

static void tell(int fd, long n, const char *name)
{
	char line[100];
	int len = snprintf(line, sizeof(line), "%ld %s\n", n, name);

	if (syscall(SYS_write, fd, line, (size_t)len) != len)
		_exit(97);
}

static void note_point(long n, const char *name)
{
	struct hash hash = {.value = 0xcbf29ce484222325};

	if (run.kind != KIND_LIB)
		(void)_Unwind_Backtrace(add_frame, &hash);
	if (run.kind == KIND_LIB || is_new(hash.value))
		tell(run.points, n, name);
}

/* Where the call came from, by module, for who looks into a finding. */
static _Unwind_Reason_Code show_frame(struct _Unwind_Context *context, void *arg)
{
	uintptr_t ip = _Unwind_GetIP(context);
	const int *to = arg;
	Dl_info info;
	char line[600];
	int len;

	if (!dladdr((void *)ip, &info))
		return _URC_NO_REASON;
	len = snprintf(line, sizeof(line), "%s+%#lx %s\n", info.dli_fname,
		       ip - (uintptr_t)info.dli_fbase, info.dli_sname ? info.dli_sname : "");
	(void)!syscall(SYS_write, *to, line, (size_t)len);
	return _URC_NO_REASON;
}

static bool fails(const struct call *call, const struct frame *frame)
{
	uintptr_t caller = (uintptr_t)frame->caller;
	long n;

	if (call->kind != run.kind)
		return false;
	if (call->kind == KIND_LIB && (caller < run.own_start || caller >= run.own_end))
		return false;
	n = atomic_fetch_add(run.count, 1) + 1;
	if (run.points >= 0)
		note_point(n, call->name);
	if (run.at == 0 || !(n == run.at || (run.on && n > run.at)))
		return false;
	if (n == run.at) {
		tell(run.stack, n, call->name);
		(void)_Unwind_Backtrace(show_frame, &run.stack);
	}
	return true;
}

/* The function to go on to; NULL: the call is to return call->value. */
__attribute__((used, visibility("hidden"))) void *inject_hit(struct call *call,
							     const struct frame *frame)
{
	const uint64_t args[] = {frame->rdi, frame->rsi, frame->rdx, frame->rcx};
	void *next = next_of(call), *stolen;
	int saved = errno;
	bool fail;

	if (call->kind == KIND_NONE) { /* dlsym() itself */
		void *own = own_entry((void *)frame->rdi, (const char *)frame->rsi);

		call->value = (long)own;
		return own ? NULL : next;
	}
	if (!atomic_load(&active) || inside)
		return next;
	inside = true;
	fail = fails(call, frame);
	errno = saved;
	if (fail && call->error)
		errno = call->error;
	inside = false;
	if (!fail)
		return next;

	if (call->stolen < 0) { /* a descriptor */
		(void)syscall(SYS_close, (int)args[-call->stolen - 1]);
		return NULL;
	}
	stolen = call->stolen ? (void *)args[call->stolen - 1] : NULL;
	if (stolen) {
		/* What json_decref() does, which is inline in its header. */
		void (*json_delete)(void *);
		size_t *refs = (size_t *)((char *)stolen + sizeof(size_t));

		*(void **)&json_delete = real_dlsym(RTLD_NEXT, "json_delete");
		if (*refs != SIZE_MAX && __atomic_sub_fetch(refs, 1, __ATOMIC_RELEASE) == 0)
			json_delete(stolen);
	}
	return NULL;
}

/* --- the server --- */

static int find_program(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
			run.own_start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			run.own_end = run.own_start + info->dlpi_phdr[i].p_memsz;
		}
	return 1; /* the first is the program */
}

static int open_or_exit(const char *variable, int flags)
{
	const char *path = getenv(variable);
	int fd = path ? open(path, flags | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		_exit(96);
	return fd;
}

/* From here on calls are counted, as INJECT_KIND and INJECT_AT say. */
static void activate(void)
{
	const char *kind = getenv("INJECT_KIND"), *at = getenv("INJECT_AT");
	int fd = open_or_exit("INJECT_COUNTER", O_RDWR);
	char *end = NULL;

	run.count = mmap(NULL, sizeof(*run.count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (run.count == MAP_FAILED)
		_exit(96);
	(void)close(fd);
	for (size_t i = 1; i < sizeof(kind_names) / sizeof(*kind_names); i++)
		if (kind && strcmp(kind, kind_names[i]) == 0)
			run.kind = (enum kind)i;
	run.at = at ? strtol(at, &end, 10) : 0;
	run.on = end && *end == '+';
	run.points = run.at == 0 ? open_or_exit("INJECT_POINTS", O_WRONLY | O_APPEND) : -1;
	run.stack = open_or_exit("INJECT_STACK", O_WRONLY | O_CREAT | O_APPEND);
	/* The first use of the unwinder takes memory. */
	(void)_Unwind_Backtrace(add_frame, &(struct hash){0});
	(void)dl_iterate_phdr(find_program, NULL);
	atomic_store(&active, true);
}

static int run_main(int argc, char **argv, char **env)
{
	int status;

	activate();
	status = real_main(argc, argv, env);
	atomic_store(&active, false);
	return status;
}

static void move(int fd, int to)
{
	if (dup2(fd, to) != to || (fd != to && close(fd) != 0))
		_exit(96);
}

/* In the child: the streams, and what its own children are to know. */
static void begin(char *line, int control)
{
	char *at = strchr(line, ' ');

	if (!at)
		_exit(96);
	*at++ = '\0';
	at[strcspn(at, "\n")] = '\0';
	(void)close(control);
	(void)setsid();
	(void)unsetenv("INJECT_FD");
	(void)setenv("INJECT_KIND", line, 1);
	(void)setenv("INJECT_AT", at, 1);
	move(open_or_exit("INJECT_STDIN", O_RDONLY), STDIN_FILENO);
	move(open_or_exit("INJECT_OUT", O_WRONLY | O_CREAT | O_TRUNC), STDOUT_FILENO);
	move(open_or_exit("INJECT_ERR", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND), STDERR_FILENO);
}

/* OpenSSL 3 crashes where memory is short while it sets itself up, which is not ours to mend. */
static void warm_up(void)
{
	void *(*fetch)(void *, const char *, const char *);
	void (*release)(void *);

	*(void **)&fetch = real_dlsym(RTLD_DEFAULT, "EVP_MD_fetch");
	*(void **)&release = real_dlsym(RTLD_DEFAULT, "EVP_MD_free");
	if (fetch && release)
		release(fetch(NULL, "SHA256", NULL));
}

static int serve(int argc, char **argv, char **env)
{
	int control = atoi(getenv("INJECT_FD")), status;
	char line[100];
	ssize_t n;

	warm_up();
	while ((n = read(control, line, sizeof(line) - 1)) > 0) {
		pid_t pid = fork();

		line[n] = '\0';
		if (pid < 0)
			_exit(96);
		if (pid == 0) {
			begin(line, control);
			return run_main(argc, argv, env);
		}
		tell(control, pid, "");
		if (waitpid(pid, &status, 0) != pid)
			_exit(96);
		tell(control, status, "");
	}
	_exit(0);
}

typedef int start_fn(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
		     void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
		      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
		      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	start_fn *next;

	if (!real_dlsym)
		find_dlsym();
	*(void **)&next = real_dlsym(RTLD_NEXT, "__libc_start_main");
	real_main = main;
	if (getenv("INJECT_FD"))
		main = serve;
	else if (getenv("INJECT_KIND"))
		main = run_main;
	return next(main, argc, argv, init, fini, rtld_fini, stack_end);
}

/* What is done at the end is not ours to look at. */
__attribute__((noreturn)) void exit(int status)
{
	static void (*next)(int) __attribute__((noreturn));

	atomic_store(&active, false);
	*(void **)&next = real_dlsym(RTLD_NEXT, "exit");
	next(status);
}
