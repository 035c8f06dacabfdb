// SPDX-License-Identifier: Apache-2.0
// The keys of an SSH agent: files of `diglim tls create-key`, read anew whenever they have changed, so that
// `diglim tls authorize` and a new file count from the next request on.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/ssh/key.h"
#include "lib/tpm/key_policy.h"

namespace diglim {

struct PublicTpmKey {
  TpmKeyParts parts;
  SshKey ssh;
  std::string fingerprint;
};

// kNotFound, kIo: the file; else as read_key_pem(), read_key_parts() and ssh_key(). The message names it.
Result<PublicTpmKey> read_ssh_key(const std::string& path);

struct AgentKey {
  std::string path;
  PublicTpmKey key;
};

class AgentKeys {
 public:
  using Check = std::function<Result<void>(const TpmKeyParts&)>;
  using Complain = std::function<void(const std::string&)>;

  // `paths`: files, and directories of files "*.key". `check`: whether this TPM takes a key; called once for
  // each content of a file. A key of which it says kUntrusted is left out; other errors say nothing of it.
  AgentKeys(std::vector<std::string> paths, Check check, Complain complain)
      : paths_(std::move(paths)), check_(std::move(check)), complain_(std::move(complain)) {}

  // What is wrong with a file is complained of once for each content. Files with the same key count once.
  void refresh();

  const std::vector<std::shared_ptr<const AgentKey>>& all() const { return keys_; }
  // By its blob; null if there is none.
  std::shared_ptr<const AgentKey> find(ByteView blob) const;

 private:
  // A file as it was when it was read.
  struct Stamp {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t size = 0;
    int64_t changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct File {
    std::string path;
    Stamp stamp;                          // zeros: it is not there
    std::shared_ptr<const AgentKey> key;  // null: it is of no use
  };

  std::vector<std::string> list() const;
  static Stamp stamp_of(const std::string& path);
  std::shared_ptr<const AgentKey> read(const std::string& path) const;

  std::vector<std::string> paths_;
  Check check_;
  Complain complain_;
  std::vector<File> files_;
  std::vector<std::shared_ptr<const AgentKey>> keys_;
};

}  // namespace diglim
