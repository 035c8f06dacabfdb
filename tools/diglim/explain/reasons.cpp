// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/reasons.h"

#include <array>

namespace diglim::explain {
namespace {

struct ReasonRow {
  diglim_reason reason;
  Words words;
};

constexpr ReasonRow kReasons[] = {
    {DIGLIM_REASON_UNKNOWN, {"unknown", "Its content was on no list that counts.", "", ""}},
    {DIGLIM_REASON_HASH,
     {"hash", "The kernel could not read all of the file to hash it. Files above 4 GiB are never known.",
      "dmesg --level=err,warn",
      "shows errors of the disk or file system; repair these, then put the file there anew"}},
    {DIGLIM_REASON_ALGORITHM,
     {"algorithm",
      "IMA had collected its digest earlier, by another algorithm than the lists have: the file's attribute "
      "security.ima names that one.",
      "cp -p {path} {copy} && mv {copy} {path}",
      "the copy is a file that IMA does not know yet, and is hashed as the lists are"}},
    {DIGLIM_REASON_WRITER,
     {"writer", "Somebody had it open for writing, so its content could still change.", "fuser -v {path}",
      "names who has it open; once they close it, it is decided anew, and nothing has to be allowed for "
      "that"}},
    {DIGLIM_REASON_CHANGED,
     {"changed", "Somebody wrote to it in the moment in which it was checked.", "fuser -v {path}",
      "names who writes; once they are done, trying again checks it anew"}},
    {DIGLIM_REASON_FILESYSTEM,
     {"file-system",
      "It lies on a file system whose content can change unseen by this kernel (NFS, FUSE, overlay, ...).",
      "install -D {path} /usr/local/bin/{name}",
      "a copy on a local disk is decided by its content: it runs if a list has it, else allow it there "
      "(diglim allow)"}},
    {DIGLIM_REASON_UNSEALED,
     {"unsealed", "It is a memory file (memfd) that can still be written.", "",
      "only the program that made it can: it has to seal it (F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE); "
      "update that "
      "program, or report it to its makers"}},
    {DIGLIM_REASON_NOT_VERIFIED,
     {"not-verified",
      "A mapping of it was made executable (mprotect) although nobody had executed or mapped it executable "
      "before, so it "
      "was not checked yet. Debuggers (lldb, gdb) and some linkers do that.",
      "",
      "whoever debugs it has to run it once before, or of a library a program that loads it: then it was "
      "checked, and if a list has it, the debugger may"}},
    {DIGLIM_REASON_MAPPED,
     {"mapped", "Somebody runs it, or has it mapped executable: writing to it would change running code.",
      "cp -p {path} {copy} && mv {copy} {path}",
      "change the copy and rename it over the old one: who runs the old one keeps it"}},
    {DIGLIM_REASON_MEMORY,
     {"memory",
      "It came from memory, not from a file, so there was nothing to hash. The kmod of Debian 12 and RHEL 9 "
      "loads compressed modules like that.",
      "diglim setup install --lockdown",
      "from the next boot on the kernel takes no module but those signed by its own keys, and those from "
      "memory, too; "
      "kexec -s loads an image from a file"}},
    {DIGLIM_REASON_PROTECTED,
     {"protected",
      "This was an attempt on DIGLIM itself. lsof, lsns and fuser as root cause the one of kdevtmpfs; "
      "anything else deserves a look.",
      "ps -fp {pid}", "shows who it was, if it still runs; nothing allows it, and nothing has to be done"}},
    {DIGLIM_REASON_NO_STORAGE,
     {"no-memory", "The kernel had no memory to remember what it found.", "free -m",
      "shows what is left; free some, and try again"}},
    {DIGLIM_REASON_STALE,
     {"stale", "IMA had collected its digest earlier, and it may have been written since.",
      "cp -p {path} {copy} && mv {copy} {path}",
      "the copy is a file that IMA does not know yet, and is hashed anew"}},
    {DIGLIM_REASON_OTHER_KERNEL,
     {"other-kernel", "kexec could start another kernel without DIGLIM.", "reboot",
      "goes by way of the boot loader, which starts DIGLIM; there is no kexec, and no kdump, while DIGLIM "
      "enforces"}},
    {DIGLIM_REASON_PINNED,
     {"pinned",
      "It was mapped shared and writable, so somebody could still write to its pages unseen. lld, mold and "
      "Go's linker "
      "write their output like that, and what was written through an overlay counts, too.",
      "cp -p {path} {copy} && mv {copy} {path}",
      "the copy's pages are nobody's: it is decided by its content"}},
    {DIGLIM_REASON_STORAGE,
     {"storage",
      "Its file system lies on no disk (loop, zram, nbd, ...), so root could change its content unseen.",
      "install -D {path} /usr/local/bin/{name}",
      "a copy on a local disk is decided by its content: it runs if a list has it, else allow it there "
      "(diglim allow)"}},
};

constexpr Words kKilled = {
    "killed",
    "The process was killed, or timed out, while the kernel still read the file for it. That says nothing of "
    "the file.",
    "", "nothing has to be changed; the next time it is used, it is read and decided anew"};

constexpr std::array<Words, known::kCauses> kCauseWords = {{
    {"known", "Its content is on a list that counts.", "diglim-loader sync /etc/digest_lists",
     "the kernel has all lists in that directory; if it had them before, the file runs already. If it is "
     "denied "
     "still: diglim revoke list"},
    {"changed", "The package {package} ships this path, and the file was changed since it was installed.",
     "dnf reinstall {package}",
     "puts back what was shipped; what was changed in the file is lost (to keep it: diglim allow {path})"},
    {"config-changed",
     "It is a configuration file of the package {package}, it was changed here, and it is executed.",
     "diglim allow {path}",
     "this content may run on this host, until it is changed again; to put back what was shipped instead: "
     "rm {path} && dnf reinstall {package}"},
    {"unsigned", "The package {package} ships this content, and nobody signed that package.",
     "diglim allow {path}",
     "this content may run on this host; for all of the package, install a signed one"},
    {"untrusted", "The package {package} ships this content, and no trusted key signed that package.",
     "diglim key add {key}",
     "everything that this key signed may run, from the next boot on; this file alone, at once: diglim allow "
     "{path}"},
    {"damaged", "The package {package} ships this content, but its header is damaged.",
     "dnf reinstall {package}", "writes header and list anew"},
    {"algorithm",
     "The package {package} ships this path with a digest of another, weaker algorithm (MD5 or SHA-1 of old "
     "packages) "
     "than the kernel's, so nothing can be compared.",
     "diglim allow {path}",
     "this content may run on this host; a newer build of the package has digests that count (dnf upgrade "
     "{package})"},
    {"no-list",
     "The package {package} ships this content and counts, but its list is not in /etc/digest_lists.",
     "diglim repair", "writes the lists of all installed packages, and loads them"},
    {"foreign", "No installed package ships it, and no list has it.", "diglim allow {path}",
     "this content may run on this host, and wherever a copy of it lies; until it is changed, or: --for 8h"},
    {"file-system", "It lies where nothing may run.", "install -D {path} /usr/local/bin/{name}",
     "a copy on a local disk is decided by its content"},
    {"too-large", "It is larger than 4 GiB. Such files are never known.", "",
     "nothing allows it: its makers have to split it"},
    {"unreadable", "It cannot be read here, so nobody knows.", "sudo diglim explain {path}",
     "root may read it"},
    {"revoked", "A deny list revokes it, although a trusted key signed it.", "diglim revoke list",
     "says since when, and why; a version that is not revoked runs (dnf upgrade)"},
}};

}  // namespace

const Words* reason_explanation(diglim_reason reason) {
  for (const ReasonRow& row : kReasons) {
    if (row.reason == reason) return &row.words;
  }
  return nullptr;
}

const Words& killed_explanation() {
  return kKilled;
}

const Words& cause_explanation(known::Cause cause) {
  return kCauseWords[static_cast<size_t>(cause)];
}

}  // namespace diglim::explain
