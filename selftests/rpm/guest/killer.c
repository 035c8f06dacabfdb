// SPDX-License-Identifier: Apache-2.0
// An rpm plugin for tests only: kills rpm at the Nth hook, as a power cut or an admin would. Options: "N FILE": FILE
// receives the name of each hook that was passed, a line each.
#include <fcntl.h>
#include <rpm/rpmtypes.h>
#include <rpm/rpmts.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

const char *rpmPluginOpts(rpmPlugin plugin);

static int at, passed, log_fd = -1;

static rpmRC hook(const char *name)
{
	passed++;
	if (log_fd >= 0)
		dprintf(log_fd, "%s\n", name);
	if (passed == at)
		kill(getpid(), SIGKILL);
	return RPMRC_OK;
}

static rpmRC init(rpmPlugin plugin, rpmts ts)
{
	const char *options = rpmPluginOpts(plugin);
	const char *file = options ? strchr(options, ' ') : NULL;

	(void)ts;
	at = options ? atoi(options) : 0;
	// Opened here, since most hooks run in a chroot.
	if (file)
		log_fd = open(file + 1, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return RPMRC_OK;
}
static void cleanup(rpmPlugin plugin) { (void)plugin; }
static rpmRC tsm_pre(rpmPlugin p, rpmts ts) { (void)p, (void)ts; return hook("tsm_pre"); }
static rpmRC tsm_post(rpmPlugin p, rpmts ts, int r) { (void)p, (void)ts, (void)r; return hook("tsm_post"); }
static rpmRC psm_pre(rpmPlugin p, rpmte te) { (void)p, (void)te; return hook("psm_pre"); }
static rpmRC psm_post(rpmPlugin p, rpmte te, int r) { (void)p, (void)te, (void)r; return hook("psm_post"); }
static rpmRC script_pre(rpmPlugin p, const char *n, int t) { (void)p, (void)n, (void)t; return hook("scriptlet_pre"); }
static rpmRC script_post(rpmPlugin p, const char *n, int t, int r) { (void)p, (void)n, (void)t, (void)r; return hook("scriptlet_post"); }
static rpmRC file_pre(rpmPlugin p, void *fi, const char *path, mode_t m, rpmFlags op)
{
	(void)p, (void)fi, (void)path, (void)m, (void)op;
	return hook("fsm_file_pre");
}
static rpmRC file_post(rpmPlugin p, void *fi, const char *path, mode_t m, rpmFlags op, int r)
{
	(void)p, (void)fi, (void)path, (void)m, (void)op, (void)r;
	return hook("fsm_file_post");
}
static rpmRC file_prepare(rpmPlugin p, void *fi, int fd, const char *path, const char *dest, mode_t m, rpmFlags op)
{
	(void)p, (void)fi, (void)fd, (void)path, (void)dest, (void)m, (void)op;
	return hook("fsm_file_prepare");
}

// The same hooks under both names that the test gives this file: one runs before diglim.so, one after it.
struct hooks {
	rpmRC (*init)(rpmPlugin, rpmts);
	void (*cleanup)(rpmPlugin);
	rpmRC (*tsm_pre)(rpmPlugin, rpmts);
	rpmRC (*tsm_post)(rpmPlugin, rpmts, int);
	rpmRC (*psm_pre)(rpmPlugin, rpmte);
	rpmRC (*psm_post)(rpmPlugin, rpmte, int);
	rpmRC (*scriptlet_pre)(rpmPlugin, const char *, int);
	void *scriptlet_fork_post;
	rpmRC (*scriptlet_post)(rpmPlugin, const char *, int, int);
	rpmRC (*fsm_file_pre)(rpmPlugin, void *, const char *, mode_t, rpmFlags);
	rpmRC (*fsm_file_post)(rpmPlugin, void *, const char *, mode_t, rpmFlags, int);
	rpmRC (*fsm_file_prepare)(rpmPlugin, void *, int, const char *, const char *, mode_t, rpmFlags);
};
#define HOOKS { init, cleanup, tsm_pre, tsm_post, psm_pre, psm_post, script_pre, NULL, script_post, file_pre, file_post, file_prepare }
struct hooks a_killer_hooks = HOOKS;
struct hooks z_killer_hooks = HOOKS;
