// SPDX-License-Identifier: Apache-2.0
// What a change of the keys did: said line by line to people, or as one object of JSON at the end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/diglim/key/revocation.h"
#include "tools/diglim/key/sources.h"
#include "tools/tool.h"

namespace diglim::key {

enum class Initramfs { kMade, kToBeMade, kFailed };

// Paths are not escaped.
class Outcome {
 public:
  explicit Outcome(bool json) : json_(json) {}
  bool is_json() const { return json_; }

  void say_trusted(const KeyFile& file, const std::string& path);
  void say_revoked(const Joined& joined, const std::string& path);
  void say_removed(const std::string& path, const std::vector<KeyInfo>& keys);
  // A statement at that path grants them. `now`: they are in force. `when` completes the line.
  void say_granted(const std::string& path, const std::string& signer, bool now, std::string_view when);
  void say_taken_back(const std::string& path);  // a statement
  void say_denied(const std::string& list);      // its file's name: it is no longer known, or would not be
  void say_initramfs(Initramfs state);           // once something was changed
  void say(std::string_view line);               // for people only
  void complain(const std::string& message);
  // The same; returns the status, for who ends with it.
  int fail(const std::string& message, int status = kExitEnvironment);

  // The object, if it is JSON. Returns the status.
  int finish(int status) const;

 private:
  struct Trusted {
    KeyInfo key;
    std::string path;
  };
  struct Revoked {
    std::string fingerprint, path;
    bool hard;
  };
  struct Removed {
    std::string path;
    std::vector<KeyInfo> keys;
  };
  bool json_;
  std::vector<Trusted> trusted_;
  std::vector<Revoked> revoked_;
  std::vector<Removed> removed_;
  std::vector<std::string> denied_;
  struct Granted {
    std::string path, signer;
    bool now;
  };
  std::vector<Granted> granted_;
  std::vector<std::string> taken_back_;
  std::vector<std::string> complaints_;
  std::string initramfs_ = "to-be-made";
};

}  // namespace diglim::key
