// SPDX-License-Identifier: Apache-2.0
#include "tools/events/event.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lib/base/text.h"
#include "tools/events/test_event.h"

namespace diglim::events {
namespace {

TEST(Event, SaysAll) {
  const auto json = nlohmann::json::parse(json_line(test_event(), 0));
  EXPECT_EQ(json["event"], "3f2a91bc-57");
  EXPECT_EQ(json["verdict"], "denied");
  EXPECT_EQ(json["kind"], "exec");
  EXPECT_EQ(unescape(json["path"].get<std::string>()), "/tmp/a \"\n\x1b[2J\xff");
  EXPECT_EQ(json["reason"], "not on any digest list");
  EXPECT_EQ(json["exe"], "/bin/bash");
  EXPECT_EQ(json["parent_command"], "sshd");
  EXPECT_EQ(json["unit"], "x.service");
  EXPECT_EQ(json["container"], "pid:[4026532000]");
  EXPECT_EQ(json["device"], "8:1");
  EXPECT_EQ(json["file_system"], "ext4");
  EXPECT_EQ(json["auid"], 1000);
  EXPECT_FALSE(json.contains("session")) << "nobody logged in";
  EXPECT_FALSE(json.contains("lost"));
  // One second ago, by whatever the clock says now.
  EXPECT_EQ(json["time"], "1970-01-01T00:00:09.000000Z");
  EXPECT_EQ(json["boottime_ns"], 5'000'000'000);
}

TEST(Event, IsOneLineWhateverTheNameIs) {
  const std::string line = json_line(test_event(), 5);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(line)["lost"], 5);
  EXPECT_EQ(test_event().line.find('\n'), std::string::npos);
}

TEST(Event, ContainersAndUnitsByTheirNames) {
  EXPECT_EQ(unit_of("/system.slice/sshd.service"), "sshd.service");
  EXPECT_EQ(unit_of("/user.slice/user-0.slice/session-3.scope"), "session-3.scope");
  EXPECT_EQ(unit_of("/system.slice/x.service/payload"), "x.service");
  EXPECT_EQ(unit_of("/"), "");
  EXPECT_EQ(container_of("/machine.slice/libpod-0a1b.scope/container"), "0a1b");
  EXPECT_EQ(container_of("/system.slice/docker-0a1b.scope"), "0a1b");
  EXPECT_EQ(container_of("/docker/0a1b"), "0a1b");
  EXPECT_EQ(container_of("/kubepods.slice/cri-containerd-0a1b.scope"), "0a1b");
  EXPECT_EQ(container_of("/kubepods.slice/kubepods-pod1.slice/crio-0a1b.scope/container"), "0a1b");
  EXPECT_EQ(container_of("/kubepods/burstable/pod1-2/0a1b"), "0a1b");
  EXPECT_EQ(container_of("/machine.slice/machine-my\\x2dbox.scope/payload"), "my\\x2dbox");
  EXPECT_EQ(container_of("/machine.slice/systemd-nspawn@box.service/payload"), "box");
  EXPECT_EQ(container_of("/lxc.payload.box/system.slice/x.service"), "box");
  // Within one another: the inner one.
  EXPECT_EQ(container_of("/system.slice/docker-0a1b.scope/libpod-2c3d.scope"), "2c3d");
  // What only looks like one, or watches one.
  EXPECT_EQ(container_of("/system.slice/docker.service"), "");
  EXPECT_EQ(container_of("/system.slice/docker-cleanup.service"), "");
  EXPECT_EQ(container_of("/machine-x.slice/x.service"), "");
  EXPECT_EQ(container_of("/machine.slice/libpod-conmon-0a1b.scope"), "");
  EXPECT_EQ(container_of("/kubepods.slice/kubepods-pod1.slice"), "");
  EXPECT_EQ(container_of("/user.slice/podman/x"), "");
  EXPECT_EQ(container_of("docker"), "");
}

TEST(Event, WhatIsAllowedAndWhatIsAnAttack) {
  EventRecord record = test_record();
  const auto field = [&](const char* name) {
    for (const Field& one : describe(record, "", {}).fields)
      if (one.name == std::string(name)) return one.text;
    return std::string();
  };
  const char* denied = describe(record, "", {}).message_id;
  record.event.reason = 0;
  record.event.enforced = 0;
  EXPECT_EQ(field("verdict"), "allowed");
  EXPECT_EQ(field("reason"), "");
  record.event.reason = DIGLIM_REASON_PROTECTED;
  record.event.kind = DIGLIM_KIND_GUARD;
  record.event.detail = DIGLIM_GUARD_PTRACE;
  EXPECT_EQ(field("kind"), "trace DIGLIM");
  EXPECT_STRNE(describe(record, "", {}).message_id, denied);
}

}  // namespace
}  // namespace diglim::events
