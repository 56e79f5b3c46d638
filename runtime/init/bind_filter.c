#include "bind_filter.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "bind_filter.c: no AUDIT_ARCH_* of this machine is known here"
#endif

#define FIELD(name) ((uint32_t)offsetof(struct seccomp_data, name))

int bind_filter_install(void)
{
	/* Programs of another architecture use other numbers, and are let through. */
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_bind, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(rules) / sizeof(rules[0]), rules };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &program);
}

/* The port in the address that the waiting process gave; 0 if there is none. Both families have it
 * in the same place. The value may be anything, as the process can change it meanwhile.
 * process_vm_readv is not used because container runtimes' seccomp profiles forbid it. */
static uint16_t wanted_port(const struct seccomp_notif *request)
{
	struct sockaddr_in address = { .sin_family = AF_UNSPEC };
	const ssize_t length = offsetof(struct sockaddr_in, sin_addr);
	char path[32];
	ssize_t got;
	int memory;

	if (snprintf(path, sizeof(path), "/proc/%u/mem", request->pid) < 0)
		return 0;
	memory = open(path, O_RDONLY | O_CLOEXEC);
	if (memory < 0)
		return 0;
	got = pread(memory, &address, (size_t)length, (off_t)request->data.args[1]);
	close(memory);
	if (got != length || (address.sin_family != AF_INET && address.sin_family != AF_INET6))
		return 0;
	return ntohs(address.sin_port);
}

void bind_filter_serve(int fd, void (*binds)(uint16_t port, void *context), void *context)
{
	struct seccomp_notif request = { 0 };
	struct seccomp_notif_resp answer = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	uint16_t port;

	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
		return; /* the waiting process was killed */
	port = wanted_port(&request);
	if (port != 0)
		binds(port, context);
	answer.id = request.id;
	ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}
