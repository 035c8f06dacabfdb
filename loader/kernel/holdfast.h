// SPDX-License-Identifier: Apache-2.0
// The programs of bpf/holdfast.bpf.c, on the root cgroup: should the main programs be lost, nothing runs any
// more.
#pragma once

#include <memory>

#include "loader/kernel/programs.h"

struct holdfast_bpf;

namespace diglim {

class Holdfast {
 public:
  // Loads and attaches them; they deny nothing yet. Before the main programs are attached, so that these run
  // after them. kUnsupported if the kernel lacks CONFIG_CGROUP_BPF.
  static Result<Holdfast> attach();

  // Tells them where the main programs are, for good. They stay when this object goes, and this process.
  // REQUIRES: `programs` are attached.
  Result<void> arm(const Programs& programs);

  Holdfast(Holdfast&&) noexcept;
  ~Holdfast();

 private:
  struct Destroy {
    void operator()(holdfast_bpf* object) const;
  };
  explicit Holdfast(std::unique_ptr<holdfast_bpf, Destroy> object);
  std::unique_ptr<holdfast_bpf, Destroy> object_;
};

}  // namespace diglim
