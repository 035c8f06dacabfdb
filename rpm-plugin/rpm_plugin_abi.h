// SPDX-License-Identifier: Apache-2.0
// The interface between librpm and its plugins. From rpm 4.20 on librpm ships it; rpm 4.18 and 4.19 have the
// same interface but keep its header to themselves (lib/rpmplugin.h), so this declares what such a librpm
// expects: the order and the types of the hooks, and the functions it exports for plugins. That header was
// compared: the same hooks in 4.18.0, 4.19.1.1, 4.20.1, 6.0.2 and 6.1.0-rc2, and the plugin compiles against
// the headers of each. rpm 4.17 and older pass other arguments to fsm_file_prepare, which we do not use.
//
// librpm loads every %{__plugindir}/NAME.so for which %{__transaction_NAME} is set ("PATH [options]") and
// looks up the symbol NAME_hooks. A null hook is passed over. Each hook returns RPMRC_OK; RPMRC_FAIL from
// some of them would abort what rpm is doing.
#pragma once

#include <rpm/rpmfi.h>
#include <rpm/rpmtypes.h>

#if __has_include(<rpm/rpmplugin.h>)
#include <rpm/rpmplugin.h>
#else

#include <sys/types.h>

extern "C" {

using DiglimFileOp = rpmFlags;

struct rpmPluginHooks_s {
  // Plugin and transaction set are made and destroyed; init runs long before rpm knows what it will do.
  rpmRC (*init)(rpmPlugin plugin, rpmts ts);
  void (*cleanup)(rpmPlugin plugin);
  // Around the transaction, outside of any chroot. rpmteHeader() is null for every element.
  rpmRC (*tsm_pre)(rpmPlugin plugin, rpmts ts);
  rpmRC (*tsm_post)(rpmPlugin plugin, rpmts ts, int result);
  // Around each pass over an element (one to four a transaction), inside the chroot of --root. rpmteHeader()
  // works.
  rpmRC (*psm_pre)(rpmPlugin plugin, rpmte te);
  rpmRC (*psm_post)(rpmPlugin plugin, rpmte te, int result);
  // Scriptlets.
  rpmRC (*scriptlet_pre)(rpmPlugin plugin, const char* name, int type);
  rpmRC (*scriptlet_fork_post)(rpmPlugin plugin, const char* path, int type);
  rpmRC (*scriptlet_post)(rpmPlugin plugin, const char* name, int type, int result);
  // Files.
  rpmRC (*fsm_file_pre)(rpmPlugin plugin, rpmfi fi, const char* path, mode_t mode, DiglimFileOp op);
  rpmRC (*fsm_file_post)(rpmPlugin plugin, rpmfi fi, const char* path, mode_t mode, DiglimFileOp op,
                         int result);
  rpmRC (*fsm_file_prepare)(rpmPlugin plugin, rpmfi fi, int fd, const char* path, const char* final_path,
                            mode_t mode, DiglimFileOp op);
};

const char* rpmPluginOpts(rpmPlugin plugin);  // what follows the path in the macro; null if nothing does
void rpmPluginSetData(rpmPlugin plugin, void* data);
void* rpmPluginGetData(rpmPlugin plugin);

}  // extern "C"

#endif
