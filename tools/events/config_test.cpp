// SPDX-License-Identifier: Apache-2.0
#include "tools/events/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diglim::events {
namespace {

TEST(EventsConfig, WithoutAFileItIsTheJournal) {
  const auto config = parse_config("");
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->journal);
  EXPECT_FALSE(config->audit || config->syslog);
  EXPECT_TRUE(config->json_file.empty() && config->json_socket.empty());
}

TEST(EventsConfig, EachOutletIsSwitched) {
  const auto config = parse_config(
      "# where\njournal = off\naudit=on # and\nsyslog = on\njson-file = /var/log/diglim/events.json\n"
      "json-socket = /run/shipper");
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->journal);
  EXPECT_TRUE(config->audit && config->syslog);
  EXPECT_EQ(config->json_file, "/var/log/diglim/events.json");
  EXPECT_EQ(config->json_socket, "/run/shipper");
}

TEST(EventsConfig, WhatIsWrongIsNamedWithItsLine) {
  for (const char* text : {"\njournal = yes", "\njson-file = here", "\nkafka = on", "\njournal", "\n= on"}) {
    const auto config = parse_config(text);
    ASSERT_FALSE(config) << text;
    EXPECT_THAT(config.error().message, testing::StartsWith("line 2: ")) << text;
  }
}

}  // namespace
}  // namespace diglim::events
