// SPDX-License-Identifier: Apache-2.0
#include "tools/events/outlet.h"

#include <gtest/gtest.h>

#include <future>

#include "tools/events/test_event.h"

namespace diglim::events {
namespace {

std::shared_ptr<const Event> event(uint64_t lost = 0) {
  return std::make_shared<const Event>(test_event(lost));
}

TEST(Outlet, SaysWhatWasLostWithTheNextEvent) {
  std::vector<uint64_t> said;
  bool fails = false;
  {
    Outlet outlet("x", [&](const Event&, uint64_t lost) -> Result<void> {
      if (fails) return invalid("no");
      said.push_back(lost);
      return {};
    });
    const auto give = [&](uint64_t lost, uint64_t number) {
      outlet.give(event(lost), number);
      while (outlet.queued() > 0) std::this_thread::yield();
    };
    give(4, 10);  // four were lost before there was a reader
    give(4, 11);
    fails = true;
    give(4, 12);
    EXPECT_EQ(outlet.state().error, "no");
    fails = false;
    give(6, 13);
    EXPECT_EQ(outlet.state().written, 3u);
    EXPECT_EQ(outlet.state().lost, 1u);
    EXPECT_EQ(outlet.state().next, 14u);
    EXPECT_EQ(outlet.state().error, "");
  }
  EXPECT_EQ(said, (std::vector<uint64_t>{4, 0, 3}));
}

TEST(Outlet, NeitherWaitsNorGrowsWhenItsEndIsDead) {
  auto release = std::make_shared<std::promise<void>>();
  const std::shared_future<void> released(release->get_future());
  Outlet outlet("x", [released](const Event&, uint64_t) -> Result<void> {
    released.wait();
    return {};
  });
  const auto one = event();
  // Nothing releases it meanwhile, so whoever waited would never come back.
  for (uint64_t i = 0; i < Outlet::kMostQueued + 1000; ++i) outlet.give(one, i);
  EXPECT_LE(outlet.queued(), Outlet::kMostQueued + 1);
  EXPECT_GE(outlet.state().lost, 999u);
  EXPECT_EQ(outlet.state().next + outlet.queued(), Outlet::kMostQueued + 1000);
  release->set_value();
  outlet.stop();
  EXPECT_EQ(outlet.state().written + outlet.state().lost, Outlet::kMostQueued + 1000);
}

TEST(Outlet, WhatThisProcessWasNotGivenTheLastOneLost) {
  uint64_t said = 0;
  Outlet::State state;
  state.is_fresh = false;
  state.next = 10;
  state.written = 10;
  Outlet outlet(
      "x",
      [&](const Event&, uint64_t lost) -> Result<void> {
        said = lost;
        return {};
      },
      state);
  outlet.give(event(), 13);
  outlet.stop();
  EXPECT_EQ(said, 3u);
  EXPECT_EQ(outlet.state().lost, 3u);
  EXPECT_EQ(outlet.state().next, 14u);
}

}  // namespace
}  // namespace diglim::events
