// SPDX-License-Identifier: Apache-2.0
// The exceptions of a system: their lists in /etc/digest_lists, and a record of each in
// /var/lib/diglim/allow.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/paths.h"
#include "tools/diglim/allow/when.h"

namespace diglim::allow {

constexpr char kRecordFolder[] = "/var/lib/diglim/allow";
constexpr std::string_view kListPrefix = kExceptionPrefix;
// Each is a list that every sync looks at, and that each boot verifies. One list may have millions of files.
constexpr size_t kMaxExceptions = 1000;

struct Exception {
  std::string list;                // the file's name in /etc/digest_lists, which is also its name for people
  std::vector<std::string> paths;  // what was allowed, escaped
  uint64_t files = 0;
  std::string digest;  // SHA-256 of the list's file, in hexadecimal
  std::string signer;
  std::string content;  // of one file alone: "sha256:...", as it was read; not kept
  std::string owner;    // who answers for it, escaped; may be empty
  std::string reason;   // escaped; may be empty
  std::string by;       // who made it: "alice (uid 1000)"
  uint64_t made = 0;    // seconds since 1970
  End end;
};

// The record as JSON, and back. kCorrupt: it is not one.
std::string to_record(const Exception& exception);
Result<Exception> from_record(ByteView text);

// "0-file_list-compact-allow-NAME-DIGITS": NAME is the file's, as far as a name may have its characters; the
// digits are of the content, so that the same content allowed again takes the place of the first.
std::string list_name(const std::string& path, ByteView content);

class Store {
 public:
  // Makes the directory of the records if `write`; then no other process changes them while this lives.
  // `root` is without a slash at its end. kIo.
  static Result<Store> open(const std::string& root, bool write);

  struct Contents {
    std::vector<Exception> exceptions;  // by name
    std::vector<std::string> damaged;   // names of lists whose record is missing or cannot be read
  };
  Result<Contents> read() const;
  Result<size_t> count() const;

  // The record first, then the list: whatever interrupts it, no list is without a record. kIo.
  Result<void> put(const Exception& exception, ByteView list) const;
  // The lists first, and that lasts before `follow` has the kernel follow. Only if it did the records go: one
  // that is left without its list is over, so that the next `expire` tries again. No error if one is missing.
  Result<void> remove(const std::vector<std::string>& lists, const std::function<bool()>& follow) const;

  std::string list_path(const std::string& list) const;
  const std::string& root() const { return root_; }

 private:
  Store(std::string root, Fd lock) : root_(std::move(root)), lock_(std::move(lock)) {}
  std::string record_path(const std::string& list) const;

  std::string root_;
  Fd lock_;
};

}  // namespace diglim::allow
